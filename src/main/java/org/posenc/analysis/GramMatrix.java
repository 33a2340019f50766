package org.posenc.analysis;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.posenc.kernel.SingularValues;

/** Inner products of embeddings: a symmetric matrix without negative eigenvalues. */
final class GramMatrix {

    private GramMatrix() {}

    /** Returns the largest eigenvalue of a matrix that is given row by row. */
    static double largestEigenvalue(double[] matrix, int size) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            return SingularValues.of(manager.create(matrix, new Shape(size, size)), false)
                    .getDouble(0);
        }
    }
}
