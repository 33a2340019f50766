package org.posenc.checkpoint;

import com.google.gson.JsonObject;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The part of a config.json that describes the text model, with the family it belongs to and what
 * had to be assumed on the way.
 */
final class TextModelConfig {

    /** Where the text model of a model of several parts stands. */
    private static final List<String> TEXT_MODELS =
            List.of("text_config", "thinker_config", "llm_config", "language_config");

    private final JsonObject json;
    private final ConfigValues top;
    private final String modelType;
    private final Optional<ModelFamily> family;
    private final Set<String> remarks = new LinkedHashSet<>();

    TextModelConfig(JsonObject root) {
        json = within(root);
        top = ConfigValues.of(json, "");
        modelType =
                top.text("model_type")
                        .or(() -> ConfigValues.of(root, "").text("model_type"))
                        .orElse("");
        family = ModelFamily.of(modelType);
    }

    /** Returns the part that describes the text model, which may be the whole. */
    static JsonObject within(JsonObject root) {
        for (String key : TEXT_MODELS) {
            if (root.get(key) instanceof JsonObject inner) {
                return within(inner);
            }
        }
        return root;
    }

    JsonObject json() {
        return json;
    }

    /** Its values, each named by its key. */
    ConfigValues values() {
        return top;
    }

    /** Empty where the file does not say it. */
    String modelType() {
        return modelType;
    }

    Optional<ModelFamily> family() {
        return family;
    }

    /** What the owner of the file should know; those who read it add to it. */
    Set<String> remarks() {
        return remarks;
    }

    void remark(String sentence) {
        remarks.add(sentence);
    }

    /** The value of a name that has others in some families. */
    ConfigValues aliases(String name, String... others) {
        ConfigValues values = new ConfigValues("the configuration");
        addTo(values, name, name);
        addTo(values, name, others);
        return values;
    }

    /** Adds what stands under any of these keys, by a name. */
    void addTo(ConfigValues values, String name, String... keys) {
        for (String key : keys) {
            if (json.has(key)) {
                values.add(name, key, json.get(key));
            }
        }
    }

    /** Remarks that a family's default is taken. */
    void assume(String what, String value) {
        remark(
                "%s is missing, so %s, the default of model type \"%s\", is taken"
                        .formatted(what, value, modelType));
    }
}
