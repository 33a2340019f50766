package org.posenc.signal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;

/**
 * Fits of lines of samples with one width of an encoding after another, each compared half way
 * between the samples with what their spectrum forecasts there.
 */
final class LineTrials {

    /**
     * Samples of a line that are looked at; a decomposition costs the cube. Copies act locally, so
     * that few do; waves reach from end to end, and random ones differ from draw to draw.
     */
    private static final int LONGEST_OF_COPIES = 128;

    private static final int LONGEST_OF_WAVES = 256;

    private static final int LINES = 48; // of an axis

    /** What a line's own ends decide is not looked at: so many samples, of short lines fewer. */
    private static final int EDGE = 16;

    /** Waves swing at the ends of a signal, less if so many mirrored samples are fitted there. */
    private static final int MARGIN = 2;

    private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

    private final String encoding;
    private final Space space;
    private final double[] widths;
    private final Optional<Regularization> regularization;
    private final List<double[][]> lines = new ArrayList<>(); // of each axis (lines, n)
    private final List<MidpointForecast> forecasts = new ArrayList<>();
    private final boolean whole;

    /**
     * Takes lines of a signal. Of long ones parts are taken, and features are as many fewer and as
     * much wider, so that nothing changes in relation to the samples.
     *
     * @param encoding the encoding's name
     * @param samples the training samples alone, on their grid
     * @param axes along which lines are taken, with equal sides and features
     * @param of what is asked along each of them: its side, all or a tile's; its features; the seed
     * @param regularization of the fits; what suits the encoding where it is empty
     */
    LineTrials(
            String encoding,
            Signal samples,
            List<Integer> axes,
            Space of,
            Optional<Regularization> regularization) {
        this.encoding = encoding;
        this.regularization = regularization;
        int side = of.length();
        int n = Math.min(side, isLocal(encoding) ? LONGEST_OF_COPIES : LONGEST_OF_WAVES);
        whole = n == side;
        int k = whole ? of.featureDimension() : (int) ((long) of.featureDimension() * n / side);
        space = new Space(1, Math.max(2, whole ? k : k - k % 2), n, true, of.seed());
        widths = WidthRule.candidates(encoding, n, space.featureDimension());
        for (int axis : axes) {
            double[][] own = lines(samples, axis, n);
            lines.add(own);
            forecasts.add(new MidpointForecast(own));
        }
    }

    private static boolean isLocal(String encoding) {
        return encoding.equals("gaussian") || encoding.equals("triangle");
    }

    /** Lines from everywhere, one channel after the other. */
    private static double[][] lines(Signal samples, int axis, int n) {
        int[] sides = samples.sides();
        int channels = samples.channels();
        int stride = channels; // numbers from one sample along the axis to the next
        for (int m = axis + 1; m < sides.length; m++) {
            stride *= sides[m];
        }
        int side = sides[axis];
        float[] values = samples.values();
        int places = values.length / side / channels;
        // A line that is longer than n is looked at in parts, which may overlap.
        int parts = side > n ? 2 * side / n : 1;
        int taken = (int) Math.min(LINES, (long) places * channels * parts);
        double[][] lines = new double[taken][n];
        for (int i = 0; i < taken; i++) {
            double share = (i + 0.5) / taken;
            int line = (int) (share * places) * channels + i % channels;
            double begin = places == 1 ? share : (i + 0.5) * GOLDEN % 1;
            int from = line / stride * stride * side + line % stride;
            from += (int) Math.round(begin * (side - n)) * stride;
            for (int j = 0; j < n; j++) {
                lines[i][j] = values[from + j * stride];
            }
        }
        return lines;
    }

    /**
     * Returns what the forecast was made from.
     *
     * @param i the place of an axis among those that are tried
     */
    MidpointForecast forecast(int i) {
        return forecasts.get(i);
    }

    /**
     * Tries a width.
     *
     * @param number its place among {@link WidthRule#candidates}
     * @return for each axis the mean squared error that a fit is expected to have between the
     *     samples
     */
    double[] errors(int number) {
        int n = space.length();
        int margin = isLocal(encoding) ? 0 : MARGIN;
        String key = WidthRule.key(encoding);
        PositionFeatures features =
                Encodings.named(encoding)
                        .features(space, Map.of(key, Double.toString(widths[number])));
        double[][] all = lines.stream().flatMap(Arrays::stream).toArray(double[][]::new);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            features.initialize(manager, DataType.FLOAT64, new Shape(n));
            int rows = n + 2 * margin;
            double[] samples = new double[rows * all.length];
            for (int i = 0; i < samples.length; i++) {
                int t = Math.floorMod(i / all.length - margin, 2 * n);
                samples[i] = all[i % all.length][t < n ? t : 2 * n - 1 - t];
            }
            SeparableFit fit =
                    SeparableFit.of(
                            List.of(at(-margin, rows, features, manager)),
                            manager.create(samples, new Shape(rows, all.length)),
                            regularization.orElseGet(() -> Regularization.suiting(features)));
            double[] between = fit.onGrid(List.of(at(0.5, n, features, manager))).toDoubleArray();
            double[] errors = new double[lines.size()];
            int first = 0;
            for (int i = 0; i < errors.length; i++) {
                errors[i] = error(between, all.length, first, forecasts.get(i));
                first += lines.get(i).length;
            }
            return errors;
        }
    }

    /** The error of an axis' lines, which are columns of a grid. */
    private double error(double[] between, int columns, int first, MidpointForecast forecast) {
        double[][] expected = forecast.values();
        int n = expected[0].length;
        boolean ends = whole && !isLocal(encoding);
        int from = ends ? 0 : Math.min(EDGE, n / 8);
        int to = ends ? n - 1 : n - from; // what lies beyond the last sample is no interpolation
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            for (int t = from; t < to; t++) {
                double off = between[t * columns + first + i] - expected[i][t];
                squares += off * off;
            }
        }
        return squares / ((double) expected.length * (to - from)) + forecast.error();
    }

    /** The features of so many points a sample apart. */
    private NDArray at(double from, int points, PositionFeatures features, NDManager manager) {
        double[] x = new double[points];
        Arrays.setAll(x, i -> (from + i) / space.length());
        ParameterStore parameters = new ParameterStore(manager, false);
        return features.features(Positions.of(manager.create(x)), parameters, false); // (n, K)
    }
}
