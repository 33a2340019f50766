package org.posenc.report;

import java.util.List;

/**
 * An axis of a chart.
 *
 * @param label what it measures, with the unit
 * @param log whether equal ratios take equal lengths; values that are not positive are not drawn
 * @param categories names at 0, 1, 2, …; empty for an axis of numbers
 */
public record Axis(String label, boolean log, List<String> categories) {

    /** Checks and copies the values. */
    public Axis {
        categories = List.copyOf(categories);
        if (log && !categories.isEmpty()) {
            throw new IllegalArgumentException("an axis of categories cannot be logarithmic");
        }
    }

    /**
     * Makes an axis of numbers.
     *
     * @param label what it measures
     * @return the axis
     */
    public static Axis linear(String label) {
        return new Axis(label, false, List.of());
    }

    /**
     * Makes a logarithmic axis.
     *
     * @param label what it measures
     * @return the axis
     */
    public static Axis log(String label) {
        return new Axis(label, true, List.of());
    }

    /**
     * Makes an axis of names, such as 1×, 2×, 4×, 8×, at the places 0, 1, 2, ….
     *
     * @param label what they are
     * @param names the names, at least one
     * @return the axis
     */
    public static Axis categories(String label, List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("an axis of categories needs at least one");
        }
        return new Axis(label, false, names);
    }

    boolean shows(double value) {
        return Double.isFinite(value) && (!log || value > 0);
    }
}
