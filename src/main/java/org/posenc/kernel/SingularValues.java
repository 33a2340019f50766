package org.posenc.kernel;

import ai.djl.ndarray.NDArray;

/** Singular values, which DJL has no function for. */
public final class SingularValues {

    private SingularValues() {}

    /**
     * Returns the singular values of a matrix, or of each matrix of a batch.
     *
     * @param x (…, m, n), float32 or float64
     * @param training whether gradients are to flow; they are finite where the values are distinct
     * @return (…, min(m, n)), in descending order
     * @throws IllegalArgumentException if the array has fewer than two axes, or another type
     */
    public static NDArray of(NDArray x, boolean training) {
        if (x.getShape().dimension() < 2) {
            throw new IllegalArgumentException(
                    "singular values need a matrix (…, m, n), got shape " + x.getShape());
        }
        switch (x.getDataType()) {
            case FLOAT32, FLOAT64 -> {}
            default ->
                    throw new IllegalArgumentException(
                            "singular values need float32 or float64, got " + x.getDataType());
        }
        return TorchScript.load("singular_values").call(training, x);
    }
}
