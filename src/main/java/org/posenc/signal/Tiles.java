package org.posenc.signal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Overlapping blocks of equal sides that cover a signal, for one that is too large to be fitted as
 * a whole.
 *
 * <p>In the middle of where two tiles overlap, over half the overlap's length, the weight of the
 * second rises from 0 to 1 as t² (3 − 2t), and the first has the rest. What is nearer to a tile's
 * edge counts nothing, because the tile's fit knows nothing of what lies beyond. A point's weight
 * in a tile is the product over the axes, so that the weights of all tiles sum to 1 at every point,
 * between the samples too.
 *
 * @param sides the signal's, (N_0, …, N_{M−1})
 * @param tile the sides of a tile, at most the signal's
 * @param overlap the least number of samples that neighbours share, at most half a tile
 * @param step tiles begin at its multiples, so that to take every {@code step}-th sample is the
 *     same in each tile and in the signal
 */
public record Tiles(int[] sides, int[] tile, int overlap, int step) {

    /** A seam that is to stay invisible needs so many samples. */
    public static final int OVERLAP = 32;

    /** Copies and checks the values. */
    public Tiles {
        sides = sides.clone();
        tile = tile.clone();
        boolean fits = sides.length > 0 && tile.length == sides.length && overlap >= 0 && step >= 1;
        for (int m = 0; fits && m < sides.length; m++) {
            fits = tile[m] >= 1 && tile[m] <= sides[m];
            if (fits && tile[m] < sides[m]) {
                fits = overlap >= 4 && 2L * (overlap + step) <= tile[m];
                fits &= (sides[m] - tile[m]) % step == 0;
            }
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "tiles must have the signal's side or, where they have less, overlap by at"
                            + " least 4 samples, be at least twice as long as overlap and step"
                            + " together and end with the signal after a number of steps; got"
                            + " tiles of "
                            + Signal.sides(tile)
                            + " that overlap by "
                            + overlap
                            + " in steps of "
                            + step
                            + " for a signal of "
                            + Signal.sides(sides));
        }
    }

    /**
     * A signal as one tile.
     *
     * @param sides the signal's
     * @return the whole signal
     */
    public static Tiles whole(int... sides) {
        return new Tiles(sides, sides, 0, 1);
    }

    /**
     * Tiles of at most a side.
     *
     * @param sides the signal's
     * @param longest the longest side of a tile
     * @param step see {@link #step}
     * @return tiles that overlap by {@link #OVERLAP} samples, or one tile if the signal is no
     *     longer
     * @throws IllegalArgumentException if the longest side is too short for the overlap
     */
    public static Tiles of(int[] sides, int longest, int step) {
        int[] tile = new int[sides.length];
        for (int m = 0; m < tile.length; m++) {
            int rest = (sides[m] - longest) % step;
            tile[m] = sides[m] <= longest ? sides[m] : longest - (rest == 0 ? 0 : step - rest);
        }
        return Arrays.equals(tile, sides) ? whole(sides) : new Tiles(sides, tile, OVERLAP, step);
    }

    /** Returns a copy of the signal's sides. */
    @Override
    public int[] sides() {
        return sides.clone();
    }

    /** Returns a copy of a tile's sides. */
    @Override
    public int[] tile() {
        return tile.clone();
    }

    /**
     * Returns the number of tiles.
     *
     * @return at least 1
     */
    public int count() {
        long count = 1;
        for (int m = 0; m < sides.length; m++) {
            count *= along(m);
            if (count > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("there are more than 2³¹ tiles");
            }
        }
        return (int) count;
    }

    /** Returns the number of tiles along an axis. */
    private int along(int m) {
        int advance = (tile[m] - overlap) / step * step;
        return tile[m] == sides[m] ? 1 : 1 + (sides[m] - tile[m] + advance - 1) / advance;
    }

    /**
     * Returns the first sample of the k-th tile along an axis; the last tile ends with the axis.
     */
    private int begin(int m, int k) {
        int tiles = along(m);
        if (k == tiles - 1) {
            return sides[m] - tile[m];
        }
        return (int) ((long) k * (sides[m] - tile[m]) / (tiles - 1)) / step * step;
    }

    /** Returns which tile along each axis the tile of a running number is. */
    private int[] place(int number) {
        int[] place = new int[sides.length];
        int rest = number;
        for (int m = sides.length - 1; m >= 0; m--) {
            place[m] = rest % along(m);
            rest /= along(m);
        }
        return place;
    }

    /**
     * Returns where a tile begins.
     *
     * @param number the tile's, from 0, row-major
     * @return its first sample along each axis
     */
    public int[] from(int number) {
        int[] from = place(number);
        for (int m = 0; m < from.length; m++) {
            from[m] = begin(m, from[m]);
        }
        return from;
    }

    /**
     * Cuts a signal up.
     *
     * @param signal of these sides
     * @return the tiles, row-major
     * @throws IllegalArgumentException if the signal has other sides
     */
    public List<Signal> cut(Signal signal) {
        requireOf(signal);
        List<Signal> parts = new ArrayList<>();
        for (int number = 0; number < count(); number++) {
            parts.add(signal.part(from(number), tile));
        }
        return parts;
    }

    /** Refuses a signal of other sides. */
    void requireOf(Signal signal) {
        if (!Arrays.equals(signal.sides(), sides)) {
            throw new IllegalArgumentException(
                    "the tiles are of a signal of " + Signal.sides(sides) + ", got " + signal);
        }
    }

    /**
     * Returns how much a tile counts along an axis.
     *
     * @param number the tile's
     * @param axis m
     * @param coordinate in [0, 1)
     * @return a number in [0, 1]; 0 beyond the tile
     */
    public double weight(int number, int axis, double coordinate) {
        int k = place(number)[axis];
        double sample = coordinate * sides[axis];
        double weight = 1;
        if (k > 0) {
            weight *= rise(axis, k, sample);
        }
        if (k < along(axis) - 1) {
            weight *= 1 - rise(axis, k + 1, sample);
        }
        return weight;
    }

    /** Returns the weight of the k-th tile against the one before it. */
    private double rise(int m, int k, double sample) {
        double middle = (begin(m, k) + begin(m, k - 1) + tile[m]) / 2.0;
        double t = Math.min(1, Math.max(0, 0.5 + (sample - middle) / (overlap / 2.0)));
        return t * t * (3 - 2 * t);
    }

    /**
     * Returns a coordinate of the signal as one of the tile.
     *
     * @param number the tile's
     * @param axis m
     * @param coordinate of the signal, in [0, 1)
     * @return in [0, 1) within the tile
     */
    public double local(int number, int axis, double coordinate) {
        if (along(axis) == 1) {
            return coordinate;
        }
        return (coordinate * sides[axis] - begin(axis, place(number)[axis])) / tile[axis];
    }
}
