package org.posenc.signal;

import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;

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
    }

    /**
     * Adds λ times the mean squared difference of neighbouring weights, summed over the axes, to
     * the mean squared error (<a href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>, who
     * take λ = 0.05 for a video).
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
     * Returns a regularisation that suits a family of encodings: shifted copies are well determined
     * by samples at their own spacing, Fourier features are not.
     *
     * @param axis the features along an axis
     * @return a cut-off
     */
    static Regularization suiting(PositionFeatures axis) {
        if (axis instanceof ShiftedBasis) {
            return new CutOff(1e-3);
        }
        return new CutOff(axis instanceof FourierFeatures ? 1e-2 : 1e-3);
    }

    private static void checkPositive(double lambda) {
        if (!(lambda > 0) || Double.isInfinite(lambda)) {
            throw new IllegalArgumentException("lambda must be positive and finite, got " + lambda);
        }
    }
}
