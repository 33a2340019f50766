package org.posenc.model;

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
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.testing.Goldens;

/** Our Transformer with Hugging Face's weights against Hugging Face's own logits and gradients. */
class CheckpointGoldensTest {

    private static final Path FOLDER = Path.of("test-data", "goldens", "checkpoints");

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama_gqa8_2", "qwen3", "gpt_neox_partial025"})
    void logitsEqualHuggingFaces(String name) throws IOException {
        JsonObject config = Goldens.read("checkpoints/" + name + "/config.json");
        JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
        Transformer model = model(config);
        Map<String, Parameter> names = load(model, config, name);
        int compared = 0;
        for (JsonElement element : expected.getAsJsonArray("runs")) {
            JsonObject run = element.getAsJsonObject();
            Path file = FOLDER.resolve(name).resolve("logits_" + name(run) + ".npy");
            if (Files.exists(file)) {
                compare(model, run, ids(expected, run), file);
                compared++;
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(2);
        compareGradients(model, names, expected);
    }

    private void compare(Transformer model, JsonObject run, NDArray ids, Path file)
            throws IOException {
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
        NDArray golden;
        try (InputStream in = Files.newInputStream(file)) {
            golden = NDList.decode(manager, in).head();
        }
        NDArray difference = logits.sub(golden).abs().max(new int[] {2}).mul(real);
        assertThat(difference.max().getFloat()).as(name(run)).isLessThan(2e-4f);
    }

    private void compareGradients(
            Transformer model, Map<String, Parameter> names, JsonObject expected) {
        JsonObject training = expected.getAsJsonObject("training").getAsJsonObject("within12");
        NDArray ids = ids(expected, null).get(":, :12");
        try (GradientCollector collector = Autograd.collector()) {
            NDArray logits =
                    model.logits(
                            ids,
                            Positions.range(manager, 0, 12),
                            AttentionMask.none(),
                            parameters,
                            true);
            NDArray loss =
                    CrossEntropy.mean(
                            logits.get(":, :11").reshape(-1, logits.getShape().get(2)),
                            ids.get(":, 1:").flatten(),
                            true);
            assertThat((double) loss.getFloat())
                    .isCloseTo(training.get("loss").getAsDouble(), Offset.offset(1e-5));
            collector.backward(loss);
        }
        int compared = 0;
        for (Map.Entry<String, JsonElement> e :
                training.getAsJsonObject("grad_l2_norm").entrySet()) {
            Parameter parameter = names.get(e.getKey());
            if (parameter != null) {
                try (NDArray gradient = parameter.getArray().getGradient()) {
                    assertThat((double) gradient.norm().getFloat())
                            .as(e.getKey())
                            .isCloseTo(e.getValue().getAsDouble(), Percentage.withPercentage(0.02));
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThan(10);
    }

    private static String name(JsonObject run) {
        return run.get("name").getAsString();
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

    private Transformer model(JsonObject c) {
        boolean neox = c.get("model_type").getAsString().equals("gpt_neox");
        int hidden = c.get("hidden_size").getAsInt();
        int heads = c.get("num_attention_heads").getAsInt();
        int headDimension = c.has("head_dim") ? c.get("head_dim").getAsInt() : hidden / heads;
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(c.get("vocab_size").getAsInt())
                        .setEmbeddingSize(hidden)
                        .setLayers(c.get("num_hidden_layers").getAsInt())
                        .setHeads(heads)
                        .optKeyValueHeads(neox ? heads : c.get("num_key_value_heads").getAsInt())
                        .optHeadDimension(headDimension)
                        .optFeedForwardSize(c.get("intermediate_size").getAsInt())
                        .optTiedOutput(c.get("tie_word_embeddings").getAsBoolean())
                        .optNorm(
                                neox
                                        ? TransformerConfig.Norm.LAYER_NORM
                                        : TransformerConfig.Norm.RMS_NORM,
                                1e-5)
                        .optActivation(
                                neox
                                        ? TransformerConfig.Activation.GELU
                                        : TransformerConfig.Activation.SWIGLU)
                        .optBiases(neox, neox, neox)
                        .optParallelResidual(neox)
                        .optQueryKeyNorm(c.get("model_type").getAsString().equals("qwen3"))
                        .build();
        Rope rope =
                Rope.builder()
                        .setHeadDimension(headDimension)
                        .setLayout(RotaryLayout.HALF_SPLIT)
                        .optBase(base(c))
                        .optPartial(neox ? c.get("rotary_pct").getAsDouble() : 1)
                        .build();
        Transformer model = new Transformer(config, rope);
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        return model;
    }

    private static double base(JsonObject c) {
        if (c.has("rope_parameters")) {
            return c.getAsJsonObject("rope_parameters").get("rope_theta").getAsDouble();
        }
        return c.get(c.has("rope_theta") ? "rope_theta" : "rotary_emb_base").getAsDouble();
    }

    /** Copies the weights; returns the parameters that hold one tensor of the folder each. */
    private Map<String, Parameter> load(Transformer model, JsonObject config, String name)
            throws IOException {
        Map<String, Parameter> ours = new LinkedHashMap<>();
        model.getParameters().forEach(p -> ours.put(p.getKey(), p.getValue()));
        Map<String, Parameter> names = new LinkedHashMap<>();
        NDList tensors;
        try (InputStream in =
                Files.newInputStream(FOLDER.resolve(name).resolve("model.safetensors"))) {
            tensors = NDList.decode(manager, in);
        }
        int set = 0;
        for (NDArray tensor : tensors) {
            String key = tensor.getName();
            if (key.contains("query_key_value")) {
                int heads = config.get("num_attention_heads").getAsInt();
                NDArray fused = tensor.reshape(heads, 3, -1, key.endsWith("bias") ? 1 : 32);
                String[] parts = {"01query", "02key", "03value"};
                for (int i = 0; i < 3; i++) {
                    String path = ourName(key).replace("FUSED", parts[i]);
                    set(ours.get(path), fused.get(":, " + i));
                    set++;
                }
            } else {
                Parameter parameter = ours.get(ourName(key));
                assertThat(parameter).as(key).isNotNull();
                set(parameter, tensor);
                names.put(key, parameter);
                set++;
            }
        }
        assertThat(set).isEqualTo(ours.size());
        return names;
    }

    private static void set(Parameter parameter, NDArray value) {
        assertThat(parameter.getShape().size()).isEqualTo(value.size());
        parameter.getArray().set(FloatBuffer.wrap(value.toFloatArray()));
    }

    private static String ourName(String key) {
        String[] p = key.split("\\.");
        String kind = p[p.length - 1];
        String last = p[p.length - 2];
        return switch (last) {
            case "embed_tokens", "embed_in" -> "tokens";
            case "norm" -> "04norm_gain";
            case "final_layer_norm" -> "04norm_" + greek(kind);
            case "lm_head" -> "05output_weight";
            default -> {
                int layer = Integer.parseInt(p[2]);
                yield String.format("%02dlayer%d_", layer + 2, layer)
                        + switch (last) {
                            case "q_proj" -> "02attention_01query_" + kind;
                            case "k_proj" -> "02attention_02key_" + kind;
                            case "v_proj" -> "02attention_03value_" + kind;
                            case "query_key_value" -> "02attention_FUSED_" + kind;
                            case "o_proj", "dense" -> "02attention_04output_" + kind;
                            case "q_norm" -> "02attention_05queryNorm_gain";
                            case "k_norm" -> "02attention_06keyNorm_gain";
                            case "gate_proj" -> "04feedForward_01gate_" + kind;
                            case "up_proj" -> "04feedForward_02up_" + kind;
                            case "down_proj" -> "04feedForward_03down_" + kind;
                            case "dense_h_to_4h" -> "04feedForward_01up_" + kind;
                            case "dense_4h_to_h" -> "04feedForward_02down_" + kind;
                            case "input_layernorm" ->
                                    "01attentionNorm_"
                                            + (p[0].equals("model") ? "gain" : greek(kind));
                            case "post_attention_layernorm" ->
                                    "03feedForwardNorm_"
                                            + (p[0].equals("model") ? "gain" : greek(kind));
                            default -> throw new IllegalArgumentException(key);
                        };
            }
        };
    }

    private static String greek(String kind) {
        return kind.equals("weight") ? "gamma" : "beta";
    }
}
