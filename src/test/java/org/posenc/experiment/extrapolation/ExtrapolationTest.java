package org.posenc.experiment.extrapolation;

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
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.Progress;
import org.posenc.report.Provenance;
import org.posenc.report.ResultLog;
import org.posenc.report.ResultRow;
import org.posenc.testing.Chromium;

class ExtrapolationTest {

    @TempDir Path folder;

    private final List<String> finished = Collections.synchronizedList(new ArrayList<>());

    private static List<LengthMethod> methods(String... names) {
        return Stream.of(names).map(LengthMethod::named).toList();
    }

    private ExtrapolationPlan plan(List<String> encodings, List<LengthMethod> methods)
            throws IOException {
        Path text = folder.resolve("text.txt");
        if (!Files.exists(text)) {
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 600; i++) {
                lines.append("line ").append(i).append(" of ").append(i * i % 97).append('\n');
            }
            Files.writeString(text, lines);
        }
        return new ExtrapolationPlan(
                encodings.stream().map(TrainedEncoding::parse).toList(),
                encodings.stream().map(TrainedEncoding::parse).limit(4).toList(),
                methods,
                new TextTask(1, 16, 2, 8, 32, 4, new DecoderTraining(12, 2e-2)),
                new ReadingTask(new int[] {1, 2, 4}, 4, 3, 2, 1),
                List.of(SymbolTask.SORT),
                new PuzzleTask(
                        1, 8, 2, 8, 4, 4, new DecoderTraining(2, 1e-3), new double[] {1, 1.5}, 4),
                new ExtrapolationPlan.Tuning(methods.stream().limit(3).toList(), 2, 2, 1e-4),
                5,
                1,
                List.of(text),
                Path.of("models/tokenizer-bytes/tokenizer.json"),
                Optional.empty(),
                Device.cpu());
    }

    private ExtrapolationReport run(ExtrapolationPlan plan, Path out) throws IOException {
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
        return Extrapolation.run(
                plan, out, Provenance.now("test", 5, Map.of(), Map.of(), "cpu"), progress);
    }

    private static Map<String, Map<String, Double>> numbers(Path out) {
        Map<String, Map<String, Double>> numbers = new TreeMap<>();
        for (ResultRow row : new ResultLog(out.resolve("results.jsonl")).read()) {
            Map<String, Double> values = new TreeMap<>(row.values());
            values.remove("seconds");
            numbers.put(row.key(), values);
        }
        return numbers;
    }

    private static double value(
            Map<String, Map<String, Double>> numbers, String start, String quantity) {
        return numbers.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(start))
                .findFirst()
                .orElseThrow()
                .getValue()
                .get(quantity);
    }

    @Test
    void everyMethodReadsAndTheSameSeedGivesTheSameNumbers() throws IOException {
        ExtrapolationPlan plan =
                plan(List.of("rope", "learned", "alibi", "rope:base=40"), LengthMethod.all());
        Path first = folder.resolve("first");
        ExtrapolationReport report = run(plan, first);
        Path second = folder.resolve("second");
        run(plan(List.of("rope"), methods("direct", "yarn")), second);
        Map<String, Map<String, Double>> numbers = numbers(first);
        assertThat(numbers(second)).hasSize(10); // text and sort: trained, at once and tuned
        for (Map.Entry<String, Map<String, Double>> again : numbers(second).entrySet()) {
            if (!again.getKey().matches("tuned/.*/rope/yarn/.*")) { // not tuned at first
                assertThat(again.getValue()).isEqualTo(numbers.get(again.getKey()));
            }
        }
        assertThat(numbers.values())
                .allMatch(values -> values.values().stream().allMatch(Double::isFinite));
        for (LengthMethod method : LengthMethod.all()) {
            assertThat(numbers.keySet())
                    .as(method.name())
                    .anyMatch(key -> key.contains("/" + method.name() + "/"));
        }
        // At their own length all methods are the trained decoder.
        double own = value(numbers, "at-once/text/rope/direct/", "loss1x");
        assertThat(value(numbers, "at-once/text/rope/yarn/", "loss1x")).isEqualTo(own);
        assertThat(value(numbers, "at-once/text/rope/yarn/", "loss4x"))
                .isNotEqualTo(value(numbers, "at-once/text/rope/direct/", "loss4x"));
        assertThat(report.text(120)).contains("yarn", "rerope", "sort", "passkey");
        assertThat(report.text(120).lines()).allMatch(line -> line.length() <= 120);
        assertThat(Files.readString(report.page())).contains("How far does RoPE read");
        assertThat(first.resolve("pictures/perplexity-at-once.png")).exists();
        assertThat(first.resolve("at-once.csv")).exists();
    }

    @Test
    void divisorsAreSearchedOnceForEachLengthAndKept() throws IOException {
        ExtrapolationPlan plan = plan(List.of("rope"), methods("direct", "linear", "longrope"));
        Path out = folder.resolve("searched");
        ExtrapolationReport report = run(plan, out);
        Map<String, Map<String, Double>> whole = numbers(out);
        // For text and sort: a training, a search, and three methods at once and tuned.
        assertThat(whole).hasSize(16);
        List<ResultRow> searches =
                new ResultLog(out.resolve("results.jsonl"))
                        .read().stream().filter(row -> row.key().startsWith("search/")).toList();
        assertThat(searches).hasSize(2);
        ResultRow text =
                searches.stream().filter(r -> r.key().contains("/text/")).findFirst().orElseThrow();
        assertThat(text.curves()).containsOnlyKeys("divisors2x", "divisors4x");
        assertThat(text.curves().get("divisors4x")).hasSize(4).isSorted();
        assertThat(text.values()).containsEntry("evaluations4x", 64.0);
        assertThat(value(whole, "at-once/text/rope/longrope/", "loss4x"))
                .isNotEqualTo(value(whole, "at-once/text/rope/direct/", "loss4x"));
        assertThat(Files.readString(report.page())).contains("divisors, as the search found them");
        assertThat(out.resolve("pictures/longrope-divisors.png")).exists();
        assertThat(out.resolve("sort-tuned.csv")).exists();

        // Interrupted after the searches: they are not repeated, and give the same readings.
        List<String> lines = Files.readAllLines(out.resolve("results.jsonl"));
        List<String> kept =
                lines.stream()
                        .filter(l -> !l.contains("/longrope/") || l.contains("\"search/"))
                        .toList();
        assertThat(kept).hasSize(12);
        Files.writeString(out.resolve("results.jsonl"), String.join("\n", kept) + "\n");
        run(plan, out);
        assertThat(finished).hasSize(4).allMatch(line -> line.contains("longrope"));
        assertThat(numbers(out)).isEqualTo(whole);
    }

    @Test
    void positionsOfTrainingAndGatesOfEachLayerTrainToo() throws IOException {
        Path out = folder.resolve("others");
        run(
                plan(
                        List.of(
                                "rope@pose",
                                "learned@randomized",
                                "fox",
                                "cope",
                                "rope:log-n=trained"),
                        methods("direct", "resized")),
                out);
        Map<String, Map<String, Double>> numbers = numbers(out);
        assertThat(numbers.values())
                .allMatch(values -> values.values().stream().allMatch(Double::isFinite));
        assertThat(numbers.keySet())
                .anyMatch(key -> key.startsWith("at-once/text/rope-@pose/direct/"))
                .anyMatch(key -> key.startsWith("tuned/sort/learned-@randomized/resized/"))
                .anyMatch(key -> key.startsWith("at-once/text/cope/direct/"));
        // A table of 128 positions, not of 32, as all of them occur.
        double learned = value(numbers, "training/text/learned-@randomized/", "parameters");
        assertThat(learned - value(numbers, "training/text/rope-@pose/", "parameters"))
                .isEqualTo(128 * 16);
    }

    @Test
    void theTrainedModelReadsTheSameFromItsFolder() throws IOException {
        ExtrapolationPlan plan = plan(List.of("rope"), methods("direct", "yarn"));
        Path out = folder.resolve("trained");
        run(plan, out);
        Path base = out.resolve("base");
        ExtrapolationPlan given =
                new ExtrapolationPlan(
                        List.of(),
                        List.of(),
                        plan.methods(),
                        plan.text(),
                        plan.reading(),
                        List.of(),
                        plan.puzzle(),
                        plan.tuning(),
                        plan.seed(),
                        1,
                        plan.texts(),
                        base.resolve("tokenizer.json"),
                        Optional.of(base),
                        Device.cpu());
        run(given, folder.resolve("given"));
        Map<String, Map<String, Double>> first = numbers(out);
        Map<String, Map<String, Double>> second = numbers(folder.resolve("given"));
        assertThat(second).hasSize(4); // two methods, at once and tuned
        for (String quantity : List.of("loss1x", "loss4x", "passkey4x")) {
            String start = "at-once/text/rope/yarn/";
            // Tables are Hugging Face's in the folder, exact where it was trained.
            assertThat(value(second, start, quantity))
                    .isCloseTo(value(first, start, quantity), Offset.offset(1e-4));
        }
    }

    @Test
    void whatIsFinishedIsNotRunAgainAndTheRestIsTheSame() throws IOException {
        ExtrapolationPlan plan = plan(List.of("rope"), methods("direct", "linear"));
        Path out = folder.resolve("out");
        run(plan, out);
        Map<String, Map<String, Double>> whole = numbers(out);
        run(plan, out);
        assertThat(finished).isEmpty();

        // Interrupted after the trainings: only readings are run, on the weights that are there.
        List<String> lines = Files.readAllLines(out.resolve("results.jsonl"));
        List<String> trainings = lines.stream().filter(l -> l.contains("\"training/")).toList();
        Files.writeString(out.resolve("results.jsonl"), String.join("\n", trainings) + "\n");
        run(plan, out);
        assertThat(finished).hasSize(lines.size() - trainings.size());
        assertThat(numbers(out)).isEqualTo(whole);

        // Without its weights a training has to run again.
        try (Stream<Path> files = Files.list(out.resolve("weights"))) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        run(plan, out);
        assertThat(finished).hasSize(trainings.size());
        assertThat(numbers(out)).isEqualTo(whole);
    }

    @Test
    @Tag("browser")
    void itsPageOpensInARealBrowser() throws IOException, InterruptedException {
        Chromium.assumeInstalled();
        ExtrapolationReport report =
                run(
                        plan(List.of("rope", "alibi"), methods("direct", "linear", "yarn")),
                        folder.resolve("page"));
        Chromium.Page page = Chromium.open(report.page(), folder);
        assertThat(page.console()).isEmpty();
        // At once, tuned, by position, moved pairs, turns, attention, encodings, the puzzle.
        assertThat(page.dom()).contains("data-ready=\"8\"");
    }

    @Test
    void refusesPlansThatCannotBe() {
        assertThatThrownBy(() -> LengthMethod.named("yarm"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("did you mean \"yarn\"");
        assertThatThrownBy(() -> TrainedEncoding.parse("rope:base"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("key=value");
        assertThatThrownBy(() -> new ReadingTask(new int[] {2, 4}, 1, 1, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("begin with 1");
        assertThatThrownBy(() -> plan(List.of(), LengthMethod.all()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("encodings");
    }
}
