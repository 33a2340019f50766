package org.posenc.experiment.fitting;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.posenc.encoding.Encodings;

/**
 * An encoding as a user asks for it: {@code gaussian} or {@code gaussian:sigma=0.01;periodic=true}.
 *
 * @param name one of {@link Encodings#namesWithFeatures()}
 * @param settings those that differ from the standard
 */
public record EncodingChoice(String name, Map<String, String> settings) {

    /** Copies the settings and checks the name. */
    public EncodingChoice {
        Encodings.named(name);
        settings = Map.copyOf(settings);
    }

    /**
     * Reads a choice.
     *
     * @param text {@code NAME} or {@code NAME:KEY=VALUE;KEY=VALUE}
     * @return the choice
     * @throws IllegalArgumentException if it is none, or there is no such encoding; settings are
     *     checked when the features are made
     */
    public static EncodingChoice parse(String text) {
        int colon = text.indexOf(':');
        String name = (colon < 0 ? text : text.substring(0, colon)).strip();
        Map<String, String> settings = new LinkedHashMap<>();
        for (String pair : colon < 0 ? new String[0] : text.substring(colon + 1).split(";", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1 || equals == pair.length() - 1) {
                throw new IllegalArgumentException(
                        "settings of an encoding are written NAME:KEY=VALUE;KEY=VALUE, got \""
                                + text
                                + "\"");
            }
            settings.put(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip());
        }
        return new EncodingChoice(name, settings);
    }

    /**
     * Returns this choice with a setting where the user left it open.
     *
     * @param key the setting
     * @param value its value
     * @return the choice, unchanged if the setting was given
     */
    EncodingChoice withStandard(String key, String value) {
        if (settings.containsKey(key)) {
            return this;
        }
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put(key, value);
        return new EncodingChoice(name, all);
    }

    /** Returns the choice as {@link #parse} reads it, settings in alphabetical order. */
    @Override
    public String toString() {
        List<String> keys = new ArrayList<>(settings.keySet());
        keys.sort(null);
        return keys.isEmpty()
                ? name
                : name
                        + keys.stream()
                                .map(key -> key + "=" + settings.get(key))
                                .collect(Collectors.joining(";", ":", ""));
    }
}
