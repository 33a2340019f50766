package org.posenc.analysis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Distance preservation: the similarity of two positions as a function of how far they are apart
 * (<a href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>).
 *
 * @param distances what lies between the positions, ascending, in the positions' units; with a sign
 *     where the curve goes to both sides of one position
 * @param similarities the normalised inner product at each distance
 * @param spacing the mean spacing of the positions
 */
public record DistanceCurve(double[] distances, double[] similarities, double spacing) {

    /** The level at which the paper takes the width of the curve. */
    public static final double LEVEL = 0.1;

    /** Copies the values. */
    public DistanceCurve {
        distances = distances.clone();
        similarities = similarities.clone();
    }

    /**
     * Returns the similarity of every position with the middle one, which on a line is the upper
     * median, and in more dimensions the position nearest to the medians of its coordinates.
     *
     * @param positions N positions of M coordinates
     * @param similarity N × N, {@link PositionSimilarity}
     * @return for M = 1 the N values in the order of the positions along the line; otherwise the
     *     mean over the positions at each distance
     */
    public static DistanceCurve atMiddle(double[][] positions, double[][] similarity) {
        int middle = middle(positions);
        double spacing = spacing(positions);
        if (positions[0].length > 1) {
            Bins bins = new Bins(spacing);
            for (int i = 0; i < positions.length; i++) {
                bins.add(distance(positions[middle], positions[i]), similarity[middle][i]);
            }
            return bins.curve();
        }
        int[] order = along(positions, 0);
        double from = positions[middle][0];
        return new DistanceCurve(
                Arrays.stream(order).mapToDouble(i -> positions[i][0] - from).toArray(),
                Arrays.stream(order).mapToDouble(i -> similarity[middle][i]).toArray(),
                spacing);
    }

    /**
     * Returns the mean similarity over all pairs at each distance, distances being rounded to
     * multiples of the spacing.
     *
     * @param positions N positions of M coordinates
     * @param similarity N × N, {@link PositionSimilarity}
     * @return from distance 0
     */
    public static DistanceCurve mean(double[][] positions, double[][] similarity) {
        Bins bins = new Bins(spacing(positions));
        for (int i = 0; i < positions.length; i++) {
            for (int j = 0; j < positions.length; j++) {
                bins.add(distance(positions[i], positions[j]), similarity[i][j]);
            }
        }
        return bins.curve();
    }

    /**
     * Returns how far from a position the similarity stays above 0.1, the paper's scalar.
     *
     * @return half the width of the curve at that level, in the positions' units
     */
    public double halfWidth() {
        return halfWidth(LEVEL);
    }

    /**
     * Returns half the width of the curve at a level, as the authors measure it: by counting evenly
     * spaced positions, which has an error of half a spacing.
     *
     * @param level below 1
     * @return in the positions' units
     */
    public double halfWidth(double level) {
        long above = Arrays.stream(similarities).filter(s -> s > level).count();
        boolean bothSides = distances[0] < 0;
        // The distance 0 stands for half a spacing to either side.
        return bothSides ? spacing * above / 2 : spacing * Math.max(0, above - 0.5);
    }

    /**
     * Returns the distances.
     *
     * @return a copy, ascending
     */
    @Override
    public double[] distances() {
        return distances.clone();
    }

    /**
     * Returns the similarities.
     *
     * @return a copy, in the order of the distances
     */
    @Override
    public double[] similarities() {
        return similarities.clone();
    }

    private static int middle(double[][] positions) {
        int dimension = positions[0].length;
        double[] median = new double[dimension];
        for (int axis = 0; axis < dimension; axis++) {
            median[axis] = positions[along(positions, axis)[positions.length / 2]][axis];
        }
        return IntStream.range(0, positions.length)
                .boxed()
                .min(Comparator.comparingDouble(i -> distance(positions[i], median)))
                .orElseThrow();
    }

    private static int[] along(double[][] positions, int axis) {
        return IntStream.range(0, positions.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> positions[i][axis]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** On a line the mean step, in more dimensions the median distance of nearest neighbours. */
    private static double spacing(double[][] positions) {
        int count = positions.length;
        if (count == 1) {
            return 0;
        }
        if (positions[0].length == 1) {
            int[] order = along(positions, 0);
            return (positions[order[count - 1]][0] - positions[order[0]][0]) / (count - 1);
        }
        double[] nearest = new double[count];
        Arrays.fill(nearest, Double.POSITIVE_INFINITY);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                if (i != j) {
                    nearest[i] = Math.min(nearest[i], distance(positions[i], positions[j]));
                }
            }
        }
        Arrays.sort(nearest);
        return nearest[count / 2];
    }

    private static double distance(double[] a, double[] b) {
        double squares = 0;
        for (int axis = 0; axis < a.length; axis++) {
            squares += (a[axis] - b[axis]) * (a[axis] - b[axis]);
        }
        return Math.sqrt(squares);
    }

    /** Means of values whose distances round to the same multiple of the spacing. */
    private static final class Bins {

        private final double spacing;
        private final TreeMap<Long, double[]> sums = new TreeMap<>();

        Bins(double spacing) {
            this.spacing = spacing;
        }

        void add(double distance, double value) {
            long bin = spacing == 0 ? 0 : Math.round(distance / spacing);
            double[] sum = sums.computeIfAbsent(bin, b -> new double[2]);
            sum[0] += value;
            sum[1]++;
        }

        DistanceCurve curve() {
            List<Double> distances = new ArrayList<>();
            sums.keySet().forEach(bin -> distances.add(bin * spacing));
            return new DistanceCurve(
                    distances.stream().mapToDouble(Double::doubleValue).toArray(),
                    sums.values().stream().mapToDouble(sum -> sum[0] / sum[1]).toArray(),
                    spacing);
        }
    }
}
