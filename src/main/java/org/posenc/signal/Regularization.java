package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import java.util.List;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Cast;

/**
 * What keeps the weights of a linear fit small where samples hardly determine them. Without it
 * Fourier features of many frequencies fit the samples and explode between them.
 */
public sealed interface Regularization {

    /**
     * Singular values of an axis' features below a part of the largest count as 0: the
     * pseudo-inverse.
     *
     * @param relative the part, at least 0 and below 1; values that are rounding errors, max(N, K)
     *     2⁻⁵² of the largest, are left out in any case
     */
    record CutOff(double relative) implements Regularization {

        /** Checks the value. */
        public CutOff {
            if (!(relative >= 0 && relative < 1)) {
                throw new IllegalArgumentException(
                        "a cut-off must be at least 0 and below 1, got " + relative);
            }
        }
    }

    /**
     * Adds λ ‖W‖² to the squared error ‖Ŝ − S‖² (Tikhonov), both sums.
     *
     * @param lambda λ, positive
     */
    record Ridge(double lambda) implements Regularization {

        /** Checks the value. */
        public Ridge {
            checkPositive(lambda);
        }

        /**
         * A ridge whose strength does not depend on the scale of the features: λ is a part of the
         * mean squared norm of their rows, Π_m mean ‖φ_m(x)‖². It says how much of what is sampled
         * is noise, compared with what unit weights would make.
         *
         * @param part positive
         * @param axisFeatures A_m (N_m, K_m) of each axis
         * @return the ridge
         */
        public static Ridge relative(double part, List<NDArray> axisFeatures) {
            double square = 1;
            for (NDArray a : axisFeatures) {
                try (NDScope temporaries = new NDScope()) {
                    NDArray exact = Cast.to(a, DataType.FLOAT64, false);
                    square *= exact.square().sum().getDouble() / a.getShape().get(0);
                }
            }
            return new Ridge(part * square);
        }
    }

    /**
     * Adds λ times the mean squared difference of neighbouring weights, summed over the axes, to
     * the mean squared error (<a href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>, who
     * take λ = 0.05 for a video). It is for shifted copies, whose neighbours are near each other.
     *
     * <p>In the authors' code for three dimensions the first of the three axes is that of the
     * channels; here all are axes of space.
     *
     * @param lambda λ, positive
     */
    record TotalVariation(double lambda) implements Regularization {

        /** Checks the value. */
        public TotalVariation {
            checkPositive(lambda);
        }
    }

    /**
     * Returns what suits samples of a whole grid. Fourier features need a cut-off of 10⁻², without
     * which they explode between the samples; shifted copies need none as narrow as their spacing,
     * and gain by 10⁻³ where they are wider.
     *
     * @param axis the features along an axis
     * @return a cut-off
     */
    static Regularization suiting(PositionFeatures axis) {
        return new CutOff(axis instanceof ShiftedBasis ? 1e-3 : 1e-2);
    }

    /**
     * Returns what suits samples that leave gaps, such as a quarter of an image's pixels: a {@link
     * Ridge#relative} of 0.03 for shifted copies, which otherwise overshoot in the gaps, and of
     * 10⁻⁵ for Fourier features, whose few high frequencies carry the details.
     *
     * @param axis the features along an axis
     * @param axisFeatures A_m (N_m, K_m) of each axis
     * @return a ridge
     */
    static Regularization suitingGaps(PositionFeatures axis, List<NDArray> axisFeatures) {
        return Ridge.relative(axis instanceof ShiftedBasis ? 0.03 : 1e-5, axisFeatures);
    }

    private static void checkPositive(double lambda) {
        if (!(lambda > 0) || Double.isInfinite(lambda)) {
            throw new IllegalArgumentException("lambda must be positive and finite, got " + lambda);
        }
    }
}
