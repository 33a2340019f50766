package org.posenc.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.Yarn;

/**
 * What a Hugging Face config.json says about RoPE, with all that it leaves out filled in: {@link
 * #parse} reads it, {@link #write} says it again in the keys of before or since transformers 5.
 *
 * <p>Reading is strict: an unknown type or key, a value of a wrong type or range, and two places
 * that contradict each other are errors that name the key and the value. Where transformers 5.18
 * reads a file otherwise than it says, this reads what it says:
 *
 * <ul>
 *   <li>{@code partial_rotary_factor} holds for every type and model, also for Llama's "default",
 *       where transformers 4 honoured it and 5 ignores it;
 *   <li>{@code truncate} holds inside nested parameters of a layer type too;
 *   <li>Phi-3's type "su" is "longrope";
 *   <li>in the old keys of models whose layers differ (Gemma-3, Olmo-3), "type" is a type as
 *       "rope_type" is, and {@code rope_theta} is also the base of Olmo-3's windowed layers;
 *   <li>an original length inside the parameters is not overwritten by the default of a class.
 * </ul>
 *
 * <p>An explicit {@code factor} wins over the ratio of the longest context to the original one, as
 * in transformers: Qwen3 and Llama 3.1 publish files where they differ.
 *
 * @param modelType {@code model_type} of the text model, or "" if the file has none
 * @param layout which components make a pair; empty where the model type is not known
 * @param maxPositions the longest context in tokens: {@code max_position_embeddings}
 * @param parameters RoPE by layer type, empty for a type without RoPE; the one type {@link #EVERY}
 *     where layers do not differ, and {@link #NONE} beside it where some have none
 * @param layerTypes the type of each layer; empty where the file does not say how many there are
 * @param sections multi-section RoPE, if it is that
 */
public record RopeConfig(
        String modelType,
        Optional<RotaryLayout> layout,
        long maxPositions,
        Map<String, Optional<RopeParameters>> parameters,
        List<String> layerTypes,
        Optional<RotarySections> sections) {

    /** The layer type where layers do not differ. */
    public static final String EVERY = "every_layer";

    /** The layer type of layers without RoPE where the others do not differ. */
    public static final String NONE = "no_rope";

    /** Which keys a file has. */
    public enum KeyStyle {
        /** Until transformers 4: {@code rope_theta} and {@code rope_scaling}. */
        OLD,
        /** Since transformers 5: {@code rope_parameters}. */
        NEW
    }

    /**
     * A file's content and what a reader of the file should know about the reading.
     *
     * @param config what it says
     * @param remarks sentences on values that the file leaves to defaults or says twice
     */
    public record Parsed(RopeConfig config, List<String> remarks) {

        /** Copies the remarks. */
        public Parsed {
            remarks = List.copyOf(remarks);
        }
    }

    /** Checks and copies the values. */
    public RopeConfig {
        layerTypes = List.copyOf(layerTypes);
        parameters = new LinkedHashMap<>(parameters);
        if (!layerTypes.isEmpty() && !layerTypes.contains(NONE)) {
            parameters.remove(NONE); // which says nothing then
        }
        parameters = Collections.unmodifiableMap(parameters);
        if (maxPositions < 1) {
            throw new IllegalArgumentException(
                    "the longest context must be at least 1 token, got " + maxPositions);
        }
        if (parameters.values().stream().noneMatch(Optional::isPresent)) {
            throw new IllegalArgumentException(
                    "a RoPE configuration needs at least one layer type with RoPE, got "
                            + parameters);
        }
        for (String type : layerTypes) {
            if (!parameters.containsKey(type)) {
                throw new IllegalArgumentException(
                        "a layer is of type \"%s\", there are parameters of %s"
                                .formatted(type, parameters.keySet()));
            }
        }
        if (sections.isPresent()) {
            for (Optional<RopeParameters> rope : parameters.values()) {
                if (rope.isPresent()
                        && rope.get().rotaryDimension() / 2 != sections.get().pairs()) {
                    throw new IllegalArgumentException(
                            "mrope_section must have a sum of %d, the pairs that turn, got %s"
                                    .formatted(
                                            rope.get().rotaryDimension() / 2,
                                            sections.get().sizes()));
                }
            }
        }
    }

    /**
     * Reads a file.
     *
     * @param file a config.json, or the folder that it lies in
     * @return what it says, with remarks
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if it is not JSON, has no RoPE, or says something impossible
     */
    public static Parsed read(Path file) throws IOException {
        Path json = Files.isDirectory(file) ? file.resolve("config.json") : file;
        JsonElement root;
        try {
            root = JsonParser.parseString(Files.readString(json));
        } catch (JsonParseException | MalformedInputException e) {
            throw new IllegalArgumentException(
                    json
                            + " is not JSON: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        if (!root.isJsonObject()) {
            throw new IllegalArgumentException(json + " must hold a JSON object");
        }
        try {
            return parse(root.getAsJsonObject());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(json + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads the content of a config.json; the text model's where it stands in {@code text_config}.
     *
     * @param config the content
     * @return what it says, with remarks
     * @throws IllegalArgumentException if it has no RoPE or says something impossible
     */
    public static Parsed parse(JsonObject config) {
        return new RopeConfigReader(config).read();
    }

    /**
     * Writes all that this says, so that {@link #parse} gives it again.
     *
     * @param style which keys
     * @return a part of a config.json
     * @throws IllegalArgumentException if these keys cannot say it
     */
    public JsonObject write(KeyStyle style) {
        return new RopeConfigWriter(this, style).write();
    }

    /**
     * Writes into the content of a config.json, where every key about RoPE is replaced, also where
     * the text model's stand in {@code text_config}; the others stay.
     *
     * @param config the content, which is not changed
     * @param style which keys
     * @return the new content
     * @throws IllegalArgumentException if these keys cannot say it
     */
    public JsonObject writeInto(JsonObject config, KeyStyle style) {
        JsonObject copy = config.deepCopy();
        JsonObject text = TextModelConfig.within(copy);
        List.copyOf(text.keySet()).stream()
                .filter(RopeConfigReader::isAboutRope)
                .forEach(text::remove);
        JsonObject rope = new RopeConfigWriter(this, style).writeRope();
        if (text.has("n_positions")) {
            text.add("n_positions", rope.remove("max_position_embeddings"));
        }
        rope.asMap().forEach(text::add);
        return copy;
    }

    /**
     * Returns a layer's RoPE.
     *
     * @param layer counted from 0
     * @return its parameters, empty for a layer without RoPE
     * @throws IllegalArgumentException if there is no such layer, or layers differ and their number
     *     is not known
     */
    public Optional<RopeParameters> layer(int layer) {
        return parameters.get(layerType(layer));
    }

    /**
     * Returns a layer's type.
     *
     * @param layer counted from 0
     * @return a key of the parameters
     * @throws IllegalArgumentException if there is no such layer, or layers differ and their number
     *     is not known
     */
    public String layerType(int layer) {
        if (layerTypes.isEmpty() && parameters.size() == 1 && layer >= 0) {
            return parameters.keySet().iterator().next();
        }
        if (layerTypes.isEmpty()) {
            throw new IllegalArgumentException(
                    "layers differ and the configuration does not say which layer is of which"
                            + " type: num_hidden_layers is missing");
        }
        if (layer < 0 || layer >= layerTypes.size()) {
            throw new IllegalArgumentException(
                    "there are layers 0 to %d, got layer %d"
                            .formatted(layerTypes.size() - 1, layer));
        }
        return layerTypes.get(layer);
    }

    /**
     * Returns the length that a layer type's frequencies start from.
     *
     * @param layerType a type with RoPE
     * @return {@code original_max_position_embeddings} of a scaling that has it, else the longest
     *     context, in tokens
     */
    public long originalPositions(String layerType) {
        RopeScaling scaling = parameters.get(layerType).orElseThrow().scaling();
        if (scaling instanceof Yarn yarn) {
            return yarn.originalLength();
        }
        if (scaling instanceof LongRope longRope) {
            return longRope.originalLength();
        }
        return scaling instanceof Llama3 llama3 ? llama3.originalLength() : maxPositions;
    }

    /**
     * Returns Hugging Face's name of a scaling.
     *
     * @param scaling one that a config.json can say
     * @return such as "yarn", "default" for none
     * @throws IllegalArgumentException if Hugging Face has none like it
     */
    public static String ropeType(RopeScaling scaling) {
        return RopeScalings.name(scaling);
    }

    /**
     * Returns the layer type that decides how far a model reads: full attention where layers
     * differ.
     *
     * @return a type with RoPE
     */
    public String mainType() {
        List<String> rotary = new ArrayList<>();
        parameters.forEach(
                (type, rope) -> {
                    if (rope.isPresent()) {
                        rotary.add(type);
                    }
                });
        return rotary.stream()
                .filter(type -> type.startsWith("full"))
                .findFirst()
                .orElse(rotary.get(0));
    }
}
