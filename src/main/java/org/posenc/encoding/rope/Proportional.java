package org.posenc.encoding.rope;

import java.util.Arrays;

/**
 * p-RoPE (<a href="https://arxiv.org/abs/2410.06205">Barbero et al. 2024</a>), Hugging Face's type
 * "proportional" (Gemma 4): the ⌊p D/2⌋ highest frequencies of the whole head stay, the rest are 0
 * and do not turn; θ_i / s.
 *
 * <p>Its rotary dimension is the head dimension D. The {@linkplain RopeParameters#partial partial
 * rotation} of GPT-NeoX and Phi differs: there exponents count over the rotated part, and pairs lie
 * in it.
 *
 * @param part p, in (0, 1]
 * @param factor s, at least 1
 */
public record Proportional(double part, double factor) implements RopeScaling {

    /** Checks both. */
    public Proportional {
        ScalingArguments.part(part, "the part that turns");
        ScalingArguments.factor(factor);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        int turning = (int) (part * rotaryDimension / 2);
        if (turning == 0) {
            throw new IllegalArgumentException(
                    "a part of "
                            + part
                            + " leaves no pair of a head dimension of "
                            + rotaryDimension
                            + " to turn");
        }
        double s = precision.round(factor);
        double[] inverse = precision.inverse(rotaryDimension, base, turning);
        for (int i = 0; i < turning; i++) {
            inverse[i] = precision.round(inverse[i] / s);
        }
        return new RopeFrequencies(Arrays.copyOf(inverse, rotaryDimension / 2), 1);
    }
}
