package org.posenc.checkpoint;

import static org.posenc.checkpoint.DecoderFamily.Bias.ALWAYS;
import static org.posenc.checkpoint.DecoderFamily.Bias.ATTENTION_KEY;
import static org.posenc.checkpoint.DecoderFamily.Bias.MLP_KEY;
import static org.posenc.checkpoint.DecoderFamily.Bias.NONE;
import static org.posenc.checkpoint.DecoderFamily.Quirk.HEAD_NORMS;
import static org.posenc.checkpoint.DecoderFamily.Quirk.LAYERS_WITHOUT_ROPE;
import static org.posenc.checkpoint.DecoderFamily.Quirk.NEOX;
import static org.posenc.checkpoint.DecoderFamily.Quirk.TIED_UNLESS_SAID;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.posenc.model.TransformerConfig;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.model.TransformerConfig.Norm;

/**
 * The decoders of Hugging Face that our Transformer can be, each with what sets it apart: how its
 * tensors are called, where it has biases, and its quirks.
 */
enum DecoderFamily {
    // Where biases are: at queries, keys and values; at the attention's output; in feed-forward.
    LLAMA(
            "LlamaForCausalLM",
            TensorTable.LLAMA,
            ATTENTION_KEY,
            ATTENTION_KEY,
            MLP_KEY,
            WindowRule.NONE),
    MISTRAL("MistralForCausalLM", TensorTable.LLAMA, NONE, NONE, NONE, WindowRule.UNLESS_NULL),
    QWEN2("Qwen2ForCausalLM", TensorTable.LLAMA, ALWAYS, NONE, NONE, WindowRule.FROM_A_LAYER),
    QWEN3(
            "Qwen3ForCausalLM",
            TensorTable.LLAMA,
            ATTENTION_KEY,
            ATTENTION_KEY,
            NONE,
            WindowRule.FROM_A_LAYER,
            HEAD_NORMS),
    PHI3("Phi3ForCausalLM", TensorTable.PHI3, NONE, NONE, NONE, WindowRule.WHERE_SAID),
    GPT_NEOX(
            "GPTNeoXForCausalLM",
            TensorTable.GPT_NEOX,
            ATTENTION_KEY,
            ATTENTION_KEY,
            ALWAYS,
            WindowRule.NONE,
            NEOX),
    SMOLLM3(
            "SmolLM3ForCausalLM",
            TensorTable.LLAMA,
            ATTENTION_KEY,
            ATTENTION_KEY,
            MLP_KEY,
            WindowRule.WITHOUT_ROPE,
            LAYERS_WITHOUT_ROPE,
            TIED_UNLESS_SAID);

    /** Where biases are. */
    enum Bias {
        NONE,
        ALWAYS,
        /** Where {@code attention_bias} says so. */
        ATTENTION_KEY,
        /** Where {@code mlp_bias} says so. */
        MLP_KEY
    }

    /** What is unlike Llama. */
    enum Quirk {
        /** Queries and keys are normalised. */
        HEAD_NORMS,
        /** LayerNorm, GELU, no grouped heads; attention and feed-forward part may be parallel. */
        NEOX,
        /** {@code no_rope_layers} has a 0 for each layer that does without. */
        LAYERS_WITHOUT_ROPE,
        /** The output is tied to the embeddings where the file does not say. */
        TIED_UNLESS_SAID
    }

    private final String architecture;
    private final TensorTable tensors;
    private final Bias attention;
    private final Bias output;
    private final Bias feedForward;
    private final WindowRule windows;
    private final Set<Quirk> quirks = EnumSet.noneOf(Quirk.class);

    DecoderFamily(
            String architecture,
            TensorTable tensors,
            Bias attention,
            Bias output,
            Bias feedForward,
            WindowRule windows,
            Quirk... quirks) {
        this.architecture = architecture;
        this.tensors = tensors;
        this.attention = attention;
        this.output = output;
        this.feedForward = feedForward;
        this.windows = windows;
        this.quirks.addAll(Arrays.asList(quirks));
    }

    /**
     * Returns the family of a model type.
     *
     * @throws IllegalArgumentException if our Transformer cannot be it
     */
    static DecoderFamily of(String modelType) {
        return Arrays.stream(values())
                .filter(family -> family.modelType().equals(modelType))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "model_type \""
                                                + modelType
                                                + "\" cannot be read; those that can are "
                                                + names()));
    }

    /**
     * Returns the first family that has a model.
     *
     * @throws IllegalArgumentException if none has it; the sentence says what the nearest lacks
     */
    static DecoderFamily of(TransformerConfig config, boolean everyLayerHasRope) {
        DecoderFamily nearest = LLAMA;
        JsonObject none = new JsonObject();
        for (DecoderFamily family : values()) {
            List<String> lacking = family.lacking(config, everyLayerHasRope, none);
            if (lacking.isEmpty()) {
                return family;
            }
            if (lacking.size() < nearest.lacking(config, everyLayerHasRope, none).size()) {
                nearest = family;
            }
        }
        throw new IllegalArgumentException(
                "none of the Hugging Face families "
                        + names()
                        + " has this model; the nearest, "
                        + nearest.modelType()
                        + ", has no "
                        + String.join(", no ", nearest.lacking(config, everyLayerHasRope, none)));
    }

    /**
     * Checks that this family has a model, where a config.json says what it said before of all that
     * has not changed.
     *
     * @throws IllegalArgumentException if it has not
     */
    void require(TransformerConfig config, boolean everyLayerHasRope, JsonObject before) {
        List<String> lacking = lacking(config, everyLayerHasRope, before);
        if (!lacking.isEmpty()) {
            throw new IllegalArgumentException(
                    "a model of type " + modelType() + " has no " + String.join(", no ", lacking));
        }
    }

    private static String names() {
        return Arrays.stream(values())
                .map(DecoderFamily::modelType)
                .collect(Collectors.joining(", "));
    }

    String modelType() {
        return name().toLowerCase(Locale.ROOT);
    }

    TensorTable tensors() {
        return tensors;
    }

    /**
     * Reads what a config.json says of the model, beside RoPE.
     *
     * @throws IllegalArgumentException if a value is missing or wrong
     */
    TransformerConfig read(JsonObject config) {
        ConfigValues json = ConfigValues.of(config, "");
        boolean layerNorm = quirks.contains(NEOX);
        int embeddingSize = required(json, "hidden_size");
        int heads = required(json, "num_attention_heads");
        int layers = required(json, "num_hidden_layers");
        TransformerConfig.Builder builder =
                TransformerConfig.builder()
                        .setVocabulary(required(json, "vocab_size"))
                        .setEmbeddingSize(embeddingSize)
                        .setLayers(layers)
                        .setHeads(heads)
                        .optHeadDimension(embeddingSize / heads)
                        .optFeedForwardSize(required(json, "intermediate_size"))
                        .optBiases(
                                hasBias(attention, json),
                                hasBias(output, json),
                                hasBias(feedForward, json))
                        .optQueryKeyNorm(quirks.contains(HEAD_NORMS))
                        .optWindows(windows.read(config, layers))
                        .optTiedOutput(
                                json.flag("tie_word_embeddings")
                                        .orElse(quirks.contains(TIED_UNLESS_SAID)));
        if (layerNorm) {
            return builder.optNorm(Norm.LAYER_NORM, epsilon(json, "layer_norm_eps"))
                    .optActivation(Activation.GELU)
                    .optParallelResidual(json.flag("use_parallel_residual").orElse(true))
                    .build();
        }
        return builder.optNorm(Norm.RMS_NORM, epsilon(json, "rms_norm_eps"))
                .optActivation(Activation.SWIGLU)
                .optKeyValueHeads(json.count("num_key_value_heads").orElse(heads))
                .optHeadDimension(json.count("head_dim").orElse(embeddingSize / heads))
                .build();
    }

    /**
     * Writes what a config.json says of a model of this family, beside RoPE.
     *
     * @param before what it said; what is not about the model stays, and so do the words for
     *     windows that have not changed, of which there are several
     */
    JsonObject write(TransformerConfig config, JsonObject before) {
        JsonObject json = before.deepCopy();
        JsonObject said = write(config);
        boolean asDeep =
                ConfigValues.of(before, "")
                        .count("num_hidden_layers")
                        .filter(layers -> layers == config.layers())
                        .isPresent();
        if (asDeep && windows.read(before, config.layers()).equals(config.windows())) {
            windows.keys().forEach(said::remove);
        } else {
            windows.keys().forEach(json::remove);
        }
        said.asMap().forEach(json::add);
        return json;
    }

    private JsonObject write(TransformerConfig config) {
        JsonArray architectures = new JsonArray();
        architectures.add(architecture);
        JsonObject json = new JsonObject();
        json.add("architectures", architectures);
        json.addProperty("model_type", modelType());
        json.addProperty("vocab_size", config.vocabulary());
        json.addProperty("hidden_size", config.embeddingSize());
        json.addProperty("intermediate_size", config.feedForwardSize());
        json.addProperty("num_hidden_layers", config.layers());
        json.addProperty("num_attention_heads", config.heads());
        if (quirks.contains(NEOX)) {
            json.addProperty("hidden_act", "gelu");
            json.addProperty("layer_norm_eps", config.normEpsilon());
            json.addProperty("use_parallel_residual", config.parallelResidual());
        } else {
            json.addProperty("num_key_value_heads", config.keyValueHeads());
            json.addProperty("head_dim", config.headDimension());
            json.addProperty("hidden_act", "silu");
            json.addProperty("rms_norm_eps", config.normEpsilon());
        }
        if (attention == ATTENTION_KEY) {
            json.addProperty("attention_bias", config.attentionBias());
        }
        if (feedForward == MLP_KEY) {
            json.addProperty("mlp_bias", config.feedForwardBias());
        }
        windows.write(config.windows(), json);
        json.addProperty("tie_word_embeddings", config.tiedOutput());
        return json;
    }

    /** What a model has that this family's config.json cannot say. */
    private List<String> lacking(
            TransformerConfig config, boolean everyLayerHasRope, JsonObject before) {
        boolean whole = this == LLAMA || this == GPT_NEOX;
        if (whole && config.embeddingSize() % config.heads() != 0) {
            return List.of("embedding size that is not a multiple of the heads");
        }
        Map<String, Object> wanted = values(config);
        Map<String, Object> said = values(read(write(config, before)));
        List<String> lacking = new ArrayList<>();
        wanted.forEach(
                (name, value) -> {
                    if (!Objects.equals(value, said.get(name))) {
                        lacking.add(name + " " + value);
                    }
                });
        if (!everyLayerHasRope && !quirks.contains(LAYERS_WITHOUT_ROPE)) {
            lacking.add("layers without RoPE");
        }
        return lacking;
    }

    /** What decides a model's output, by the names of its configuration in words. */
    private static Map<String, Object> values(TransformerConfig config) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (RecordComponent component : TransformerConfig.class.getRecordComponents()) {
            String words =
                    component.getName().replaceAll("(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
            if (!words.endsWith("dropout") && !words.equals("seed")) {
                values.put(words, value(config, component));
            }
        }
        // Not a number stands for this one.
        double usual = 1 / Math.sqrt(config.headDimension());
        values.replace("attention scale", usual, Double.NaN);
        return values;
    }

    private static Object value(TransformerConfig config, RecordComponent component) {
        try {
            return component.getAccessor().invoke(config);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e); // the accessors of a public record are public
        }
    }

    /** Refuses a config.json that asks for what our Transformer does not do. */
    void refuseWhatIsNotDone(JsonObject json) {
        ConfigValues values = ConfigValues.of(json, "");
        String activation = quirks.contains(NEOX) ? "gelu" : "silu";
        if (!values.text("hidden_act").orElse(activation).equals(activation)) {
            throw values.refuse("hidden_act", "\"" + activation + "\"");
        }
        if (values.has("quantization_config")) {
            throw new IllegalArgumentException(
                    "quantised weights cannot be read, and quantization_config says these are");
        }
    }

    private boolean hasBias(Bias bias, ConfigValues json) {
        return switch (bias) {
            case NONE -> false;
            case ALWAYS -> true;
            case ATTENTION_KEY -> json.flag("attention_bias").orElse(this == GPT_NEOX);
            case MLP_KEY -> json.flag("mlp_bias").orElse(false);
        };
    }

    private static int required(ConfigValues json, String name) {
        return json.count(name).orElseThrow(() -> json.missing(name));
    }

    private static double epsilon(ConfigValues json, String name) {
        return json.positive(name).orElseThrow(() -> json.missing(name));
    }
}
