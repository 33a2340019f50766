package org.posenc.analysis;

import java.util.Arrays;

/**
 * What a linear layer can reach at best on a simple encoding, which is separate along the axes: it
 * represents sums of functions of one coordinate each, f_0(x_0) + f_1(x_1) + …, and no more.
 *
 * <p>The best of those fits a signal on a grid by its main effects, as an analysis of variance has
 * them: Σ_m (the mean over all other axes) − (M − 1) (the mean of all).
 */
public final class AdditiveBound {

    private AdditiveBound() {}

    /**
     * Returns the best sum of functions of one coordinate.
     *
     * @param values (N_0, …, N_{M−1}, C), row-major, finite
     * @param channels C, at least 1
     * @param sides N_0, …, N_{M−1}, at least one
     * @return the fitted values, in the same order
     * @throws IllegalArgumentException if the values do not fill the sides, or are not finite
     */
    public static double[] fit(double[] values, int channels, int... sides) {
        long count = channels;
        for (int side : sides) {
            count *= side;
        }
        if (sides.length == 0 || count != values.length || count < 1) {
            throw new IllegalArgumentException(
                    values.length
                            + " values do not fill a signal of "
                            + Arrays.toString(sides)
                            + " with "
                            + channels
                            + " channels");
        }
        double[] fitted = new double[values.length];
        int samples = values.length / channels;
        double[] mean = new double[channels];
        for (int i = 0; i < values.length; i++) {
            if (!Double.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        "the values of a signal must be finite, got " + values[i] + " at " + i);
            }
            mean[i % channels] += values[i] / samples;
        }
        int inner = values.length;
        for (int side : sides) {
            inner /= side; // numbers from one sample along this axis to the next
            double[] effect = new double[side * channels];
            for (int i = 0; i < values.length; i++) {
                effect[i / inner % side * channels + i % channels] += values[i] * side / samples;
            }
            for (int i = 0; i < values.length; i++) {
                fitted[i] += effect[i / inner % side * channels + i % channels];
            }
        }
        for (int i = 0; i < values.length; i++) {
            fitted[i] -= (sides.length - 1) * mean[i % channels];
        }
        return fitted;
    }

    /**
     * Returns the peak signal-to-noise ratio of the best sum, which no linear layer on a simple
     * encoding exceeds on its training samples.
     *
     * @param values (N_0, …, N_{M−1}, C), row-major, finite, nominally in [0, 1]
     * @param channels C, at least 1
     * @param sides N_0, …, N_{M−1}, at least one
     * @return −10 log₁₀ of the mean squared residual, in dB; infinite for a signal that is a sum
     * @throws IllegalArgumentException if the values do not fill the sides, or are not finite
     */
    public static double psnr(double[] values, int channels, int... sides) {
        double[] fitted = fit(values, channels, sides);
        double squares = 0;
        for (int i = 0; i < values.length; i++) {
            squares += (values[i] - fitted[i]) * (values[i] - fitted[i]);
        }
        return -10 * Math.log10(squares / values.length);
    }
}
