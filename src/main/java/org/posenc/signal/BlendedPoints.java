package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Diagonals;

/**
 * The matrix B (P, G_0 … G_{M−1}) that blends points from a virtual grid, as far as least squares
 * need it: BᵀB and BᵀS.
 *
 * <p>A row of BᵀB reaches no further than the neighbours of a grid point, 3^M of them, however many
 * points there are; so the points are looked at once, and never again in the iteration.
 */
final class BlendedPoints {

    private final Blending.Cells cells;
    private final long[] sides;
    private final int gridSize;

    /** Finds the cells of points (P, M). */
    BlendedPoints(List<Blending> blends, double[][] points) {
        sides = blends.stream().mapToLong(Blending::gridPoints).toArray();
        int reach = neighbours();
        long size = Arrays.stream(sides).reduce(1, Math::multiplyExact);
        if (size > Integer.MAX_VALUE / reach) {
            throw new IllegalArgumentException(
                    "a virtual grid may have "
                            + Integer.MAX_VALUE / reach
                            + " points in all, got "
                            + Arrays.toString(sides));
        }
        gridSize = (int) size;
        cells = Blending.cells(blends, points);
    }

    /** G_0, …, G_{M−1}. */
    long[] sides() {
        return sides.clone();
    }

    private int neighbours() {
        return (int) Math.pow(3, sides.length);
    }

    /** BᵀB, on the samples' device, float64: a diagonal for each of the 3^M neighbours. */
    Diagonals gram(NDArray samples) {
        int corners = cells.corners();
        int reach = neighbours();
        int[][] neighbour = new int[corners][corners]; // which one of corner a corner b is
        for (int a = 0; a < corners; a++) {
            for (int b = 0; b < corners; b++) {
                for (int m = sides.length - 1; m >= 0; m--) {
                    neighbour[a][b] = 3 * neighbour[a][b] + 1 + (b >> m & 1) - (a >> m & 1);
                }
            }
        }
        double[] sums = new double[reach * gridSize];
        for (int i = 0; i < cells.index().length; i += corners) {
            for (int a = 0; a < corners; a++) {
                int at = (int) cells.index()[i + a];
                double weight = cells.weight()[i + a];
                for (int b = 0; b < corners; b++) {
                    sums[neighbour[a][b] * gridSize + at] += weight * cells.weight()[i + b];
                }
            }
        }
        long[] offsets = new long[reach]; // of a neighbour's place in the grid
        for (int n = 0; n < reach; n++) {
            for (int m = 0, digit = reach / 3; m < sides.length; m++, digit /= 3) {
                offsets[n] = offsets[n] * sides[m] + n / digit % 3 - 1;
            }
        }
        NDArray values = samples.getManager().create(sums, new Shape(reach, gridSize));
        return new Diagonals(values, offsets);
    }

    /** BᵀS (G_0 … G_{M−1}, C) of samples (P, C), float64. */
    NDArray transposed(NDArray samples) {
        int channels = Math.toIntExact(samples.getShape().get(1));
        double[] s = Cast.to(samples, DataType.FLOAT64, false).toDoubleArray();
        double[] sums = new double[Math.multiplyExact(gridSize, channels)];
        for (int i = 0; i < cells.index().length; i++) {
            int from = i / cells.corners() * channels;
            int to = (int) cells.index()[i] * channels;
            for (int c = 0; c < channels; c++) {
                sums[to + c] += cells.weight()[i] * s[from + c];
            }
        }
        return samples.getManager().create(sums, new Shape(gridSize, channels));
    }
}
