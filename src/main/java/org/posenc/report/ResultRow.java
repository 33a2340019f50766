package org.posenc.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one finished trial found.
 *
 * @param key names the trial among all of its run: equal settings and seed, equal key
 * @param labels words that say what was tried, such as {@code encoding → rope}
 * @param values quantities by name; NaN and infinities are allowed (a diverged loss)
 * @param curves lists of quantities by name, such as a spectrum
 */
public record ResultRow(
        String key,
        Map<String, String> labels,
        Map<String, Double> values,
        Map<String, List<Double>> curves) {

    /** Checks and copies the values. */
    public ResultRow {
        if (key == null || key.isBlank()) {
            throw new IllegalArgumentException("the key of a result must not be empty");
        }
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        Map<String, List<Double>> copies = new LinkedHashMap<>();
        curves.forEach((name, curve) -> copies.put(name, List.copyOf(curve)));
        curves = Collections.unmodifiableMap(copies);
    }

    /**
     * Makes a result without curves.
     *
     * @param key names the trial
     * @param labels words by name
     * @param values quantities by name
     */
    public ResultRow(String key, Map<String, String> labels, Map<String, Double> values) {
        this(key, labels, values, Map.of());
    }
}
