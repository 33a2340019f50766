package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import java.util.List;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.kernel.ModeProducts;

/**
 * The linear layer over a Kronecker encoding that fits samples of a grid best, in closed form (<a
 * href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>).
 *
 * <p>Ŝ = W ×₀ A₀ ×₁ A₁ …, in the plane A₀ W A₁ᵀ, with the features A_m (N_m, K_m) of each axis'
 * samples. With A_m = U_m diag(s_m) V_mᵀ and W = Z ×₀ V₀ ×₁ V₁ … each element of Z has an equation
 * of its own. With T = S ×₀ U₀ᵀ ×₁ U₁ᵀ … and σ the product of the axes' singular values,
 *
 * <pre>
 * z = t/σ where every s is above its axis' cut-off, else 0     (W = S ×₀ A₀⁺ ×₁ A₁⁺ …)
 * z = t σ/(σ² + λ)                                            (ridge)
 * </pre>
 *
 * <p>Differences of neighbouring weights are not diagonal in Z, but nearly so; their equations are
 * solved by a few preconditioned {@link ConjugateGradients} steps, to 10⁻¹². All is computed in
 * float64 on the samples' device and costs as much as the grid's sides, not its area, have
 * features.
 */
public final class SeparableFit extends LinearFit {

    private static final Stopping EXACT = new Stopping(1e-12, 10_000);

    private SeparableFit(SpectralAxes axes, ConjugateGradients.Solution solution, NDArray samples) {
        super(axes, solution, samples);
    }

    /**
     * Fits samples of a grid.
     *
     * @param axisFeatures A_m (N_m, K_m) of each of M axes, float32 or float64, finite; axes with
     *     equal features are decomposed once
     * @param samples S (N_0, …, N_{M−1}, C), float32 or float64, finite
     * @param regularization what is done about directions that the samples hardly determine
     * @return the fit, whose arrays belong to the samples' manager
     * @throws IllegalArgumentException if shapes do not fit together, an axis is empty, a number is
     *     not finite, or all features of an axis are 0
     */
    public static SeparableFit of(
            List<NDArray> axisFeatures, NDArray samples, Regularization regularization) {
        Samples.checkGrid(axisFeatures, samples);
        Samples.checkFinite(samples, "samples");
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            SpectralAxes axes = new SpectralAxes(axisFeatures, regularization);
            NDArray s = Cast.to(samples, DataType.FLOAT64, false);
            NDArray sigma = axes.gains(); // σ (1, R_0, …)
            ConjugateGradients.Solution solution;
            if (regularization instanceof Regularization.TotalVariation) {
                double count = s.size() / s.getShape().get(axisFeatures.size());
                NDArray squares = sigma.square();
                List<NDArray> columns = axes.features().stream().map(NDArray::transpose).toList();
                solution =
                        new NormalEquations(axes, regularization, count)
                                .solve(
                                        z -> z.mul(squares),
                                        1,
                                        ModeProducts.unitsFirst(s, columns),
                                        EXACT);
            } else {
                NDArray t = ModeProducts.unitsFirst(s, axes.left()); // (C, R_0, …)
                NDArray z =
                        regularization instanceof Regularization.Ridge ridge
                                ? t.mul(sigma).div(sigma.square().add(ridge.lambda()))
                                : t.div(sigma);
                solution = new ConjugateGradients.Solution(z, 0, 0);
            }
            return new SeparableFit(axes, solution, samples);
        }
    }
}
