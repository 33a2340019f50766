package org.posenc.analysis;

import java.util.List;

/**
 * The similarity kernel of a complex encoding, the Kronecker product of encoders of each coordinate
 * (<a href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>): D(u) = Π_m D_m(u_m), and on a
 * grid SR = Π_m SR_m.
 *
 * @param kernels of each coordinate's encoder
 */
public record ProductKernel(List<LineKernel> kernels) implements SimilarityKernel {

    /** Checks and copies the kernels. */
    public ProductKernel {
        kernels = List.copyOf(kernels);
        if (kernels.isEmpty()) {
            throw new IllegalArgumentException("a product needs at least one encoder");
        }
    }

    /** {@inheritDoc} */
    @Override
    public int axes() {
        return kernels.size();
    }

    /** {@inheritDoc} */
    @Override
    public double similarity(double... difference) {
        ConcatenationKernel.checkAxes(axes(), difference);
        double product = 1;
        for (int m = 0; m < axes(); m++) {
            product *= kernels.get(m).at(difference[m]);
        }
        return product;
    }

    /** {@inheritDoc} */
    @Override
    public double stableRank(int points) {
        return kernels.stream().mapToDouble(k -> k.stableRank(points)).reduce(1, (a, b) -> a * b);
    }

    /** {@inheritDoc} */
    @Override
    public double stableRankLimit() {
        return kernels.stream().mapToDouble(LineKernel::stableRankLimit).reduce(1, (a, b) -> a * b);
    }

    /** {@inheritDoc} */
    @Override
    public double distancePreservation(int axis, double level) {
        return kernels.get(axis).distancePreservation(0, level);
    }
}
