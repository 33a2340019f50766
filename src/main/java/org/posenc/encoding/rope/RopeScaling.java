package org.posenc.encoding.rope;

/**
 * How RoPE's frequencies are changed for contexts longer than those of training: a pure function of
 * the scaling and the length.
 *
 * <p>In the formulas of the records θ_i = b^(−2i/d), i = 0 … d/2 − 1, are the unchanged
 * frequencies, in radians per position; d is the rotary dimension, b the base, n the length, L the
 * trained length, s a factor.
 */
public sealed interface RopeScaling
        permits Default,
                Linear,
                NtkAware,
                NtkOld,
                NtkFixed,
                NtkMixed,
                NtkByParts,
                NtkByPartsV1,
                Yarn,
                LongRope,
                Llama3,
                Proportional,
                DynamicLinear,
                DynamicNtk,
                DynamicYarn {

    /**
     * Computes the frequencies.
     *
     * @param rotaryDimension d, even and at least 2
     * @param base b, positive
     * @param length n, the declared length of the context in tokens, at least 1; without effect
     *     unless {@link #dependsOnLength}
     * @param precision the arithmetic
     * @return d/2 frequencies and the attention scaling at this length
     * @throws IllegalArgumentException if an argument is out of its range, or this scaling does not
     *     fit the rotary dimension or the base
     */
    RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision);

    /**
     * Tells whether the frequencies are not the same at every length.
     *
     * @return true if keys that were turned for one length are wrong at another
     */
    default boolean dependsOnLength() {
        return false;
    }
}
