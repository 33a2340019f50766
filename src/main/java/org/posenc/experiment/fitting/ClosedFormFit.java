package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.Regularization;
import org.posenc.signal.Sampling;
import org.posenc.signal.ScatteredFit;
import org.posenc.signal.SeparableFit;
import org.posenc.signal.Signal;
import org.posenc.signal.Stopping;
import org.posenc.signal.Tiles;

/**
 * Linear layers over complex encodings, solved for.
 *
 * <p>All tiles have the same coordinates and so the same features. Of regular samples many tiles
 * are solved for at once, as if they were further channels of one; random samples take conjugate
 * gradients, tile by tile.
 *
 * @param layout the networks
 * @param method how they are solved for
 * @param sampling which samples they are to fit
 */
record ClosedFormFit(FitLayout layout, FitMethod.ClosedForm method, Sampling sampling) {

    /** Values that are solved for at once: 128 MB in float64. */
    private static final long TOGETHER = 1 << 24;

    /**
     * Fits a signal.
     *
     * @param signal the signal
     * @param manager owns the networks' parameters
     * @param done hears how many more tiles are done
     */
    FittedSignal fit(Signal signal, NDManager manager, IntConsumer done) {
        Tiles tiles = layout.tiles();
        List<CoordinateMlp> networks = new ArrayList<>();
        for (int tile = 0; tile < tiles.count(); tile++) {
            networks.add(layout.initialized(0, manager));
        }
        try (NDManager scope = manager.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            if (sampling instanceof Sampling.Every every) {
                fitGrids(signal, every, networks, scope, done);
            } else {
                fitScattered(signal, networks, scope, done);
            }
        }
        return new FittedSignal(layout.network(), tiles, networks);
    }

    private void fitGrids(
            Signal signal,
            Sampling.Every every,
            List<CoordinateMlp> networks,
            NDManager scope,
            IntConsumer done) {
        int channels = signal.channels();
        int[][] indices =
                IntStream.of(layout.tiles().tile()).mapToObj(every::indices).toArray(int[][]::new);
        List<NDArray> features = features(networks.get(0), indices, scope);
        Regularization regularization =
                method.regularization()
                        .orElseGet(() -> Regularization.suiting(axis(networks.get(0))));
        int together = together(indices, channels);
        for (int from = 0; from < networks.size(); from += together) {
            int to = Math.min(from + together, networks.size());
            try (NDManager group = scope.newSubManager()) {
                NDArray samples = samples(signal, indices, from, to, group); // (n_0, …, T C)
                NDArray weights = SeparableFit.of(features, samples, regularization).weights();
                for (int tile = from; tile < to; tile++) {
                    int at = (tile - from) * channels;
                    NDIndex own = new NDIndex().addSliceDim(at, at + channels);
                    networks.get(tile).complexMap().setWeights(weights.get(group, own));
                }
            }
            done.accept(to - from);
        }
    }

    private void fitScattered(
            Signal signal, List<CoordinateMlp> networks, NDManager scope, IntConsumer done) {
        int[][] all =
                IntStream.of(layout.tiles().tile())
                        .mapToObj(side -> IntStream.range(0, side).toArray())
                        .toArray(int[][]::new);
        List<NDArray> features = features(networks.get(0), all, scope);
        Regularization gaps = Regularization.suitingGaps(axis(networks.get(0)), features);
        boolean[] trains = sampling.trains(signal.sides());
        for (int tile = 0; tile < networks.size(); tile++) {
            try (NDManager own = scope.newSubManager()) {
                NDArray samples = samples(signal, all, tile, tile + 1, own); // (N_0, …, C)
                boolean[] known = layout.trains(trains, tile);
                Shape sides = samples.getShape().slice(0, signal.axes());
                ScatteredFit fit =
                        ScatteredFit.ofGrid(
                                features,
                                samples,
                                own.create(known, sides),
                                method.regularization().orElse(gaps),
                                Stopping.USUAL);
                networks.get(tile).complexMap().setWeights(fit.weights());
            }
            done.accept(1);
        }
    }

    private static PositionFeatures axis(CoordinateMlp network) {
        return ((Kronecker) network.features()).axes().get(0);
    }

    /** The features of samples along each axis of a tile, in float64. */
    private List<NDArray> features(CoordinateMlp network, int[][] indices, NDManager manager) {
        List<Positions> axes = new ArrayList<>();
        for (int m = 0; m < indices.length; m++) {
            axes.add(layout.positions(m, indices[m], manager));
        }
        return network.axisFeatures(axes, new ParameterStore(manager, false), false);
    }

    private int together(int[][] indices, int channels) {
        long values = channels;
        for (int[] axis : indices) {
            values *= axis.length;
        }
        return (int) Math.max(1, Math.min(layout.tiles().count(), TOGETHER / values));
    }

    /** Samples of several tiles, each tile's channels one after the other. */
    private NDArray samples(Signal signal, int[][] indices, int from, int to, NDManager manager) {
        int count = Arrays.stream(indices).mapToInt(axis -> axis.length).reduce(1, (a, b) -> a * b);
        int channels = signal.channels();
        int columns = (to - from) * channels;
        float[] values = new float[Math.multiplyExact(count, columns)];
        int[] sides = signal.sides();
        for (int tile = from; tile < to; tile++) {
            int[] begin = layout.tiles().from(tile);
            for (int n = 0; n < count; n++) {
                int at = 0;
                int rest = n;
                int stride = channels;
                for (int m = sides.length - 1; m >= 0; m--) {
                    at += (begin[m] + indices[m][rest % indices[m].length]) * stride;
                    rest /= indices[m].length;
                    stride *= sides[m];
                }
                int place = n * columns + (tile - from) * channels;
                System.arraycopy(signal.values(), at, values, place, channels);
            }
        }
        Shape shape = new Shape();
        for (int[] axis : indices) {
            shape = shape.add(axis.length);
        }
        return manager.create(values, shape.add(columns));
    }
}
