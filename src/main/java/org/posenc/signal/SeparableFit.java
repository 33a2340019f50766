package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.analysis.Spectrum;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.SingularVectors;

/**
 * The linear layer over a Kronecker encoding that fits samples of a grid best, in closed form (<a
 * href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>).
 *
 * <p>Ŝ = W ×₀ A₀ ×₁ A₁ …, in the plane A₀ W A₁ᵀ, with the features A_m (N_m, K_m) of each axis'
 * samples. The W of least squared error and, among those, of least norm is S ×₀ A₀⁺ ×₁ A₁⁺ …, in
 * the plane A₀⁺ S (A₁⁺)ᵀ. It costs as much as the sides of the grid, not its area, have features.
 * All is computed in float64 on the samples' device and narrowed last: weights of an
 * ill-conditioned axis are large numbers whose differences count.
 */
public final class SeparableFit {

    private final NDArray exact; // (C, K_0, …), float64
    private final NDArray weights; // the same in the samples' type
    private final List<Spectrum> spectra;

    private SeparableFit(NDArray exact, NDArray weights, List<Spectrum> spectra) {
        this.exact = exact;
        this.weights = weights;
        this.spectra = spectra;
    }

    /**
     * Fits samples of a grid.
     *
     * @param axisFeatures A_m (N_m, K_m) of each of M axes, float32 or float64, finite; axes with
     *     equal features are decomposed once
     * @param samples S (N_0, …, N_{M−1}, C), float32 or float64, finite
     * @param regularization what is done about directions that the samples hardly determine
     * @return the fit, whose arrays belong to the samples' manager
     * @throws IllegalArgumentException if shapes do not fit together, a number is not finite, or
     *     all features of an axis are 0
     */
    public static SeparableFit of(
            List<NDArray> axisFeatures, NDArray samples, Regularization regularization) {
        check(axisFeatures, samples);
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            List<SingularVectors> axes = decompositions(axisFeatures);
            List<Spectrum> spectra = new ArrayList<>();
            for (int m = 0; m < axes.size(); m++) {
                spectra.add(spectrum(axisFeatures.get(m), axes.get(m), m));
            }
            NDArray s = Cast.to(samples, DataType.FLOAT64, false);
            NDArray exact;
            if (regularization instanceof Regularization.CutOff cutOff) {
                exact = pseudoInverse(axes, spectra, s, cutOff.relative());
            } else {
                throw new IllegalArgumentException("not yet: " + regularization);
            }
            NDArray weights = Cast.to(exact, samples.getDataType(), false);
            for (NDArray kept : List.of(exact, weights)) {
                kept.attach(samples.getManager());
                NDScope.unregister(kept);
            }
            return new SeparableFit(exact, weights, List.copyOf(spectra));
        }
    }

    /**
     * Returns the weights, those of a linear layer of C units over the Kronecker encoding.
     *
     * @return W (C, K_0, …, K_{M−1}), in the samples' type
     */
    public NDArray weights() {
        return weights;
    }

    /**
     * Returns the singular values of each axis' features.
     *
     * @return one spectrum an axis
     */
    public List<Spectrum> spectra() {
        return spectra;
    }

    /**
     * Returns the stable rank of the whole encoding, the product of those of its axes.
     *
     * @return at least 1
     */
    public double stableRank() {
        return spectra.stream().mapToDouble(Spectrum::stableRank).reduce(1, (a, b) -> a * b);
    }

    /**
     * Computes the fitted values on another grid.
     *
     * @param axisFeatures (N_m, K_m) of each axis
     * @return (N_0, …, N_{M−1}, C), in the features' type and the first one's manager
     * @throws IllegalArgumentException if shapes do not fit together
     */
    public NDArray onGrid(List<NDArray> axisFeatures) {
        DataType type = axisFeatures.get(0).getDataType();
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            NDArray grid = ModeProducts.unitsLast(exact, wide(axisFeatures));
            NDArray narrow = Cast.to(grid, type, false);
            narrow.attach(axisFeatures.get(0).getManager());
            NDScope.unregister(narrow);
            return narrow;
        }
    }

    private static NDArray pseudoInverse(
            List<SingularVectors> axes, List<Spectrum> spectra, NDArray s, double relative) {
        List<NDArray> inverses = new ArrayList<>();
        for (int m = 0; m < axes.size(); m++) {
            Spectrum spectrum = spectra.get(m);
            double rounding = Math.max(spectrum.rows(), spectrum.columns()) * 0x1p-52;
            int rank = spectrum.numericalRank(Math.max(relative, rounding));
            SingularVectors usv = axes.get(m);
            NDArray u = usv.u().get(":, :" + rank);
            NDArray v = usv.vt().get(":" + rank).transpose();
            NDArray values = usv.s().get(":" + rank);
            inverses.add(v.div(values).matMul(u.transpose())); // (K, N)
        }
        return ModeProducts.unitsFirst(s, inverses);
    }

    private static List<NDArray> wide(List<NDArray> features) {
        return features.stream().map(a -> Cast.to(a, DataType.FLOAT64, false)).toList();
    }

    private static List<SingularVectors> decompositions(List<NDArray> axisFeatures) {
        List<SingularVectors> axes = new ArrayList<>();
        for (int m = 0; m < axisFeatures.size(); m++) {
            NDArray a = axisFeatures.get(m);
            int same =
                    IntStream.range(0, m)
                            .filter(i -> axisFeatures.get(i).contentEquals(a))
                            .findFirst()
                            .orElse(m);
            axes.add(same < m ? axes.get(same) : SingularVectors.of(a));
        }
        return axes;
    }

    private static Spectrum spectrum(NDArray features, SingularVectors usv, int axis) {
        Shape shape = features.getShape();
        double[] values = usv.s().toDoubleArray();
        if (values[0] == 0) {
            throw new IllegalArgumentException(
                    "all features of axis "
                            + axis
                            + " are 0, so nothing can be fitted: the encoding is too narrow for its"
                            + " samples");
        }
        return new Spectrum(values, shape.get(0), shape.get(1), 0x1p-52);
    }

    private static void check(List<NDArray> axisFeatures, NDArray samples) {
        Shape s = samples.getShape();
        if (axisFeatures.isEmpty()) {
            throw new IllegalArgumentException("a fit needs the features of at least one axis");
        }
        boolean fits = s.dimension() == axisFeatures.size() + 1;
        for (int m = 0; fits && m < axisFeatures.size(); m++) {
            Shape a = axisFeatures.get(m).getShape();
            fits = a.dimension() == 2 && a.get(0) == s.get(m);
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "samples must be (N_0, …, C) and features (N_m, K_m) for each axis, got samples "
                            + s
                            + " and features "
                            + axisFeatures.stream().map(NDArray::getShape).toList());
        }
        if (s.size() == 0 || axisFeatures.stream().anyMatch(a -> a.size() == 0)) {
            throw new IllegalArgumentException(
                    "no axis may be empty, got samples "
                            + s
                            + " and features "
                            + axisFeatures.stream().map(NDArray::getShape).toList());
        }
        for (int m = 0; m < axisFeatures.size(); m++) {
            FiniteNumbers.check(axisFeatures.get(m), "features of axis " + m);
        }
        FiniteNumbers.check(samples, "samples");
    }
}
