package org.posenc.analysis;

import java.util.Arrays;

/**
 * Which pairs of RoPE saw a full turn in training, and how far that carries (<a
 * href="https://arxiv.org/abs/2310.05209">Liu et al. 2023</a>, "Scaling Laws of RoPE-based
 * Extrapolation").
 *
 * <p>A pair that never turned once knows only part of its cosines and sines, so that positions
 * beyond the trained length take it to values the model has not seen.
 */
public final class CriticalDimension {

    private CriticalDimension() {}

    /**
     * Returns the critical dimension: twice the number of pairs whose wavelength is at most the
     * trained length. For unchanged frequencies that is the paper's 2 ⌈d/2 log_b(L/2π)⌉.
     *
     * @param inverse θ, the frequencies of training, descending
     * @param trainedLength L, in tokens
     * @return from 0 to d
     */
    public static int of(double[] inverse, long trainedLength) {
        return 2
                * (int)
                        Arrays.stream(inverse)
                                .filter(theta -> trainedLength * theta >= 2 * Math.PI)
                                .count();
    }

    /**
     * Returns the length up to which a model can be tuned to other frequencies: the wavelength,
     * with these, of the first pair that never made a full turn in pre-training; 2π b^(d_c/d) for
     * another base b.
     *
     * @param inverse θ after tuning
     * @param criticalDimension d_c of the pre-training
     * @return in tokens; infinite if every pair turned, or that pair no longer turns
     */
    public static double extrapolationLimit(double[] inverse, int criticalDimension) {
        if (criticalDimension < 0 || criticalDimension % 2 != 0) {
            throw new IllegalArgumentException(
                    "the critical dimension must be even and at least 0, got " + criticalDimension);
        }
        int first = criticalDimension / 2;
        return first < inverse.length ? 2 * Math.PI / inverse[first] : Double.POSITIVE_INFINITY;
    }

    /**
     * Returns the base below which every pair makes a part of a turn within the trained length, so
     * that tuning with a base as small extrapolates as well. The paper names the parts ¼, ½ and 1:
     * bases 2L/π, L/π and L/2π.
     *
     * @param trainedLength L, in tokens, at least 1
     * @param turns the part of a turn, positive
     * @return L / (2π turns); the slowest pair, of wavelength 2π b^((d−2)/d), turns a little more
     */
    public static double smallBase(long trainedLength, double turns) {
        if (trainedLength < 1) {
            throw new IllegalArgumentException(
                    "the trained length must be at least 1, got " + trainedLength);
        }
        if (!(turns > 0)) {
            throw new IllegalArgumentException("the turns must be positive, got " + turns);
        }
        return trainedLength / (2 * Math.PI * turns);
    }
}
