package org.posenc.experiment.extrapolation;

import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Site;

/**
 * An encoding that a decoder is trained with.
 *
 * @param name its name in the registry
 * @param settings those that differ from the standard
 */
public record TrainedEncoding(String name, Map<String, String> settings) {

    /** Checks the name and copies the settings. */
    public TrainedEncoding {
        Encodings.named(name);
        settings = Map.copyOf(settings);
    }

    /**
     * Reads an encoding as the command line writes it.
     *
     * @param text a name, or a name and settings: {@code rope:base=40;partial=0.5}
     * @return the encoding
     * @throws IllegalArgumentException if the name is unknown, or a setting has no value
     */
    public static TrainedEncoding parse(String text) {
        String[] parts = text.split(":", 2);
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : parts.length == 1 ? new String[0] : parts[1].split(";")) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "a setting is key=value, got \"" + setting + "\" in \"" + text + "\"");
            }
            settings.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return new TrainedEncoding(parts[0], settings);
    }

    /** Makes it for a decoder, in the layout that Llama has. */
    PositionalEncoding make(Site site) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        if (name.equals("rope")) {
            all.putIfAbsent("layout", "half-split");
        }
        return Encodings.named(name).forTransformer(site, all);
    }

    /**
     * Returns how reports call it.
     *
     * @return the name, with the settings where there are any
     */
    public String label() {
        if (settings.isEmpty()) {
            return name;
        }
        StringBuilder label = new StringBuilder(name);
        settings.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                        e -> label.append(' ').append(e.getKey()).append(' ').append(e.getValue()));
        return label.toString();
    }
}
