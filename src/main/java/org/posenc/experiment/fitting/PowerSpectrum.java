package org.posenc.experiment.fitting;

import java.util.Arrays;

/**
 * How strong the frequencies of a sound are (<a
 * href="https://doi.org/10.1109/TAU.1967.1161901">Welch 1967</a>): squared Fourier coefficients of
 * overlapping parts under a Hann window, averaged.
 *
 * @param frequencies in cycles a sample, 0 to 1/2
 * @param decibels 10 log₁₀ of the mean square that falls to each, of its amplitude
 */
record PowerSpectrum(double[] frequencies, double[] decibels) {

    private static final int LONGEST = 1024;
    private static final double SILENCE = 1e-14;

    /**
     * Measures a sound.
     *
     * @param values at least 4 samples
     */
    static PowerSpectrum of(float[] values) {
        int n = Math.min(LONGEST, Integer.highestOneBit(values.length));
        double mean = 0;
        for (float value : values) {
            mean += value / (double) values.length;
        }
        double[] window = new double[n];
        Arrays.setAll(window, i -> 0.5 - 0.5 * Math.cos(2 * Math.PI * i / n));
        double gain = Arrays.stream(window).map(w -> w * w).sum() * n;
        double[] power = new double[n / 2 + 1];
        int parts = 0;
        for (int from = 0; from + n <= values.length; from += Math.max(1, n / 2)) {
            double[] real = new double[n];
            for (int i = 0; i < n; i++) {
                real[i] = window[i] * (values[from + i] - mean);
            }
            double[] imaginary = new double[n];
            transform(real, imaginary);
            for (int k = 0; k < power.length; k++) {
                int sides = k == 0 || k == n / 2 ? 1 : 2;
                power[k] += sides * (real[k] * real[k] + imaginary[k] * imaginary[k]) / gain;
            }
            parts++;
        }
        double count = parts;
        double[] frequencies = new double[power.length];
        Arrays.setAll(frequencies, k -> (double) k / n);
        double[] decibels =
                Arrays.stream(power)
                        .map(p -> 10 * Math.log10(Math.max(SILENCE, p / count)))
                        .toArray();
        return new PowerSpectrum(frequencies, decibels);
    }

    /**
     * The fast Fourier transform in place, of a power of two of numbers (Cooley and Tukey 1965).
     */
    private static void transform(double[] real, double[] imaginary) {
        int n = real.length;
        int bits = Integer.numberOfTrailingZeros(n);
        for (int i = 0; i < n; i++) {
            int j = bits == 0 ? 0 : Integer.reverse(i) >>> 32 - bits;
            if (j > i) {
                double kept = real[i];
                real[i] = real[j];
                real[j] = kept;
            }
        }
        for (int half = 1; half < n; half *= 2) {
            for (int i = 0; i < n; i += 2 * half) {
                for (int k = 0; k < half; k++) {
                    double angle = -Math.PI * k / half;
                    double c = Math.cos(angle);
                    double s = Math.sin(angle);
                    int a = i + k;
                    int b = a + half;
                    double re = c * real[b] - s * imaginary[b];
                    double im = c * imaginary[b] + s * real[b];
                    real[b] = real[a] - re;
                    imaginary[b] = imaginary[a] - im;
                    real[a] += re;
                    imaginary[a] += im;
                }
            }
        }
    }
}
