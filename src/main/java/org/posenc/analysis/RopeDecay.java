package org.posenc.analysis;

import java.util.Arrays;

/**
 * How RoPE weakens with distance: two curves that depend on the frequencies alone (<a
 * href="https://arxiv.org/abs/2104.09864">Su et al. 2021</a>, section 3.4.3; <a
 * href="https://kexue.fm/archives/8265">kexue.fm 8265</a>).
 */
public final class RopeDecay {

    private RopeDecay() {}

    /**
     * Returns the mean cosine, the normalised inner product of two equal vectors after they are
     * turned.
     *
     * @param inverse θ, n frequencies in radians per position
     * @param distance m
     * @return 1/n Σ_i cos(m θ_i), in [−1, 1]
     */
    public static double meanCosine(double[] inverse, double distance) {
        return Arrays.stream(inverse).map(theta -> Math.cos(distance * theta)).sum()
                / inverse.length;
    }

    /**
     * Returns Su's bound, by which the products of any two vectors at a distance are limited, up to
     * a factor that depends on the vectors (eq. 37).
     *
     * @param inverse θ, n frequencies in radians per position
     * @param distance m
     * @return 1/n Σ_{j=1…n} |Σ_{k&lt;j} e^{i m θ_k}|, from 0 to (n + 1)/2, which it is at distance
     *     0
     */
    public static double bound(double[] inverse, double distance) {
        double real = 0;
        double imaginary = 0;
        double sum = 0;
        for (double theta : inverse) {
            real += Math.cos(distance * theta);
            imaginary += Math.sin(distance * theta);
            sum += Math.hypot(real, imaginary);
        }
        return sum / inverse.length;
    }

    /**
     * Returns the angle between the encodings of neighbouring positions, what is left to tell them
     * apart.
     *
     * @param inverse θ, n frequencies in radians per position
     * @return A with cos A = 1/n Σ_i cos θ_i, in radians, from 0 to π
     */
    public static double neighbourAngle(double[] inverse) {
        // sin²(A/2) is the mean of sin²(θ/2): nothing is lost where the angles are small.
        double mean =
                Arrays.stream(inverse)
                        .map(theta -> Math.sin(theta / 2) * Math.sin(theta / 2))
                        .average()
                        .orElseThrow();
        return 2 * Math.asin(Math.sqrt(mean));
    }
}
