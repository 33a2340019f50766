package org.posenc.experiment.reproduction;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.Blending;
import org.posenc.signal.Fidelity;
import org.posenc.signal.LinearFit;
import org.posenc.signal.Regularization;
import org.posenc.signal.Sampling;
import org.posenc.signal.ScatteredFit;
import org.posenc.signal.SeparableFit;
import org.posenc.signal.Signal;
import org.posenc.signal.Stopping;

/**
 * An image or a volume fitted from some of its samples, then asked for all: simple networks over
 * all features of every point, complex ones over the axes of a grid, or blended from a virtual grid
 * of half as many points a side where samples are scattered.
 */
final class GridFit implements AutoCloseable {

    /** Points whose features are made at once. */
    private static final int CHUNK = 16_384;

    private final Signal truth;
    private final Sampling sampling;
    private final boolean[] trains;
    private final NDManager manager;

    /**
     * A fit.
     *
     * @param truth the signal, (n, …, n, C)
     * @param sampling which samples train
     * @param device where
     */
    GridFit(Signal truth, Sampling sampling, Device device) {
        this.truth = truth;
        this.sampling = sampling;
        trains = sampling.trains(truth.sides());
        manager = NDManager.newBaseManager(device, "PyTorch");
    }

    /** Looks at a network between steps, which can be asked for its fit. */
    @FunctionalInterface
    interface Watch {

        /**
         * Looks.
         *
         * @param done steps done, at least 1
         * @param seconds what they took
         * @param fitted asks for all samples, which takes a while
         */
        void after(int done, double seconds, Supplier<Signal> fitted);
    }

    /** Trains a network over features that stand side by side. */
    void simple(
            PositionFeatures features,
            int depth,
            int width,
            Descent descent,
            long seed,
            Watch watch,
            Progress progress)
            throws IOException, TranslateException {
        features.initialize(manager, DataType.FLOAT32, new Shape(1, truth.axes()));
        int[] samples = places(true);
        List<NDArray> parts = new ArrayList<>();
        for (int from = 0; from < samples.length; from += CHUNK) {
            int[] some = Arrays.copyOfRange(samples, from, Math.min(samples.length, from + CHUNK));
            parts.add(features(features, some, manager));
        }
        NDArray phi = joined(parts); // (P, d)
        CoordinateMlp network =
                network(new Coordinates(features.featureDimension()), depth, width, seed);
        descent.run(
                network,
                List.of(phi),
                values(samples),
                (done, seconds, parameters) ->
                        watch.after(
                                done, seconds, () -> simplyFitted(features, network, parameters)),
                progress);
    }

    private Signal simplyFitted(
            PositionFeatures features, CoordinateMlp network, ParameterStore parameters) {
        return inParts(
                (some, scope) -> network.of(features(features, some, scope), parameters, false));
    }

    /** Trains a network over the product of one axis' features. */
    void complex(
            PositionFeatures axis,
            int depth,
            int width,
            Descent descent,
            long seed,
            Watch watch,
            Progress progress)
            throws IOException, TranslateException {
        CoordinateMlp network = network(Kronecker.of(axis, truth.axes()), depth, width, seed);
        axis.initialize(manager, DataType.FLOAT32, new Shape(1));
        if (sampling instanceof Sampling.Every every) {
            NDArray known = features(axis, coordinates(every.step())); // (N, K)
            NDArray all = features(axis, coordinates(1)); // (n, K)
            descent.run(
                    network,
                    Collections.nCopies(truth.axes(), known),
                    grid(every.step()),
                    (done, seconds, parameters) ->
                            watch.after(done, seconds, () -> onGrid(network, all, parameters)),
                    progress);
            return;
        }
        Blending blending = blending(axis);
        List<NDArray> a =
                Collections.nCopies(truth.axes(), features(axis, blending.positions())); // (G, K)
        int[] samples = places(true);
        List<NDArray> inputs = new ArrayList<>(a);
        inputs.addAll(blend(blending, samples, manager));
        descent.run(
                network,
                inputs,
                values(samples),
                (done, seconds, parameters) ->
                        watch.after(done, seconds, () -> blended(network, a, blending, parameters)),
                progress);
    }

    private Signal onGrid(CoordinateMlp network, NDArray all, ParameterStore parameters) {
        try (NDManager scope = manager.newSubManager()) {
            // Results belong to their first operand's manager, so a look needs handles of its own.
            NDArray own = all.reshape(all.getShape());
            own.attach(scope);
            NDArray fitted =
                    network.ofGrid(
                            Collections.nCopies(truth.axes(), own), parameters, false); // (n, …, C)
            return new Signal(truth.sides(), truth.channels(), taken(fitted, scope));
        }
    }

    private Signal blended(
            CoordinateMlp network,
            List<NDArray> axisFeatures,
            Blending blending,
            ParameterStore parameters) {
        return inParts(
                (some, scope) -> {
                    List<NDArray> blend = blend(blending, some, scope);
                    return network.blended(
                            axisFeatures, blend.get(0), blend.get(1), parameters, false);
                });
    }

    /**
     * Solves for the weights of one linear map over the product of an axis' features, with the
     * regularisation that suits the features and the samples.
     *
     * @param axis the features
     * @return the fit
     */
    Solution solved(PositionFeatures axis) {
        axis.initialize(manager, DataType.FLOAT64, new Shape(1));
        int axes = truth.axes();
        try (NDManager scope = manager.newSubManager()) {
            if (sampling instanceof Sampling.Every every) {
                NDArray known = features(axis, coordinates(every.step())); // (N, K)
                NDArray all = features(axis, coordinates(1)); // (n, K)
                NDArray samples = grid(every.step());
                long started = System.nanoTime();
                LinearFit fit =
                        SeparableFit.of(
                                Collections.nCopies(axes, known),
                                samples,
                                Regularization.suiting(axis));
                NDArray fitted = fit.onGrid(Collections.nCopies(axes, all));
                float[] values = taken(fitted, scope);
                double seconds = (System.nanoTime() - started) / 1e9;
                return new Solution(new Signal(truth.sides(), truth.channels(), values), seconds);
            }
            Blending blending = blending(axis);
            NDArray grid = features(axis, blending.positions()); // (G, K)
            int[] samples = places(true);
            NDArray values = values(samples);
            List<NDArray> a = Collections.nCopies(axes, grid);
            long started = System.nanoTime();
            LinearFit fit =
                    ScatteredFit.ofBlended(
                            a,
                            Collections.nCopies(axes, blending),
                            points(samples),
                            values,
                            Regularization.suitingGaps(axis, a),
                            Stopping.USUAL);
            double seconds = (System.nanoTime() - started) / 1e9;
            CoordinateMlp network = network(Kronecker.of(axis, axes), 0, 1, 0);
            network.initialize(manager, DataType.FLOAT32, new Shape(1, axes));
            network.complexMap().setWeights(fit.weights());
            ParameterStore parameters = new ParameterStore(scope, false);
            return new Solution(blended(network, a, blending, parameters), seconds);
        }
    }

    /**
     * What weights that were solved for give.
     *
     * @param fitted all samples
     * @param seconds what the solution took
     */
    record Solution(Signal fitted, double seconds) {}

    /** Returns the PSNR over the samples that trained, or over the others, in dB. */
    double psnr(Signal fitted, boolean trained) {
        return Fidelity.psnr(fitted, truth, trains, trained);
    }

    private CoordinateMlp network(PositionFeatures features, int depth, int width, long seed) {
        return CoordinateMlp.builder()
                .setFeatures(features)
                .optDepth(depth)
                .optWidth(width)
                .optOutputs(truth.channels())
                .optSeed(seed)
                .build();
    }

    /** As many points a side as a regular sampling would know. */
    private Blending blending(PositionFeatures axis) {
        return Blending.of(axis, Math.max(2, truth.sides()[0] / 2));
    }

    /** Samples (P, 2^M) and weights (P, 2^M) of a blend. */
    private List<NDArray> blend(Blending blending, int[] samples, NDManager owner) {
        Blending.Cells cells =
                Blending.cells(Collections.nCopies(truth.axes(), blending), points(samples));
        Shape shape = new Shape(samples.length, cells.corners());
        float[] weights = new float[cells.weight().length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) cells.weight()[i];
        }
        return List.of(owner.create(cells.index(), shape), owner.create(weights, shape));
    }

    /** Computes outputs of some samples, given by their places in row-major order. */
    private interface Part {
        NDArray of(int[] some, NDManager scope);
    }

    private Signal inParts(Part part) {
        float[] fitted = new float[truth.values().length];
        for (int from = 0; from < truth.samples(); from += CHUNK) {
            int[] some = new int[Math.min(CHUNK, truth.samples() - from)];
            for (int i = 0; i < some.length; i++) {
                some[i] = from + i;
            }
            try (NDManager scope = manager.newSubManager()) {
                float[] values = taken(part.of(some, scope), scope);
                System.arraycopy(values, 0, fitted, from * truth.channels(), values.length);
            }
        }
        return new Signal(truth.sides(), truth.channels(), fitted);
    }

    private static float[] taken(NDArray array, NDManager scope) {
        array.attach(scope);
        NDArray narrow = array.toType(DataType.FLOAT32, false);
        narrow.attach(scope);
        return narrow.toFloatArray();
    }

    private NDArray joined(List<NDArray> parts) {
        if (parts.size() == 1) {
            return parts.get(0);
        }
        NDArray all = NDArrays.concat(new NDList(parts.toArray(NDArray[]::new)), 0);
        parts.forEach(NDArray::close);
        return all;
    }

    /** Features of samples, (P, d). */
    private NDArray features(PositionFeatures features, int[] samples, NDManager owner) {
        double[][] points = points(samples);
        int axes = truth.axes();
        double[] flat = new double[points.length * axes];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = points[i / axes][i % axes];
        }
        return features(features, flat, new Shape(points.length, axes), owner);
    }

    /** Features of coordinates, (N, K). */
    private NDArray features(PositionFeatures axis, double[] coordinates) {
        return features(axis, coordinates, new Shape(coordinates.length), manager);
    }

    private static NDArray features(
            PositionFeatures features, double[] points, Shape shape, NDManager owner) {
        try (NDManager scope = owner.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            Positions positions = Positions.of(scope.create(points, shape));
            NDArray phi =
                    features.features(positions, new ParameterStore(scope, false), false)
                            .toType(DataType.FLOAT32, false);
            phi.attach(owner);
            return phi;
        }
    }

    /** Places, in row-major order, of the samples that train, or of the others. */
    private int[] places(boolean trained) {
        int count = 0;
        int[] places = new int[trains.length];
        for (int i = 0; i < trains.length; i++) {
            if (trains[i] == trained) {
                places[count++] = i;
            }
        }
        return Arrays.copyOf(places, count);
    }

    /** Coordinates of samples, (P, M). */
    private double[][] points(int[] samples) {
        int[] sides = truth.sides();
        double[][] points = new double[samples.length][sides.length];
        for (int p = 0; p < samples.length; p++) {
            int rest = samples[p];
            for (int m = sides.length - 1; m >= 0; m--) {
                points[p][m] = (double) (rest % sides[m]) / sides[m];
                rest /= sides[m];
            }
        }
        return points;
    }

    /** Values of samples, (P, C). */
    private NDArray values(int[] samples) {
        int channels = truth.channels();
        float[] values = new float[samples.length * channels];
        for (int p = 0; p < samples.length; p++) {
            System.arraycopy(truth.values(), samples[p] * channels, values, p * channels, channels);
        }
        return manager.create(values, new Shape(samples.length, channels));
    }

    /** Every so many samples along each axis, (N, …, N, C). */
    private NDArray grid(int step) {
        NDArray flat = values(places(true));
        long side = (truth.sides()[0] + step - 1) / step;
        long[] shape = new long[truth.axes() + 1];
        Arrays.fill(shape, side);
        shape[truth.axes()] = truth.channels();
        return flat.reshape(shape);
    }

    private double[] coordinates(int step) {
        return Embedder.coordinates(truth.sides()[0], 0, step);
    }

    @Override
    public void close() {
        manager.close();
    }
}
