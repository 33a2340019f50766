package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/** Features at points between the corners of several grids, fused: one gather, one product. */
public final class GridInterpolation {

    private GridInterpolation() {}

    /**
     * Interpolates linearly along each axis. On level l a point x of [0, 1]^M lies in a cell of the
     * grid of N_l cells a side; the corner c ∈ {0, …, N_l}^M of a cell has the row first_l + Σ_m
     * c_m stride_lm of the table or, on hashed levels, first_l + ((c_0 stride_l0) xor (c_1
     * stride_l1) xor …) mod T, with products and xor in 32 bits without sign.
     *
     * @param x (P, M), float32 or float64; coordinates beyond [0, 1] are those of the nearest edge
     * @param table (R, F), in x's type
     * @param sides N, (L), in x's type
     * @param strides (L, M), whole numbers in float64
     * @param first (L), whole numbers in float64
     * @param numbered how many levels, the first ones, are not hashed
     * @param buckets T, at least 1
     * @param training whether gradients are to flow, to x and to the table
     * @return (P, L·F), level after level, in x's type and manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray of(
            NDArray x,
            NDArray table,
            NDArray sides,
            NDArray strides,
            NDArray first,
            int numbered,
            int buckets,
            boolean training) {
        Shape points = x.getShape();
        Shape levels = sides.getShape();
        boolean fits =
                points.dimension() == 2
                        && table.getShape().dimension() == 2
                        && levels.dimension() == 1
                        && strides.getShape().equals(levels.add(points.get(1)))
                        && first.getShape().equals(levels);
        if (!fits) {
            throw new IllegalArgumentException(
                    "grids need points (P, M), a table (R, F), sides (L), strides (L, M) and first"
                            + " rows (L), got "
                            + points
                            + ", "
                            + table.getShape()
                            + ", "
                            + levels
                            + ", "
                            + strides.getShape()
                            + " and "
                            + first.getShape());
        }
        Map<String, Integer> constants = Map.of("numbered", numbered, "buckets", buckets);
        return TorchScript.load("grid_interpolation", constants)
                .call(training, x, table, sides, strides, first);
    }
}
