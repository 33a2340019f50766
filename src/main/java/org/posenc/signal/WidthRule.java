package org.posenc.signal;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/** Which setting of an encoding is its width, and which values come into question. */
final class WidthRule {

    /** A basis is to have this part of its strength left at a signal's highest frequency. */
    private static final double LEFT_AT_BANDWIDTH = 1.0 / 12;

    /**
     * The highest frequency reaches at least √2 cycles; with 1 all linear ones would be the same.
     */
    private static final double LEAST_HIGHEST = 0.5;

    private WidthRule() {}

    /** Returns the name of the setting. */
    static String key(String encoding) {
        return switch (encoding) {
            case "gaussian", "random-fourier" -> "sigma";
            case "triangle" -> "width";
            case "linear-frequencies", "log-frequencies" -> "highest";
            default ->
                    throw new IllegalArgumentException(
                            "a width is chosen for one of "
                                    + String.join(", ", WidthChoice.ENCODINGS)
                                    + ", got \""
                                    + encoding
                                    + "\"");
        };
    }

    /**
     * Returns the width that reaches a bandwidth.
     *
     * @param encoding the encoding's name
     * @param spacing h
     * @param band in cycles
     * @param method how the weights are found
     */
    static double reaching(
            String encoding, double spacing, double band, WidthChoice.Method method) {
        boolean closed = method == WidthChoice.Method.CLOSED_FORM;
        boolean simple = method == WidthChoice.Method.SIMPLE;
        return switch (encoding) {
            case "gaussian" -> {
                double sigma = Math.sqrt(-Math.log(LEFT_AT_BANDWIDTH) / 2) / (Math.PI * band);
                yield Math.min((closed ? 1 : simple ? 2.1 : 1.7) * sigma, 0.125);
            }
            // Whole multiples of the spacing span the same piecewise linear functions.
            case "triangle" -> (simple ? 5 : 2) * spacing;
            // Few features are drawn beyond three times their spread.
            case "random-fourier" -> band / (closed ? 3 : simple ? 9 : 3.75);
            case "linear-frequencies" -> log2(band / (closed ? 2 : 4));
            default -> log2(band / (simple ? 2 : 1) / Math.sqrt(2));
        };
    }

    private static double log2(double cycles) {
        return Math.max(LEAST_HIGHEST, Math.log(cycles) / Math.log(2));
    }

    /**
     * Returns widths to try, ascending in stable rank or descending, in equal relation to the
     * spacing for any number of samples.
     *
     * @param encoding the encoding's name
     * @param samples along the axis, 1/h
     * @param dimension K, the features along it
     */
    static double[] candidates(String encoding, double samples, double dimension) {
        double spacing = 1.0 / Math.min(samples, dimension);
        return switch (encoding) {
            case "gaussian" -> geometric(0.45 * spacing, 8.5 * spacing, 1.16);
            case "triangle" ->
                    DoubleStream.of(1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8)
                            .map(w -> w * spacing)
                            .toArray();
            case "random-fourier" -> geometric(0.02 * samples, 0.5 * samples, 1.2);
            default ->
                    DoubleStream.iterate(-4.5, r -> r <= 0, r -> r + 0.25)
                            .map(r -> log2(samples * Math.pow(2, r)))
                            .toArray();
        };
    }

    private static double[] geometric(double from, double to, double ratio) {
        int count = (int) (Math.log(to / from) / Math.log(ratio) * 1.0001) + 1;
        double[] values = new double[count];
        Arrays.setAll(values, i -> from * Math.pow(ratio, i));
        return values;
    }
}
