package org.posenc.encoding.rope;

/**
 * YaRN by no more than the length asks for (<a href="https://arxiv.org/abs/2309.00071">Peng et al.
 * 2023</a>, section 3.3; {@code LlamaDynamicYaRNScaledRotaryEmbedding} of <a
 * href="https://github.com/jquesnelle/yarn">jquesnelle/yarn</a>): {@link Yarn} with the factor
 * max(s, n/O), attention scaling included, so that short texts are read as in pre-training. Where
 * that factor is 1, RoPE is unchanged.
 *
 * @param factor s, the factor the model was tuned with, at least 1; 1 where it was not tuned
 * @param originalLength O, the length of the pre-training in tokens, at least 1
 * @param betaFast turns within O from which on a pair stays, positive
 * @param betaSlow turns within O up to which a pair is interpolated, positive, at most β_fast
 * @param truncate whether the ramp begins and ends at whole pairs
 */
public record DynamicYarn(
        double factor, long originalLength, double betaFast, double betaSlow, boolean truncate)
        implements RopeScaling {

    /** Checks all. */
    public DynamicYarn {
        ScalingArguments.factor(factor);
        ScalingArguments.length(1, originalLength, "the original length");
        ScalingArguments.betas(betaFast, betaSlow);
    }

    /**
     * Returns dynamic YaRN with the paper's constants, β 32 and 1, for a model that was not tuned.
     *
     * @param originalLength O
     * @return with truncation
     */
    public static DynamicYarn of(long originalLength) {
        return new DynamicYarn(1, originalLength, 32, 1, true);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double s = Math.max(factor, (double) length / originalLength);
        RopeScaling scaling =
                s == 1
                        ? new Default()
                        : Yarn.of(s, originalLength)
                                .withBetas(betaFast, betaSlow)
                                .withTruncate(truncate);
        return scaling.frequencies(rotaryDimension, base, length, precision);
    }

    /** {@inheritDoc} */
    @Override
    public boolean dependsOnLength() {
        return true;
    }
}
