package org.posenc.encoding.rope;

/**
 * What a scaling makes of RoPE at one length.
 *
 * @param inverse the angle per position of each pair, in radians, r/2 values
 * @param attentionScaling multiplies cosines and sines, and so each score by its square
 */
public record RopeFrequencies(double[] inverse, double attentionScaling) {

    /** Copies the array. */
    public RopeFrequencies {
        inverse = inverse.clone();
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
}
