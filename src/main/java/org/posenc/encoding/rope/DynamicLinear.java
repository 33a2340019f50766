package org.posenc.encoding.rope;

/**
 * Position interpolation by no more than the length asks for: θ_i / max(1, n/L), so that the last
 * position never lies beyond the trained ones (<a
 * href="https://github.com/jquesnelle/yarn">jquesnelle/yarn</a>, {@code
 * LlamaDynamicScaledRotaryEmbedding} without NTK).
 *
 * @param trainedLength L, in tokens, at least 1
 */
public record DynamicLinear(long trainedLength) implements RopeScaling {

    /** Checks the length. */
    public DynamicLinear {
        ScalingArguments.length(1, trainedLength, "the trained length");
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double s = Math.max(1, (double) length / trainedLength);
        return new Linear(s).frequencies(rotaryDimension, base, length, precision);
    }

    /** {@inheritDoc} */
    @Override
    public boolean dependsOnLength() {
        return true;
    }
}
