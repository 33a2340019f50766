package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.Yarn;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.testing.Goldens;
import org.posenc.training.PackedBatches;
import org.posenc.training.PackedDocuments;
import org.posenc.training.TokenDocument;

class TrainingLoopTest {

    static final Lora LORA = new Lora(4, 8, 0, false, List.of("q_proj", "v_proj", "down_proj"), 3);

    private static final ModelFolder FOLDER =
            ModelFolder.open(Path.of("test-data", "goldens", "checkpoints", "llama_default"));
    private static final int LENGTH = 32;
    private static final int SEED = 7;

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @TempDir private Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    /** Of many lengths; of some the beginning is not learned. */
    static List<TokenDocument> documents() {
        SplittableRandom random = new SplittableRandom(1);
        List<TokenDocument> documents = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            int[] ids = random.ints(random.nextInt(2, 80), 3, 64).toArray();
            int[] labels = ids.clone();
            for (int k = 0; i % 4 == 0 && k < ids.length / 2; k++) {
                labels[k] = -100;
            }
            documents.add(new TokenDocument(ids, labels));
        }
        return documents;
    }

    static Transformer model(ModelFolder folder, NDManager manager) {
        OptionalDouble none = OptionalDouble.empty();
        RopeParameters rope =
                RopeParameters.of(16, 10000, new Yarn(2, 16, 32, 1, true, none, none, none));
        return folder.load(
                manager, DataType.FLOAT32, folder.encoding(rope, new ContextLength.EachRow()));
    }

    private static Optimization optimization(int steps, double rate) {
        return optimization(steps, rate, Precision.FLOAT32, 0);
    }

    private static Optimization optimization(
            int steps, double rate, Precision precision, int recomputed) {
        return new Optimization(
                steps,
                2,
                2,
                rate,
                Optimization.Schedule.COSINE,
                4,
                0.1,
                0.9,
                0.99,
                0.5,
                precision,
                recomputed);
    }

    private TrainingLoop loop(Transformer model, Optimization optimization) {
        return new TrainingLoop(
                model, new PackedDocuments(documents(), LENGTH), optimization, SEED, manager);
    }

    /** Packed rows with masks, YaRN, accumulation, clipping, decay groups, warm-up and cosine. */
    @ParameterizedTest
    @ValueSource(strings = {"full", "lora"})
    void lossesAndGradientsAreThoseOfTransformersAndPeft(String method) throws Exception {
        JsonObject golden = Goldens.read("training/finetuning.json");
        JsonArray steps = golden.getAsJsonArray(method);
        Transformer model = model(FOLDER, manager);
        if (method.equals("lora")) {
            model.adapt(LORA);
        }
        try (TrainingLoop loop = loop(model, optimization(20, 5e-3))) {
            for (int i = 0; i < steps.size(); i++) {
                JsonObject expected = steps.get(i).getAsJsonObject();
                TrainingLoop.Step taken = loop.take(i);
                assertThat(taken.loss())
                        .as("loss of step %d", i)
                        .isCloseTo(expected.get("loss").getAsDouble(), Offset.offset(1e-4));
                double norm = expected.get("norm").getAsDouble();
                assertThat(taken.gradientNorm())
                        .as("gradient of step %d", i)
                        .isCloseTo(norm, Offset.offset(1e-3 * norm));
                assertThat(taken.learningRate())
                        .isCloseTo(expected.get("rate").getAsDouble(), Offset.offset(1e-9));
            }
        }
        assertThat(steps).hasSize(20);
    }

    @Test
    void theGoldensRowsAreStillThese() throws Exception {
        JsonArray golden = Goldens.read("training/finetuning.json").getAsJsonArray("batches");
        PackedBatches batches =
                new PackedBatches(new PackedDocuments(documents(), LENGTH), 2, 1, SEED);
        for (int k = 0; k < golden.size(); k++) {
            JsonObject expected = golden.get(k).getAsJsonObject();
            NDList data = batches.rows(k).data(manager);
            compare(data.head(), expected, "ids");
            compare(batches.rows(k).labels(manager), expected, "labels");
            assertThat(data.size() > 1).isEqualTo(expected.has("documents"));
            if (data.size() > 1) {
                compare(data.get(1), expected, "positions");
                compare(data.get(2), expected, "documents");
            }
        }
        assertThat(golden).hasSize(40);
    }

    private static void compare(NDArray array, JsonObject golden, String name) {
        assertThat(array.toLongArray())
                .containsExactly(
                        golden.getAsJsonArray(name).asList().stream()
                                .mapToLong(e -> e.getAsLong())
                                .toArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "frozen", "lora", "float16", "recomputed"})
    void aTrainingGoesOnFromItsStateToTheLastBit(String method) {
        Tuning tuning =
                switch (method) {
                    case "full", "float16", "recomputed" -> new Tuning.Full(List.of());
                    case "frozen" -> new Tuning.Full(List.of(Pattern.compile("tokens|layer0")));
                    default ->
                            new Tuning.LowRank(
                                    new Lora(2, 4, 0.3, false, List.of("q_proj", "up_proj"), 5));
                };
        Precision precision = method.equals("float16") ? Precision.FLOAT16 : Precision.FLOAT32;
        TuningState state = new TuningState(folder.resolve("state.safetensors"), "key");
        List<Double> losses = new ArrayList<>();
        Map<String, float[]> weights = new TreeMap<>();
        for (boolean interrupted : new boolean[] {false, true}) {
            List<Double> seen = new ArrayList<>();
            int recomputed = interrupted && method.equals("recomputed") ? 1 : 0;
            Optimization optimization = optimization(9, 3e-3, precision, recomputed);
            Transformer model = model(FOLDER, manager);
            Map<String, float[]> before = weights(model);
            tuning.prepare(model);
            TrainingLoop loop = loop(model, optimization);
            for (int i = 0; i < 9; i++) {
                seen.add(loop.take(i).loss());
                if (interrupted && i == 4) {
                    state.write(5, loop);
                    loop.take(5); // what is done after it was saved is lost
                    loop.close();
                    model = model(FOLDER, manager);
                    tuning.prepare(model);
                    loop = loop(model, optimization);
                    assertThat(state.restore(loop, manager)).isEqualTo(5);
                }
            }
            loop.close();
            Map<String, float[]> after = weights(model);
            if (interrupted) {
                assertThat(seen).isEqualTo(losses);
                after.forEach((name, w) -> assertThat(w).as(name).isEqualTo(weights.get(name)));
            } else {
                losses.addAll(seen);
                weights.putAll(after);
                assertThat(losses).doesNotHaveDuplicates();
                boolean embeddings = Arrays.equals(before.get("tokens"), after.get("tokens"));
                assertThat(embeddings)
                        .isEqualTo(
                                !(tuning instanceof Tuning.Full full && full.frozen().isEmpty()));
            }
        }
    }

    private static Map<String, float[]> weights(Transformer model) {
        Map<String, float[]> weights = new TreeMap<>();
        model.named().forEach((name, p) -> weights.put(name, p.getArray().toFloatArray()));
        return weights;
    }

    @Test
    void aStepThatIsNotFiniteIsNamedAndNotTaken() {
        Transformer model = model(FOLDER, manager);
        try (TrainingLoop loop = loop(model, optimization(40, 1e30))) {
            Map<String, float[]> before = null;
            int step = 0;
            try {
                for (; step < 40; step++) {
                    before = weights(model);
                    loop.take(step);
                }
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageStartingWith("step " + (step + 1) + " has a loss of ");
            }
            assertThat(step).isBetween(1, 39);
            Map<String, float[]> after = weights(model);
            before.forEach((name, w) -> assertThat(after.get(name)).isEqualTo(w));
        }
    }

    /** Rows that are all the same, and weights that hardly move. */
    @Test
    void eachStepDropsOtherElements() {
        TokenDocument document =
                TokenDocument.of(new SplittableRandom(1).ints(LENGTH + 1, 3, 64).toArray());
        PackedDocuments rows = new PackedDocuments(Collections.nCopies(8, document), LENGTH);
        Transformer model = model(FOLDER, manager);
        model.adapt(new Lora(2, 4, 0.5, false, List.of("q_proj"), 5));
        try (TrainingLoop loop =
                new TrainingLoop(model, rows, optimization(5, 1e-12), SEED, manager)) {
            double first = loop.take(0).gradientNorm();
            double second = loop.take(1).gradientNorm();
            assertThat(Math.abs(first - second)).isGreaterThan(1e-3 * first);
        }
    }

    @Test
    void aStateOfAnotherTrainingIsRefused() {
        Path file = folder.resolve("state.safetensors");
        try (TrainingLoop loop = loop(model(FOLDER, manager), optimization(5, 1e-3))) {
            loop.take(0);
            new TuningState(file, "one").write(1, loop);
            assertThatThrownBy(() -> new TuningState(file, "other").restore(loop, manager))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is of another training");
            assertThat(new TuningState(folder.resolve("none"), "one").restore(loop, manager))
                    .isZero();
        }
    }

    @Test
    void nothingLeftToTrainIsRefused() {
        Transformer model = model(FOLDER, manager);
        assertThatThrownBy(() -> new Tuning.Full(List.of(Pattern.compile("."))).prepare(model))
                .hasMessageContaining("nothing is left");
        assertThatThrownBy(() -> new Tuning.Full(List.of(Pattern.compile("layer9"))).prepare(model))
                .hasMessageContaining("layer9");
    }
}
