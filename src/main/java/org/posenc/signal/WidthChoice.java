package org.posenc.signal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.analysis.SimilarityKernel;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;

/**
 * How wide an encoding of one coordinate should be for samples of a spacing, and why: the σ of
 * Gaussians and of random frequencies, the half width of triangles, the highest frequency.
 *
 * <p>A narrow encoding has a stable rank as high as the samples are many and knows nothing of what
 * lies between them; a wide one cannot follow them (<a
 * href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>). Between the two there is a
 * plateau, and where it lies depends on the spacing h first of all, then on the signal's bandwidth:
 *
 * <ul>
 *   <li>{@link #forSpacing}: the encoder reaches the highest frequency that samples can tell apart,
 *       1/(2h).
 *   <li>{@link #forBandwidth}: the encoder reaches the signal's highest frequency B. The singular
 *       value of a Gaussian basis at frequency f is exp(−2π²σ²f²) of its largest; at B it is to be
 *       1/100, far above what a fit leaves out, so σ = √(ln 100 / 2) / (π B).
 *   <li>{@link #forSignal}: widths are tried on lines of the training samples, and the fit is
 *       compared half way between them with what their spectrum forecasts there. Of widths within
 *       0.25 dB of the best the one nearest to that of {@link #forSpacing} is taken.
 * </ul>
 *
 * <p>Gradient training leaves out what a closed form still resolves, and is best with wider copies.
 *
 * @param encoding {@code gaussian}, {@code triangle}, {@code random-fourier}, {@code
 *     linear-frequencies} or {@code log-frequencies}
 * @param key the setting that is chosen: sigma, width or highest
 * @param value its value, for coordinates in [0, 1)
 * @param stableRank what the encoder is predicted to have over the samples of an axis
 * @param distancePreservation how far its similarity is predicted to stay above 0.1
 * @param forecast the peak signal-to-noise ratio expected half way between samples, in dB; NaN
 *     where no signal was given
 * @param reason a sentence or two, with the numbers
 */
public record WidthChoice(
        String encoding,
        String key,
        double value,
        double stableRank,
        double distancePreservation,
        double forecast,
        String reason) {

    /** The names of the encodings that have a width to choose. */
    public static final List<String> ENCODINGS =
            List.of(
                    "gaussian",
                    "triangle",
                    "random-fourier",
                    "linear-frequencies",
                    "log-frequencies");

    /** How the weights are found. */
    public enum Method {
        /** In closed form, {@link SeparableFit}. */
        CLOSED_FORM,
        /** By gradient descent, such as Adam. */
        TRAINING
    }

    private static final int FEWEST = 8;
    private static final int LONGEST = 256; // samples of a line that are looked at
    private static final int LINES = 24; // of an axis
    private static final double LEFT_AT_BANDWIDTH = 0.01;
    private static final double PLATEAU = 0.5; // dB
    private static final double UNDECIDED = 0.25; // dB, which forecasts are not exact to

    /**
     * What gradient descent resolves: singular values below this part of the largest are hardly
     * learned in a few thousand steps.
     */
    private static final Regularization TRAINED = new Regularization.CutOff(1e-2);

    /**
     * Chooses for a spacing alone.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param spacing h between training samples along an axis of length 1, positive and at most 1/2
     * @param method how the weights are found
     * @return the choice
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static WidthChoice forSpacing(String encoding, double spacing, Method method) {
        checkSpacing(spacing);
        return choice(
                encoding,
                spacing,
                0.5 / spacing,
                method,
                String.format(
                        Locale.ROOT,
                        "Samples %s apart tell frequencies up to %s cycles apart.",
                        digits(spacing),
                        digits(0.5 / spacing)));
    }

    /**
     * Chooses for a signal of which the bandwidth is known.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param spacing h between training samples along an axis of length 1, positive and at most 1/2
     * @param bandwidth B, the signal's highest frequency in cycles per axis, positive; above 1/(2h)
     *     samples cannot show it, and 1/(2h) is taken
     * @param method how the weights are found
     * @return the choice
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static WidthChoice forBandwidth(
            String encoding, double spacing, double bandwidth, Method method) {
        checkSpacing(spacing);
        if (!(bandwidth > 0) || Double.isInfinite(bandwidth)) {
            throw new IllegalArgumentException(
                    "the bandwidth must be positive and finite, got " + bandwidth);
        }
        double highest = 0.5 / spacing;
        String shown =
                String.format(
                        Locale.ROOT,
                        bandwidth > highest
                                ? "The signal reaches %s cycles, beyond the %s that samples %s"
                                        + " apart show."
                                : "The signal reaches %s of the %s cycles that samples %s apart"
                                        + " can show.",
                        digits(bandwidth),
                        digits(highest),
                        digits(spacing));
        return choice(encoding, spacing, Math.min(bandwidth, highest), method, shown);
    }

    /**
     * Chooses for training samples, one width for all axes.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param samples the training samples alone, on their grid, at least 8 along each axis
     * @param dimension K, the features along each axis
     * @param method how the weights are found
     * @return the choice
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static WidthChoice forSignal(
            String encoding, Signal samples, int dimension, Method method) {
        return forAxes(
                encoding, samples, IntStream.range(0, samples.axes()).toArray(), dimension, method);
    }

    /**
     * Chooses for training samples, for one axis alone.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param samples the training samples alone, on their grid, at least 8 along the axis
     * @param axis m, from 0
     * @param dimension K, the features along the axis
     * @param method how the weights are found
     * @return the choice
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static WidthChoice forAxis(
            String encoding, Signal samples, int axis, int dimension, Method method) {
        return forAxes(encoding, samples, new int[] {axis}, dimension, method);
    }

    /**
     * Returns the setting, to make the features by name with.
     *
     * @return the key and its value as text
     */
    public Map<String, String> settings() {
        return Map.of(key, Double.toString(value));
    }

    /**
     * Makes the features of one coordinate.
     *
     * @param dimension K
     * @param samples N along the axis
     * @param seed draws random frequencies
     * @return a new block, not initialised
     */
    public PositionFeatures features(int dimension, int samples, long seed) {
        return Encodings.named(encoding)
                .features(new Space(1, dimension, samples, true, seed), settings());
    }

    /** A number to four digits, without zeros that say nothing. */
    private static String digits(double value) {
        return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
    }

    private static void checkSpacing(double spacing) {
        if (!(spacing > 0 && spacing <= 0.5)) {
            throw new IllegalArgumentException(
                    "the spacing of samples must be positive and at most 0.5 of the axis, got "
                            + spacing);
        }
    }

    private static String key(String encoding) {
        return switch (encoding) {
            case "gaussian", "random-fourier" -> "sigma";
            case "triangle" -> "width";
            case "linear-frequencies", "log-frequencies" -> "highest";
            default ->
                    throw new IllegalArgumentException(
                            "a width is chosen for one of "
                                    + String.join(", ", ENCODINGS)
                                    + ", got \""
                                    + encoding
                                    + "\"");
        };
    }

    /** The width that reaches a bandwidth. */
    private static double reaching(String encoding, double spacing, double band, Method method) {
        boolean trained = method == Method.TRAINING;
        return switch (encoding) {
            case "gaussian" -> {
                double sigma = Math.sqrt(-Math.log(LEFT_AT_BANDWIDTH) / 2) / (Math.PI * band);
                yield Math.min((trained ? 1.25 : 1) * sigma, 0.125);
            }
            // Whole multiples of the spacing span the same piecewise linear functions; wider ones
            // reach further beyond the last sample.
            case "triangle" -> (trained ? 2 : 4) * spacing;
            // Few features are drawn beyond three times their spread.
            case "random-fourier" -> band / (trained ? 3.75 : 3);
            case "linear-frequencies" -> log2(band / (trained ? 4 : 2));
            default -> log2(band / Math.sqrt(2));
        };
    }

    private static double log2(double cycles) {
        return Math.max(0, Math.log(cycles) / Math.log(2));
    }

    private static WidthChoice choice(
            String encoding, double spacing, double band, Method method, String shown) {
        String key = key(encoding);
        double value = reaching(encoding, spacing, band, method);
        int samples = (int) Math.round(1 / spacing);
        String why =
                switch (encoding) {
                    case "gaussian" ->
                            " Copies of this width still follow the highest of them, and overlap"
                                    + " enough to fill the gaps between samples.";
                    case "triangle" ->
                            " Triangles whose feet stand on samples join them by straight lines.";
                    default -> " The frequencies reach nearly as far, and not beyond.";
                };
        return of(encoding, key, value, samples, samples, Double.NaN, shown + why, "");
    }

    /** Says the numbers, with what the trade-off predicts of them. */
    private static WidthChoice of(
            String encoding,
            String key,
            double value,
            int samples,
            int dimension,
            double forecast,
            String before,
            String after) {
        WidthChoice bare = new WidthChoice(encoding, key, value, 0, 0, forecast, "");
        int even = Math.max(2, dimension + dimension % 2);
        SimilarityKernel kernel =
                SimilarityKernel.of(bare.features(even, samples, 0), 1).orElseThrow();
        double rank = kernel.stableRank(Math.min(samples, LONGEST));
        double distance = kernel.distancePreservation();
        String size =
                key.equals("highest")
                        ? " (" + digits(Math.pow(2, value)) + " cycles)"
                        : encoding.equals("random-fourier")
                                ? " cycles"
                                : " (" + digits(value * samples) + " spacings)";
        String numbers =
                String.format(
                        Locale.ROOT,
                        " %s = %s%s: stable rank %s for %d samples, similar over %s (%s spacings).",
                        key,
                        digits(value),
                        size,
                        digits(rank),
                        Math.min(samples, LONGEST),
                        digits(distance),
                        digits(distance * samples));
        return new WidthChoice(
                encoding, key, value, rank, distance, forecast, before + numbers + after);
    }

    private static WidthChoice forAxes(
            String encoding, Signal samples, int[] axes, int dimension, Method method) {
        String key = key(encoding);
        List<Trial> trials = new ArrayList<>();
        int shortest = Integer.MAX_VALUE;
        int longest = 0;
        for (int axis : axes) {
            if (axis < 0 || axis >= samples.axes()) {
                throw new IllegalArgumentException(
                        "a signal of " + samples.axes() + " axes has no axis " + axis);
            }
            int side = samples.sides()[axis];
            if (side < FEWEST) {
                throw new IllegalArgumentException(
                        "a width can be chosen from at least "
                                + FEWEST
                                + " samples along an axis, got "
                                + side);
            }
            shortest = Math.min(shortest, side);
            longest = Math.max(longest, side);
            trials.add(new Trial(encoding, lines(samples, axis), side, dimension, method));
        }
        double[] candidates = candidates(encoding, shortest, longest, dimension);
        double[] errors = new double[candidates.length];
        for (int i = 0; i < candidates.length; i++) {
            for (Trial trial : trials) {
                errors[i] += trial.error(Map.of(key, Double.toString(candidates[i])));
            }
        }
        int best = best(encoding, candidates, errors, 1.0 / longest, method);
        double forecast = -10 * Math.log10(errors[best]);
        return of(
                encoding,
                key,
                candidates[best],
                longest,
                dimension,
                forecast,
                found(trials, axes.length, longest),
                plateau(key, candidates, errors, best, forecast));
    }

    /** Of widths that are as good as each other, the one nearest to that for the spacing alone. */
    private static int best(
            String encoding, double[] candidates, double[] errors, double spacing, Method method) {
        double usual = reaching(encoding, spacing, 0.5 / spacing, method);
        double limit = Arrays.stream(errors).min().orElseThrow() * Math.pow(10, UNDECIDED / 10);
        return IntStream.range(0, errors.length)
                .filter(i -> errors[i] <= limit)
                .boxed()
                .min(Comparator.comparingDouble(i -> Math.abs(Math.log(candidates[i] / usual))))
                .orElseThrow();
    }

    private static String found(List<Trial> trials, int axes, int side) {
        double band = trials.stream().mapToDouble(Trial::bandwidth).max().orElseThrow();
        double slope = trials.stream().mapToDouble(t -> t.forecast.slope()).average().orElseThrow();
        return String.format(
                Locale.ROOT,
                "Along %s %d samples (spacing %s) 99 %% of the variance lie below %s cycles of the"
                        + " %d that can be told apart, and the spectrum falls as f^-%s.",
                axes == 1 ? "the axis of" : axes + " axes of up to",
                side,
                digits(1.0 / side),
                digits(band),
                side / 2,
                digits(slope));
    }

    private static String plateau(
            String key, double[] candidates, double[] errors, int best, double forecast) {
        double limit = Arrays.stream(errors).min().orElseThrow() * Math.pow(10, PLATEAU / 10);
        int from = best;
        int to = best;
        while (from > 0 && errors[from - 1] <= limit) {
            from--;
        }
        while (to < errors.length - 1 && errors[to + 1] <= limit) {
            to++;
        }
        return String.format(
                Locale.ROOT,
                " A fit is forecast to reach %.1f dB between the samples; with %s from %s to %s"
                        + " it is within %s dB of the best.",
                forecast,
                key,
                digits(candidates[from]),
                digits(candidates[to]),
                PLATEAU);
    }

    private static double[] candidates(String encoding, int shortest, int longest, int dimension) {
        double spacing = 1.0 / Math.min(longest, dimension);
        double wider = 1.0 / Math.min(shortest, dimension);
        return switch (encoding) {
            case "gaussian" -> geometric(0.4 * spacing, 8 * wider, 1.1);
            case "triangle" ->
                    DoubleStream.concat(
                                    DoubleStream.iterate(1, w -> w <= 4, w -> w + 0.5),
                                    DoubleStream.of(5, 6, 8))
                            .map(w -> w * wider)
                            .toArray();
            case "random-fourier" -> geometric(0.02 / wider, 0.5 / spacing, 1.15);
            default -> {
                double most = Math.log(longest) / Math.log(2);
                yield DoubleStream.iterate(0.5, p -> p <= most + 0.01, p -> p + 0.25).toArray();
            }
        };
    }

    private static double[] geometric(double from, double to, double ratio) {
        return DoubleStream.iterate(from, v -> v <= to * 1.0001, v -> v * ratio).toArray();
    }

    /** Lines along an axis, evenly from all there are, each channel one. */
    private static double[][] lines(Signal samples, int axis) {
        int[] sides = samples.sides();
        int channels = samples.channels();
        int stride = channels; // numbers from one sample along the axis to the next
        for (int m = axis + 1; m < sides.length; m++) {
            stride *= sides[m];
        }
        int side = sides[axis];
        float[] values = samples.values();
        int all = values.length / side;
        int taken = Math.min(LINES, all);
        double[][] lines = new double[taken][side];
        for (int i = 0; i < taken; i++) {
            int line = (int) ((i + 0.5) * all / taken);
            int from = line / stride * stride * side + line % stride;
            for (int j = 0; j < side; j++) {
                lines[i][j] = values[from + j * stride];
            }
        }
        return lines;
    }

    /** Fits of lines with one width after another, against the forecast. */
    private static final class Trial {

        private final String encoding;
        private final double[][] lines; // (lines, n)
        private final int side;
        private final int dimension;
        private final Method method;
        private final MidpointForecast forecast;

        Trial(String encoding, double[][] whole, int side, int dimension, Method method) {
            this.encoding = encoding;
            this.side = side;
            this.dimension = dimension;
            this.method = method;
            int n = Math.min(side, LONGEST);
            int from = (side - n) / 2;
            lines =
                    Arrays.stream(whole)
                            .map(line -> Arrays.copyOfRange(line, from, from + n))
                            .toArray(double[][]::new);
            forecast = new MidpointForecast(lines);
        }

        /** In cycles over the axis. */
        double bandwidth() {
            return forecast.bandwidth() * side;
        }

        /** The mean squared error that a fit is expected to have between the samples. */
        double error(Map<String, String> settings) {
            int n = lines[0].length;
            PositionFeatures features =
                    Encodings.named(encoding)
                            .features(new Space(1, dimension, side, true, 0), settings);
            Regularization regularization =
                    method == Method.TRAINING ? TRAINED : Regularization.suiting(features);
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                features.initialize(manager, DataType.FLOAT64, new Shape(n));
                ParameterStore parameters = new ParameterStore(manager, false);
                double[] samples = new double[n * lines.length];
                for (int i = 0; i < samples.length; i++) {
                    samples[i] = lines[i % lines.length][i / lines.length];
                }
                SeparableFit fit =
                        SeparableFit.of(
                                List.of(at(0, features, manager, parameters)),
                                manager.create(samples, new Shape(n, lines.length)),
                                regularization);
                double[] between =
                        fit.onGrid(List.of(at(0.5, features, manager, parameters))).toDoubleArray();
                double squares = 0;
                for (int i = 0; i < between.length; i++) {
                    double off = between[i] - forecast.values()[i % lines.length][i / lines.length];
                    squares += off * off;
                }
                return squares / between.length + forecast.error();
            }
        }

        private NDArray at(
                double part,
                PositionFeatures features,
                NDManager manager,
                ParameterStore parameters) {
            int n = lines[0].length;
            int from = (side - n) / 2;
            double[] x = new double[n];
            Arrays.setAll(x, i -> (from + i + part) / side);
            return features.features(Positions.of(manager.create(x)), parameters, false); // (n, K)
        }
    }
}
