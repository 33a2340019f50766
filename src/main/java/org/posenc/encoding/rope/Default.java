package org.posenc.encoding.rope;

/** RoPE as it is: θ_i = b^(−2i/d) at every length. */
public record Default() implements RopeScaling {

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        return new RopeFrequencies(precision.inverse(rotaryDimension, base), 1);
    }
}
