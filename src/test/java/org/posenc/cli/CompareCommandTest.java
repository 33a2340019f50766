package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareCommandTest {

    @TempDir private Path folder;

    private Console compare(String... options) {
        List<String> all = new ArrayList<>(List.of("compare", "--out", out().toString()));
        all.addAll(List.of(options));
        return Console.run(all.toArray(String[]::new));
    }

    private Path out() {
        return folder.resolve("new/out");
    }

    @Test
    void writesTablesPicturesAndPage() throws IOException {
        Console console = compare("--encodings", "none,rope", "--steps", "2", "--seeds", "1");
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("loss 1×", "rope", "held out", "page: ");
        assertThat(console.out().lines()).allMatch(line -> line.length() <= 100);
        String page = Files.readString(out().resolve("index.html"));
        assertThat(page).contains("--encodings none,rope --steps 2 --seeds 1", "picos-de-europa");
        // Both encodings on sequences, and the one of them that takes points of the plane.
        assertThat(Files.readAllLines(out().resolve("results.jsonl"))).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "--encodings, '', unknown encoding",
        "--encodings, ropee, did you mean \"rope\"",
        "--steps, 0, steps must be at least 1",
        "--steps, few, --steps",
        "--seeds, -1, seeds must be at least 1",
        "--seed, 9223372036854775807, must leave room",
        "--device, tpu, --device must be",
        "--text, no-such-file, there is no no-such-file",
        "--text, test-data/images/picos-de-europa.png, is not a text file",
        "--text, EMPTY, holds no text",
        "--text, SHORT, too short",
        "--image, LICENSE, is no signal",
        "--image, no-such-image, there is no file",
        "--tokenizer, LICENSE, is not a tokenizer.json",
        "--tokenizer, no-such-file, there is no no-such-file",
        "--out, LICENSE/out, cannot write",
    })
    void badInputIsOneSentenceAndLeavesNothing(String option, String value, String sentence)
            throws IOException {
        Files.writeString(folder.resolve("EMPTY"), "\n");
        Files.writeString(folder.resolve("SHORT"), "hello\n");
        Path mine = folder.resolve(value);
        String given = !value.isEmpty() && Files.isRegularFile(mine) ? mine.toString() : value;
        Console console =
                option.equals("--out")
                        ? Console.run("compare", option, given, "--steps", "1")
                        : compare(option, given);
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void brokenResultsAreNotOverwritten() throws IOException {
        Files.createDirectories(out());
        Path results = Files.writeString(out().resolve("results.jsonl"), "{\"a\": 1}\n");
        Console console = compare("--encodings", "rope", "--steps", "1");
        console.assertBadInput();
        assertThat(console.err()).contains("line 1").contains("results.jsonl");
        assertThat(results).hasContent("{\"a\": 1}");
    }
}
