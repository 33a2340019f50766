package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;

/**
 * The order of a projection's rows that turns weights made for one {@link RotaryLayout} into
 * weights for another, in which every score is the same.
 *
 * <p>Row j of a head in the half-split layout is row 2j of the interleaved one for j &lt; d/2, and
 * row 2(j − d/2) + 1 for d/2 ≤ j &lt; d; rows from the rotary dimension d on stay. It is applied to
 * the queries' and the keys' projections: weights (H·D, E), biases (H·D), the rows of LoRA's B
 * (H·D, rank), and gains (D) of a normalisation of queries or keys, as those of one head. Values
 * and outputs stay as they are.
 */
public final class LayoutPermutation {

    private final int[] sources;

    private LayoutPermutation(int[] sources) {
        this.sources = sources;
    }

    /**
     * A permutation of the rows of all heads.
     *
     * @param heads H: of queries, or the fewer ones of keys
     * @param headDimension D
     * @param rotaryDimension d, even, at most D
     * @param from the layout that the rows have
     * @param to the layout wanted
     * @return the permutation; the identity where both are the same
     * @throws IllegalArgumentException if a number is out of its range
     */
    public static LayoutPermutation of(
            int heads, int headDimension, int rotaryDimension, RotaryLayout from, RotaryLayout to) {
        ScalingArguments.length(1, heads, "heads");
        ScalingArguments.rotaryDimension(rotaryDimension);
        ScalingArguments.length(rotaryDimension, headDimension, "the head dimension");
        int[] sources = new int[Math.multiplyExact(heads, headDimension)];
        for (int row = 0; row < sources.length; row++) {
            int j = row % headDimension;
            sources[row] =
                    j < rotaryDimension ? row - j + moved(j, rotaryDimension, from, to) : row;
        }
        return new LayoutPermutation(sources);
    }

    /** Where component j of one layout stands in the other. */
    private static int moved(int j, int d, RotaryLayout from, RotaryLayout to) {
        if (from == to) {
            return j;
        }
        return from == RotaryLayout.INTERLEAVED
                ? 2 * (j % (d / 2)) + j / (d / 2)
                : j / 2 + j % 2 * (d / 2);
    }

    /**
     * Returns where each row comes from.
     *
     * @return row i of the result is row {@code sources()[i]} of what is permuted; a copy
     */
    public int[] sources() {
        return sources.clone();
    }

    /**
     * Returns the permutation back.
     *
     * @return its inverse
     */
    public LayoutPermutation inverse() {
        int[] inverse = new int[sources.length];
        for (int row = 0; row < sources.length; row++) {
            inverse[sources[row]] = row;
        }
        return new LayoutPermutation(inverse);
    }

    /**
     * Permutes rows.
     *
     * @param rows (H·D, …), of any type; no gradients flow
     * @return a new array of the same shape and type, in the rows' manager
     * @throws IllegalArgumentException if there is another number of rows
     */
    public NDArray apply(NDArray rows) {
        if (rows.getShape().dimension() == 0) {
            throw new IllegalArgumentException("there are no rows in a single number");
        }
        checkRows(rows.getShape().get(0));
        long[] order = Arrays.stream(sources).asLongStream().toArray();
        try (NDArray index = rows.getManager().create(order)) {
            return rows.get(index);
        }
    }

    /**
     * Permutes rows.
     *
     * @param rows H·D rows of one length, one after the other
     * @return a new array
     * @throws IllegalArgumentException if the length is no multiple of the number of rows
     */
    public float[] apply(float[] rows) {
        int width = rows.length / sources.length;
        if (width == 0 || rows.length % sources.length != 0) {
            throw new IllegalArgumentException(
                    "a permutation of "
                            + sources.length
                            + " rows does not fit "
                            + rows.length
                            + " numbers");
        }
        float[] permuted = new float[rows.length];
        for (int row = 0; row < sources.length; row++) {
            System.arraycopy(rows, sources[row] * width, permuted, row * width, width);
        }
        return permuted;
    }

    private void checkRows(long rows) {
        if (rows != sources.length) {
            throw new IllegalArgumentException(
                    "a permutation of " + sources.length + " rows does not fit " + rows + " rows");
        }
    }
}
