package org.posenc.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;

/**
 * A square matrix A of which few diagonals are not 0, A[i, i + o_j] = d[j, i].
 *
 * @param values d (J, N); what would stand outside the matrix must be 0
 * @param offsets o_j (J), above −N and below N
 */
public record Diagonals(NDArray values, long[] offsets) {

    /** Columns that fit into a cache with what they are added up from. */
    private static final int BLOCK = 8192;

    /** Checks the shape. */
    public Diagonals {
        Shape shape = values.getShape();
        if (shape.dimension() != 2 || shape.get(0) != offsets.length) {
            throw new IllegalArgumentException(
                    "the values of " + offsets.length + " diagonals must be (J, N), got " + shape);
        }
        offsets = offsets.clone();
    }

    /**
     * Multiplies vectors, A x, without gradients.
     *
     * @param x (C, N), C vectors in the values' type
     * @return (C, N), in x's manager
     * @throws IllegalArgumentException if the vectors have another length
     */
    public NDArray times(NDArray x) {
        Shape shape = x.getShape();
        if (shape.dimension() != 2 || shape.get(1) != values.getShape().get(1)) {
            throw new IllegalArgumentException(
                    "diagonals " + values.getShape() + " are multiplied with (C, N), got " + shape);
        }
        long reach = Arrays.stream(offsets).map(Math::abs).max().orElse(0);
        long block = x.getDevice().isGpu() ? Math.max(1, shape.get(1)) : BLOCK;
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                NDArray places = host.create(offsets)) {
            return TorchScript.load("diagonals", Map.of("reach", reach, "block", block))
                    .call(false, x, values, places);
        }
    }

    /** {@inheritDoc} */
    @Override
    public long[] offsets() {
        return offsets.clone();
    }
}
