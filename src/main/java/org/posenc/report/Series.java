package org.posenc.report;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A line of a {@link LineChart}.
 *
 * @param name its name; an encoding's name gets that encoding's colour
 * @param x the places
 * @param y the heights, one a place; one that is not finite leaves a gap
 * @param spread half the height of the band around the line, one a place; empty for no band
 */
public record Series(String name, List<Double> x, List<Double> y, List<Double> spread) {

    /** Checks and copies the values. */
    public Series {
        x = List.copyOf(x);
        y = List.copyOf(y);
        spread = List.copyOf(spread);
        if (y.size() != x.size() || !spread.isEmpty() && spread.size() != x.size()) {
            throw new IllegalArgumentException(
                    "series \""
                            + name
                            + "\" must have as many y and spread as x: "
                            + x.size()
                            + ", got "
                            + y.size()
                            + " and "
                            + spread.size());
        }
    }

    /**
     * Makes a line without a band.
     *
     * @param name its name
     * @param x the places
     * @param y the heights
     * @return the series
     */
    public static Series of(String name, double[] x, double[] y) {
        return new Series(name, list(x), list(y), List.of());
    }

    /**
     * Makes a line through 1, 2, 3, …, such as a spectrum.
     *
     * @param name its name
     * @param y the heights
     * @return the series
     */
    public static Series counted(String name, List<Double> y) {
        List<Double> x = IntStream.rangeClosed(1, y.size()).mapToObj(i -> (double) i).toList();
        return new Series(name, x, y, List.of());
    }

    /**
     * Makes a line of measurements at the places of an axis of categories.
     *
     * @param name its name
     * @param measurements one a category; the band is their spread
     * @return the series
     */
    public static Series of(String name, List<Measurement> measurements) {
        return new Series(
                name,
                IntStream.range(0, measurements.size()).mapToObj(i -> (double) i).toList(),
                measurements.stream().map(Measurement::mean).toList(),
                measurements.stream().map(Measurement::spread).toList());
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    boolean hasBand() {
        return spread.stream().anyMatch(s -> s > 0);
    }
}
