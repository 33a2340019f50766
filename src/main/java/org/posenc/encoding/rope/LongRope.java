package org.posenc.encoding.rope;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * LongRoPE (<a href="https://arxiv.org/abs/2402.13753">Ding et al. 2024</a>), Hugging Face's type
 * "longrope" and Phi-3's "su": each frequency has a divisor of its own, found by search, one list
 * for lengths up to the original length, another beyond it: θ_i / short_i if n ≤ O, θ_i / long_i
 * otherwise.
 *
 * <p>The attention scaling is the same for both: {@code attentionFactor} where it is given;
 * otherwise √(1 + ln s / ln O), or 1 where s is at most 1.
 *
 * @param shortFactors d/2 divisors, positive
 * @param longFactors d/2 divisors, positive
 * @param originalLength O, in tokens, at least 2
 * @param factor s, positive: the configuration's factor, or the ratio of the longest length to O
 * @param attentionFactor the attention scaling, positive, or empty to compute it
 */
public record LongRope(
        double[] shortFactors,
        double[] longFactors,
        long originalLength,
        double factor,
        OptionalDouble attentionFactor)
        implements RopeScaling {

    /** Checks all and copies the lists. */
    public LongRope {
        shortFactors = shortFactors.clone();
        longFactors = longFactors.clone();
        if (shortFactors.length == 0 || shortFactors.length != longFactors.length) {
            throw new IllegalArgumentException(
                    "LongRoPE needs as many short factors as long factors, at least one, got "
                            + shortFactors.length
                            + " and "
                            + longFactors.length);
        }
        for (double divisor : shortFactors) {
            ScalingArguments.positive(divisor, "each short factor");
        }
        for (double divisor : longFactors) {
            ScalingArguments.positive(divisor, "each long factor");
        }
        ScalingArguments.length(2, originalLength, "the original length");
        ScalingArguments.positive(factor, "the factor");
        ScalingArguments.positive(attentionFactor, "the attention factor");
    }

    /**
     * Returns LongRoPE with the computed attention scaling.
     *
     * @param shortFactors d/2 divisors up to O
     * @param longFactors d/2 divisors beyond O
     * @param originalLength O
     * @param factor s
     * @return the scaling
     */
    public static LongRope of(
            double[] shortFactors, double[] longFactors, long originalLength, double factor) {
        return new LongRope(
                shortFactors, longFactors, originalLength, factor, OptionalDouble.empty());
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        double[] divisors = length > originalLength ? longFactors : shortFactors;
        if (divisors.length != rotaryDimension / 2) {
            throw new IllegalArgumentException(
                    "LongRoPE has "
                            + divisors.length
                            + " factors, a rotary dimension of "
                            + rotaryDimension
                            + " needs "
                            + rotaryDimension / 2);
        }
        RopePrecision p = precision;
        double[] inverse = p.periods(rotaryDimension, base);
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = p.round(1 / p.round(p.round(divisors[i]) * inverse[i]));
        }
        return new RopeFrequencies(inverse, attentionScaling());
    }

    /** {@inheritDoc} */
    @Override
    public boolean dependsOnLength() {
        return true;
    }

    /**
     * Returns the divisors up to the original length.
     *
     * @return a copy
     */
    @Override
    public double[] shortFactors() {
        return shortFactors.clone();
    }

    /**
     * Returns the divisors beyond the original length.
     *
     * @return a copy
     */
    @Override
    public double[] longFactors() {
        return longFactors.clone();
    }

    /**
     * Compares all numbers.
     *
     * @param other anything
     * @return whether it is LongRoPE with these numbers
     */
    @Override
    public boolean equals(Object other) {
        return other instanceof LongRope that
                && Arrays.equals(shortFactors, that.shortFactors)
                && Arrays.equals(longFactors, that.longFactors)
                && originalLength == that.originalLength
                && Double.compare(factor, that.factor) == 0
                && attentionFactor.equals(that.attentionFactor);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return Arrays.hashCode(
                new int[] {
                    Arrays.hashCode(shortFactors),
                    Arrays.hashCode(longFactors),
                    Long.hashCode(originalLength),
                    Double.hashCode(factor),
                    attentionFactor.hashCode()
                });
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "LongRope[shortFactors="
                + Arrays.toString(shortFactors)
                + ", longFactors="
                + Arrays.toString(longFactors)
                + ", originalLength="
                + originalLength
                + ", factor="
                + factor
                + ", attentionFactor="
                + attentionFactor
                + "]";
    }

    private double attentionScaling() {
        if (attentionFactor.isPresent()) {
            return attentionFactor.getAsDouble();
        }
        return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalLength));
    }
}
