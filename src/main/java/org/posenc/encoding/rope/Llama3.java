package org.posenc.encoding.rope;

/**
 * The scaling of Llama 3.1 (<a href="https://arxiv.org/abs/2407.21783">Dubey et al. 2024</a>;
 * formula in Meta's code), Hugging Face's type "llama3". With the wavelength λ_i = 2π/θ_i:
 *
 * <pre>
 * θ_i                          if λ_i &lt; O / high
 * θ_i / s                      if λ_i &gt; O / low
 * (1 − t_i) θ_i / s + t_i θ_i  between them,  t_i = (O/λ_i − low) / (high − low)
 * </pre>
 *
 * @param factor s, at least 1
 * @param lowFrequencyFactor low: pairs that turn less often within O are divided by s; positive
 * @param highFrequencyFactor high: pairs that turn more often within O stay; at least low, and
 *     where it equals low nothing lies between them
 * @param originalLength O, the length of the pre-training in tokens, at least 1
 */
public record Llama3(
        double factor, double lowFrequencyFactor, double highFrequencyFactor, long originalLength)
        implements RopeScaling {

    /** Checks all. */
    public Llama3 {
        ScalingArguments.factor(factor);
        ScalingArguments.positive(lowFrequencyFactor, "the low frequency factor");
        ScalingArguments.positive(highFrequencyFactor, "the high frequency factor");
        if (highFrequencyFactor < lowFrequencyFactor) {
            throw new IllegalArgumentException(
                    "the high frequency factor must be at least the low one, got "
                            + highFrequencyFactor
                            + " and "
                            + lowFrequencyFactor);
        }
        ScalingArguments.length(1, originalLength, "the original length");
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double[] inverse = precision.inverse(rotaryDimension, base);
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = scaled(inverse[i], precision);
        }
        return new RopeFrequencies(inverse, 1);
    }

    private double scaled(double theta, RopePrecision p) {
        double s = p.round(factor);
        double wavelength = p.round(p.round(1 / theta) * p.round(2 * Math.PI));
        if (wavelength > p.round(originalLength / lowFrequencyFactor)) {
            return p.round(theta / s);
        }
        // With high = low a wavelength of just O / low is all that is left: it stays.
        if (wavelength < p.round(originalLength / highFrequencyFactor)
                || highFrequencyFactor == lowFrequencyFactor) {
            return theta;
        }
        double turns = p.round(p.round(1 / wavelength) * p.round(originalLength));
        double t =
                p.round(
                        p.round(turns - p.round(lowFrequencyFactor))
                                / p.round(highFrequencyFactor - lowFrequencyFactor));
        double interpolated = p.round(p.round(p.round(1 - t) * theta) / s);
        return p.round(interpolated + p.round(t * theta));
    }
}
