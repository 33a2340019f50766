package org.posenc.signal;

import java.util.Arrays;

/**
 * Where a signal is sampled: along axis m at from_m + i (to_m − from_m)/N_m for i = 0, …, N_m − 1,
 * the end left out.
 *
 * @param from the first coordinates, in [0, 1)
 * @param to the ends, above {@code from}, at most 1
 * @param sides N_0, …, N_{M−1}, at least 1 each
 */
public record Grid(double[] from, double[] to, int[] sides) {

    /** Copies and checks the values. */
    public Grid {
        from = from.clone();
        to = to.clone();
        sides = sides.clone();
        boolean fits = sides.length > 0 && from.length == sides.length && to.length == sides.length;
        for (int m = 0; fits && m < sides.length; m++) {
            fits = from[m] >= 0 && from[m] < to[m] && to[m] <= 1 && sides[m] >= 1;
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "a grid lies within [0, 1] along each axis and has at least one sample there,"
                            + " got "
                            + Signal.sides(sides)
                            + " samples from "
                            + Arrays.toString(from)
                            + " to "
                            + Arrays.toString(to));
        }
    }

    /**
     * The whole of a signal.
     *
     * @param sides samples along each axis
     * @return from 0 to 1 along each axis
     */
    public static Grid of(int... sides) {
        double[] to = new double[sides.length];
        Arrays.fill(to, 1);
        return new Grid(new double[sides.length], to, sides);
    }

    /**
     * Part of a signal.
     *
     * @param signal the sides of the whole signal, in its own samples
     * @param begin the part's first sample along each axis
     * @param extent the part's sides, in the signal's samples
     * @param sides how many samples to take of the part
     * @return the grid
     * @throws IllegalArgumentException if the part does not lie within the signal
     */
    public static Grid part(int[] signal, int[] begin, int[] extent, int... sides) {
        double[] from = new double[signal.length];
        double[] to = new double[signal.length];
        for (int m = 0; m < signal.length; m++) {
            if (begin.length != signal.length
                    || extent.length != signal.length
                    || begin[m] < 0
                    || extent[m] < 1
                    || begin[m] > signal[m] - extent[m]) {
                throw new IllegalArgumentException(
                        "a part must lie within the "
                                + Signal.sides(signal)
                                + " samples of the signal, got "
                                + Signal.sides(extent)
                                + " from "
                                + Arrays.toString(begin));
            }
            from[m] = (double) begin[m] / signal[m];
            to[m] = (double) (begin[m] + extent[m]) / signal[m];
        }
        return new Grid(from, to, sides);
    }

    /**
     * Returns the coordinate of a sample.
     *
     * @param axis m
     * @param sample i
     * @return a number in [0, 1)
     */
    public double coordinate(int axis, int sample) {
        // Exactly i/N for a whole signal, as training computes it.
        return from[axis] == 0 && to[axis] == 1
                ? (double) sample / sides[axis]
                : from[axis] + sample * (to[axis] - from[axis]) / sides[axis];
    }

    /** Returns a copy of the first coordinates. */
    @Override
    public double[] from() {
        return from.clone();
    }

    /** Returns a copy of the ends. */
    @Override
    public double[] to() {
        return to.clone();
    }

    /** Returns a copy of the numbers of samples. */
    @Override
    public int[] sides() {
        return sides.clone();
    }
}
