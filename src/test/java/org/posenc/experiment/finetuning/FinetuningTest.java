package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.AdapterFolder;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.Yarn;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.report.JsonLines;
import org.posenc.report.Npy;
import org.posenc.report.Provenance;
import org.posenc.testing.FileEvents;

/** On a tiny model of another program's making, with ids instead of text. */
class FinetuningTest {

    private static final Path BASE =
            Path.of("test-data", "goldens", "checkpoints", "llama_default");
    private static final RopeScaling YARN =
            new Yarn(
                    2,
                    16,
                    32,
                    1,
                    true,
                    OptionalDouble.empty(),
                    OptionalDouble.empty(),
                    OptionalDouble.empty());
    private static final Tuning LORA =
            new Tuning.LowRank(new Lora(2, 4, 0.2, false, List.of("q_proj", "v_proj"), 1));

    @TempDir private Path folder;

    private Path data;

    /** Words of a tiny language: after an id comes the next one, nearly always. */
    @BeforeEach
    void writeData() {
        SplittableRandom random = new SplittableRandom(2);
        double[] ids = new double[40 * 50];
        for (int i = 0; i < ids.length; i++) {
            double next = i % 50 == 0 ? 3 : 3 + (ids[i - 1] - 2) % 60;
            ids[i] = random.nextInt(10) == 0 ? random.nextInt(3, 63) : next;
        }
        data = folder.resolve("ids.npy");
        Npy.of(ids, "<i4", 40, 50).write(data);
    }

    private FinetunePlan plan(RopeScaling scaling, Tuning tuning, int steps, double rate) {
        return plan(
                scaling,
                tuning,
                steps,
                rate,
                new FinetunePlan.Saving(3, Duration.ofDays(1), false));
    }

    private FinetunePlan plan(
            RopeScaling scaling,
            Tuning tuning,
            int steps,
            double rate,
            FinetunePlan.Saving saving) {
        ModelFolder base = ModelFolder.open(BASE);
        RopeParameters rope = RopeParameters.of(16, 10000, scaling);
        return new FinetunePlan(
                BASE,
                new DataFiles(List.of(), List.of(data), "text", List.of(), 0.2),
                rope,
                base.encoding(rope, new ContextLength.EachRow()),
                32,
                tuning,
                new Optimization(
                        steps,
                        2,
                        2,
                        rate,
                        Optimization.Schedule.LINEAR,
                        1,
                        0,
                        0.9,
                        0.99,
                        1,
                        Precision.FLOAT32,
                        0),
                new FinetunePlan.Measures(4, 3, 2, 0),
                saving,
                1,
                Device.cpu());
    }

    private static FinetuneReport run(FinetunePlan plan, Path out, Progress progress)
            throws IOException {
        Provenance origin = Provenance.now("test", plan.seed(), plan.settings(), Map.of(), "cpu");
        return Finetuning.run(plan, out, origin, progress);
    }

    /** Hears of steps, and ends the training after some. */
    private static final class Interruption implements Progress {

        private final int last;
        private int steps;
        private long started = -1;
        private final List<String> lines = new ArrayList<>();

        Interruption(int last) {
            this.last = last;
        }

        @Override
        public void started(long all, long done) {
            started = done;
        }

        @Override
        public void advanced(long more) {
            steps += (int) more;
            if (steps == last) {
                throw new CancellationException("interrupted");
            }
        }

        @Override
        public void finished(String trial) {
            lines.add(trial);
        }
    }

    private static Interruption none() {
        return new Interruption(-1);
    }

    private static List<JsonObject> lines(Path out, String kind) {
        return JsonLines.read(out.resolve("training/metrics.jsonl")).stream()
                .filter(line -> line.get("kind").getAsString().equals(kind))
                .toList();
    }

    /** Everything but how long it took and what memory there was. */
    private static List<String> measured(Path out) {
        return Stream.of("step", "reading")
                .flatMap(kind -> lines(out, kind).stream())
                .peek(
                        line -> {
                            line.remove("seconds");
                            line.remove("memory");
                        })
                .map(JsonObject::toString)
                .toList();
    }

    @Test
    void aTunedFolderReadsFurtherAndIsOneOfHuggingFaces() throws IOException {
        Path out = folder.resolve("tuned");
        Interruption progress = none();
        FinetuneReport report =
                run(plan(YARN, new Tuning.Full(List.of()), 40, 1e-2), out, progress);
        assertThat(progress.steps).isEqualTo(40);

        ModelFolder tuned = ModelFolder.open(out);
        assertThat(tuned.length()).isEqualTo(32);
        assertThat(tuned.originalLength()).isEqualTo(16);
        assertThat(tuned.rope().scaling()).isEqualTo(YARN);
        List<JsonObject> steps = lines(out, "step");
        assertThat(steps).hasSize(40);
        double first = steps.get(0).get("loss").getAsDouble();
        double last = steps.get(39).get("loss").getAsDouble();
        assertThat(first).isBetween(4.0, 5.5); // random weights: ln 64 and more
        assertThat(last).isLessThan(2.5);
        // As it came, and after 0, 4, 8, …, 40 steps; each context reads the same tokens.
        List<JsonObject> readings = lines(out, "reading");
        assertThat(readings).hasSize(12);
        assertThat(readings.get(0).get("ownRope").getAsBoolean()).isTrue();
        assertThat(readings.get(1).get("ownRope").getAsBoolean()).isFalse();
        assertThat(readings.get(11).getAsJsonArray("contexts").toString()).isEqualTo("[4,8,16,32]");
        double loss = readings.get(11).getAsJsonArray("loss").get(3).getAsDouble();
        assertThat(loss).isLessThan(2.5);

        // The folder's model is the one that was measured.
        int[] heldOut = TuningData.read(plan(YARN, LORA, 2, 1).files(), tuned).heldOutTokens();
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer model = tuned.load(manager, DataType.FLOAT32);
            double again = 0;
            for (int window = 0; window < 3; window++) {
                int end = 32 + (int) ((long) window * (heldOut.length - 33) / 2);
                again += loss(model, heldOut, end, manager) / 3;
            }
            assertThat(again).isCloseTo(loss, Offset.offset(1e-5));
        }

        assertThat(report.page()).exists();
        assertThat(Files.readString(out.resolve("README.md")))
                .contains("# tuned", "| seed | 1 |", "Yarn[factor=2.0", "| context | 4 | 8 |");
        assertThat(report.text(100)).contains("as it came", "after step 40", "model: " + out);
        assertThat(out.resolve("training/state.safetensors")).doesNotExist();
    }

    /** Of the last four tokens up to one, by the rule itself. */
    private static double loss(Transformer model, int[] tokens, int end, NDManager manager) {
        long[] ids = Arrays.stream(tokens, end - 32, end).asLongStream().toArray();
        NDArray logits =
                model.logits(
                                manager.create(ids).reshape(1, 32),
                                Positions.range(manager, 0, 32),
                                AttentionMask.none(),
                                new ParameterStore(manager, false),
                                false)
                        .logSoftmax(2);
        double sum = 0;
        for (int i = 28; i < 32; i++) {
            sum -= logits.getFloat(0, i, tokens[end - 32 + i + 1]) / 4;
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"full, 1", "full, 5", "lora, 4", "lora, 8"})
    void anInterruptedTrainingEndsAsAnUndisturbedOne(String method, int last) throws IOException {
        Tuning tuning = method.equals("full") ? new Tuning.Full(List.of()) : LORA;
        Path undisturbed = folder.resolve("undisturbed");
        run(plan(YARN, tuning, 8, 3e-3), undisturbed, none());

        Path out = folder.resolve("interrupted");
        Interruption interruption = new Interruption(last);
        assertThatThrownBy(() -> run(plan(YARN, tuning, 8, 3e-3), out, interruption))
                .isInstanceOf(CancellationException.class);
        assertThat(out.resolve("config.json")).doesNotExist();
        Interruption goesOn = none();
        run(plan(YARN, tuning, 8, 3e-3), out, goesOn);
        assertThat(goesOn.started).isEqualTo((last - 1) / 3 * 3); // saved every three steps
        assertThat(goesOn.steps).isEqualTo(8 - (last - 1) / 3 * 3);

        assertThat(measured(out)).isEqualTo(measured(undisturbed));
        for (String file : method.equals("full") ? List.of("") : List.of("", "adapter")) {
            String name =
                    file.isEmpty() ? "model.safetensors" : "adapter/adapter_model.safetensors";
            assertThat(out.resolve(name)).hasSameBinaryContentAs(undisturbed.resolve(name));
        }
    }

    /** A state whose steps the log has lost would leave a hole in the curve. */
    @Test
    void whatIsLoggedIsOnTheDiskBeforeTheStateThatGoesOnAfterIt() throws IOException {
        Path training = folder.resolve("out/training");
        List<String> events =
                FileEvents.during(
                        training,
                        () -> run(plan(YARN, LORA, 5, 1e-3), folder.resolve("out"), none()));
        List<String> kept =
                events.stream()
                        .filter(event -> event.matches(".*(metrics.jsonl|state.safetensors.tmp)"))
                        .distinct()
                        .toList();
        assertThat(kept)
                .containsExactly(
                        "write metrics.jsonl",
                        "force metrics.jsonl",
                        "write state.safetensors.tmp",
                        "force state.safetensors.tmp");
        // The first three steps, all five, and that the training is done.
        assertThat(events).filteredOn("force metrics.jsonl"::equals).hasSize(3);
        assertThat(events.lastIndexOf("force metrics.jsonl"))
                .isGreaterThan(events.lastIndexOf("write metrics.jsonl"));
    }

    @Test
    void whatIsDoneIsNotDoneAgain() throws IOException {
        Path out = folder.resolve("out");
        run(plan(YARN, LORA, 4, 1e-3), out, none());
        var written = Files.getLastModifiedTime(out.resolve("model.safetensors"));
        Interruption again = none();
        FinetuneReport report = run(plan(YARN, LORA, 4, 1e-3), out, again);
        assertThat(again.started).isEqualTo(-1);
        assertThat(Files.getLastModifiedTime(out.resolve("model.safetensors"))).isEqualTo(written);
        assertThat(report.text(100)).contains("after step 4");
        assertThatThrownBy(() -> run(plan(YARN, LORA, 4, 2e-3), out, none()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "whose learning rate was 0.001, linear, warm-up 1 and is 0.002");
        data = folder.resolve("other.npy");
        Npy.of(new double[400], "<i4", 400).write(data);
        assertThatThrownBy(() -> run(plan(YARN, LORA, 4, 1e-3), out, none()))
                .hasMessageContaining("whose checksum of the data was");
    }

    @Test
    void anAdapterAloneAdaptsTheBaseToWhatTheModelIs() throws IOException {
        Path whole = folder.resolve("whole");
        Path alone = folder.resolve("alone");
        run(plan(YARN, LORA, 4, 1e-2), whole, none());
        FinetunePlan.Saving saving = new FinetunePlan.Saving(0, Duration.ofDays(1), true);
        run(plan(YARN, LORA, 4, 1e-2, saving), alone, none());
        assertThat(alone.resolve("config.json")).doesNotExist();
        ModelFolder base = ModelFolder.open(BASE);
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer merged = ModelFolder.open(whole).load(manager, DataType.FLOAT32);
            Transformer adapted =
                    base.load(manager, DataType.FLOAT32, plan(YARN, LORA, 4, 1).encoding());
            AdapterFolder.open(alone.resolve("adapter"), base).attach(adapted);
            Map<String, NDArray> differences =
                    Map.of("merged", logits(merged, manager), "adapted", logits(adapted, manager));
            NDArray difference =
                    differences.get("merged").sub(differences.get("adapted")).abs().max();
            assertThat(difference.getFloat()).isLessThan(2e-5f);
        }
    }

    private static NDArray logits(Transformer model, NDManager manager) {
        return model.logits(
                manager.create(new long[] {5, 9, 60, 3, 17, 17}).reshape(1, 6),
                Positions.range(manager, 0, 6),
                AttentionMask.none(),
                new ParameterStore(manager, false),
                false);
    }

    @Test
    void withoutANewRopeThereIsOneReadingBefore() throws IOException {
        Path out = folder.resolve("out");
        FinetuneReport report = run(plan(new Default(), LORA, 2, 1e-3), out, none());
        assertThat(lines(out, "reading")).hasSize(2);
        assertThat(report.text(100)).doesNotContain("as it came");
        assertThat(Files.readString(out.resolve("config.json"))).contains("\"rope_scaling\": null");
    }

    @Test
    void aLossThatIsNotFiniteEndsTheTrainingAtTheSameStepEachTime() {
        Path out = folder.resolve("out");
        FinetunePlan plan = plan(YARN, new Tuning.Full(List.of()), 30, 1e30);
        String[] said = new String[2];
        for (int i = 0; i < 2; i++) {
            int attempt = i;
            assertThatThrownBy(() -> run(plan, out, none()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .satisfies(e -> said[attempt] = e.getMessage());
        }
        assertThat(said[0]).matches("step \\d+ has a loss of .*").isEqualTo(said[1]);
    }

    @Test
    void whatDoesNotGoTogetherIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path out = folder.resolve("out");
        Tuning other = new Tuning.LowRank(Lora.of(2, 4, "qkv_proj"));
        assertThatThrownBy(() -> run(plan(YARN, other, 2, 1e-3), out, none()))
                .hasMessageContaining("the modules of " + BASE + " are q_proj, k_proj");
        assertThatThrownBy(() -> run(plan(YARN, LORA, 2, 1e-3), BASE, none()))
                .hasMessageContaining("choose another");
        Npy.of(new double[] {3, 64, 5, 7, 3, 3, 3, 3, 3, 3}, "<i4", 10).write(data);
        assertThatThrownBy(() -> run(plan(YARN, LORA, 2, 1e-3), out, none()))
                .hasMessageContaining("vocabulary of 64, got 64");
        Npy.of(new double[30], "<i4", 30).write(data);
        assertThatThrownBy(() -> run(plan(YARN, LORA, 2, 1e-3), out, none()))
                .hasMessageContaining("the held-out text must have more, got 6");
        assertThat(out).doesNotExist();
        Files.createDirectories(out);
        Files.writeString(out.resolve("config.json"), "{}");
        assertThatThrownBy(() -> run(plan(YARN, LORA, 2, 1e-3), out, none()))
                .hasMessageContaining("did not make");
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.map(f -> f.getFileName().toString()).collect(Collectors.toList()))
                    .containsExactly("config.json");
        }
    }
}
