package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/**
 * Rotates pairs of components by given angles. The rotation is computed in float32 at least,
 * whatever the type of the array.
 */
public final class Rotation {

    /** Elements from which an array is worth turning block by block: it fills most caches. */
    private static final long LARGE = 1 << 20;

    /**
     * Elements of a block for each thread: with its result 768 KB, which a core's own cache has.
     */
    private static final long BLOCK = 3 << 15;

    private Rotation() {}

    /**
     * Rotates the pairs (x₂ᵢ, x₂ᵢ₊₁): one complex product, near the speed of a copy.
     *
     * @param x (…, T, 2r)
     * @param table cosines and sines (…, T, r, 2), float32 (float64 for a float64 {@code x}),
     *     broadcasting to x
     * @param training whether gradients are to flow
     * @return (…, T, 2r), in x's type and manager
     * @throws IllegalArgumentException if the last axes do not fit together
     */
    public static NDArray interleaved(NDArray x, NDArray table, boolean training) {
        return rotate("rotate_interleaved", x, table, training);
    }

    /**
     * Rotates the pairs (xᵢ, xᵢ₊ᵣ). They lie apart in memory, so this costs twice the interleaved
     * form, and three times with gradients.
     *
     * @param x (…, T, 2r)
     * @param table cosines and sines (…, T, r, 2), float32 (float64 for a float64 {@code x}),
     *     broadcasting to x
     * @param training whether gradients are to flow
     * @return (…, T, 2r), in x's type and manager
     * @throws IllegalArgumentException if the last axes do not fit together
     */
    public static NDArray halfSplit(NDArray x, NDArray table, boolean training) {
        // A small array costs no more than the calls it takes, of which the other form has fewer.
        boolean blocks = !training && (x.getDevice().isGpu() || x.size() >= LARGE);
        return rotate(blocks ? "rotate_half_blocks" : "rotate_half", x, table, training);
    }

    /**
     * Returns the type of the cosines and sines for arrays of a type.
     *
     * @param type the type of the array to rotate
     * @return float64 for float64, else float32
     */
    public static DataType tableType(DataType type) {
        return LibtorchTypes.wide(type);
    }

    private static NDArray rotate(String kernel, NDArray x, NDArray table, boolean training) {
        Shape a = x.getShape();
        Shape b = table.getShape();
        int n = b.dimension();
        if (n < 2 || b.get(n - 1) != 2 || a.get(a.dimension() - 1) != 2 * b.get(n - 2)) {
            throw new IllegalArgumentException(
                    "rotation needs (…, T, 2r) and a table (…, T, r, 2), got " + a + " and " + b);
        }
        DataType compute = tableType(x.getDataType());
        if (table.getDataType() != compute) {
            throw new IllegalArgumentException(
                    "the table must be " + compute + ", got " + table.getDataType());
        }
        Map<String, Long> constants =
                Map.of(
                        "compute",
                        (long) LibtorchTypes.number(compute),
                        "type",
                        (long) LibtorchTypes.number(x.getDataType()),
                        "block",
                        x.getDevice().isGpu()
                                ? Long.MAX_VALUE
                                : BLOCK * Autograd.operationThreads());
        return TorchScript.load(kernel, constants).call(training, x, table);
    }
}
