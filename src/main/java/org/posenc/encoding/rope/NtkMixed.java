package org.posenc.encoding.rope;

/**
 * Su's mixture of position interpolation and {@link NtkFixed} (<a
 * href="https://kexue.fm/archives/9706">kexue.fm 9706</a>, "NTK-RoPE-mixed"): θ_i / e^(a m^q), m =
 * i + 1, with a (d/2)^q = ln s, so that the lowest frequency is divided by exactly s.
 *
 * @param factor s, at least 1
 * @param exponent q, at least 0: 0 is position interpolation, 1 is {@link NtkFixed}; Su used 0.625,
 *     and 0.75 for Llama 2
 */
public record NtkMixed(double factor, double exponent) implements RopeScaling {

    /** Checks both. */
    public NtkMixed {
        ScalingArguments.factor(factor);
        ScalingArguments.atLeast(0, exponent, "the exponent");
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double[] inverse = precision.inverse(rotaryDimension, base);
        for (int i = 0; i < inverse.length; i++) {
            double power = Math.pow((i + 1.0) / inverse.length, exponent); // (m / (d/2))^q
            double divisor = precision.round(Math.pow(factor, power));
            inverse[i] = precision.round(inverse[i] / divisor);
        }
        return new RopeFrequencies(inverse, 1);
    }
}
