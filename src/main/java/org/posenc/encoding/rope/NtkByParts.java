package org.posenc.encoding.rope;

/**
 * NTK-by-parts in the paper's form (<a href="https://arxiv.org/abs/2309.00071">Peng et al.
 * 2023</a>, eq. 17–20): how much of a frequency stays depends linearly on how often its pair turns
 * within the original length,
 *
 * <pre>
 * (1 − γ(r_i)) θ_i / s + γ(r_i) θ_i,  r_i = O θ_i / 2π,  γ(r) = clamp((r − α) / (β − α), 0, 1)
 * </pre>
 *
 * <p>What the authors released ramps over the pairs' numbers instead: {@link Yarn}, {@link
 * NtkByPartsV1}. No library has this form; it is here for comparison.
 *
 * @param factor s, at least 1
 * @param originalLength O, the length of the pre-training in tokens, at least 1
 * @param betaFast β, turns within O from which on a pair stays
 * @param betaSlow α, turns within O up to which a pair is interpolated, at least 0 and below β
 * @param scaleAttention whether the attention scaling is 0.1 ln s + 1 (eq. 22), which makes it the
 *     paper's YaRN, or 1
 */
public record NtkByParts(
        double factor,
        long originalLength,
        double betaFast,
        double betaSlow,
        boolean scaleAttention)
        implements RopeScaling {

    /** Checks all. */
    public NtkByParts {
        ScalingArguments.factor(factor);
        ScalingArguments.length(1, originalLength, "the original length");
        ScalingArguments.atLeast(0, betaSlow, "betaSlow");
        ScalingArguments.positive(betaFast, "betaFast");
        if (betaFast <= betaSlow) {
            throw new IllegalArgumentException(
                    "betaFast must be above betaSlow, got " + betaFast + " and " + betaSlow);
        }
    }

    /**
     * Returns NTK-by-parts with the paper's constants, β 32 and α 1.
     *
     * @param factor s
     * @param originalLength O
     * @return without attention scaling
     */
    public static NtkByParts of(double factor, long originalLength) {
        return new NtkByParts(factor, originalLength, 32, 1, false);
    }

    /**
     * Returns the paper's YaRN, definition 3, with its constants.
     *
     * @param factor s
     * @param originalLength O
     * @return with attention scaling
     */
    public static NtkByParts yarnPaper(double factor, long originalLength) {
        return new NtkByParts(factor, originalLength, 32, 1, true);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        RopePrecision p = precision;
        double s = p.round(factor);
        double[] inverse = p.inverse(rotaryDimension, base);
        for (int i = 0; i < inverse.length; i++) {
            double turns = p.round(p.round(originalLength / (2 * Math.PI)) * inverse[i]); // r_i
            double stays =
                    p.round(p.round(turns - p.round(betaSlow)) / p.round(betaFast - betaSlow));
            stays = Math.max(0, Math.min(1, stays)); // γ(r_i)
            double interpolated = p.round(inverse[i] / s);
            inverse[i] =
                    p.round(
                            p.round(interpolated * p.round(1 - stays))
                                    + p.round(inverse[i] * stays));
        }
        return new RopeFrequencies(inverse, scaleAttention ? Yarn.temperature(factor, 1) : 1);
    }
}
