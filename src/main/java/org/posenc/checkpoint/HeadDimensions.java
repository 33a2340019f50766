package org.posenc.checkpoint;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/** How large the heads of a config.json are, and which part of them turns. */
final class HeadDimensions {

    /** Whose part that turns transformers 5 leaves out of the type "default". */
    private static final Set<String> PARTIAL_IGNORED =
            Set.of("llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe");

    /** Far beyond any model; a number that is wrong must not become as much memory. */
    private static final int LARGEST = 1 << 16;

    private final TextModelConfig config;
    private final ConfigValues top;
    private final String modelType;
    private final Optional<ModelFamily> family;

    HeadDimensions(TextModelConfig config) {
        this.config = config;
        top = config.values();
        modelType = config.modelType();
        family = config.family();
    }

    /** The size of the part of a head that this encoding sees. */
    int head(String layerType) {
        if (layerType.equals(LayerTypes.FULL)
                && family.isPresent()
                && family.get().modelType().equals("gemma4_text")) {
            Optional<Integer> global = top.count("global_head_dim");
            if (global.isEmpty()) {
                config.assume("global_head_dim", "512");
            }
            return even("global_head_dim", global.orElse(512));
        }
        if (top.has("qk_rope_head_dim")) {
            return even("qk_rope_head_dim", top.count("qk_rope_head_dim").orElseThrow());
        }
        if (top.has("head_dim")) {
            return even("head_dim", top.count("head_dim").orElseThrow());
        }
        int standard = family.map(ModelFamily::headDimension).orElse(0);
        if (standard > 0 && !config.json().has("head_dim")) {
            config.assume("head_dim", "" + standard);
            return standard;
        }
        int hidden = size("hidden_size", family.map(ModelFamily::hiddenSize), "n_embd", "d_model");
        int heads =
                size("num_attention_heads", family.map(ModelFamily::heads), "n_head", "n_heads");
        if (hidden % heads != 0) {
            throw new IllegalArgumentException(
                    "hidden_size must be a multiple of num_attention_heads where head_dim is"
                            + " missing, got %d and %d".formatted(hidden, heads));
        }
        return even("hidden_size / num_attention_heads", hidden / heads);
    }

    private int size(String name, Optional<Integer> standard, String... others) {
        ConfigValues values = config.aliases(name, others);
        Optional<Integer> said = values.count(name);
        if (said.isPresent()) {
            return said.get();
        }
        int value =
                standard.orElseThrow(
                        () -> values.missing("head_dim, or hidden_size and num_attention_heads"));
        config.assume(name, "" + value);
        return value;
    }

    private int even(String name, int value) {
        if (value > LARGEST) {
            throw new IllegalArgumentException(
                    "%s must be at most %d, got %d".formatted(name, LARGEST, value));
        }
        if (value % 2 != 0) {
            throw new IllegalArgumentException(
                    "%s must be even, since RoPE turns pairs, got %d".formatted(name, value));
        }
        return value;
    }

    /** How much of a head turns, in a type of RoPE that does not take all of it. */
    int rotary(ConfigValues values, int head, String type) {
        OptionalDouble said = values.part("partial_rotary_factor");
        OptionalLong counted = top.whole("rotary_dim", 2);
        double part = said.orElse(1);
        if (said.isPresent() && top.has("qk_rope_head_dim")) {
            return latent(part, head);
        }
        if (said.isEmpty() && counted.isPresent()) {
            if (counted.getAsLong() > head || counted.getAsLong() % 2 != 0) {
                throw top.refuse("rotary_dim", "even and at most the head dimension of " + head);
            }
            return (int) counted.getAsLong();
        }
        if (said.isEmpty()
                && RopeConfigWriter.COUNTED.contains(modelType)
                && !config.json().has("rotary_dim")) {
            config.assume("rotary_dim", "64");
            return even("rotary_dim", Math.min(64, head));
        }
        if (said.isEmpty() && family.isPresent() && family.get().partial() != 1) {
            part = family.get().partial();
            config.assume("partial_rotary_factor", ConfigValues.plain(part));
        }
        int rotary = (int) (head * part);
        if (rotary < 2 || rotary % 2 != 0) {
            throw new IllegalArgumentException(
                    "%s must leave an even part of the head dimension of %d, at least 2, got %s,"
                                    .formatted(
                                            values.path("partial_rotary_factor"),
                                            head,
                                            ConfigValues.plain(part))
                            + " which leaves "
                            + rotary);
        }
        if (counted.isPresent() && counted.getAsLong() != rotary) {
            throw new IllegalArgumentException(
                    "rotary_dim is %d but %s leaves %d of the head dimension of %d: they must agree"
                            .formatted(
                                    counted.getAsLong(),
                                    values.path("partial_rotary_factor"),
                                    rotary,
                                    head));
        }
        if (part < 1 && type.equals("default") && PARTIAL_IGNORED.contains(modelType)) {
            config.remark(
                    "partial_rotary_factor %s is honoured, as transformers 4 does; transformers 5"
                                    .formatted(ConfigValues.plain(part))
                            + " turns whole heads for this model type");
        }
        return rotary;
    }

    /** Multi-head latent attention keeps the part that turns apart; a factor may say it again. */
    private int latent(double part, int rotary) {
        int whole = top.count("head_dim").orElse(rotary);
        if ((int) (whole * part) != rotary && part != 1) {
            throw new IllegalArgumentException(
                    "qk_rope_head_dim is %d but partial_rotary_factor leaves %d of %d: they must"
                                    .formatted(rotary, (int) (whole * part), whole)
                            + " agree");
        }
        return rotary;
    }
}
