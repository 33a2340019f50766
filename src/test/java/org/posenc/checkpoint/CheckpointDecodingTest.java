package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Transformer;
import org.posenc.testing.Goldens;

/** Step-by-step decoding of Hugging Face's models against Hugging Face's own. */
class CheckpointDecodingTest {

    private static final Path FOLDER = Path.of("test-data", "goldens", "checkpoints");
    private static final int PROMPT = 10;
    private static final int LENGTH = 28;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Transformer model(String name) {
        return ModelFolder.open(FOLDER.resolve(name)).load(manager, DataType.FLOAT32);
    }

    private NDArray whole(JsonElement nested) {
        double[] values = Goldens.flat(nested);
        long[] longs = new long[values.length];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = (long) values[i];
        }
        return manager.create(longs, new Shape(Goldens.shape(nested)));
    }

    private NDArray ids(String name) {
        JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
        return whole(expected.get("input_ids")).get(":1, :" + LENGTH);
    }

    private NDArray golden(String name, String run) throws IOException {
        Path file = FOLDER.resolve(name).resolve("logits_" + run + ".npy");
        try (InputStream in = Files.newInputStream(file)) {
            return NDList.decode(manager, in).head();
        }
    }

    private NDArray decode(Transformer model, NDArray ids, Policy policy) {
        NDList logits = new NDList();
        try (KeyValueCache cache = model.cache(manager, policy)) {
            for (int at = 0; at < LENGTH; at = (int) cache.length()) {
                int to = at == 0 ? PROMPT : at + 1;
                NDArray piece = ids.get(":, " + at + ":" + to);
                Positions places = Positions.range(manager, at, to);
                logits.add(model.logits(piece, places, null, cache, parameters));
            }
        }
        return NDArrays.concat(logits, 1);
    }

    private NDArray full(Transformer model, NDArray ids) {
        return model.logits(
                ids,
                Positions.range(manager, 0, ids.getShape().get(1)),
                AttentionMask.none(),
                parameters,
                false);
    }

    private NDArray recomputed(Transformer model, NDArray ids) {
        NDList logits = new NDList(full(model, ids.get(":, :" + PROMPT)));
        for (int to = PROMPT + 1; to <= LENGTH; to++) {
            logits.add(full(model, ids.get(":, :" + to)).get(":, " + (to - 1) + ":" + to));
        }
        return NDArrays.concat(logits, 1);
    }

    private static double difference(NDArray a, NDArray b) {
        assertThat(a.getShape()).isEqualTo(b.getShape());
        return a.sub(b).abs().max().getFloat();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt_neox_partial025",
                "llama_default",
                "llama_gqa8_2",
                "llama_linear",
                "llama_llama3",
                "llama_sharded",
                "llama_tied",
                "llama_yarn",
                "mistral",
                "mistral_window",
                "qwen2",
                "qwen2_window",
                "qwen3"
            })
    void keysThatStayRotatedGiveHuggingFacesLogits(String name) throws IOException {
        Transformer model = model(name);
        NDArray ids = ids(name);
        for (Policy policy : Policy.values()) {
            NDArray decoded = decode(model, ids, policy);
            assertThat(difference(decoded, golden(name, "decode28"))).isLessThan(2e-4);
            assertThat(difference(decoded, full(model, ids))).isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama_default", "llama_yarn"})
    void unrotatedKeysAndNoCacheAtAllGiveHuggingFacesLogits(String name) throws IOException {
        Transformer model = model(name);
        NDArray unrotated = decode(model, ids(name), Policy.UNROTATED);
        assertThat(difference(unrotated, golden(name, "decode28_unrotated_cache")))
                .isLessThan(2e-4);
        assertThat(difference(recomputed(model, ids(name)), golden(name, "decode28_recompute")))
                .isLessThan(2e-4);
    }

    @Test
    void longRopeUnderHuggingFacesPolicyIsHuggingFaces() throws IOException {
        Transformer model = model("phi3_longrope");
        NDArray ids = ids("phi3_longrope");
        NDArray golden = golden("phi3_longrope", "decode28");
        assertThat(difference(decode(model, ids, Policy.HUGGING_FACE), golden)).isLessThan(2e-4);
        assertThat(difference(golden, full(model, ids))).isBetween(2.3, 2.5);
        assertThatThrownBy(() -> model.cache(manager, Policy.ROTATED))
                .hasMessageContaining("declare the length");
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama_default", "llama_yarn", "qwen3", "gpt_neox_partial025"})
    void rowsPaddedOnTheLeftGiveHuggingFacesLogits(String name) throws IOException {
        JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
        Transformer model = model(name);
        for (JsonElement element : expected.getAsJsonArray("runs")) {
            JsonObject run = element.getAsJsonObject();
            if (!run.get("name").getAsString().equals("leftpad")) {
                continue;
            }
            NDArray ids = whole(expected.get("input_ids")).get(":2, :12");
            NDArray places = whole(run.get("position_ids"));
            NDArray real = whole(run.get("attention_mask"));
            NDList logits = new NDList();
            try (KeyValueCache cache = model.cache(manager, Policy.ROTATED)) {
                for (int at = 0; at < 12; at = (int) cache.length()) {
                    String piece = ":, " + at + ":" + (at < 8 ? at + 4 : at + 1);
                    logits.add(
                            model.logits(
                                    ids.get(piece),
                                    Positions.of(places.get(piece)),
                                    real.get(piece),
                                    cache,
                                    parameters));
                }
            }
            NDArray ours = NDArrays.concat(logits, 1);
            NDArray apart = ours.sub(golden(name, "leftpad")).abs().max(new int[] {2});
            assertThat(apart.mul(real).max().getFloat()).isLessThan(2e-4f);
            return;
        }
        throw new AssertionError("no run with padding");
    }

    static List<JsonObject> scalings() {
        return Goldens.cases("generation/decode.json");
    }

    /**
     * Hugging Face's class with a dynamic or a LongRoPE scaling: kept as rotated, kept unrotated,
     * computed anew in each step, and in one pass; and how far they are apart.
     */
    @ParameterizedTest
    @MethodSource("scalings")
    void lengthDependentScalingsDifferFromOnePassAsHuggingFacesDo(JsonObject golden) {
        JsonObject rope = golden.getAsJsonObject("rope_parameters");
        boolean dynamic = golden.get("name").getAsString().equals("dynamic");
        double factor = rope.get("factor").getAsDouble();
        RopeScaling scaling =
                dynamic
                        ? new DynamicNtk(factor, 16)
                        : LongRope.of(
                                Goldens.flat(rope.get("short_factor")),
                                Goldens.flat(rope.get("long_factor")),
                                16,
                                factor);
        Transformer model =
                model("llama_default")
                        .withEncoding(
                                Rope.builder()
                                        .setHeadDimension(16)
                                        .setLayout(RotaryLayout.INTERLEAVED)
                                        .optScaling(scaling)
                                        .optLength(new ContextLength.EachRow())
                                        .optPrecision(RopePrecision.HUGGING_FACE)
                                        .build());
        NDArray ids = ids("llama_default");
        Map<String, NDArray> ours =
                Map.of(
                        "cached", decode(model, ids, Policy.HUGGING_FACE),
                        "unrotated", decode(model, ids, Policy.UNROTATED),
                        "recompute", recomputed(model, ids),
                        "full", full(model, ids));
        ours.forEach(
                (run, logits) -> {
                    JsonElement values = golden.getAsJsonObject("logits").get(run);
                    double[] flat = Goldens.flat(values);
                    NDArray theirs = manager.create(flat, logits.getShape());
                    assertThat(difference(logits, theirs.toType(DataType.FLOAT32, false)))
                            .as(run)
                            .isLessThan(2e-4);
                });
        NDArray rerotated = decode(model, ids, Policy.REROTATED);
        assertThat(difference(rerotated, ours.get("unrotated"))).isLessThan(2e-4);

        // Nothing that keeps keys can be one full pass, nor a full pass in each step; keys that are
        // turned alike come nearer to the latter.
        double fullApart = dynamic ? 1.81 : 2.32;
        double kept = difference(ours.get("cached"), ours.get("recompute"));
        double turned = difference(ours.get("unrotated"), ours.get("recompute"));
        assertThat(difference(ours.get("cached"), ours.get("full")))
                .isBetween(fullApart - 0.01, fullApart + 0.01);
        assertThat(difference(ours.get("unrotated"), ours.get("full")))
                .isBetween(fullApart - 0.01, fullApart + 0.01);
        assertThat(kept).isBetween(dynamic ? 0.46 : 0.73, dynamic ? 0.48 : 0.75);
        assertThat(turned).isBetween(dynamic ? 0.27 : 0.45, dynamic ? 0.29 : 0.47);
    }
}
