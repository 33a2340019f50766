package org.posenc.encoding.rope;

/**
 * Su's second NTK scaling (<a href="https://kexue.fm/archives/9706">kexue.fm 9706</a>,
 * "NTK-RoPE-fixed"): positions written to the base λ b^(2/d), λ = s^(2/d), from the second digit
 * on, θ_i / λ^(i+1). The highest frequency is divided by λ, the lowest by exactly s.
 *
 * @param factor s, at least 1
 */
public record NtkFixed(double factor) implements RopeScaling {

    /** Checks the factor. */
    public NtkFixed {
        ScalingArguments.factor(factor);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        // λ^m = e^(m ln s / (d/2)): the mixed scaling with its exponent at 1.
        return new NtkMixed(factor, 1).frequencies(rotaryDimension, base, length, precision);
    }
}
