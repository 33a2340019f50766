package org.posenc.experiment.extrapolation;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Quantities and curves by name, as results hold them. */
record Measured(Map<String, Double> values, Map<String, List<Double>> curves) {

    Measured() {
        this(new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    /** Returns the name of a quantity at a factor, such as {@code loss4x}. */
    static String at(String quantity, double factor) {
        return quantity + times(factor) + "x";
    }

    /** Returns a factor as people write it: 4, 1.25. */
    static String times(double factor) {
        return factor == Math.rint(factor)
                ? Long.toString((long) factor)
                : String.format(Locale.ROOT, "%s", factor);
    }
}
