package org.posenc.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.encoding.Encodings;
import org.posenc.report.Provenance;
import org.posenc.report.ResultLog;
import org.posenc.report.ResultRow;
import org.posenc.testing.Chromium;

class ComparisonTest {

    private static final SequenceTask TINY_DECODER =
            new SequenceTask(1, 8, 2, 4, 8, 2, 6, 3e-3, 4, 3);
    private static final ImageTask TINY_NETWORK = new ImageTask(1, 8, 8, 4, 2e-3, 16);

    @TempDir Path folder;

    private final List<String> finished = Collections.synchronizedList(new ArrayList<>());

    private ComparisonPlan plan(List<String> sequence, List<String> images, int seeds)
            throws IOException {
        Path text = folder.resolve("text.txt");
        if (!Files.exists(text)) {
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 600; i++) {
                lines.append("line ").append(i).append(" of ").append(i * i % 97).append('\n');
            }
            Files.writeString(text, lines);
        }
        return new ComparisonPlan(
                sequence,
                images,
                TINY_DECODER,
                TINY_NETWORK,
                5,
                seeds,
                List.of(text),
                Path.of("models/tokenizer-1024/tokenizer.json"),
                Path.of("test-data/images/picos-de-europa.png"),
                Device.cpu());
    }

    private ComparisonReport run(ComparisonPlan plan, Path out) throws IOException {
        Progress progress =
                new Progress() {
                    @Override
                    public void started(long steps, long done) {}

                    @Override
                    public void advanced(long steps) {}

                    @Override
                    public void finished(String trial) {
                        finished.add(trial);
                    }
                };
        finished.clear();
        return Comparison.run(
                plan, out, Provenance.now("test", 5, Map.of(), Map.of(), "cpu"), progress);
    }

    private static List<ResultRow> rows(Path out) {
        return new ResultLog(out.resolve("results.jsonl"))
                .read().stream().sorted((a, b) -> a.key().compareTo(b.key())).toList();
    }

    private static Map<String, Double> withoutTime(ResultRow row) {
        Map<String, Double> values = new TreeMap<>(row.values());
        values.remove("seconds");
        return values;
    }

    @Test
    void everyEncodingRunsAndTheSameSeedGivesTheSameNumbers() throws IOException {
        ComparisonPlan plan =
                plan(ComparisonPlan.SEQUENCE_ENCODINGS, ComparisonPlan.IMAGE_ENCODINGS, 1);
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        ComparisonReport report = run(plan, first);
        run(plan, second);
        List<ResultRow> a = rows(first);
        List<ResultRow> b = rows(second);
        assertThat(a).hasSize(19);
        for (int i = 0; i < a.size(); i++) {
            assertThat(withoutTime(b.get(i))).as(a.get(i).key()).isEqualTo(withoutTime(a.get(i)));
            assertThat(a.get(i).values().values()).allMatch(Double::isFinite);
        }
        assertThat(report.text(100)).contains("rope", "gaussian", "PSNR");
        assertThat(Files.readString(report.page())).contains("Which positional encoding");
        assertThat(first.resolve("sequence.csv")).exists();
        assertThat(first.resolve("image.csv")).exists();
        assertThat(first.resolve("pictures/loss-against-length.png")).exists();
        assertThat(first.resolve("fits")).isDirectoryContaining("glob:**/gaussian-5-*.png");
    }

    @Test
    @Tag("browser")
    void itsPageOpensInARealBrowser() throws IOException, InterruptedException {
        Chromium.assumeInstalled();
        Path out = folder.resolve("page");
        ComparisonReport report = run(plan(List.of("rope", "alibi"), List.of("gaussian"), 1), out);
        Chromium.Page page = Chromium.open(report.page(), folder);
        assertThat(page.console()).isEmpty();
        // Loss, two spectra, two scatter charts and the layers.
        assertThat(page.dom()).contains("data-ready=\"6\"");
        assertThat(page.dom().split("<svg")).hasSizeGreaterThan(6);
    }

    @Test
    void anInterruptedRunGoesOnWhereItStopped() throws IOException {
        Path whole = folder.resolve("whole");
        Path torn = folder.resolve("torn");
        ComparisonPlan plan = plan(List.of("rope", "none"), List.of("gaussian"), 2);
        run(plan, whole);
        assertThat(finished).hasSize(6);

        Files.createDirectories(torn.resolve("fits"));
        List<String> lines = Files.readAllLines(whole.resolve("results.jsonl"));
        String kept = lines.stream().filter(l -> l.contains("\"none\"")).findFirst().orElseThrow();
        Files.writeString(torn.resolve("results.jsonl"), kept + "\n" + kept.substring(0, 40));
        run(plan, torn);
        assertThat(finished).hasSize(5);
        assertThat(rows(torn).stream().map(ComparisonTest::withoutTime).toList())
                .isEqualTo(rows(whole).stream().map(ComparisonTest::withoutTime).toList());

        run(plan, torn);
        assertThat(finished).isEmpty();

        // Other settings: nothing is mixed, nothing is lost, nothing is run twice.
        run(plan(List.of("alibi", "rope", "rope"), List.of(), 1), torn);
        assertThat(finished).hasSize(1);
        assertThat(rows(torn)).hasSize(2);
        Path previous = torn.resolve("results.previous.jsonl");
        assertThat(Files.readAllLines(previous)).hasSize(5);
        run(plan, torn);
        assertThat(finished).isEmpty();
        assertThat(rows(torn)).hasSize(6);
        assertThat(Files.readAllLines(previous)).hasSize(1);
    }

    @Test
    void fitsAnImageWithWhateverEncodesPointsOfThePlane() throws IOException {
        assertThat(ComparisonPlan.forImages(Encodings.names()))
                .containsAll(ComparisonPlan.IMAGE_ENCODINGS)
                .contains("basic")
                .doesNotContain("learned", "sinusoidal", "rope", "alibi", "t5");
        Path out = folder.resolve("basic");
        run(plan(List.of(), List.of("basic"), 1), out);
        assertThat(rows(out)).hasSize(1);
    }

    @Test
    void saysWhatItCannotCompare() throws IOException {
        assertThatThrownBy(() -> plan(List.of("ropee"), List.of(), 1))
                .hasMessageContaining("did you mean \"rope\"");
        assertThatThrownBy(() -> plan(List.of(), List.of(), 1)).hasMessageContaining("no encoding");
        Path few = Files.writeString(folder.resolve("few.txt"), "just a few words\n");
        ComparisonPlan plan = plan(List.of("rope"), List.of(), 1);
        ComparisonPlan shortText =
                new ComparisonPlan(
                        plan.sequenceEncodings(),
                        plan.imageEncodings(),
                        plan.sequence(),
                        plan.image(),
                        1,
                        1,
                        List.of(few),
                        plan.tokenizer(),
                        plan.picture(),
                        plan.device());
        Path out = folder.resolve("none");
        assertThatThrownBy(() -> run(shortText, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("too short");
        assertThat(out).doesNotExist();
    }
}
