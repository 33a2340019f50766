package org.posenc.encoding.rope;

import java.util.Arrays;

/**
 * What a scaling makes of RoPE at one length. Two are equal if all their numbers are.
 *
 * @param inverse the angle per position of each pair, in radians, d/2 values, at least 0
 * @param attentionScaling multiplies cosines and sines, and so each score by its square; positive
 */
public record RopeFrequencies(double[] inverse, double attentionScaling) {

    /** Copies the array. */
    public RopeFrequencies {
        inverse = inverse.clone();
        if (inverse.length == 0) {
            throw new IllegalArgumentException("RoPE needs at least one frequency, got none");
        }
        for (double frequency : inverse) {
            if (!(frequency >= 0) || Double.isInfinite(frequency)) {
                throw new IllegalArgumentException(
                        "a frequency must be finite and at least 0, got " + frequency);
            }
        }
        ScalingArguments.positive(attentionScaling, "the attention scaling");
    }

    /**
     * Returns the angle per position of each pair.
     *
     * @return a copy
     */
    @Override
    public double[] inverse() {
        return inverse.clone();
    }

    /**
     * Returns the number of pairs.
     *
     * @return d/2
     */
    public int pairs() {
        return inverse.length;
    }

    /**
     * Compares all numbers.
     *
     * @param other anything
     * @return whether it is frequencies with these numbers
     */
    @Override
    public boolean equals(Object other) {
        return other instanceof RopeFrequencies that
                && Double.compare(attentionScaling, that.attentionScaling) == 0
                && Arrays.equals(inverse, that.inverse);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(inverse) + Double.hashCode(attentionScaling);
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "RopeFrequencies[inverse="
                + Arrays.toString(inverse)
                + ", attentionScaling="
                + attentionScaling
                + "]";
    }
}
