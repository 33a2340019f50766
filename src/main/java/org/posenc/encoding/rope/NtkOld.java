package org.posenc.encoding.rope;

/**
 * Su's first NTK scaling (<a href="https://kexue.fm/archives/9675">kexue.fm 9675</a>,
 * "NTK-RoPE-old"): the base b s. The lowest frequency is divided by s^((d−2)/d), a little less than
 * s.
 *
 * @param factor s, at least 1
 */
public record NtkOld(double factor) implements RopeScaling {

    /** Checks the factor. */
    public NtkOld {
        ScalingArguments.factor(factor);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        return new RopeFrequencies(precision.inverse(rotaryDimension, base * factor), 1);
    }
}
