package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultLogTest {

    @TempDir private Path folder;

    private static ResultRow row(String key, double loss) {
        return new ResultRow(
                key,
                Map.of("encoding", "a \"quoted\"\n<line> é 位"),
                Map.of("loss", loss, "seed", 7.0),
                Map.of("spectrum", List.of(3.0, 0.1, Double.NaN)));
    }

    @Test
    void returnsWhatWasAppended() throws IOException {
        Path file = folder.resolve("new/results.jsonl");
        ResultLog log = new ResultLog(file);
        assertThat(log.read()).isEmpty();
        List<ResultRow> rows = List.of(row("1", 0.1), row("2", Double.NaN), row("3", 1e-300));
        rows.forEach(log::append);
        assertThat(log.read()).isEqualTo(rows);
        assertThat(log.keys()).containsExactly("1", "2", "3");
        assertThat(Files.readAllLines(file))
                .hasSize(3)
                .allSatisfy(line -> JsonParser.parseString(line).getAsJsonObject());
    }

    /** Whatever byte an interruption stopped at, the whole lines stay and the log goes on. */
    @Test
    void goesOnAfterATornLine() throws IOException {
        Path file = folder.resolve("results.jsonl");
        ResultLog log = new ResultLog(file);
        log.append(row("1", 1));
        log.append(row("2", 2));
        byte[] whole = Files.readAllBytes(file);
        int first = new String(whole, StandardCharsets.ISO_8859_1).indexOf('\n');
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            boolean firstIsWhole = length > first;
            assertThat(log.keys()).isEqualTo(firstIsWhole ? Set.of("1") : Set.of());
            log.append(row("3", 3));
            assertThat(log.keys())
                    .containsExactlyElementsOf(firstIsWhole ? List.of("1", "3") : List.of("3"));
        }
    }

    @Test
    void namesALineThatIsNoResult() throws IOException {
        Path file = folder.resolve("results.jsonl");
        for (String line : List.of("{\"a\":1}", "nonsense", "[]", "{\"key\":\"\"}")) {
            new ResultLog(file).append(row("1", 1));
            Files.writeString(file, line + "\n", StandardOpenOption.APPEND);
            assertThatThrownBy(() -> new ResultLog(file).read())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("line 2 of " + file + " is not a result of posenc");
            Files.delete(file);
        }
    }
}
