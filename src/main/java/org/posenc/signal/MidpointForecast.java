package org.posenc.signal;

import java.util.Arrays;

/**
 * What lies half way between evenly spaced samples, as far as the samples themselves tell: the
 * yardstick by which a fit can be judged before anything is held out.
 *
 * <p>Each line is continued at both ends by linear prediction (<a
 * href="https://doi.org/10.1190/1.1440097">Burg 1975</a>), fades out there, and is shifted by half
 * a sample in its Fourier transform. What is seen at a frequency f is partly from beyond the
 * highest that samples can tell apart, f − 1, f + 1, … cycles a sample, which half a sample turns
 * over. Of a continuous spectrum that falls as f^−α, with the α that suits the upper three octaves,
 * a part ρ(f) comes from there, and the best forecast is 1 − 2ρ of what is seen; lines that stand
 * out of the spectrum are taken as they are.
 */
final class MidpointForecast {

    private static final int LONGEST_PREDICTION = 64;
    private static final double FLATTEST = 0; // white noise

    /** Of edges; an image's own pixels are samples of them, which makes them seem a bit flatter. */
    private static final double EDGES = 2;

    private static final double NEARLY_EDGES = 1.5;
    private static final double STEEPEST = 12;
    private static final double STANDS_OUT = 4; // of what the continuous spectrum has there

    private final double[][] values; // (lines, n), half a sample after each sample
    private final double error;
    private final double slope;
    private final double bandwidth;

    /**
     * Forecasts lines of samples.
     *
     * @param lines of n samples each, n at least 8
     */
    MidpointForecast(double[][] lines) {
        int n = lines[0].length;
        double[][] trends = new double[lines.length][];
        double[][] rest = new double[lines.length][];
        for (int i = 0; i < lines.length; i++) {
            trends[i] = trend(lines[i]);
            rest[i] = new double[n];
            for (int t = 0; t < n; t++) {
                rest[i][t] = lines[i][t] - trends[i][0] - trends[i][1] * t;
            }
        }
        Spectrum spectrum = new Spectrum(rest);
        slope = spectrum.slope;
        bandwidth = spectrum.bandwidth;
        values = new double[lines.length][];
        double missing = 0;
        for (int i = 0; i < lines.length; i++) {
            Line line = new Line(rest[i], spectrum);
            values[i] = line.values;
            for (int t = 0; t < n; t++) {
                values[i][t] += trends[i][0] + trends[i][1] * (t + 0.5);
            }
            missing += line.error / lines.length;
        }
        error = missing;
    }

    /** Returns the values, (lines, n), the last of each line half a sample beyond its end. */
    double[][] values() {
        return values;
    }

    /** Returns the mean squared error that even the best forecast is expected to have. */
    double error() {
        return error;
    }

    /** Returns α, by which the power of the upper frequencies falls. */
    double slope() {
        return slope;
    }

    /** Returns the frequency, in cycles a sample, below which 99 % of the variance lie. */
    double bandwidth() {
        return bandwidth;
    }

    /** The straight line of least squared error, [level, slope a sample]. */
    private static double[] trend(double[] y) {
        int n = y.length;
        double middle = (n - 1) / 2.0;
        double mean = Arrays.stream(y).average().orElseThrow();
        double product = 0;
        for (int t = 0; t < n; t++) {
            product += (t - middle) * y[t];
        }
        double rise = 12 * product / ((double) n * ((double) n * n - 1));
        return new double[] {mean - rise * middle, rise};
    }

    /** Power at ν, ν − 1, ν + 1, … cycles a sample: at an even and at an odd distance. */
    private static double[] folded(double frequency, double slope) {
        double f = Math.max(frequency, 1e-9);
        double even = Math.pow(f, -slope);
        double odd = 0;
        for (int m = 1; m <= 4; m++) {
            double pair = Math.pow(m - f, -slope) + Math.pow(m + f, -slope);
            if (m % 2 == 0) {
                even += pair;
            } else {
                odd += pair;
            }
        }
        return new double[] {even, odd};
    }

    /** The mean power of lines under a Hann window, and the power law that suits its upper part. */
    private static final class Spectrum {

        private final double slope;
        private final double level;
        private final double bandwidth;

        Spectrum(double[][] lines) {
            int n = lines[0].length;
            double[] window = new double[n];
            Arrays.setAll(window, t -> 0.5 - 0.5 * Math.cos(2 * Math.PI * (t + 1) / (n + 1)));
            double gain = Arrays.stream(window).map(w -> w * w).sum();
            double[] power = new double[n / 2 + 1];
            for (double[] line : lines) {
                double[] windowed = new double[n];
                Arrays.setAll(windowed, t -> window[t] * line[t]);
                for (int k = 0; k < power.length; k++) {
                    double[] c = coefficient(windowed, k);
                    power[k] += (c[0] * c[0] + c[1] * c[1]) / gain / lines.length;
                }
            }
            bandwidth = bandwidth(power, n);
            double floor = 1e-26 * Arrays.stream(power).max().orElseThrow() + Double.MIN_NORMAL;
            int from = Math.max(1, (n + 15) / 16); // three octaves below the highest
            double least = Double.POSITIVE_INFINITY;
            double best = FLATTEST;
            for (double alpha = FLATTEST; alpha <= STEEPEST; alpha += 0.25) {
                double[] above = above(power, from, n, floor, alpha);
                double middle = median(above);
                double spread = Arrays.stream(above).map(v -> Math.abs(v - middle)).sum();
                if (spread < least) {
                    least = spread;
                    best = alpha;
                }
            }
            slope = best >= NEARLY_EDGES && best < EDGES ? EDGES : best;
            level = Math.exp(median(above(power, from, n, floor, slope)));
        }

        /** ln of the power over what a power law folds to. */
        private static double[] above(double[] power, int from, int n, double floor, double alpha) {
            double[] above = new double[power.length - from];
            for (int k = from; k < power.length; k++) {
                double[] f = folded((double) k / n, alpha);
                above[k - from] = Math.log(power[k] + floor) - Math.log(f[0] + f[1]);
            }
            return above;
        }

        private static double median(double[] values) {
            double[] sorted = values.clone();
            Arrays.sort(sorted);
            int n = sorted.length;
            return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        }

        private static double bandwidth(double[] power, int n) {
            double total = Arrays.stream(power).sum();
            double sum = 0;
            int k = 0;
            while (k < power.length - 1 && sum + power[k] < 0.99 * total) {
                sum += power[k];
                k++;
            }
            return (double) k / n;
        }
    }

    /** Re and Im of Σ_t y_t e^{−2πi kt/n}. */
    private static double[] coefficient(double[] y, int k) {
        int n = y.length;
        double re = 0;
        double im = 0;
        double stepRe = Math.cos(2 * Math.PI * k / n);
        double stepIm = -Math.sin(2 * Math.PI * k / n);
        double turnRe = 1;
        double turnIm = 0;
        for (double value : y) {
            re += value * turnRe;
            im += value * turnIm;
            double next = turnRe * stepRe - turnIm * stepIm;
            turnIm = turnRe * stepIm + turnIm * stepRe;
            turnRe = next;
        }
        return new double[] {re, im};
    }

    /** One line, its mean and trend taken off. */
    private static final class Line {

        private final double[] values;
        private final double error;

        Line(double[] samples, Spectrum spectrum) {
            int n = samples.length;
            int beyond = n / 2;
            double[] y = continued(samples, beyond);
            double taper = 0;
            for (int t = 0; t < y.length; t++) {
                int inside = Math.min(t, y.length - 1 - t);
                double w =
                        inside >= beyond
                                ? 1
                                : 0.5 - 0.5 * Math.cos(Math.PI * (inside + 0.5) / beyond);
                y[t] *= w;
                taper += w * w;
            }
            values = new double[n];
            double missing = 0;
            for (int k = 0; k <= y.length / 2; k++) {
                double frequency = (double) k / y.length;
                double[] c = coefficient(y, k);
                double power = (c[0] * c[0] + c[1] * c[1]) / taper;
                double[] f = folded(frequency, spectrum.slope);
                double continuous = STANDS_OUT * spectrum.level * (f[0] + f[1]);
                double rho = k == 0 ? 0 : f[1] / (f[0] + f[1]);
                double part = 1 - 2 * rho * (power > continuous ? continuous / power : 1);
                int sides = k == 0 || 2 * k == y.length ? 1 : 2;
                missing += (1 - part * part) * power * sides / y.length;
                add(values, 2 * Math.PI * frequency, beyond + 0.5, c, sides * part / y.length);
            }
            error = missing;
        }

        /** Adds Re gain c e^{iω(t + begin)} for t = 0, 1, …, by turning from each to the next. */
        private static void add(
                double[] values, double omega, double begin, double[] c, double gain) {
            double turnRe = gain * Math.cos(omega * begin);
            double turnIm = gain * Math.sin(omega * begin);
            double stepRe = Math.cos(omega);
            double stepIm = Math.sin(omega);
            for (int t = 0; t < values.length; t++) {
                values[t] += c[0] * turnRe - c[1] * turnIm;
                double next = turnRe * stepRe - turnIm * stepIm;
                turnIm = turnRe * stepIm + turnIm * stepRe;
                turnRe = next;
            }
        }

        /** The samples with as many predicted ones before and after them. */
        private static double[] continued(double[] samples, int beyond) {
            int n = samples.length;
            double[] a = prediction(samples, Math.min(n / 3, LONGEST_PREDICTION));
            double[] y = new double[n + 2 * beyond];
            System.arraycopy(samples, 0, y, beyond, n);
            for (int i = 0; i < beyond; i++) {
                int after = beyond + n + i;
                int before = beyond - 1 - i;
                for (int j = 1; j < a.length; j++) {
                    y[after] -= a[j] * y[after - j];
                    y[before] -= a[j] * y[before + j];
                }
            }
            return y;
        }

        /** Burg's prediction error filter, 1, a_1, …, stable in both directions. */
        private static double[] prediction(double[] samples, int order) {
            int n = samples.length;
            double[] forward = samples.clone();
            double[] backward = samples.clone();
            double energy = Arrays.stream(samples).map(v -> v * v).sum();
            double[] a = {1};
            for (int m = 1; m <= order; m++) {
                double product = 0;
                double squares = 0;
                for (int t = m; t < n; t++) {
                    product += forward[t] * backward[t - 1];
                    squares += forward[t] * forward[t] + backward[t - 1] * backward[t - 1];
                }
                if (squares <= 1e-24 * energy) {
                    return a; // all is predicted
                }
                double k = -2 * product / squares;
                double[] longer = Arrays.copyOf(a, m + 1);
                for (int j = 1; j <= m; j++) {
                    longer[j] += k * a[m - j];
                }
                a = longer;
                for (int t = n - 1; t >= m; t--) {
                    double f = forward[t];
                    forward[t] = f + k * backward[t - 1];
                    backward[t] = backward[t - 1] + k * f;
                }
            }
            return a;
        }
    }
}
