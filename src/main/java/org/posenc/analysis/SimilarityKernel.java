package org.posenc.analysis;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;

/**
 * What an encoder makes of the difference of two positions, D(u), and the two measures that follow
 * from it: stable rank and distance preservation (<a href="https://arxiv.org/abs/2107.02561">Zheng
 * et al. 2021</a>, Proposition 2).
 *
 * <p>D is the normalised inner product of the embeddings, 1 at u = 0. The Gram matrix of evenly
 * spaced positions is then known without an embedding, and the stable rank is the number of
 * positions over its largest eigenvalue. Products of encoders (Kronecker) multiply D, their
 * concatenations average it.
 */
public sealed interface SimilarityKernel permits LineKernel, ProductKernel, ConcatenationKernel {

    /**
     * Returns the number of coordinates of a position.
     *
     * @return M
     */
    int axes();

    /**
     * Returns the similarity of two positions.
     *
     * @param difference u, M coordinates
     * @return the normalised inner product, in [−1, 1]
     */
    double similarity(double... difference);

    /**
     * Returns the stable rank of a regular grid of positions.
     *
     * @param points N, positions along each axis, at i/N of its range; at least 1
     * @return from 1 to Nᴹ
     * @throws IllegalArgumentException if there are fewer points
     */
    double stableRank(int points);

    /**
     * Returns the stable rank of infinitely many positions.
     *
     * @return the limit; NaN where there is no closed form
     */
    double stableRankLimit();

    /**
     * Returns how far one may go from a position along an axis while the similarity stays above a
     * level: half the measure of the differences from −½ to ½ of the range where it does.
     *
     * @param axis m, from 0
     * @param level below 1
     * @return in the units of the positions, at most half the range
     */
    double distancePreservation(int axis, double level);

    /**
     * Returns the distance preservation at the paper's level, {@link DistanceCurve#LEVEL}.
     *
     * @return the least over the axes, in the units of the positions
     */
    default double distancePreservation() {
        double least = Double.POSITIVE_INFINITY;
        for (int axis = 0; axis < axes(); axis++) {
            least = Math.min(least, distancePreservation(axis, DistanceCurve.LEVEL));
        }
        return least;
    }

    /**
     * Returns what is known in closed form of an encoder.
     *
     * @param features shifted copies of a basis, taken as dense and on a circle; Fourier features,
     *     those with random frequencies in expectation; or a Kronecker product of such
     * @param extent the range of the positions along each axis, such as 1 for signals
     * @return the kernel, or empty where the inner product depends on more than the difference
     */
    static Optional<SimilarityKernel> of(PositionFeatures features, double extent) {
        int m = features.positionDimension();
        if (features instanceof Kronecker kronecker) {
            List<Optional<SimilarityKernel>> axes =
                    kronecker.axes().stream().map(axis -> of(axis, extent)).toList();
            List<LineKernel> lines =
                    axes.stream()
                            .flatMap(Optional::stream)
                            .filter(LineKernel.class::isInstance)
                            .map(LineKernel.class::cast)
                            .toList();
            return lines.size() == m ? Optional.of(new ProductKernel(lines)) : Optional.empty();
        }
        if (features instanceof ShiftedBasis shifted
                && shifted.directions() == ShiftedBasis.Directions.AXES) {
            return Optional.of(
                    ConcatenationKernel.alongAxes(
                            new LineKernel.Shifted(shifted.basis(), shifted.range()), m));
        }
        if (features instanceof FourierFeatures fourier) {
            double cycles = fourier.cyclesPerUnit();
            if (fourier.frequencies() instanceof FourierFrequencies.Random random) {
                LineKernel axis = new LineKernel.RandomFourier(cycles * random.sigma(), extent);
                return Optional.of(m == 1 ? axis : new ProductKernel(Collections.nCopies(m, axis)));
            }
            if (fourier.frequencies().byAxis() || m == 1) {
                double[][] rows = fourier.matrix();
                double[] first =
                        Arrays.stream(rows, 0, rows.length / m)
                                .mapToDouble(row -> cycles * row[0])
                                .toArray();
                return Optional.of(
                        ConcatenationKernel.alongAxes(new LineKernel.Fourier(first, extent), m));
            }
        }
        return Optional.empty();
    }
}
