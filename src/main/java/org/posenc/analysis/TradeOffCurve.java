package org.posenc.analysis;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * The trade-off of a family of encoders between stable rank, which lets a linear layer memorise,
 * and distance preservation, which lets it generalise (<a
 * href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>): wider encoders gain in one what
 * they lose in the other. Gaussians have SR · DP = {@link ClosedForms#GAUSSIAN_TRADE_OFF}.
 *
 * @param points one for each parameter
 */
public record TradeOffCurve(List<Point> points) {

    /**
     * One encoder of the family.
     *
     * @param parameter its σ, b, p or w
     * @param stableRank SR
     * @param distancePreservation DP, in the units of the positions
     */
    public record Point(double parameter, double stableRank, double distancePreservation) {

        /**
         * Returns the product, which is nearly constant along a family's curve.
         *
         * @return SR · DP
         */
        public double product() {
            return stableRank * distancePreservation;
        }
    }

    /** Copies the points. */
    public TradeOffCurve {
        points = List.copyOf(points);
    }

    /**
     * Returns the curve of a family.
     *
     * @param family makes the kernel of a parameter
     * @param samples N, positions along each axis
     * @param parameters at least one
     * @return a point for each, in their order
     * @throws IllegalArgumentException if there are none, or one is out of the family's range
     */
    public static TradeOffCurve of(
            DoubleFunction<? extends SimilarityKernel> family, int samples, double... parameters) {
        if (parameters.length == 0) {
            throw new IllegalArgumentException("a trade-off curve needs at least one parameter");
        }
        return new TradeOffCurve(
                Arrays.stream(parameters)
                        .mapToObj(
                                p -> {
                                    SimilarityKernel kernel = family.apply(p);
                                    return new Point(
                                            p,
                                            kernel.stableRank(samples),
                                            kernel.distancePreservation());
                                })
                        .toList());
    }
}
