package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.model.Transformer;
import org.posenc.testing.Goldens;

/** Folders of Hugging Face's code against its own logits, losses and gradients. */
class CheckpointGoldensTest {

    private static final Path FOLDER = Path.of("test-data", "goldens", "checkpoints");

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @TempDir private Path temporary;

    @AfterEach
    void close() {
        manager.close();
    }

    static Stream<String> cases() throws IOException {
        try (Stream<Path> folders = Files.list(FOLDER)) {
            return folders
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsLossesAndGradientsAreHuggingFaces(String name) throws IOException {
        JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
        ModelFolder folder = ModelFolder.open(FOLDER.resolve(name));
        Transformer model = folder.load(manager, DataType.FLOAT32);
        int compared = 0;
        for (JsonElement element : expected.getAsJsonArray("runs")) {
            JsonObject run = element.getAsJsonObject();
            if (!name(run).startsWith("decode")) {
                compareLogits(model, folder, expected, run);
                compared++;
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(3);
        if (expected.has("training")) {
            compareTraining(folder, expected, name);
        }
    }

    /** The same model described in the other style of keys. */
    @ParameterizedTest
    @MethodSource("cases")
    void bothStylesOfKeysSayTheSame(String name) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER.resolve(name))) {
            for (Path file : files.filter(f -> f.toString().contains("safetensors")).toList()) {
                Files.copy(file, temporary.resolve(file.getFileName()));
            }
        }
        Files.copy(
                FOLDER.resolve(name).resolve("config_alt.json"), temporary.resolve("config.json"));
        ModelFolder one = ModelFolder.open(FOLDER.resolve(name));
        ModelFolder other = ModelFolder.open(temporary);
        assertThat(other.config()).isEqualTo(one.config());
        assertThat(other.rope()).isEqualTo(one.rope());
        assertThat(other.length()).isEqualTo(one.length());
    }

    private void compareLogits(
            Transformer model, ModelFolder folder, JsonObject expected, JsonObject run)
            throws IOException {
        NDArray ids = ids(expected, run);
        Positions positions = Positions.range(manager, 0, ids.getShape().get(1));
        if (run.has("position_ids")) {
            positions = Positions.of(whole(run.get("position_ids")));
        }
        AttentionMask mask = AttentionMask.none();
        NDArray real = ids.onesLike().toType(DataType.BOOLEAN, true);
        if (run.has("attention_mask")) {
            NDArray tokens = whole(run.get("attention_mask"));
            mask = AttentionMask.padding(tokens);
            real = tokens.neq(0);
        } else if (name(run).equals("packed")) {
            // A document begins where positions start again.
            NDArray starts = positions.array().eq(0).toType(DataType.INT64, false);
            mask = AttentionMask.documents(starts.cumSum(1));
        }
        NDArray logits = model.logits(ids, positions, mask, parameters, false);
        NDArray golden = npy(folder, run.getAsJsonObject("logits"));
        NDArray difference = logits.sub(golden).abs().max(new int[] {2}).mul(real);
        boolean rounded =
                expected.get("dtype").getAsString().contains("bfloat16")
                        && !run.has("compute_dtype");
        assertThat(difference.max().getFloat())
                .as(folder.folder() + " " + name(run))
                .isLessThan(rounded ? 0.1f : 2e-4f);
    }

    private void compareTraining(ModelFolder folder, JsonObject expected, String name)
            throws IOException {
        JsonObject training = expected.getAsJsonObject("training");
        for (String length : new String[] {"within12", "beyond40"}) {
            JsonObject golden = training.getAsJsonObject(length);
            Map<String, NDArray> gradients = gradients(folder, ids(expected, null), length, golden);
            double squares = 0;
            for (Map.Entry<String, JsonElement> e :
                    golden.getAsJsonObject("grad_l2_norm").entrySet()) {
                NDArray gradient = gradients.get(e.getKey());
                double norm = gradient.norm().getFloat();
                squares += norm * norm;
                assertThat(norm)
                        .as(name + " " + length + " " + e.getKey())
                        .isCloseTo(e.getValue().getAsDouble(), Percentage.withPercentage(0.01));
            }
            assertThat(Math.sqrt(squares))
                    .isCloseTo(
                            golden.get("total_grad_norm").getAsDouble(),
                            Percentage.withPercentage(0.01));
            if (golden.has("full_grads")) {
                for (Map.Entry<String, JsonElement> e :
                        golden.getAsJsonObject("full_grads").entrySet()) {
                    NDArray full = npy(folder, e.getValue().getAsJsonObject());
                    NDArray difference = gradients.get(e.getKey()).sub(full).abs();
                    assertThat(difference.max().getFloat()).isLessThan(1e-5f);
                }
            }
        }
    }

    /** The gradient of each tensor of the folder. */
    private Map<String, NDArray> gradients(
            ModelFolder folder, NDArray all, String length, JsonObject golden) {
        Transformer model = folder.load(manager, DataType.FLOAT32);
        NDArray ids = length.equals("within12") ? all.get(":, :12") : all;
        long n = ids.getShape().get(1);
        Map<String, Parameter> ours = ModelFolder.parameters(model);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        try (GradientCollector collector = Autograd.collector()) {
            NDArray logits =
                    model.logits(
                            ids,
                            Positions.range(manager, 0, n),
                            AttentionMask.none(),
                            parameters,
                            true);
            NDArray loss =
                    CrossEntropy.mean(
                            logits.get(":, :" + (n - 1)).reshape(-1, logits.getShape().get(2)),
                            ids.get(":, 1:").flatten(),
                            true);
            assertThat((double) loss.getFloat())
                    .isCloseTo(golden.get("loss").getAsDouble(), Offset.offset(1e-5));
            collector.backward(loss);
        }
        ours.forEach((name, parameter) -> arrays.put(name, parameter.getArray().getGradient()));
        Map<String, NDArray> stored = StoredRows.stored(model, arrays);
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        folder.family()
                .tensors()
                .of(folder.config())
                .forEach(
                        tensor ->
                                gradients.put(
                                        tensor.name().replace("embed_out.", "lm_head."),
                                        tensor.pack(stored)));
        return gradients;
    }

    private static String name(JsonObject run) {
        return run.get("name").getAsString();
    }

    private NDArray npy(ModelFolder folder, JsonObject golden) throws IOException {
        Path file = folder.folder().resolve(golden.get("file").getAsString());
        try (InputStream in = Files.newInputStream(file)) {
            return NDList.decode(manager, in).head();
        }
    }

    private NDArray ids(JsonObject expected, JsonObject run) {
        NDArray all = whole(expected.get("input_ids"));
        if (run == null) {
            return all;
        }
        int batch = run.get("batch").getAsInt();
        return all.get(":" + batch + ", :" + run.get("seq_len").getAsInt());
    }

    private NDArray whole(JsonElement nested) {
        double[] values = Goldens.flat(nested);
        long[] longs = new long[values.length];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = (long) values[i];
        }
        return manager.create(longs, new Shape(Goldens.shape(nested)));
    }
}
