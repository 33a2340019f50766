package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.posenc.checkpoint.ModelFamily.Kind;

/** Of which type each layer of a config.json is, and which types have RoPE. */
final class LayerTypes {

    static final String FULL = "full_attention";
    static final String SLIDING = "sliding_attention";
    static final String LINEAR = "linear_attention";

    /** Layers of these types do not attend, and so have no RoPE. */
    private static final Set<String> WITHOUT_ATTENTION =
            Set.of(LINEAR, "mamba", "mamba2", "conv", "recurrent", "mlp", "moe");

    /** Far beyond any model; a number that is wrong must not become as much memory. */
    private static final int MOST_LAYERS = 10_000;

    private final TextModelConfig config;
    private final ConfigValues top;
    private final Optional<ModelFamily> family;

    LayerTypes(TextModelConfig config) {
        this.config = config;
        top = config.values();
        family = config.family();
    }

    /**
     * Returns the type of each layer.
     *
     * @param nested the types that have dictionaries of their own
     * @return the types in order; empty where the file does not tell how many layers there are
     */
    List<String> read(Set<String> nested) {
        Optional<Integer> layers =
                config.aliases("num_hidden_layers", "n_layer", "num_layers")
                        .count("num_hidden_layers");
        if (layers.isPresent() && layers.get() > MOST_LAYERS) {
            throw new IllegalArgumentException(
                    "num_hidden_layers must be at most %d, got %d"
                            .formatted(MOST_LAYERS, layers.get()));
        }
        Optional<JsonArray> said = top.list("layer_types");
        if (config.json().has("no_rope_layers") && said.isEmpty()
                || family.filter(f -> f.kind() == Kind.NONE).isPresent()) {
            return withoutRope(layers);
        }
        if (said.isPresent()) {
            List<String> types = new ArrayList<>();
            for (JsonElement type : said.get()) {
                if (!(type instanceof JsonPrimitive name && name.isString())) {
                    throw new IllegalArgumentException("layer_types must hold texts, got " + type);
                }
                types.add(name.getAsString());
            }
            checkCount("layer_types", types.size(), layers);
            return types;
        }
        if (layers.isEmpty()) {
            return List.of();
        }
        int n = layers.get();
        Kind kind = family.map(ModelFamily::kind).orElse(Kind.UNIFORM);
        int period = period();
        return switch (kind) {
            case FULL_LAST -> alternating(n, period, period - 1, FULL, SLIDING);
            case FULL_NONE ->
                    hasRope(FULL) // no window, so none is left out
                            ? Collections.nCopies(n, FULL)
                            : alternating(n, period, period - 1, FULL, SLIDING);
            case FULL_FIRST -> alternating(n, period, 0, FULL, SLIDING);
            case FULL_ONLY -> alternating(n, period, period - 1, FULL, LINEAR);
            case UNIFORM, NONE -> {
                if (nested.size() > 1) {
                    throw new IllegalArgumentException(
                            "layer_types is missing, where rope_parameters has "
                                    + String.join(" and ", nested));
                }
                yield Collections.nCopies(
                        n, nested.isEmpty() ? RopeConfig.EVERY : nested.iterator().next());
            }
        };
    }

    private int period() {
        for (String key :
                List.of(
                        "sliding_window_pattern",
                        "_sliding_window_pattern",
                        "global_attn_every_n_layers",
                        "full_attention_interval")) {
            if (top.has(key)) {
                return config.json().get(key) instanceof JsonPrimitive p && p.isString()
                        ? p.getAsString().length() // Exaone's "LLLG"
                        : top.count(key).orElseThrow();
            }
        }
        return family.map(ModelFamily::period).orElse(0);
    }

    private static List<String> alternating(
            int layers, int period, int place, String one, String others) {
        return IntStream.range(0, layers)
                .mapToObj(i -> i % period == place ? one : others)
                .toList();
    }

    private List<String> withoutRope(Optional<Integer> layers) {
        Optional<int[]> said =
                top.has("no_rope_layers") ? top.wholes("no_rope_layers", 0) : Optional.empty();
        if (said.isPresent() && said.get().length > 0) {
            if (Arrays.stream(said.get()).anyMatch(flag -> flag > 1)) {
                throw top.refuse(
                        "no_rope_layers", "a list of 0, a layer without RoPE, and 1, one with it");
            }
            checkCount("no_rope_layers", said.get().length, layers);
            return Arrays.stream(said.get())
                    .mapToObj(flag -> flag == 0 ? RopeConfig.NONE : RopeConfig.EVERY)
                    .toList();
        }
        int interval =
                top.count("no_rope_layer_interval")
                        .or(() -> family.map(ModelFamily::period))
                        .orElse(0);
        if (layers.isEmpty() || interval == 0) {
            return layers.map(n -> Collections.nCopies(n, RopeConfig.EVERY)).orElse(List.of());
        }
        return alternating(layers.get(), interval, interval - 1, RopeConfig.NONE, RopeConfig.EVERY);
    }

    private static void checkCount(String key, int count, Optional<Integer> layers) {
        if (layers.isPresent() && layers.get() != count) {
            throw new IllegalArgumentException(
                    "%s must have an entry for each of the %d layers, got %d"
                            .formatted(key, layers.get(), count));
        }
    }

    /** Whether a layer type has RoPE where all that have it have the same. */
    boolean hasRope(String layerType) {
        return hasRope(
                family,
                config.json().has("sliding_window") && !top.has("sliding_window"),
                layerType);
    }

    static boolean hasRope(Optional<ModelFamily> family, boolean noWindow, String layerType) {
        boolean fullHasNone =
                !noWindow && family.filter(f -> f.kind() == Kind.FULL_NONE).isPresent();
        return !layerType.equals(RopeConfig.NONE)
                && !WITHOUT_ATTENTION.contains(layerType)
                && !(fullHasNone && layerType.equals(FULL));
    }
}
