package org.posenc.encoding.rope;

/**
 * Position interpolation (<a href="https://arxiv.org/abs/2306.15595">Chen et al. 2023</a>): θ_i /
 * s, which is the same as positions divided by s. Hugging Face's type "linear".
 *
 * @param factor s, how many times longer the context gets, at least 1
 */
public record Linear(double factor) implements RopeScaling {

    /** Checks the factor. */
    public Linear {
        ScalingArguments.factor(factor);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double s = precision.round(factor);
        double[] inverse = precision.inverse(rotaryDimension, base);
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = precision.round(inverse[i] / s);
        }
        return new RopeFrequencies(inverse, 1);
    }
}
