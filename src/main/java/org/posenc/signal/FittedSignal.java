package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.model.CoordinateMlp;

/**
 * A signal as networks: one for each tile, blended where tiles overlap.
 *
 * @param plan what the networks are
 * @param tiles where they are; one tile for a signal that was fitted as a whole
 * @param networks with parameters, one a tile, row-major; they compute the difference from the
 *     offset
 * @param offset a value for each of C channels
 */
public record FittedSignal(
        NetworkPlan plan, Tiles tiles, List<CoordinateMlp> networks, float[] offset) {

    /** What is computed at once: hidden units or outputs, at so many points. */
    private static final long ELEMENTS = 1 << 24;

    /** Coordinates are rounded to these parts of a sample. */
    private static final double FRACTIONS = 1 << 30;

    /** Checks that the parts fit together. */
    public FittedSignal {
        networks = List.copyOf(networks);
        offset = offset.clone();
        if (offset.length != plan.outputs()) {
            throw new IllegalArgumentException(
                    "a signal of "
                            + plan.outputs()
                            + " channels needs an offset for each, got "
                            + offset.length);
        }
        if (networks.size() != tiles.count() || plan.axes() != tiles.sides().length) {
            throw new IllegalArgumentException(
                    "a signal of "
                            + Signal.sides(tiles.sides())
                            + " in "
                            + tiles.count()
                            + " tiles needs as many networks of as many coordinates, got "
                            + networks.size()
                            + " of "
                            + plan.axes());
        }
    }

    /** Returns a copy of the offset. */
    @Override
    public float[] offset() {
        return offset.clone();
    }

    /**
     * Computes the signal anywhere.
     *
     * @param grid where
     * @param manager on the device of the networks
     * @return the values, not clipped
     * @throws IllegalArgumentException if the grid has other axes, or more values than Java's
     *     memory takes
     */
    public Signal sample(Grid grid, NDManager manager) {
        try (AxisFeatures features = new AxisFeatures(networks.get(0), manager)) {
            return sample(grid, features, manager);
        }
    }

    /** Computes the signal with features that were perhaps computed before. */
    Signal sample(Grid grid, AxisFeatures features, NDManager manager) {
        int[] sides = grid.sides();
        if (sides.length != plan.axes()) {
            throw new IllegalArgumentException(
                    "the signal has " + plan.axes() + " axes, got a grid of " + sides.length);
        }
        long count = Signal.count(sides, plan.outputs());
        long most = Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / 12);
        if (count > most) {
            throw new IllegalArgumentException(
                    Signal.sides(sides)
                            + " samples of "
                            + plan.outputs()
                            + " values are "
                            + count
                            + " values; Java's memory here takes at most "
                            + most
                            + " (java -Xmx gives more)");
        }
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = offset[i % offset.length]; // the tiles' weights sum to 1
        }
        for (int tile = 0; tile < networks.size(); tile++) {
            List<Part> parts = new ArrayList<>();
            for (int m = 0; m < sides.length; m++) {
                parts.add(Part.of(grid, tiles, tile, m));
            }
            if (parts.stream().allMatch(part -> part.length() > 0)) {
                add(networks.get(tile), features, parts, sides, values, manager);
            }
        }
        return new Signal(sides, plan.outputs(), values);
    }

    /** The samples along an axis that a tile has a say in: which, where in it, and how much. */
    private record Part(int begin, double[] coordinates, double[] weights) {

        static Part of(Grid grid, Tiles tiles, int tile, int m) {
            int begin = first(grid, tiles, m, tiles.from(tile)[m]);
            int end = first(grid, tiles, m, tiles.from(tile)[m] + tiles.tile()[m]);
            int[] within =
                    IntStream.range(begin, end)
                            .filter(i -> tiles.weight(tile, m, grid.coordinate(m, i)) > 0)
                            .toArray();
            double[] coordinates = new double[within.length];
            double[] weights = new double[within.length];
            for (int i = 0; i < within.length; i++) {
                double x = grid.coordinate(m, within[i]);
                // Without rounding errors, so that tiles have the same.
                double sample = tiles.local(tile, m, x) * tiles.tile()[m];
                coordinates[i] = Math.rint(sample * FRACTIONS) / FRACTIONS / tiles.tile()[m];
                weights[i] = tiles.weight(tile, m, x);
            }
            return new Part(within.length == 0 ? 0 : within[0], coordinates, weights);
        }

        /** The first of the grid's samples that does not lie before a sample of the signal. */
        private static int first(Grid grid, Tiles tiles, int m, int sample) {
            int below = 0;
            int above = grid.sides()[m];
            while (below < above) {
                int middle = (below + above) >>> 1;
                if (grid.coordinate(m, middle) * tiles.sides()[m] < sample) {
                    below = middle + 1;
                } else {
                    above = middle;
                }
            }
            return below;
        }

        int length() {
            return weights.length;
        }
    }

    private void add(
            CoordinateMlp network,
            AxisFeatures features,
            List<Part> parts,
            int[] sides,
            float[] values,
            NDManager manager) {
        long row = plan.depth() == 0 ? plan.outputs() : Math.max(plan.width(), plan.outputs());
        for (Part part : parts.subList(1, parts.size())) {
            row *= part.length();
        }
        int band = (int) Math.max(1, Math.min(ELEMENTS / row, parts.get(0).length()));
        for (int from = 0; from < parts.get(0).length(); from += band) {
            int to = Math.min(from + band, parts.get(0).length());
            try (NDManager scope = manager.newSubManager();
                    Autograd.Scope off = Autograd.off()) {
                List<double[]> axes = new ArrayList<>();
                parts.forEach(part -> axes.add(part.coordinates()));
                axes.set(0, Arrays.copyOfRange(axes.get(0), from, to));
                NDArray y = values(network, features, axes, scope);
                blend(
                        Cast.to(y, DataType.FLOAT32, false).toFloatArray(),
                        parts,
                        from,
                        sides,
                        values);
            }
        }
    }

    private static NDArray values(
            CoordinateMlp network, AxisFeatures features, List<double[]> axes, NDManager manager) {
        ParameterStore parameters = new ParameterStore(manager, false);
        if (!AxisFeatures.areShared(network)) {
            List<Positions> x =
                    axes.stream().map(axis -> Positions.of(manager.create(axis))).toList();
            return network.onGrid(x, parameters, false);
        }
        DataType type = network.getParameters().valueAt(0).getArray().getDataType();
        List<NDArray> known = new ArrayList<>();
        for (int m = 0; m < axes.size(); m++) {
            known.add(features.of(m, axes.get(m), type));
        }
        return network.ofGrid(known, parameters, false);
    }

    /** Adds a band of a tile, whose first row is {@code from}, to the signal. */
    private void blend(float[] band, List<Part> parts, int from, int[] sides, float[] values) {
        int last = parts.size() - 1;
        int[] place = new int[parts.size()];
        place[0] = from;
        Part line = parts.get(last);
        int length = parts.size() == 1 ? band.length / plan.outputs() : line.length();
        int first = parts.size() == 1 ? from : 0;
        for (int done = 0; done < band.length; done += length * plan.outputs()) {
            double weight = 1;
            int at = 0;
            for (int m = 0; m < last; m++) {
                weight *= parts.get(m).weights()[place[m]];
                at = at * sides[m] + parts.get(m).begin() + place[m];
            }
            at = (at * sides[last] + line.begin() + first) * plan.outputs();
            for (int i = 0; i < length * plan.outputs(); i++) {
                double w = weight * line.weights()[first + i / plan.outputs()];
                values[at + i] += (float) (w * band[done + i]);
            }
            for (int m = last - 1; m >= 0 && ++place[m] == parts.get(m).length() && m > 0; m--) {
                place[m] = 0;
            }
        }
    }
}
