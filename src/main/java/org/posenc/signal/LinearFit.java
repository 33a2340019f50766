package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import java.util.List;
import java.util.function.Supplier;
import org.posenc.analysis.Spectrum;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.PointProducts;

/**
 * Weights of a linear layer over a Kronecker encoding that were solved for, not trained.
 *
 * <p>They are kept in float64, in which they were found: on an ill-conditioned axis they are large
 * numbers whose differences count.
 */
public abstract sealed class LinearFit permits SeparableFit, ScatteredFit {

    private final NDArray exact; // (C, K_0, …), float64
    private final NDArray weights; // the same in the samples' type
    private final List<Spectrum> spectra;
    private final List<String> remarks;
    private final int iterations;
    private final double residual;

    /** A fit in a current scope, which its weights outlive. */
    LinearFit(SpectralAxes axes, ConjugateGradients.Solution solution, NDArray samples) {
        exact = axes.weights(solution.x());
        weights = Cast.to(exact, samples.getDataType(), false);
        spectra = List.copyOf(axes.spectra());
        remarks = List.copyOf(axes.remarks());
        iterations = solution.iterations();
        residual = solution.residual();
        for (NDArray kept : List.of(exact, weights)) {
            kept.attach(samples.getManager());
            NDScope.unregister(kept);
        }
    }

    /**
     * Returns the weights, those of a {@link org.posenc.model.KroneckerLinear} of C units.
     *
     * @return W (C, K_0, …, K_{M−1}), in the samples' type and manager
     */
    public NDArray weights() {
        return weights;
    }

    /**
     * Returns the singular values of each axis' features at the samples.
     *
     * @return one spectrum an axis
     */
    public List<Spectrum> spectra() {
        return spectra;
    }

    /**
     * Returns the stable rank of the whole encoding on the grid of its axes, the product of theirs.
     *
     * @return at least 1
     */
    public double stableRank() {
        return spectra.stream().mapToDouble(Spectrum::stableRank).reduce(1, (a, b) -> a * b);
    }

    /**
     * Returns what the samples could not determine, for a user to know: samples that no feature
     * sees because the encoding is too narrow, features that no sample sees, and how many
     * directions a cut-off left out.
     *
     * @return one sentence each, none where all is well
     */
    public List<String> remarks() {
        return remarks;
    }

    /**
     * Returns how many steps the solution took.
     *
     * @return 0 for a closed form
     */
    public int iterations() {
        return iterations;
    }

    /**
     * Returns what is left of the equations, ‖b − A W‖ / ‖b‖ of the worst channel; above the
     * tolerance, the iteration has ended before.
     *
     * @return 0 for a closed form
     */
    public double residual() {
        return residual;
    }

    /**
     * Computes the fitted values on a grid.
     *
     * @param axisFeatures A_m (N_m, K_m) of each axis
     * @return (N_0, …, N_{M−1}, C), in the features' type and the first one's manager
     * @throws IllegalArgumentException if shapes do not fit together
     */
    public NDArray onGrid(List<NDArray> axisFeatures) {
        return narrowed(axisFeatures, () -> ModeProducts.unitsLast(exact, wide(axisFeatures)));
    }

    /**
     * Computes the fitted values at scattered points.
     *
     * @param axisFeatures φ_m(x_m) (P, K_m) of each axis
     * @return (P, C), in the features' type and the first one's manager
     * @throws IllegalArgumentException if shapes do not fit together
     */
    public NDArray atPoints(List<NDArray> axisFeatures) {
        return narrowed(axisFeatures, () -> PointProducts.of(exact, wide(axisFeatures)));
    }

    private static List<NDArray> wide(List<NDArray> features) {
        return features.stream().map(a -> Cast.to(a, DataType.FLOAT64, false)).toList();
    }

    private static NDArray narrowed(List<NDArray> axisFeatures, Supplier<NDArray> values) {
        NDArray first = axisFeatures.get(0);
        NDArray narrow;
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            narrow = Cast.to(values.get(), first.getDataType(), false);
            narrow.attach(first.getManager());
            NDScope.unregister(narrow);
        }
        NDScope.register(narrow); // with the scope of the caller, if he has one
        return narrow;
    }
}
