package org.posenc.signal;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.posenc.analysis.SimilarityKernel;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
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
 *       1/12, far above what a fit leaves out, so σ = √(ln 12 / 2) / (π B).
 *   <li>{@link #forSignal}: widths are tried on lines of the training samples, and the fit is
 *       compared half way between them with what their spectrum forecasts there.
 *   <li>{@link #forGaps}: widths are tried on blocks of training samples that lie anywhere, and the
 *       fit is compared with some that were held back.
 * </ul>
 *
 * <p>Of widths within 0.25 dB of the best, 0.5 dB for training, the one nearest to that of all axes
 * together is taken, and of those for all axes the one nearest to that of {@link #forSpacing}. What
 * a signal does at its ends is not looked at. Gradient training leaves out what a closed form still
 * resolves, and is best with wider copies.
 *
 * @param encoding {@code gaussian}, {@code triangle}, {@code random-fourier}, {@code
 *     linear-frequencies} or {@code log-frequencies}
 * @param key the setting that is chosen: sigma, width or highest
 * @param value its value, for coordinates in [0, 1)
 * @param stableRank what the encoder is predicted to have over the samples of an axis
 * @param distancePreservation how far its similarity is predicted to stay above 0.1
 * @param summary these numbers in a few words
 * @param reason one or two sentences, how it was chosen and what others would do
 */
public record WidthChoice(
        String encoding,
        String key,
        double value,
        double stableRank,
        double distancePreservation,
        String summary,
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
        /** By gradient descent, such as Adam, over the product of the axes' features. */
        TRAINING,
        /**
         * By gradient descent with hidden layers over the features of the axes side by side. The
         * layers make the high frequencies, so the features need not; what suits was found by Zheng
         * et al. 2022 by trying, and is known for a spacing only.
         */
        SIMPLE
    }

    private static final int FEWEST = 8; // samples of a line
    private static final int COUNTED = 256; // samples of which a stable rank is told
    private static final double PLATEAU = 0.5; // dB
    private static final double UNDECIDED = 0.25; // dB, which forecasts are not exact to
    private static final double UNDECIDED_TRAINED = 0.5; // a cut-off is not quite like training

    /**
     * What gradient descent resolves: singular values below this part of the largest are hardly
     * learned in a few thousand steps.
     */
    private static final Regularization TRAINED = new Regularization.CutOff(1e-2);

    /**
     * Chooses for a spacing alone.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param spacing h between training samples along an axis of length 1, positive and at most 1
     * @param method how the weights are found
     * @return the choice
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static WidthChoice forSpacing(String encoding, double spacing, Method method) {
        checkSpacing(spacing);
        return reaching(
                encoding,
                spacing,
                0.5 / spacing,
                method,
                String.format(
                        Locale.ROOT,
                        "Samples %s apart tell frequencies up to %s cycles apart",
                        digits(spacing),
                        digits(0.5 / spacing)));
    }

    /**
     * Chooses for a signal of which the bandwidth is known.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param spacing h between training samples along an axis of length 1, positive and at most 1
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
                                        + " apart show"
                                : "The signal reaches %s of the %s cycles that samples %s apart"
                                        + " can show",
                        digits(bandwidth),
                        digits(highest),
                        digits(spacing));
        return reaching(encoding, spacing, Math.min(bandwidth, highest), method, shown);
    }

    /**
     * Chooses for training samples on a grid.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param samples the training samples alone
     * @param tile the samples along each axis that have a network of their own, at most the sides
     * @param spacings h_m of samples, as parts of a tile: 1 over their number or a little more
     * @param dimensions K_m, the features along each axis of a tile
     * @param method how the weights are found, not {@link Method#SIMPLE}
     * @param seed draws random frequencies
     * @return a choice for each axis, for coordinates in [0, 1) over a tile; for axes of less than
     *     8 samples that of their spacing
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static List<WidthChoice> forSignal(
            String encoding,
            Signal samples,
            int[] tile,
            double[] spacings,
            int[] dimensions,
            Method method,
            long seed) {
        checkAxes(samples, tile, dimensions);
        Arrays.stream(spacings).forEach(WidthChoice::checkSpacing);
        if (method == Method.SIMPLE) {
            throw new IllegalArgumentException(
                    "for simple features a width is known for a spacing only");
        }
        double[][] candidates = new double[tile.length][];
        double[][] errors = new double[tile.length][];
        MidpointForecast[] forecasts = new MidpointForecast[tile.length];
        for (List<Integer> axes : alike(tile, dimensions)) {
            int side = tile[axes.get(0)];
            int dimension = dimensions[axes.get(0)];
            LineTrials trials =
                    new LineTrials(
                            encoding,
                            samples,
                            axes,
                            new Space(1, dimension, side, true, seed),
                            method == Method.TRAINING ? Optional.of(TRAINED) : Optional.empty());
            double[][] tried = new double[WidthRule.candidates(encoding, side, side).length][];
            for (int i = 0; i < tried.length; i++) {
                tried[i] = trials.errors(i);
            }
            for (int a = 0; a < axes.size(); a++) {
                int place = a;
                double apart = 1 / spacings[axes.get(a)];
                candidates[axes.get(a)] =
                        WidthRule.candidates(encoding, apart, dimension * apart / side);
                errors[axes.get(a)] = Arrays.stream(tried).mapToDouble(e -> e[place]).toArray();
                forecasts[axes.get(a)] = trials.forecast(a);
            }
        }
        int together = together(encoding, candidates, errors, spacings, method);
        List<WidthChoice> choices = new ArrayList<>();
        for (int m = 0; m < tile.length; m++) {
            if (errors[m] == null) {
                choices.add(forSpacing(encoding, spacings[m], method));
                continue;
            }
            int best = nearest(errors[m], together, undecided(method));
            String why =
                    String.format(
                            Locale.ROOT,
                            "%d widths were tried on lines of the samples that train, and each fit"
                                    + " compared, half way between samples, with what their"
                                    + " spectrum (99 %% of it below %s of %s cycles, falling as"
                                    + " f^-%s) lets expect there.",
                            candidates[m].length,
                            digits(forecasts[m].bandwidth() * tile[m]),
                            digits(tile[m] / 2.0),
                            digits(forecasts[m].slope()));
            choices.add(tried(encoding, candidates[m], errors[m], best, spacings[m], why));
        }
        return choices;
    }

    /**
     * Chooses for training samples that lie anywhere on a grid, for a fit in closed form, {@link
     * ScatteredFit}.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @param signal with all its samples; those that do not train are not looked at
     * @param trains which do, row-major
     * @param tile the samples along each axis that have a network of their own, at most the sides
     * @param dimensions K_m, the features along each axis of a tile
     * @param seed draws random frequencies
     * @return a choice for each axis, for coordinates in [0, 1) over a tile; all in equal relation
     *     to the spacing 1/K_m
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static List<WidthChoice> forGaps(
            String encoding,
            Signal signal,
            boolean[] trains,
            int[] tile,
            int[] dimensions,
            long seed) {
        String key = WidthRule.key(encoding);
        checkAxes(signal, tile, dimensions);
        if (trains.length != signal.samples()) {
            throw new IllegalArgumentException(
                    "which samples train must be told of "
                            + signal.samples()
                            + ", got "
                            + trains.length);
        }
        GapTrials trials = new GapTrials(encoding, signal, trains, tile, dimensions, seed);
        if (!trials.possible()) {
            return Arrays.stream(dimensions)
                    .mapToObj(k -> forSpacing(encoding, 1.0 / k, Method.CLOSED_FORM))
                    .toList();
        }
        int[] own = trials.dimensions();
        double[][] blocks =
                Arrays.stream(own)
                        .mapToObj(k -> WidthRule.candidates(encoding, k, k))
                        .toArray(double[][]::new);
        double[] errors = new double[blocks[0].length];
        for (int i = 0; i < errors.length; i++) {
            List<Map<String, String>> settings = new ArrayList<>();
            for (double[] axis : blocks) {
                settings.add(Map.of(key, Double.toString(axis[i])));
            }
            errors[i] = trials.error(settings);
        }
        int best = best(errors);
        String why =
                String.format(
                        Locale.ROOT,
                        "%d widths were tried on blocks of %s samples, and each fit compared with"
                                + " %d samples that were held back from it.",
                        errors.length,
                        Signal.sides(trials.sides()),
                        trials.heldBack());
        return Arrays.stream(dimensions)
                .mapToObj(
                        k ->
                                tried(
                                        encoding,
                                        WidthRule.candidates(encoding, k, k),
                                        errors,
                                        best,
                                        1.0 / k,
                                        why))
                .toList();
    }

    /**
     * Returns the setting of an encoding that is its width.
     *
     * @param encoding one of {@link #ENCODINGS}
     * @return sigma, width or highest
     * @throws IllegalArgumentException if it is none of them
     */
    public static String key(String encoding) {
        return WidthRule.key(encoding);
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

    /** A number to three digits, without zeros that say nothing. */
    private static String digits(double value) {
        return new BigDecimal(value).round(new MathContext(3)).stripTrailingZeros().toPlainString();
    }

    private static void checkSpacing(double spacing) {
        if (!(spacing > 0 && spacing <= 1)) {
            throw new IllegalArgumentException(
                    "the spacing of samples must be positive and at most 1, the whole axis, got "
                            + spacing);
        }
    }

    private static void checkAxes(Signal samples, int[] tile, int[] dimensions) {
        int[] sides = samples.sides();
        boolean fit = tile.length == sides.length && dimensions.length == sides.length;
        for (int m = 0; fit && m < sides.length; m++) {
            fit = tile[m] >= 1 && tile[m] <= sides[m] && dimensions[m] >= 1;
        }
        if (!fit) {
            throw new IllegalArgumentException(
                    "a tile must have a side and features along each axis of "
                            + samples
                            + " and be no larger, got "
                            + Signal.sides(tile)
                            + " with "
                            + Signal.sides(dimensions)
                            + " features");
        }
    }

    /** Axes that are long enough to be looked at, those with equal features together. */
    private static List<List<Integer>> alike(int[] tile, int[] dimensions) {
        List<List<Integer>> groups = new ArrayList<>();
        for (int m = 0; m < tile.length; m++) {
            int axis = m;
            Optional<List<Integer>> same =
                    groups.stream()
                            .filter(g -> tile[g.get(0)] == tile[axis])
                            .filter(g -> dimensions[g.get(0)] == dimensions[axis])
                            .findFirst();
            if (same.isPresent()) {
                same.get().add(m);
            } else if (tile[m] >= FEWEST) {
                groups.add(new ArrayList<>(List.of(m)));
            }
        }
        return groups;
    }

    /** The place of the width that suits all axes. */
    private static int together(
            String encoding,
            double[][] candidates,
            double[][] errors,
            double[] spacings,
            Method method) {
        double[] sums = null;
        double[] away = null; // from what is usual for the spacing
        for (int m = 0; m < errors.length; m++) {
            if (errors[m] == null) {
                continue;
            }
            if (sums == null) {
                sums = new double[errors[m].length];
                double spacing = spacings[m];
                double usual = WidthRule.reaching(encoding, spacing, 0.5 / spacing, method);
                away =
                        Arrays.stream(candidates[m])
                                .map(value -> Math.abs(Math.log(value / usual)))
                                .toArray();
            }
            for (int i = 0; i < sums.length; i++) {
                sums[i] += errors[m][i];
            }
        }
        if (sums == null) {
            return 0;
        }
        double[] distances = away;
        return within(sums, undecided(method))
                .boxed()
                .min(Comparator.comparingDouble(i -> distances[i]))
                .orElseThrow();
    }

    private static double undecided(Method method) {
        return method == Method.TRAINING ? UNDECIDED_TRAINED : UNDECIDED;
    }

    /** Of widths that are as good as each other, the one nearest to another. */
    private static int nearest(double[] errors, int place, double undecided) {
        return within(errors, undecided)
                .boxed()
                .min(Comparator.comparingInt(i -> Math.abs(i - place)))
                .orElseThrow();
    }

    private static IntStream within(double[] errors, double decibels) {
        double limit = errors[best(errors)] * Math.pow(10, decibels / 10);
        return IntStream.range(0, errors.length).filter(i -> errors[i] <= limit);
    }

    private static int best(double[] errors) {
        return IntStream.range(0, errors.length)
                .boxed()
                .min(Comparator.comparingDouble(i -> errors[i]))
                .orElseThrow();
    }

    private static WidthChoice reaching(
            String encoding, double spacing, double band, Method method, String shown) {
        double value = WidthRule.reaching(encoding, spacing, band, method);
        String why =
                switch (encoding) {
                    case "gaussian" ->
                            ": copies of this width still follow the highest of them, and overlap"
                                    + " enough to fill the gaps between samples.";
                    case "triangle" ->
                            ": triangles whose feet stand on samples join them by straight lines.";
                    default -> ": the frequencies reach nearly as far, and not beyond.";
                };
        if (method == Method.SIMPLE) {
            why = ": features reach a part of them only, hidden layers make the others.";
        }
        return of(encoding, value, spacing, shown + why);
    }

    private static WidthChoice tried(
            String encoding,
            double[] values,
            double[] errors,
            int best,
            double spacing,
            String why) {
        double[] good = within(errors, PLATEAU).mapToDouble(i -> values[i]).toArray();
        boolean copies = encoding.equals("gaussian") || encoding.equals("triangle");
        String beyond =
                copies
                        ? "narrower copies do not reach from one sample to the next, wider ones"
                                + " blur what changes fast"
                        : "lower frequencies cannot follow the samples, higher ones swing between"
                                + " them";
        String plateau =
                String.format(
                        Locale.ROOT,
                        " Most from %s to %s are within %s dB of the best; %s.",
                        digits(good[0]),
                        digits(good[good.length - 1]),
                        PLATEAU,
                        beyond);
        return of(encoding, values[best], spacing, why + plateau);
    }

    /** Says the numbers, with what the trade-off predicts of them. */
    private static WidthChoice of(String encoding, double value, double spacing, String why) {
        int samples = (int) Math.round(1 / spacing);
        String key = WidthRule.key(encoding);
        WidthChoice bare = new WidthChoice(encoding, key, value, 0, 0, "", "");
        int even = Math.max(2, samples + samples % 2);
        SimilarityKernel kernel =
                SimilarityKernel.of(bare.features(even, samples, 0), 1).orElseThrow();
        int counted = Math.min(samples, COUNTED);
        double rank = kernel.stableRank(counted);
        double distance = kernel.distancePreservation();
        String size =
                switch (key) {
                    case "highest" -> " (" + digits(Math.pow(2, value)) + " cycles)";
                    case "width" -> " (" + digits(value / spacing) + " spacings of samples)";
                    default ->
                            encoding.equals("gaussian")
                                    ? " (" + digits(value / spacing) + " spacings of samples)"
                                    : " (a spread in cycles)";
                };
        String summary =
                String.format(
                        Locale.ROOT,
                        "%s = %s%s, stable rank %s for %d samples, alike over %s spacings",
                        key,
                        digits(value),
                        size,
                        digits(rank),
                        counted,
                        digits(distance / spacing));
        return new WidthChoice(encoding, key, value, rank, distance, summary, why);
    }
}
