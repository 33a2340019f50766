package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/** Sums of a few rows of a matrix each, with weights: interpolation between samples of a grid. */
public final class WeightedRows {

    private WeightedRows() {}

    /**
     * Returns y_p = Σ_j w_pj x[r_pj]. No copy of the rows on the way is kept.
     *
     * @param x (G, U)
     * @param rows r, (P, J), int64, in [0, G)
     * @param weights w, (P, J), in x's type
     * @param training whether gradients are to flow, to x and to the weights
     * @return (P, U), in x's type and manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray of(NDArray x, NDArray rows, NDArray weights, boolean training) {
        Shape r = rows.getShape();
        boolean fits =
                x.getShape().dimension() == 2 && r.dimension() == 2 && weights.getShape().equals(r);
        if (!fits) {
            throw new IllegalArgumentException(
                    "weighted rows need a matrix (G, U), rows (P, J) and as many weights, got "
                            + x.getShape()
                            + ", "
                            + r
                            + " and "
                            + weights.getShape());
        }
        return TorchScript.load("weighted_rows").call(training, x, rows, weights);
    }
}
