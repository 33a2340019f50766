package org.posenc.encoding.rope;

import java.util.Arrays;

/**
 * A block of neighbouring pairs that turn by the same coordinate.
 *
 * @param axis which coordinate, from 0
 * @param frequencies one for each pair, in radians per unit of the coordinate
 */
public record AxisBlock(int axis, double[] frequencies) {

    /** Checks the values and copies the array. */
    public AxisBlock {
        frequencies = frequencies.clone();
        ScalingArguments.length(0, axis, "an axis");
        ScalingArguments.length(1, frequencies.length, "the number of a block's frequencies");
        for (double frequency : frequencies) {
            if (!Double.isFinite(frequency)) {
                throw new IllegalArgumentException(
                        "a block's frequencies must be finite, got " + frequency);
            }
        }
    }

    /**
     * The frequencies of language: b^(−2i/d), i = 0 … d/2 − 1.
     *
     * @param axis which coordinate, from 0
     * @param dimension d, the number of components that turn: even, at least 2
     * @param base b, positive
     * @return the block
     */
    public static AxisBlock language(int axis, int dimension, double base) {
        return new AxisBlock(
                axis, new Default().frequencies(dimension, base, 1, RopePrecision.EXACT).inverse());
    }

    /**
     * The frequencies of pixels (lucidrains' rotary-embedding-torch): d/2 numbers from π to
     * π·most/2 in equal steps, for coordinates in [−1, 1]. The first turns once along an axis.
     *
     * @param axis which coordinate, from 0
     * @param dimension d, the number of components that turn: even, at least 2
     * @param most the greatest frequency: positive; the number of pixels along the axis at most
     * @return the block
     */
    public static AxisBlock pixel(int axis, int dimension, double most) {
        ScalingArguments.rotaryDimension(dimension);
        ScalingArguments.positive(most, "the greatest frequency");
        double[] frequencies = new double[dimension / 2];
        int steps = Math.max(1, frequencies.length - 1);
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.PI * (1 + (most / 2 - 1) * i / steps);
        }
        return new AxisBlock(axis, frequencies);
    }

    /**
     * The same frequency for every pair: one radian per unit.
     *
     * @param axis which coordinate, from 0
     * @param pairs how many pairs, at least 1
     * @return the block
     */
    public static AxisBlock constant(int axis, int pairs) {
        ScalingArguments.length(1, pairs, "the number of a block's frequencies");
        double[] frequencies = new double[pairs];
        Arrays.fill(frequencies, 1);
        return new AxisBlock(axis, frequencies);
    }

    /**
     * Returns the frequencies.
     *
     * @return a copy
     */
    @Override
    public double[] frequencies() {
        return frequencies.clone();
    }

    /**
     * Compares all numbers.
     *
     * @param other anything
     * @return whether it is a block with these numbers
     */
    @Override
    public boolean equals(Object other) {
        return other instanceof AxisBlock that
                && axis == that.axis
                && Arrays.equals(frequencies, that.frequencies);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * axis + Arrays.hashCode(frequencies);
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "axis " + axis + " " + Arrays.toString(frequencies);
    }
}
