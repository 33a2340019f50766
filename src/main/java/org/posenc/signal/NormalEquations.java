package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.Scalars;

/**
 * The equations of the least squared error ‖G Z − S‖² plus a quadratic penalty, for weights Z in
 * the bases of their axes' singular vectors: (GᵀG + penalty) Z = GᵀS.
 *
 * <p>GᵀG is near to a multiple ρ of diag(Π s²), exactly so on a whole grid, and the penalty near to
 * its own diagonal; together these precondition the iteration. With Gaussians or triangles on a
 * grid some 10 steps then reach 10⁻¹⁰, where none would need thousands.
 */
final class NormalEquations {

    /** The part of the greatest diagonal element below which none is divided by. */
    private static final double LEAST = 1e-15;

    private final NDArray squares; // Π s² (1, R_0, …)
    private final double ridge;
    private final List<NDArray> differences = new ArrayList<>(); // λ_m Vᵀ DᵀD V of each axis

    /**
     * The equations without their data.
     *
     * @param axes the axes
     * @param regularization the penalty; a cut-off, which is in the axes already, has none
     * @param samples n, how many samples there are, which a mean is taken over
     */
    NormalEquations(SpectralAxes axes, Regularization regularization, double samples) {
        squares = axes.gains().square();
        ridge = regularization instanceof Regularization.Ridge r ? r.lambda() : 0;
        if (regularization instanceof Regularization.TotalVariation variation) {
            Shape sides = squares.getShape().slice(1);
            for (int m = 0; m < sides.dimension(); m++) {
                // A mean of as many differences, beside an error that is summed instead of
                // averaged.
                double neighbours = sides.size() / sides.get(m) * Math.max(1, sides.get(m) - 1);
                NDArray own = differences(axes.right(m));
                differences.add(Scalars.mul(own, variation.lambda() * samples / neighbours));
            }
        }
    }

    /** Vᵀ DᵀD V, D taking the differences of neighbouring rows. */
    private static NDArray differences(NDArray v) {
        long k = v.getShape().get(0);
        if (k == 1) {
            return v.transpose().matMul(v).zerosLike();
        }
        NDArray d = v.get("1:").sub(v.get(":" + (k - 1))); // (K − 1, R)
        return d.transpose().matMul(d);
    }

    /**
     * Solves the equations.
     *
     * @param normal Z ↦ GᵀG Z
     * @param density ρ, by which GᵀG is about ρ diag(Π s²)
     * @param right GᵀS (C, R_0, …)
     * @param stopping when to end
     * @return Z (C, R_0, …)
     */
    ConjugateGradients.Solution solve(
            UnaryOperator<NDArray> normal, double density, NDArray right, Stopping stopping) {
        return ConjugateGradients.solve(
                z -> normal.apply(z).add(penalty(z)), right, preconditioner(density), stopping);
    }

    private NDArray penalty(NDArray z) {
        NDArray sum = Scalars.mul(z, ridge);
        for (int m = 0; m < differences.size(); m++) {
            sum = sum.add(ModeProducts.along(z, m + 1, differences.get(m)));
        }
        return sum;
    }

    private NDArray preconditioner(double density) {
        if (ridge == 0 && differences.isEmpty()) {
            return squares.onesLike(); // leads to the least weights of all that fit
        }
        NDArray diagonal = Scalars.mul(squares, density).add(ridge);
        int axes = squares.getShape().dimension() - 1;
        for (int m = 0; m < axes && !differences.isEmpty(); m++) {
            NDArray own = differences.get(m).diagonal();
            diagonal = diagonal.add(SpectralAxes.alongAxis(own, m, axes));
        }
        NDArray least = Scalars.mul(diagonal.max(), LEAST);
        return diagonal.onesLike().div(diagonal.maximum(least));
    }
}
