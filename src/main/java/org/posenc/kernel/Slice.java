package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.util.List;
import java.util.Map;

/**
 * Stretches of arrays that are kept from one call to the next: read without a copy, written in
 * place.
 */
public final class Slice {

    private Slice() {}

    /**
     * Copies a part into a buffer in place. No gradient is recorded.
     *
     * @param buffer the array that is changed
     * @param axis along which the part is put
     * @param at where it begins on this axis
     * @param part as large as the buffer on all other axes, of its type or one that is cast to it
     * @throws IllegalArgumentException if a type cannot pass from DJL to PyTorch (bfloat16)
     */
    public static void write(NDArray buffer, int axis, long at, NDArray part) {
        TorchScript.load("write_slice", Map.of("axis", axis))
                .change(List.of(List.of(buffer), List.of(part)), at)
                .close();
    }

    /**
     * Returns a stretch of a buffer that shares its memory.
     *
     * @param manager owns the view
     * @param buffer any array
     * @param axis the axis
     * @param to where the stretch ends on this axis; it begins at 0
     * @return the view; what is written to the buffer later is seen in it
     */
    public static NDArray first(NDManager manager, NDArray buffer, int axis, long to) {
        return buffer.get(manager, new NDIndex().addAllDim(axis).addSliceDim(0, to));
    }

    /**
     * Returns a stretch that shares an array's memory; gradients flow through it.
     *
     * @param x any array
     * @param axis the axis
     * @param from where the stretch begins on this axis
     * @param to where it ends, one more than the last
     * @return the view, in x's manager
     */
    public static NDArray range(NDArray x, int axis, long from, long to) {
        return x.get(new NDIndex().addAllDim(axis).addSliceDim(from, to));
    }

    /**
     * Returns rows in another order, with repetitions or without some of them.
     *
     * @param x (B, …)
     * @param rows (R), int64, in [0, B), on x's device
     * @return (R, …), in x's manager
     */
    public static NDArray rows(NDArray x, NDArray rows) {
        return TorchScript.load("select_rows").call(false, x, rows);
    }
}
