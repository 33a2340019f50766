package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Autograd;

/** Makes the notebooks' matrices: a row of features for each coordinate in [0, 1). */
@FunctionalInterface
interface Embedder {

    /** A product such as 0.29 · 100 must not fall below the whole number it stands for. */
    double ROUNDING = 1e-9;

    /**
     * Embeds coordinates.
     *
     * @param x N coordinates in [0, 1)
     * @param manager owns the result, and says on which device it is
     * @return (N, d), float64
     */
    NDArray rows(double[] x, NDManager manager);

    /** Fixed features of one coordinate. */
    static Embedder of(PositionFeatures features) {
        return (x, manager) -> {
            try (NDManager scope = manager.newSubManager();
                    Autograd.Scope off = Autograd.off()) {
                features.initialize(scope, DataType.FLOAT64, new Shape(1));
                NDArray points = scope.create(x); // (N)
                NDArray rows =
                        features.features(
                                Positions.of(points), new ParameterStore(scope, false), false);
                NDArray own = rows.duplicate();
                own.attach(manager);
                return own;
            }
        };
    }

    /**
     * The notebooks' shift embedder: the rows of a circulant matrix of d shifts of a periodic
     * function, at the multiple of 1/d at or before each coordinate.
     */
    static Embedder circulant(BasisFunction function, int dimension) {
        Embedder shifts =
                of(
                        ShiftedBasis.builder()
                                .setBasis(function)
                                .setDimension(dimension)
                                .optPeriodic(true)
                                .optNormalizedOver(new double[][] {{0}})
                                .build());
        return (x, manager) -> shifts.rows(onGrid(x, dimension), manager);
    }

    /** Shifts of d normal numbers, rows of norm 1. */
    static Embedder noise(int dimension, long seed) {
        Random random = new Random(seed);
        double[] c = DoubleStream.generate(random::nextGaussian).limit(dimension).toArray();
        double norm = Math.sqrt(Arrays.stream(c).map(value -> value * value).sum());
        return (x, manager) -> {
            double[] rows = new double[x.length * dimension];
            for (int i = 0; i < x.length; i++) {
                int shift = (int) Math.floor(x[i] * dimension + ROUNDING);
                for (int j = 0; j < dimension; j++) {
                    rows[i * dimension + j] = c[Math.floorMod(shift - j, dimension)] / norm;
                }
            }
            NDArray borrowed = manager.create(rows, new Shape(x.length, dimension));
            NDArray own = borrowed.duplicate();
            borrowed.close();
            return own;
        };
    }

    /** Non-periodic shifted copies, normalised over the training coordinates. */
    static Embedder shifted(BasisFunction function, int dimension, double[] training) {
        double[][] points =
                Arrays.stream(training).mapToObj(x -> new double[] {x}).toArray(double[][]::new);
        return of(
                ShiftedBasis.builder()
                        .setBasis(function)
                        .setDimension(dimension)
                        .optNormalizedOver(points)
                        .build());
    }

    /** Random Fourier features, rows of norm 1. */
    static Embedder fourier(FourierFrequencies frequencies, int dimension) {
        return of(
                FourierFeatures.builder()
                        .setFrequencies(frequencies)
                        .setDimension(dimension)
                        .optNormalized(true)
                        .build());
    }

    /** i/N for i = from, from + step, …, below N. */
    static double[] coordinates(int count, int from, int step) {
        double[] x = new double[(count - from + step - 1) / step];
        for (int i = 0; i < x.length; i++) {
            x[i] = (double) (from + i * step) / count;
        }
        return x;
    }

    private static double[] onGrid(double[] x, int dimension) {
        return Arrays.stream(x)
                .map(value -> Math.floor(value * dimension + ROUNDING) / dimension)
                .toArray();
    }
}
