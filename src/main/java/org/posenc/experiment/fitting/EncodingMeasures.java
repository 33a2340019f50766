package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.analysis.DistanceCurve;
import org.posenc.analysis.PositionSimilarity;
import org.posenc.analysis.Spectrum;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;

/**
 * The two measures of an encoding of Zheng et al. 2021, at the samples of a tile.
 *
 * @param stableRank of the features of a grid of samples; for a complex encoding the product of
 *     those of its axes
 * @param distancePreservation how far apart along the diagonal, in samples of the longest side, two
 *     points can be before their features are less than a tenth alike
 * @param spectrum singular values as parts of the first: of the first axis, where complex
 * @param resolved the least part of an axis's singular values, of as many as there are samples or
 *     features, that is above {@link #FAINT}; of all together, where simple
 */
record EncodingMeasures(
        double stableRank, double distancePreservation, List<Double> spectrum, double resolved) {

    /** What a singular value is to the first where it no longer counts. */
    static final double FAINT = 1e-3;

    /** Points along the diagonal. */
    private static final int DIAGONAL = 256;

    /** Points of a grid whose features are decomposed, where these are not separate. */
    private static final int GRID = 4096;

    /**
     * Measures the features of a network.
     *
     * @param layout the networks
     * @param features theirs, initialised
     * @param lengths samples that train along each axis of a tile
     * @param parent on the features' device
     */
    static EncodingMeasures of(
            FitLayout layout, PositionFeatures features, int[] lengths, NDManager parent) {
        int[] tile = layout.tiles().tile();
        int longest = Arrays.stream(tile).max().orElseThrow();
        int n = Math.min(DIAGONAL, longest);
        double[] diagonal = IntStream.range(0, n).mapToDouble(i -> (double) i / n).toArray();
        double[][] similarity = new double[n][n];
        Arrays.stream(similarity).forEach(row -> Arrays.fill(row, 1));
        try (NDManager manager = parent.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            double rank = 1;
            double resolved = 1;
            Spectrum first = null;
            if (features instanceof Kronecker product) {
                for (int m = 0; m < lengths.length; m++) {
                    PositionFeatures axis = product.axes().get(m);
                    Spectrum own = spectrum(axis, manager.create(even(lengths[m])), manager);
                    first = first == null ? own : first;
                    rank *= own.stableRank();
                    resolved = Math.min(resolved, resolved(own));
                    multiply(similarity, similarity(axis, manager.create(diagonal), manager));
                }
            } else {
                first = spectrum(features, grid(lengths, manager), manager);
                rank = first.stableRank();
                resolved = resolved(first);
                NDArray points = manager.create(diagonal);
                if (lengths.length > 1) {
                    points = points.reshape(n, 1).repeat(1, lengths.length); // (n, M)
                }
                multiply(similarity, similarity(features, points, manager));
            }
            double[][] positions = new double[n][];
            Arrays.setAll(positions, i -> new double[] {diagonal[i]});
            double width = DistanceCurve.atMiddle(positions, similarity).halfWidth();
            return new EncodingMeasures(rank, width * longest, relative(first), resolved);
        }
    }

    private static double resolved(Spectrum spectrum) {
        double[] values = spectrum.singularValues();
        return (double) Arrays.stream(values).filter(s -> s > FAINT * values[0]).count()
                / values.length;
    }

    private static double[] even(int n) {
        return IntStream.range(0, n).mapToDouble(i -> (double) i / n).toArray();
    }

    private static NDArray features(PositionFeatures features, NDArray points, NDManager manager) {
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray wide = features.features(Positions.of(points), parameters, false);
        return Cast.to(wide, DataType.FLOAT32, false);
    }

    private static Spectrum spectrum(PositionFeatures axis, NDArray points, NDManager manager) {
        return Spectrum.of(features(axis, points, manager));
    }

    private static double[][] similarity(PositionFeatures axis, NDArray points, NDManager manager) {
        return PositionSimilarity.of(features(axis, points, manager));
    }

    private static void multiply(double[][] product, double[][] factor) {
        for (int i = 0; i < product.length; i++) {
            for (int j = 0; j < product.length; j++) {
                product[i][j] *= factor[i][j];
            }
        }
    }

    /** Evenly spaced points, as many along each axis as train, or fewer. */
    private static NDArray grid(int[] lengths, NDManager manager) {
        int most = (int) Math.max(2, Math.pow(GRID, 1.0 / lengths.length));
        int[] sides = Arrays.stream(lengths).map(n -> Math.min(n, most)).toArray();
        int count = Arrays.stream(sides).reduce(1, (a, b) -> a * b);
        double[] points = new double[count * sides.length];
        for (int n = 0; n < count; n++) {
            int rest = n;
            for (int m = sides.length - 1; m >= 0; m--) {
                points[n * sides.length + m] = (double) (rest % sides[m]) / sides[m];
                rest /= sides[m];
            }
        }
        Shape shape = sides.length == 1 ? new Shape(count) : new Shape(count, sides.length);
        return manager.create(points, shape);
    }

    private static List<Double> relative(Spectrum spectrum) {
        double[] values = spectrum.singularValues();
        return Arrays.stream(values)
                .limit(spectrum.numericalRank())
                .map(s -> s / values[0])
                .boxed()
                .toList();
    }
}
