package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.Signal;

/**
 * What the steps of a training see: some of the samples that train, all where the batch is as
 * large.
 *
 * <p>Where the features are separate along the axes, a batch is whole lines of the grid, so that
 * its features are those of the grid's sides; otherwise it is points. Features that are not learnt
 * are computed once where memory allows.
 */
abstract sealed class FitBatches {

    /** Features that are computed once: 256 MB in float32. */
    private static final long KEPT = 1 << 26;

    /** What a step sees. */
    interface Batch {

        /** Returns what the network makes of it, of the labels' shape, with gradients. */
        NDArray predicted(CoordinateMlp network, ParameterStore parameters);

        /** Returns what it should make of it. */
        NDArray labels();
    }

    /**
     * Prepares the batches of a tile.
     *
     * @param grid what is seen of a tile
     * @param network the tile's
     * @param part the samples of the grid
     * @param chosen which of them train
     * @param batch about how many samples a step sees
     * @param manager owns what is kept
     */
    static FitBatches of(
            TrainingGrid grid,
            CoordinateMlp network,
            Signal part,
            boolean[] chosen,
            int batch,
            NDManager manager) {
        boolean all = IntStream.range(0, chosen.length).allMatch(i -> chosen[i]);
        if (network.separable() && all) {
            return new Lines(grid, network, part, batch, manager);
        }
        return network.features() instanceof Kronecker
                ? new ScatteredLines(grid, network, part, chosen, batch, manager)
                : new Points(grid, network, part, chosen, batch, manager);
    }

    /**
     * Draws a batch; its arrays belong to the caller's scope.
     *
     * @param random decides it
     */
    abstract Batch draw(SplittableRandom random);

    /** Draws {@code wanted} of 0, …, n − 1, ascending. */
    private static int[] drawn(SplittableRandom random, int n, int wanted) {
        int[] all = IntStream.range(0, n).toArray();
        for (int i = 0; i < wanted; i++) {
            int j = random.nextInt(i, n);
            int kept = all[j];
            all[j] = all[i];
            all[i] = kept;
        }
        int[] drawn = Arrays.copyOf(all, wanted);
        Arrays.sort(drawn);
        return drawn;
    }

    /** The features along each axis, computed once unless they are learnt. */
    private static final class AxisFeatures {

        private final List<Positions> axes;
        private final List<NDArray> fixed; // (N_m, K_m), or null where they are learnt

        AxisFeatures(CoordinateMlp network, TrainingGrid grid, NDManager manager) {
            axes = new ArrayList<>();
            for (int m = 0; m < grid.sides().length; m++) {
                axes.add(grid.positions(m, manager));
            }
            if (network.features().getParameters().isEmpty()) {
                try (Autograd.Scope off = Autograd.off()) {
                    ParameterStore none = new ParameterStore(manager, false);
                    fixed =
                            network.axisFeatures(axes, none, false).stream()
                                    .map(a -> Cast.to(a, DataType.FLOAT32, false))
                                    .toList();
                }
            } else {
                fixed = null;
            }
        }

        /** The features of some lines of the first axis, and of all others. */
        List<NDArray> of(NDArray lines, CoordinateMlp network, ParameterStore parameters) {
            List<NDArray> all =
                    new ArrayList<>(
                            fixed == null ? network.axisFeatures(axes, parameters, true) : fixed);
            if (lines != null) {
                all.set(0, all.get(0).get(lines));
            }
            return all;
        }
    }

    /** Lines of a grid of which all trains. */
    private static final class Lines extends FitBatches {

        private final AxisFeatures features;
        private final NDArray labels; // (n_0, …, n_{M−1}, C)
        private final int lines;
        private final int wanted;

        Lines(TrainingGrid grid, CoordinateMlp network, Signal part, int batch, NDManager manager) {
            features = new AxisFeatures(network, grid, manager);
            labels = part.array(manager);
            int count = part.samples();
            lines = (int) labels.getShape().get(0);
            wanted = Math.max(1, Math.min(lines, (int) ((long) batch * lines / count)));
        }

        @Override
        Batch draw(SplittableRandom random) {
            NDArray some =
                    wanted == lines
                            ? null
                            : labels.getManager().create(drawn(random, lines, wanted));
            NDArray expected = some == null ? labels : labels.get(some);
            return new Batch() {
                @Override
                public NDArray predicted(CoordinateMlp network, ParameterStore parameters) {
                    return network.ofGrid(features.of(some, network, parameters), parameters, true);
                }

                @Override
                public NDArray labels() {
                    return expected;
                }
            };
        }
    }

    /** The samples that train on some lines of a grid, each a sample of its own weight. */
    private static final class ScatteredLines extends FitBatches {

        private final AxisFeatures features;
        private final Signal part;
        private final boolean[] chosen;
        private final int line; // samples of a line
        private final int wanted;
        private final NDManager manager;

        ScatteredLines(
                TrainingGrid grid,
                CoordinateMlp network,
                Signal part,
                boolean[] chosen,
                int batch,
                NDManager manager) {
            this.part = part;
            this.chosen = chosen;
            this.manager = manager;
            features = new AxisFeatures(network, grid, manager);
            line = part.samples() / part.sides()[0];
            long trained = IntStream.range(0, chosen.length).filter(i -> chosen[i]).count();
            int lines = part.sides()[0];
            wanted = (int) Math.max(1, Math.min(lines, batch * lines / Math.max(1, trained)));
        }

        @Override
        Batch draw(SplittableRandom random) {
            int lines = part.sides()[0];
            int[] some = drawn(random, lines, wanted);
            int[] samples = samples(some);
            while (samples.length == 0) { // few samples may leave lines without any
                some = drawn(random, lines, wanted);
                samples = samples(some);
            }
            int channels = part.channels();
            long[] places = new long[samples.length];
            float[] values = new float[samples.length * channels];
            for (int p = 0; p < places.length; p++) {
                int sample = some[samples[p] / line] * line + samples[p] % line;
                places[p] = samples[p];
                System.arraycopy(part.values(), sample * channels, values, p * channels, channels);
            }
            NDArray rows = wanted == lines ? null : manager.create(some);
            NDArray place = manager.create(places, new Shape(places.length, 1));
            NDArray weight = manager.ones(new Shape(places.length, 1));
            NDArray expected = manager.create(values, new Shape(places.length, channels));
            return new Batch() {
                @Override
                public NDArray predicted(CoordinateMlp network, ParameterStore parameters) {
                    return network.blended(
                            features.of(rows, network, parameters),
                            place,
                            weight,
                            parameters,
                            true);
                }

                @Override
                public NDArray labels() {
                    return expected;
                }
            };
        }

        /** The samples that train of the lines, counted within these. */
        private int[] samples(int[] lines) {
            return IntStream.range(0, lines.length * line)
                    .filter(i -> chosen[lines[i / line] * line + i % line])
                    .toArray();
        }
    }

    /** Points anywhere. */
    private static final class Points extends FitBatches {

        private final NDArray points; // (P, M), or (P) where M = 1; float64
        private final NDArray phi; // (P, D), or null where it is computed for each batch
        private final NDArray labels; // (P, C)
        private final int count;
        private final int wanted;

        Points(
                TrainingGrid grid,
                CoordinateMlp network,
                Signal part,
                boolean[] chosen,
                int batch,
                NDManager manager) {
            int[] samples = IntStream.range(0, chosen.length).filter(i -> chosen[i]).toArray();
            count = samples.length;
            wanted = Math.min(batch, count);
            int axes = part.axes();
            int channels = part.channels();
            double[] coordinates = new double[count * axes];
            float[] values = new float[count * channels];
            int[] sides = part.sides();
            for (int p = 0; p < count; p++) {
                int rest = samples[p];
                for (int m = axes - 1; m >= 0; m--) {
                    coordinates[p * axes + m] = grid.coordinate(m, rest % sides[m]);
                    rest /= sides[m];
                }
                System.arraycopy(
                        part.values(), samples[p] * channels, values, p * channels, channels);
            }
            points =
                    manager.create(
                            coordinates, axes == 1 ? new Shape(count) : new Shape(count, axes));
            labels = manager.create(values, new Shape(count, channels));
            PositionFeatures features = network.features();
            boolean fixed = features.getParameters().isEmpty();
            phi =
                    fixed && (long) count * features.featureDimension() <= KEPT
                            ? computed(features, manager)
                            : null;
        }

        private NDArray computed(PositionFeatures features, NDManager manager) {
            try (Autograd.Scope off = Autograd.off()) {
                ParameterStore none = new ParameterStore(manager, false);
                NDArray wide = features.features(Positions.of(points), none, false);
                return Cast.to(wide, DataType.FLOAT32, false);
            }
        }

        @Override
        Batch draw(SplittableRandom random) {
            NDArray some =
                    wanted == count
                            ? null
                            : points.getManager().create(drawn(random, count, wanted));
            NDArray expected = some == null ? labels : labels.get(some);
            return new Batch() {
                @Override
                public NDArray predicted(CoordinateMlp network, ParameterStore parameters) {
                    NDArray all = phi == null ? points : phi;
                    NDArray own = some == null ? all : all.get(some);
                    return phi == null
                            ? network.at(Positions.of(own), parameters, true)
                            : network.of(own, parameters, true);
                }

                @Override
                public NDArray labels() {
                    return expected;
                }
            };
        }
    }
}
