package org.posenc.analysis;

import org.posenc.encoding.SampledBasis;

/**
 * Stable ranks and similarities that are known exactly, of encodings that are shifts of one basis
 * function or random Fourier features (<a href="https://arxiv.org/abs/2107.02561">Zheng et al.
 * 2021</a>, Propositions 1 and 2). What belongs to a single basis is in its own class, and what
 * follows for encoders and their products and sums in {@link SimilarityKernel}.
 */
public final class ClosedForms {

    /**
     * Stable rank times distance preservation of a Gaussian basis, √(ln 10 / π): what it gains in
     * one it loses in the other. Random Fourier features reach it with infinitely many features.
     */
    public static final double GAUSSIAN_TRADE_OFF = Math.sqrt(Math.log(10) / Math.PI);

    private ClosedForms() {}

    /**
     * Returns the stable rank of N evenly spaced points of the unit circle under densely shifted
     * periodic Gaussians, N / θ₃(0, q), θ₃(0, q) = 1 + 2 Σ_k q^(k²), q = exp(−1/(4 σ² N²)).
     *
     * @param sigma σ, as part of the circle, positive
     * @param points N, at least 1
     * @return min(N, 1/(2 √π σ)) but for the rounded corner where the two meet
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static double gaussianStableRank(double sigma, long points) {
        checkPositive(sigma, "sigma");
        if (points < 1) {
            throw new IllegalArgumentException("points must be at least 1, got " + points);
        }
        double x = 1 / (4 * sigma * sigma * points * points); // q = e^−x
        return points / theta3(x);
    }

    /**
     * Returns the limit of the stable rank for many points under a dense, periodic shifted basis of
     * any prototype, L ‖c‖² / max_k |ĉ_k|², ĉ its discrete Fourier transform.
     *
     * @param prototype c, sampled at L points of the circle
     * @return the limit
     * @throws IllegalArgumentException if the prototype is empty, zero or not finite
     */
    public static double prototypeStableRank(double... prototype) {
        return SampledBasis.of(1, prototype).stableRankLimit();
    }

    /**
     * Returns the expected normalised inner product of random Fourier features, exp(−2 π² σ² u²),
     * which infinitely many of them have.
     *
     * @param sigma the standard deviation of the frequencies, in cycles per unit
     * @param distance u
     * @return between 0 and 1
     */
    public static double randomFourierSimilarity(double sigma, double distance) {
        double turn = Math.PI * sigma * distance;
        return Math.exp(-2 * turn * turn);
    }

    /**
     * Returns the limit of the stable rank of infinitely many random Fourier features over many
     * points of the unit interval, √(2π) σ.
     *
     * @param sigma the standard deviation of the frequencies, in cycles per unit; the limit holds
     *     for large ones (5 has 12.591 for 12.533)
     * @return the limit
     * @throws IllegalArgumentException if sigma is not positive
     */
    public static double randomFourierStableRank(double sigma) {
        return Math.sqrt(2 * Math.PI) * checkPositive(sigma, "sigma");
    }

    /**
     * Returns the standard deviation of random Fourier frequencies whose similarity is that of
     * Gaussians, 1/(2 √2 π σ).
     *
     * @param gaussianSigma σ of the Gaussian basis
     * @return the standard deviation, in cycles per unit
     * @throws IllegalArgumentException if sigma is not positive
     */
    public static double equivalentFourierSigma(double gaussianSigma) {
        return 1 / (2 * Math.sqrt(2) * Math.PI * checkPositive(gaussianSigma, "sigma"));
    }

    /** θ₃(0, e^−x), by Jacobi's identity where its own series would be slow. */
    private static double theta3(double x) {
        if (x < Math.PI) {
            return Math.sqrt(Math.PI / x) * theta3(Math.PI * Math.PI / x);
        }
        double sum = 1;
        for (int k = 1; ; k++) {
            double term = 2 * Math.exp(-x * k * k);
            sum += term;
            if (term < 1e-17) {
                return sum;
            }
        }
    }

    static double checkPositive(double value, String what) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " must be positive and finite, got " + value);
        }
        return value;
    }
}
