package org.posenc.report;

import java.util.Arrays;
import java.util.Locale;

/**
 * A quantity measured in several trials: mean ± sample standard deviation.
 *
 * @param mean the mean; NaN where nothing was measured
 * @param spread the standard deviation with denominator n − 1; 0 for one trial
 * @param count n, the number of trials
 */
public record Measurement(double mean, double spread, int count) implements Cell {

    /** Checks the values. */
    public Measurement {
        if (count < 0) {
            throw new IllegalArgumentException("count must be at least 0, got " + count);
        }
        if (spread < 0) {
            throw new IllegalArgumentException("spread must be at least 0, got " + spread);
        }
    }

    /**
     * Summarises trials.
     *
     * @param values a value a trial; NaN of any of them makes the mean NaN
     * @return their mean and spread
     */
    public static Measurement of(double... values) {
        if (values.length > 0 && Arrays.stream(values).allMatch(v -> v == values[0])) {
            // Exactly so: rounding in the mean must not look like a spread.
            return new Measurement(values[0], 0, values.length);
        }
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        double spread = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
        return new Measurement(mean, spread, values.length);
    }

    @Override
    public String text(int decimals) {
        if (Double.isNaN(mean)) {
            return "–";
        }
        String number = number(mean, decimals);
        return spread > 0 && Double.isFinite(spread)
                ? number + " ± " + number(spread, decimals)
                : number;
    }

    private static String number(double value, int decimals) {
        if (Double.isInfinite(value)) {
            return value > 0 ? "∞" : "−∞";
        }
        return String.format(Locale.ROOT, "%,." + decimals + "f", value).replace(',', '\u00a0');
    }
}
