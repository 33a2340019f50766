package org.posenc.encoding.rope;

import java.util.OptionalDouble;

/**
 * YaRN (<a href="https://arxiv.org/abs/2309.00071">Peng et al. 2023</a>) as its code and Hugging
 * Face's type "yarn" compute it: pairs that turn more than β_fast times within the original length
 * stay, pairs that turn less than β_slow times are interpolated, γ_i ramps between them:
 *
 * <pre>
 * θ_i γ_i / s + θ_i (1 − γ_i),  γ_i = clamp((i − low) / (high − low), 0, 1)
 * low = ⌊c(β_fast)⌋, high = ⌈c(β_slow)⌉,  c(r) = d ln(O / 2πr) / (2 ln b)
 * </pre>
 *
 * <p>The paper ramps over turns and not over pairs, which moves middle frequencies by up to a
 * factor of three: {@link NtkByParts#yarnPaper}.
 *
 * <p>The attention scaling is {@code attentionFactor} where it is given; otherwise g(mscale) /
 * g(mscaleAllDim) where both are given and not 0; otherwise g(1); with g(m) = 0.1 m ln s + 1.
 *
 * @param factor s, at least 1
 * @param originalLength O, the length of the pre-training in tokens, at least 1
 * @param betaFast turns within O from which on a pair stays, positive
 * @param betaSlow turns within O up to which a pair is interpolated, positive, at most β_fast
 * @param truncate whether the ramp begins and ends at whole pairs
 * @param attentionFactor the attention scaling, positive, or empty to compute it
 * @param mscale m of the numerator, at least 0; without effect where {@code mscaleAllDim} is empty
 *     or 0
 * @param mscaleAllDim m of the denominator, at least 0; without effect where {@code mscale} is
 *     empty or 0
 */
public record Yarn(
        double factor,
        long originalLength,
        double betaFast,
        double betaSlow,
        boolean truncate,
        OptionalDouble attentionFactor,
        OptionalDouble mscale,
        OptionalDouble mscaleAllDim)
        implements RopeScaling {

    /** Checks all. */
    public Yarn {
        ScalingArguments.factor(factor);
        ScalingArguments.length(1, originalLength, "the original length");
        ScalingArguments.betas(betaFast, betaSlow);
        ScalingArguments.positive(attentionFactor, "the attention factor");
        mscale.ifPresent(m -> ScalingArguments.atLeast(0, m, "mscale"));
        mscaleAllDim.ifPresent(m -> ScalingArguments.atLeast(0, m, "mscaleAllDim"));
    }

    /**
     * Returns YaRN with the paper's constants, β 32 and 1.
     *
     * @param factor s
     * @param originalLength O
     * @return with truncation and the computed attention scaling
     */
    public static Yarn of(double factor, long originalLength) {
        OptionalDouble none = OptionalDouble.empty();
        return new Yarn(factor, originalLength, 32, 1, true, none, none, none);
    }

    /**
     * Returns this with other bounds of the ramp.
     *
     * @param fast β_fast
     * @param slow β_slow
     * @return a new scaling
     */
    public Yarn withBetas(double fast, double slow) {
        return new Yarn(
                factor,
                originalLength,
                fast,
                slow,
                truncate,
                attentionFactor,
                mscale,
                mscaleAllDim);
    }

    /**
     * Returns this with a ramp that begins and ends at whole pairs, or not.
     *
     * @param truncated whether it does
     * @return a new scaling
     */
    public Yarn withTruncate(boolean truncated) {
        return new Yarn(
                factor,
                originalLength,
                betaFast,
                betaSlow,
                truncated,
                attentionFactor,
                mscale,
                mscaleAllDim);
    }

    /**
     * Returns this with a given attention scaling.
     *
     * @param scaling multiplies cosines and sines
     * @return a new scaling
     */
    public Yarn withAttentionFactor(double scaling) {
        return new Yarn(
                factor,
                originalLength,
                betaFast,
                betaSlow,
                truncate,
                OptionalDouble.of(scaling),
                mscale,
                mscaleAllDim);
    }

    /**
     * Returns this with DeepSeek's two multipliers.
     *
     * @param numerator mscale
     * @param denominator mscale_all_dim
     * @return a new scaling
     */
    public Yarn withMscale(double numerator, double denominator) {
        return new Yarn(
                factor,
                originalLength,
                betaFast,
                betaSlow,
                truncate,
                attentionFactor,
                OptionalDouble.of(numerator),
                OptionalDouble.of(denominator));
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        DimensionRamp ramp =
                DimensionRamp.between(
                        betaFast, betaSlow, rotaryDimension, base, originalLength, truncate);
        RopePrecision p = precision;
        double s = p.round(factor);
        double[] periods = p.periods(rotaryDimension, base);
        double[] inverse = new double[periods.length];
        for (int i = 0; i < inverse.length; i++) {
            double stays = p.round(1 - ramp.at(i, p)); // 1 − γ_i
            double interpolated = p.round(1 / p.round(s * periods[i]));
            double unchanged = p.round(1 / periods[i]);
            inverse[i] =
                    p.round(
                            p.round(interpolated * p.round(1 - stays))
                                    + p.round(unchanged * stays));
        }
        return new RopeFrequencies(inverse, attentionScaling());
    }

    private double attentionScaling() {
        if (attentionFactor.isPresent()) {
            return attentionFactor.getAsDouble();
        }
        double numerator = mscale.orElse(0);
        double denominator = mscaleAllDim.orElse(0);
        return numerator != 0 && denominator != 0
                ? temperature(factor, numerator) / temperature(factor, denominator)
                : temperature(factor, 1);
    }

    /** Returns 0.1 m ln s + 1, for s ≥ 1. */
    static double temperature(double factor, double m) {
        return 0.1 * m * Math.log(factor) + 1;
    }
}
