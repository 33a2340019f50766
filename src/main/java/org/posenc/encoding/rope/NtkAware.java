package org.posenc.encoding.rope;

/**
 * NTK-aware scaling (bloc97 2023; <a href="https://arxiv.org/abs/2309.00071">Peng et al. 2023</a>,
 * definition 1): another base, b s^(d/(d−2)), which leaves the highest frequency as it is and
 * divides the lowest by exactly s.
 *
 * @param factor s, at least 1
 */
public record NtkAware(double factor) implements RopeScaling {

    /** Checks the factor. */
    public NtkAware {
        ScalingArguments.factor(factor);
    }

    /**
     * Returns the base.
     *
     * @param rotaryDimension d, even and at least 4
     * @param base b
     * @return b s^(d/(d−2))
     */
    public double scaledBase(int rotaryDimension, double base) {
        ScalingArguments.ntkDimension(rotaryDimension);
        return base * Math.pow(factor, (double) rotaryDimension / (rotaryDimension - 2));
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double b = scaledBase(rotaryDimension, base);
        return new RopeFrequencies(precision.inverse(rotaryDimension, b), 1);
    }
}
