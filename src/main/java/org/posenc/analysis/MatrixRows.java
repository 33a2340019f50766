package org.posenc.analysis;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/** The one way an array becomes a matrix here: its last axis are the columns, all others rows. */
final class MatrixRows {

    private MatrixRows() {}

    /** Returns (…, D) as (N, D), a view; a vector is one column. */
    static NDArray of(NDArray x) {
        Shape shape = x.getShape();
        if (shape.size() == 0 || shape.dimension() == 0) {
            throw new IllegalArgumentException("a matrix must not be empty, got shape " + shape);
        }
        long columns = shape.dimension() == 1 ? 1 : shape.get(shape.dimension() - 1);
        return x.reshape(shape.size() / columns, columns);
    }

    /** Returns the squares' sum in float64, and refuses what is not a number. */
    static double squaredNorm(NDArray x) {
        double norm = x.toType(DataType.FLOAT64, false).square().sum().getDouble();
        if (!Double.isFinite(norm)) {
            throw new IllegalArgumentException(
                    "a matrix must have finite elements, their squares sum to " + norm);
        }
        return norm;
    }
}
