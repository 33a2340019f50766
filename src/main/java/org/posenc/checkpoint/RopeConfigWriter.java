package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.posenc.checkpoint.ModelFamily.Kind;
import org.posenc.checkpoint.RopeConfig.KeyStyle;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RotaryLayout;

/** Writes a {@link RopeConfig} in Hugging Face's keys, old or new. */
final class RopeConfigWriter {

    private static final String FULL = LayerTypes.FULL;
    private static final String SLIDING = LayerTypes.SLIDING;

    /** These count the components that turn, in both styles. */
    static final Set<String> COUNTED = Set.of("gptj", "codegen");

    private static final String ORIGINAL = "original_max_position_embeddings";

    private final RopeConfig config;
    private final KeyStyle style;
    private final Optional<ModelFamily> family;
    private final JsonObject json = new JsonObject();

    RopeConfigWriter(RopeConfig config, KeyStyle style) {
        this.config = config;
        this.style = style;
        family = ModelFamily.of(config.modelType());
    }

    /** Writes RoPE and the sizes that it depends on. */
    JsonObject write() {
        if (!config.modelType().isEmpty()) {
            json.addProperty("model_type", config.modelType());
        }
        writeHeads();
        if (!config.layerTypes().isEmpty()) {
            json.addProperty("num_hidden_layers", config.layerTypes().size());
        }
        return writeRope();
    }

    /** Writes RoPE alone. */
    JsonObject writeRope() {
        json.addProperty("max_position_embeddings", config.maxPositions());
        writeLayers();
        if (!config.layout().equals(family.map(ModelFamily::layout))) {
            json.addProperty(
                    "rope_interleave", config.layout().orElseThrow() == RotaryLayout.INTERLEAVED);
        }
        if (isFlat()) {
            writeFlat();
        } else if (style == KeyStyle.NEW) {
            writeNested();
        } else {
            writeByAttention();
        }
        return json;
    }

    private void writeHeads() {
        for (Map.Entry<String, Optional<RopeParameters>> entry : config.parameters().entrySet()) {
            if (entry.getValue().isEmpty()) {
                continue;
            }
            int head = entry.getValue().get().headDimension();
            String key =
                    isGemma4() && entry.getKey().equals(FULL)
                            ? "global_head_dim"
                            : config.modelType().startsWith("deepseek")
                                    ? "qk_rope_head_dim"
                                    : "head_dim";
            if (json.has(key) && json.get(key).getAsInt() != head) {
                throw new IllegalArgumentException(
                        "heads must have one size for all layer types, got %d and %d"
                                .formatted(json.get(key).getAsInt(), head));
            }
            json.addProperty(key, head);
        }
    }

    private boolean isGemma4() {
        return family.filter(f -> f.modelType().equals("gemma4_text")).isPresent();
    }

    private void writeLayers() {
        List<String> types = config.layerTypes();
        Set<String> kinds = config.parameters().keySet();
        if (Set.of(RopeConfig.EVERY, RopeConfig.NONE).containsAll(kinds)) {
            if (kinds.contains(RopeConfig.NONE)
                    || family.filter(f -> f.kind() == Kind.NONE).isPresent() && !types.isEmpty()) {
                JsonArray flags = new JsonArray();
                types.forEach(type -> flags.add(type.equals(RopeConfig.NONE) ? 0 : 1));
                json.add("no_rope_layers", flags);
            }
            return;
        }
        if (!types.isEmpty()) {
            JsonArray list = new JsonArray();
            types.forEach(list::add);
            json.add("layer_types", list);
        }
        if (family.filter(f -> f.kind() == Kind.FULL_NONE).isPresent() && rope(FULL).isPresent()) {
            json.add("sliding_window", JsonNull.INSTANCE); // which gives full attention its RoPE
        }
    }

    private Optional<RopeParameters> rope(String type) {
        return config.parameters().getOrDefault(type, Optional.empty());
    }

    /** Whether all layers that have RoPE, by what their type tells, have the same. */
    private boolean isFlat() {
        if (family.filter(f -> f.kind().byAttention() || isGemma4()).isPresent()) {
            return false;
        }
        boolean noWindow = json.has("sliding_window");
        return config.parameters().values().stream().flatMap(Optional::stream).distinct().count()
                        == 1
                && config.parameters().entrySet().stream()
                        .allMatch(
                                entry ->
                                        entry.getValue().isPresent()
                                                == LayerTypes.hasRope(
                                                        family, noWindow, entry.getKey()));
    }

    private void writeFlat() {
        RopeParameters rope = rope(config.mainType()).orElseThrow();
        if (style == KeyStyle.NEW) {
            JsonObject parameters = dictionary(rope, true);
            json.add("rope_parameters", parameters);
            if (config.modelType().equals("phi3") && parameters.has(ORIGINAL)) {
                // Without it transformers 5 puts its default of 4096 in place of the dictionary's.
                json.add(ORIGINAL, parameters.get(ORIGINAL));
            }
            return;
        }
        boolean neox = config.modelType().startsWith("gpt_neox");
        json.addProperty(neox ? "rotary_emb_base" : "rope_theta", rope.base());
        addPart(json, rope, neox ? "rotary_pct" : "partial_rotary_factor");
        addScaling(rope);
    }

    private void writeNested() {
        JsonObject nested = new JsonObject();
        config.parameters()
                .forEach(
                        (type, rope) ->
                                nested.add(
                                        type,
                                        rope.isPresent()
                                                ? dictionary(rope.get(), true)
                                                : JsonNull.INSTANCE));
        json.add("rope_parameters", nested);
    }

    /** Gemma-3, Olmo-3 and ModernBERT had keys of their own for two kinds of layers. */
    private void writeByAttention() {
        Optional<RopeParameters> full = rope(FULL);
        Optional<RopeParameters> local = rope(SLIDING);
        boolean modernBert = family.filter(f -> f.kind() == Kind.FULL_FIRST).isPresent();
        boolean sayable =
                family.filter(f -> f.kind().byAttention()).isPresent()
                        && config.parameters().keySet().equals(Set.of(FULL, SLIDING))
                        && full.isPresent()
                        && local.isPresent()
                        && full.get().headDimension() == local.get().headDimension()
                        && full.get().rotaryDimension() == local.get().rotaryDimension()
                        && local.get()
                                .scaling()
                                .equals(modernBert ? full.get().scaling() : new Default())
                        && (family.get().localBase() > 0
                                || local.get().base() == full.get().base());
        if (!sayable) {
            throw new IllegalArgumentException(
                    "the old keys cannot say that layers of the types %s have each their own RoPE"
                                    .formatted(
                                            config.parameters().keySet().stream()
                                                    .collect(Collectors.joining(", ")))
                            + " in model type \""
                            + config.modelType()
                            + "\": write the new keys");
        }
        json.addProperty(modernBert ? "global_rope_theta" : "rope_theta", full.get().base());
        if (family.get().localBase() > 0) {
            json.addProperty(
                    modernBert ? "local_rope_theta" : "rope_local_base_freq", local.get().base());
        }
        addPart(json, full.get(), "partial_rotary_factor");
        addScaling(full.get());
    }

    private void addScaling(RopeParameters rope) {
        JsonObject scaling = dictionary(rope, false);
        json.add(
                "rope_scaling",
                rope.scaling() instanceof Default && config.sections().isEmpty()
                        ? JsonNull.INSTANCE
                        : scaling);
        if (config.modelType().startsWith("phi3") && scaling.has(ORIGINAL)) {
            json.add(ORIGINAL, scaling.remove(ORIGINAL));
        }
    }

    /** Returns the dictionary of a scaling, the new one with base and part. */
    private JsonObject dictionary(RopeParameters rope, boolean whole) {
        JsonObject dictionary = RopeScalings.write(rope.scaling(), config.maxPositions());
        if (config.modelType().equals("phimoe") && dictionary.has("attention_factor")) {
            // Its class takes no other names, and one for each list of factors.
            dictionary.add("short_mscale", dictionary.get("attention_factor"));
            dictionary.add("long_mscale", dictionary.remove("attention_factor"));
        }
        if (whole) {
            dictionary.addProperty("rope_theta", rope.base());
            addPart(dictionary, rope, "partial_rotary_factor");
        }
        config.sections()
                .ifPresent(
                        sections -> {
                            JsonArray sizes = new JsonArray();
                            sections.sizes().forEach(sizes::add);
                            dictionary.add("mrope_section", sizes);
                            dictionary.addProperty("mrope_interleaved", sections.interleaved());
                        });
        return dictionary;
    }

    private void addPart(JsonObject place, RopeParameters rope, String key) {
        if (rope.scaling() instanceof Proportional) {
            return; // which says it itself
        }
        int head = rope.headDimension();
        int rotary = rope.rotaryDimension();
        boolean counted = COUNTED.contains(config.modelType());
        if (counted && isFlat()) {
            json.addProperty("rotary_dim", rotary);
        } else if (counted || rotary != head || family.filter(f -> f.partial() != 1).isPresent()) {
            double part = (double) rotary / head;
            // A reader multiplies and cuts off, which must not lose one to rounding.
            place.addProperty(key, (int) (head * part) == rotary ? part : Math.nextUp(part));
        }
    }
}
