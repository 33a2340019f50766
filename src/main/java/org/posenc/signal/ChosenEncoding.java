package org.posenc.signal;

import java.util.Map;
import java.util.TreeMap;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Space;

/**
 * Features by their name, so that a file can tell them.
 *
 * @param name one of {@link Encodings#namesWithFeatures()}
 * @param space what they are features of
 * @param settings those that differ from the standard
 */
public record ChosenEncoding(String name, Space space, Map<String, String> settings) {

    /** Copies the settings, in one order. */
    public ChosenEncoding {
        if (name == null || space == null || settings == null) {
            throw new IllegalArgumentException("an encoding needs a name, a space and settings");
        }
        settings = new TreeMap<>(settings);
    }

    /** Returns a copy of the settings, in alphabetical order. */
    @Override
    public Map<String, String> settings() {
        return new TreeMap<>(settings);
    }

    /**
     * Makes the features.
     *
     * @return a new block, not initialised
     * @throws IllegalArgumentException if there is no such encoding, or a setting is wrong
     */
    public PositionFeatures features() {
        return Encodings.named(name).features(space, settings);
    }
}
