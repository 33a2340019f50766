package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** How a family's config.json says which layers attend within a sliding window, and how wide. */
enum WindowRule {
    /** No layer does, whatever the file says. */
    NONE,
    /** All do unless {@code sliding_window} is null or missing. */
    WHERE_SAID,
    /**
     * All do unless {@code sliding_window} is null; 4096 tokens where it is missing. With {@code
     * layer_types} AutoModel takes the folder for a Ministral, whose layers differ.
     */
    UNLESS_NULL,
    /** Those from {@code max_window_layers} on do, where {@code use_sliding_window} is true. */
    FROM_A_LAYER,
    /** Those without RoPE do, where {@code use_sliding_window} is true. */
    WITHOUT_ROPE;

    private static final String WINDOW = "sliding_window";
    private static final String USED = "use_sliding_window";
    private static final String FIRST = "max_window_layers";
    private static final String TYPES = "layer_types";

    /** Where the classes of transformers 5.18 set it and the file does not. */
    private static final int STANDARD_WINDOW = 4096;

    private static final int STANDARD_FIRST = 28;

    /**
     * Reads how many keys queries see in each layer, 0 for all.
     *
     * @return the windows; empty where all layers see all keys
     * @throws IllegalArgumentException if a value is wrong
     */
    List<Integer> read(JsonObject json, int layers) {
        ConfigValues values = ConfigValues.of(json, "");
        int window = width(json, values);
        Optional<JsonArray> types =
                this == NONE || this == WHERE_SAID ? Optional.empty() : values.list(TYPES);
        boolean[] slides = new boolean[layers];
        if (types.isPresent()) {
            readTypes(types.get(), slides, window);
        } else if (window > 0 && used(values)) {
            for (int layer : sliding(json, values, layers)) {
                slides[layer] = true;
            }
        }
        List<Integer> windows =
                IntStream.range(0, layers).mapToObj(i -> slides[i] ? window : 0).toList();
        return windows.stream().allMatch(w -> w == 0) ? List.of() : windows;
    }

    /** The width that is said or standard, 0 where there is none. */
    private int width(JsonObject json, ConfigValues values) {
        boolean hasStandard = this == UNLESS_NULL || this == FROM_A_LAYER;
        boolean off = this == NONE || this == FROM_A_LAYER && !used(values);
        if (off) {
            return 0;
        }
        return hasStandard && !json.has(WINDOW) ? STANDARD_WINDOW : values.count(WINDOW).orElse(0);
    }

    private boolean used(ConfigValues values) {
        boolean asks = this == FROM_A_LAYER || this == WITHOUT_ROPE;
        return !asks || values.flag(USED).orElse(false);
    }

    private int[] sliding(JsonObject json, ConfigValues values, int layers) {
        return switch (this) {
            case NONE -> new int[0];
            case WHERE_SAID, UNLESS_NULL -> IntStream.range(0, layers).toArray();
            case FROM_A_LAYER -> {
                long first = values.whole(FIRST, 0).orElse(STANDARD_FIRST);
                yield IntStream.range((int) Math.min(first, layers), layers).toArray();
            }
            case WITHOUT_ROPE -> {
                RopeConfig rope = RopeConfig.parse(json).config();
                yield IntStream.range(0, layers).filter(i -> rope.layer(i).isEmpty()).toArray();
            }
        };
    }

    private static void readTypes(JsonArray types, boolean[] slides, int window) {
        if (types.size() != slides.length) {
            throw new IllegalArgumentException(
                    "layer_types must have an entry for each of the %d layers, got %d"
                            .formatted(slides.length, types.size()));
        }
        for (int i = 0; i < slides.length; i++) {
            JsonElement type = types.get(i);
            slides[i] = type.equals(new JsonPrimitive(LayerTypes.SLIDING));
            if (!slides[i] && !type.equals(new JsonPrimitive(LayerTypes.FULL))) {
                throw new IllegalArgumentException(
                        "layer_types[%d] must be \"%s\" or \"%s\", got %s"
                                .formatted(i, LayerTypes.FULL, LayerTypes.SLIDING, type));
            }
            if (slides[i] && window == 0) {
                throw new IllegalArgumentException(
                        "layer_types[%d] is \"%s\", and there is no window:"
                                        .formatted(i, LayerTypes.SLIDING)
                                + " sliding_window is null or missing, or use_sliding_window is"
                                + " false");
            }
        }
    }

    /** The keys that are about windows. */
    Set<String> keys() {
        return switch (this) {
            case NONE -> Set.of();
            case WHERE_SAID -> Set.of(WINDOW);
            case UNLESS_NULL -> Set.of(WINDOW, TYPES);
            case FROM_A_LAYER -> Set.of(WINDOW, USED, FIRST, TYPES);
            case WITHOUT_ROPE -> Set.of(WINDOW, USED, TYPES);
        };
    }

    /** Writes windows as far as the family has words for them. */
    void write(List<Integer> windows, JsonObject json) {
        boolean everyLayer = this == WHERE_SAID || this == UNLESS_NULL;
        if (windows.isEmpty()) {
            if (everyLayer) {
                json.add(WINDOW, JsonNull.INSTANCE);
            }
            return;
        }
        if (this == NONE) {
            return;
        }
        json.addProperty(WINDOW, Collections.max(windows));
        if (!everyLayer) {
            json.addProperty(USED, true);
            JsonArray types = new JsonArray();
            windows.forEach(w -> types.add(w == 0 ? LayerTypes.FULL : LayerTypes.SLIDING));
            json.add(TYPES, types);
            // Read by programs that do not know layer_types.
            long first = windows.stream().takeWhile(w -> w == 0).count();
            if (this == FROM_A_LAYER && windows.stream().skip(first).noneMatch(w -> w == 0)) {
                json.addProperty(FIRST, first);
            }
        }
    }
}
