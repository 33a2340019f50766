package org.posenc.experiment.reproduction;

import java.awt.image.BufferedImage;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a trial found.
 *
 * @param values quantities by name
 * @param curves lists of quantities by name
 * @param pictures images by name, kept as PNG files; letters, digits and hyphens in a name
 */
public record Outcome(
        Map<String, Double> values,
        Map<String, List<Double>> curves,
        Map<String, BufferedImage> pictures) {

    /** Copies the values. */
    public Outcome {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        curves = Collections.unmodifiableMap(new LinkedHashMap<>(curves));
        pictures = Collections.unmodifiableMap(new LinkedHashMap<>(pictures));
    }

    /**
     * Makes an outcome without pictures.
     *
     * @param values quantities by name
     * @param curves lists of quantities by name
     */
    public Outcome(Map<String, Double> values, Map<String, List<Double>> curves) {
        this(values, curves, Map.of());
    }
}
