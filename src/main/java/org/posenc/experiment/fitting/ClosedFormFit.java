package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Comparator;
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
        boolean[] trains = sampling.trains(signal.sides());
        float[] offset = layout.ends().offset(signal, trains);
        Signal rest = FitLayout.less(signal, offset);
        List<CoordinateMlp> networks = new ArrayList<>();
        for (int tile = 0; tile < tiles.count(); tile++) {
            networks.add(layout.initialized(0, manager));
        }
        try (NDManager scope = manager.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            if (sampling instanceof Sampling.Every) {
                fitGrids(rest, networks, scope, done);
            } else {
                fitScattered(rest, trains, networks, scope, done);
            }
        }
        return new FittedSignal(layout.network(), tiles, networks, offset);
    }

    private void fitGrids(
            Signal signal, List<CoordinateMlp> networks, NDManager scope, IntConsumer done) {
        TrainingGrid grid = layout.ends().grid();
        int channels = signal.channels();
        List<NDArray> features = features(networks.get(0), grid, scope);
        Regularization regularization =
                method.regularization()
                        .orElseGet(() -> Regularization.suiting(axis(networks.get(0))));
        int together = together(grid, channels);
        for (int from = 0; from < networks.size(); from += together) {
            int to = Math.min(from + together, networks.size());
            try (NDManager group = scope.newSubManager()) {
                NDArray samples = samples(signal, grid, from, to, group); // (n_0, …, T C)
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
            Signal signal,
            boolean[] trains,
            List<CoordinateMlp> networks,
            NDManager scope,
            IntConsumer done) {
        TrainingGrid grid = layout.ends().grid();
        List<NDArray> features = features(networks.get(0), grid, scope);
        Regularization gaps = Regularization.suitingGaps(axis(networks.get(0)), features);
        for (int tile = 0; tile < networks.size(); tile++) {
            try (NDManager own = scope.newSubManager()) {
                NDArray samples = grid.samples(signal, tile).array(own); // (n_0, …, C)
                Shape sides = samples.getShape().slice(0, signal.axes());
                ScatteredFit fit =
                        ScatteredFit.ofGrid(
                                features,
                                samples,
                                own.create(grid.trains(trains, tile), sides),
                                method.regularization().orElse(gaps),
                                Stopping.USUAL);
                networks.get(tile).complexMap().setWeights(fit.weights());
            }
            done.accept(1);
        }
    }

    /** The features of the axis that has most. */
    private static PositionFeatures axis(CoordinateMlp network) {
        return ((Kronecker) network.features())
                .axes().stream()
                        .max(Comparator.comparingInt(PositionFeatures::featureDimension))
                        .orElseThrow();
    }

    /** The features of samples along each axis of a tile, in float64. */
    private static List<NDArray> features(
            CoordinateMlp network, TrainingGrid grid, NDManager manager) {
        List<Positions> axes = new ArrayList<>();
        for (int m = 0; m < grid.sides().length; m++) {
            axes.add(grid.positions(m, manager));
        }
        return network.axisFeatures(axes, new ParameterStore(manager, false), false);
    }

    private int together(TrainingGrid grid, int channels) {
        long values = (long) grid.count() * channels;
        return (int) Math.max(1, Math.min(layout.tiles().count(), TOGETHER / values));
    }

    /** Samples of several tiles, each tile's channels one after the other. */
    private static NDArray samples(
            Signal signal, TrainingGrid grid, int from, int to, NDManager manager) {
        int channels = signal.channels();
        int columns = (to - from) * channels;
        int count = grid.count();
        float[] values = new float[Math.multiplyExact(count, columns)];
        for (int tile = from; tile < to; tile++) {
            float[] own = grid.samples(signal, tile).values();
            for (int n = 0; n < count; n++) {
                int place = n * columns + (tile - from) * channels;
                System.arraycopy(own, n * channels, values, place, channels);
            }
        }
        long[] sides = IntStream.of(grid.sides()).asLongStream().toArray();
        return manager.create(values, new Shape(sides).add(columns));
    }
}
