package org.posenc.encoding.rope;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.posenc.encoding.Positions;

/**
 * The points of a grid's tokens (patches of an image, voxels), row by row: the last axis runs
 * fastest. An image's coordinates are (row, column).
 */
public final class GridPoints {

    private final double[][] coordinates; // those along each axis
    private final int[] sides;
    private final int before;
    private final int after;

    private GridPoints(double[][] coordinates, int[] sides, int before, int after) {
        this.coordinates = coordinates;
        this.sides = sides;
        this.before = before;
        this.after = after;
    }

    /**
     * Coordinates 0, 1, …, n − 1 along each axis.
     *
     * @param sizes n of each axis, at least 1: height and width of an image, in patches
     * @return the points
     */
    public static GridPoints counted(int... sizes) {
        return along(sizes, n -> i -> i);
    }

    /**
     * Coordinates from −1 to 1 along each axis, both included, in equal steps.
     *
     * @param sizes n of each axis, at least 1; one token alone has coordinate −1
     * @return the points
     */
    public static GridPoints spanning(int... sizes) {
        return along(sizes, n -> i -> n == 1 ? -1 : -1 + 2.0 * i / (n - 1));
    }

    /**
     * The centres of n equal parts of [−1, 1] along each axis, (2i + 1)/n − 1.
     *
     * @param sizes n of each axis, at least 1
     * @return the points
     */
    public static GridPoints centres(int... sizes) {
        return along(sizes, n -> i -> (2.0 * i + 1) / n - 1);
    }

    private interface Axis {
        IntToDoubleFunction of(int size);
    }

    private static GridPoints along(int[] sizes, Axis axis) {
        if (sizes.length == 0) {
            throw new IllegalArgumentException("a grid needs at least one axis, got none");
        }
        double[][] coordinates = new double[sizes.length][];
        for (int a = 0; a < sizes.length; a++) {
            ScalingArguments.length(1, sizes[a], "a grid's size");
            coordinates[a] = new double[sizes[a]];
            Arrays.setAll(coordinates[a], axis.of(sizes[a]));
        }
        int[] whole = new int[sizes.length];
        Arrays.fill(whole, 1);
        return new GridPoints(coordinates, whole, 0, 0);
    }

    /**
     * Returns the grid moved along its axes.
     *
     * @param offsets what is added to the coordinates of each axis
     * @return new points
     */
    public GridPoints shifted(double... offsets) {
        checkAxes(offsets.length, "offsets");
        double[][] moved = new double[coordinates.length][];
        for (int a = 0; a < moved.length; a++) {
            double offset = offsets[a];
            moved[a] = Arrays.stream(coordinates[a]).map(x -> x + offset).toArray();
        }
        return new GridPoints(moved, sides, before, after);
    }

    /**
     * Returns the grid with its tokens in another order: block by block, and row by row in each
     * (Qwen2-VL's patches come in blocks of 2 × 2, which it merges).
     *
     * @param sides the size of a block along each axis, which divides the grid's
     * @return new points
     */
    public GridPoints inBlocks(int... sides) {
        checkAxes(sides.length, "sides of a block");
        for (int a = 0; a < sides.length; a++) {
            if (sides[a] < 1 || coordinates[a].length % sides[a] != 0) {
                throw new IllegalArgumentException(
                        "a block's side must divide the grid's size of "
                                + coordinates[a].length
                                + ", got "
                                + sides[a]);
            }
        }
        return new GridPoints(coordinates, sides.clone(), before, after);
    }

    /**
     * Returns the grid with tokens beside it that are not turned (class tokens, registers), their
     * points being zeros.
     *
     * @param before how many stand before the grid
     * @param after how many stand after it
     * @return new points
     */
    public GridPoints withUnturned(int before, int after) {
        ScalingArguments.length(0, before, "the number of tokens before a grid");
        ScalingArguments.length(0, after, "the number of tokens after a grid");
        return new GridPoints(coordinates, sides, before, after);
    }

    private void checkAxes(int given, String what) {
        if (given != coordinates.length) {
            throw new IllegalArgumentException(
                    "a grid of "
                            + coordinates.length
                            + " axes has as many "
                            + what
                            + ", got "
                            + given);
        }
    }

    /**
     * Returns the points.
     *
     * @return T rows of M coordinates
     */
    public double[][] points() {
        int axes = coordinates.length;
        int tokens = 1;
        for (double[] each : coordinates) {
            tokens = Math.multiplyExact(tokens, each.length);
        }
        double[][] points = new double[Math.addExact(tokens, before + after)][axes];
        for (int t = 0; t < tokens; t++) {
            int rest = t;
            int[] index = new int[axes];
            for (int a = axes - 1; a >= 0; a--) { // within the block
                index[a] = rest % sides[a];
                rest /= sides[a];
            }
            for (int a = axes - 1; a >= 0; a--) { // the block
                int blocks = coordinates[a].length / sides[a];
                index[a] += rest % blocks * sides[a];
                rest /= blocks;
            }
            for (int a = 0; a < axes; a++) {
                points[before + t][a] = coordinates[a][index[a]];
            }
        }
        return points;
    }

    /**
     * Returns the points as positions that all rows of a batch share.
     *
     * @param manager owns the array
     * @return (T, M), float64
     */
    public Positions positions(NDManager manager) {
        double[][] points = points();
        double[] flat = Arrays.stream(points).flatMapToDouble(Arrays::stream).toArray();
        return Positions.points(manager.create(flat, new Shape(points.length, coordinates.length)));
    }
}
