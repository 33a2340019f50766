package org.posenc.analysis;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import org.posenc.kernel.Scalars;

/** How alike an encoding makes each two positions: S_ij = x_i·x_j / (‖x_i‖ ‖x_j‖). */
public final class PositionSimilarity {

    private PositionSimilarity() {}

    /**
     * Returns the normalised inner products of a matrix' rows.
     *
     * @param x (…, D): the last axis are the columns, all others rows
     * @return N × N numbers in [−1, 1]; 0 in the row and column of a row of zeros
     * @throws IllegalArgumentException if the matrix is empty or has elements that are not finite
     */
    public static double[][] of(NDArray x) {
        try (NDManager scope = NDManager.subManagerOf(x)) {
            NDArray rows = MatrixRows.of(x);
            rows.attach(scope);
            MatrixRows.squaredNorm(rows);
            NDArray wide = rows.toType(DataType.FLOAT64, false);
            NDArray norms = wide.square().sum(new int[] {1}, true).sqrt(); // (N, 1)
            NDArray unit = wide.div(Scalars.maximum(norms, Double.MIN_NORMAL)); // (N, D)
            return table(unit.matMul(unit.transpose()));
        }
    }

    /** Copies a matrix (N, D) of float64 to Java. */
    static double[][] table(NDArray matrix) {
        int rows = Math.toIntExact(matrix.getShape().get(0));
        int columns = Math.toIntExact(matrix.getShape().get(1));
        double[] flat = matrix.toDoubleArray();
        double[][] table = new double[rows][columns];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(flat, i * columns, table[i], 0, columns);
        }
        return table;
    }
}
