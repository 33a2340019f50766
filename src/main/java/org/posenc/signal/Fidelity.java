package org.posenc.signal;

import java.util.Arrays;

/** How close a reconstruction comes to the truth. */
public final class Fidelity {

    private static final double K1 = 0.01;
    private static final double K2 = 0.03;

    /**
     * The window over which structural similarity compares two images.
     *
     * @param weights along each axis, of odd number, summing to 1
     */
    public record Window(double[] weights) {

        /** Seven samples a side, equal: what {@code structural_similarity} takes by itself. */
        public static final Window UNIFORM = uniform(7);

        /** Eleven samples a side, Gaussian with a deviation of 1.5: Wang et al. 2004. */
        public static final Window GAUSSIAN = gaussian(1.5, 5);

        /** Copies the weights. */
        public Window {
            weights = weights.clone();
        }

        private static Window uniform(int side) {
            double[] weights = new double[side];
            Arrays.fill(weights, 1.0 / side);
            return new Window(weights);
        }

        private static Window gaussian(double deviation, int radius) {
            double[] weights = new double[2 * radius + 1];
            Arrays.setAll(weights, i -> Math.exp(-0.5 * Math.pow((i - radius) / deviation, 2)));
            double sum = Arrays.stream(weights).sum();
            return new Window(Arrays.stream(weights).map(w -> w / sum).toArray());
        }

        /** Returns the number of samples along an axis. */
        int side() {
            return weights.length;
        }

        /** Returns the weights. */
        @Override
        public double[] weights() {
            return weights.clone();
        }
    }

    private Fidelity() {}

    /**
     * Peak signal-to-noise ratio −10 log₁₀ of the mean squared error, with peak 1, over all values,
     * without clipping.
     *
     * @param predicted as many numbers as the truth
     * @param truth at least one number
     * @return decibels; infinite where all are equal
     * @throws IllegalArgumentException if the numbers of values differ
     */
    public static double psnr(float[] predicted, float[] truth) {
        requireEqual(predicted.length, truth.length);
        double sum = 0;
        for (int i = 0; i < truth.length; i++) {
            double error = predicted[i] - truth[i];
            sum += error * error;
        }
        return -10 * Math.log10(sum / truth.length);
    }

    /**
     * Peak signal-to-noise ratio over all values of a signal.
     *
     * @param predicted the reconstruction
     * @param truth the signal
     * @return decibels; infinite where all are equal
     * @throws IllegalArgumentException if sides or channels differ
     */
    public static double psnr(Signal predicted, Signal truth) {
        requireAlike(predicted, truth);
        return psnr(predicted.values(), truth.values());
    }

    /**
     * Peak signal-to-noise ratio over some of the samples.
     *
     * @param predicted the reconstruction
     * @param truth the signal
     * @param among which samples, as {@link Sampling#trains} tells them
     * @param taken whether those that are true are taken, or the others
     * @return decibels; NaN where no sample is taken
     * @throws IllegalArgumentException if sides or channels differ
     */
    public static double psnr(Signal predicted, Signal truth, boolean[] among, boolean taken) {
        requireAlike(predicted, truth);
        requireEqual(among.length, truth.samples());
        int channels = truth.channels();
        double sum = 0;
        long count = 0;
        for (int i = 0; i < among.length; i++) {
            for (int c = i * channels; among[i] == taken && c < (i + 1) * channels; c++) {
                double error = predicted.values()[c] - truth.values()[c];
                sum += error * error;
                count++;
            }
        }
        return -10 * Math.log10(sum / count);
    }

    /**
     * Mean structural similarity (<a href="https://doi.org/10.1109/TIP.2003.819861">Wang et al.
     * 2004</a>) over 7 × 7 windows, with a range of values of 1.
     *
     * @param predicted the reconstruction
     * @param truth the signal
     * @return at most 1, which is equality
     * @throws IllegalArgumentException if sides or channels differ, or a side is below 7
     */
    public static double ssim(Signal predicted, Signal truth) {
        return ssim(predicted, truth, Window.UNIFORM);
    }

    /**
     * Mean structural similarity of any number of axes, the channels each by itself, with a range
     * of values L of 1, as scikit-image's {@code structural_similarity} computes it.
     *
     * <p>With weighted means μ, variances σ² and the covariance σ_{xy} of the n samples of a window
     * (times n/(n − 1)): (2 μ_x μ_y + c₁)(2 σ_{xy} + c₂) / ((μ_x² + μ_y² + c₁)(σ_x² + σ_y² + c₂)),
     * c₁ = (0.01 L)², c₂ = (0.03 L)², averaged over the windows that lie within the signal.
     *
     * @param predicted the reconstruction
     * @param truth the signal
     * @param window the weights
     * @return at most 1, which is equality
     * @throws IllegalArgumentException if sides or channels differ, or a side is below the window's
     */
    public static double ssim(Signal predicted, Signal truth, Window window) {
        requireAlike(predicted, truth);
        if (!measurable(truth, window)) {
            throw new IllegalArgumentException(
                    "structural similarity needs sides of at least "
                            + window.side()
                            + ", got "
                            + Signal.sides(truth.sides()));
        }
        double sum = 0;
        for (int c = 0; c < truth.channels(); c++) {
            sum += similarity(predicted, truth, window, c);
        }
        return sum / truth.channels();
    }

    /**
     * Returns whether a signal is large enough for structural similarity.
     *
     * @param signal the signal
     * @param window the weights
     * @return whether no side is shorter than the window's
     */
    public static boolean measurable(Signal signal, Window window) {
        return Arrays.stream(signal.sides()).allMatch(side -> side >= window.side());
    }

    /** One layer of the first axis at a time, so that little more than the signals is in memory. */
    private static double similarity(Signal x, Signal y, Window window, int channel) {
        int[] sides = x.sides();
        int layer = x.samples() / sides[0];
        int[] rest = Arrays.copyOfRange(sides, 1, sides.length);
        double samples = Math.pow(window.side(), sides.length);
        double unbiased = samples / (samples - 1);
        double sum = 0;
        long count = 0;
        for (int first = 0; first + window.side() <= sides[0]; first++) {
            double[][] moments = moments(x, y, window, channel, first, layer);
            for (int q = 0; q < moments.length; q++) {
                moments[q] = averaged(moments[q], rest, window.weights);
            }
            for (int i = 0; i < moments[0].length; i++) {
                double ux = moments[0][i];
                double uy = moments[1][i];
                double vx = unbiased * (moments[2][i] - ux * ux);
                double vy = unbiased * (moments[3][i] - uy * uy);
                double vxy = unbiased * (moments[4][i] - ux * uy);
                double c1 = K1 * K1;
                double c2 = K2 * K2;
                sum +=
                        (2 * ux * uy + c1)
                                * (2 * vxy + c2)
                                / ((ux * ux + uy * uy + c1) * (vx + vy + c2));
                count++;
            }
        }
        return sum / count;
    }

    /** Weighted sums over the window's layers of x, y, x², y² and xy. */
    private static double[][] moments(
            Signal x, Signal y, Window window, int channel, int first, int layer) {
        double[][] moments = new double[5][layer];
        int channels = x.channels();
        for (int k = 0; k < window.side(); k++) {
            double w = window.weights[k];
            int at = (first + k) * layer * channels + channel;
            for (int i = 0; i < layer; i++, at += channels) {
                double a = x.values()[at];
                double b = y.values()[at];
                moments[0][i] += w * a;
                moments[1][i] += w * b;
                moments[2][i] += w * a * a;
                moments[3][i] += w * b * b;
                moments[4][i] += w * a * b;
            }
        }
        return moments;
    }

    /** Weighted sums over windows along every axis of a layer, where they lie within it. */
    private static double[] averaged(double[] layer, int[] sides, double[] weights) {
        double[] values = layer;
        int after = values.length;
        int before = 1;
        for (int side : sides) {
            after /= side;
            int kept = side - weights.length + 1;
            double[] next = new double[before * kept * after];
            for (int b = 0; b < before; b++) {
                for (int i = 0; i < kept; i++) {
                    for (int k = 0; k < weights.length; k++) {
                        int from = (b * side + i + k) * after;
                        int to = (b * kept + i) * after;
                        for (int a = 0; a < after; a++) {
                            next[to + a] += weights[k] * values[from + a];
                        }
                    }
                }
            }
            values = next;
            before *= kept;
        }
        return values;
    }

    private static void requireAlike(Signal predicted, Signal truth) {
        if (!Arrays.equals(predicted.sides(), truth.sides())
                || predicted.channels() != truth.channels()) {
            throw new IllegalArgumentException(predicted + " cannot be compared with " + truth);
        }
    }

    private static void requireEqual(int predictions, int values) {
        if (predictions != values) {
            throw new IllegalArgumentException(
                    predictions + " predictions for " + values + " values");
        }
    }
}
