package org.posenc.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.function.BinaryOperator;

/**
 * Operations of an array with a number, whose gradients are right.
 *
 * <p>DJL's {@code mul(Number)} and its kin hand libtorch a view of Java memory that is gone once
 * the garbage collector has run; where the graph has kept the number for backward, the gradient is
 * then computed with whatever stands there. Here the number is in memory of libtorch's own.
 */
public final class Scalars {

    private static final NDManager HOST = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    private Scalars() {}

    /**
     * Returns x · n.
     *
     * @param x any shape
     * @param n any number
     * @return a new array in x's type and manager
     */
    public static NDArray mul(NDArray x, double n) {
        return apply(x, n, NDArray::mul);
    }

    /**
     * Computes x ← x · n, in place.
     *
     * @param x any shape, not of a graph
     * @param n any number
     * @return x
     */
    public static NDArray muli(NDArray x, double n) {
        return apply(x, n, NDArray::muli);
    }

    /**
     * Returns x / n.
     *
     * @param x any shape
     * @param n any number
     * @return a new array in x's type and manager
     */
    public static NDArray div(NDArray x, double n) {
        return apply(x, n, NDArray::div);
    }

    /**
     * Returns min(x, n).
     *
     * @param x any shape
     * @param n any number
     * @return a new array in x's type and manager
     */
    public static NDArray minimum(NDArray x, double n) {
        return apply(x, n, NDArray::minimum);
    }

    /**
     * Returns max(x, n).
     *
     * @param x any shape
     * @param n any number
     * @return a new array in x's type and manager
     */
    public static NDArray maximum(NDArray x, double n) {
        return apply(x, n, NDArray::maximum);
    }

    private static NDArray apply(NDArray x, double n, BinaryOperator<NDArray> operation) {
        // A single number may stay on the host whatever the array's device is; a copy of it to a
        // GPU would wait for all the work queued there.
        boolean single = x.getShape().dimension() == 0; // whose type would give way to float64
        DataType type = single ? x.getDataType() : DataType.FLOAT64;
        try (NDArray borrowed = HOST.create(n);
                NDArray typed = borrowed.toType(type, false);
                NDArray owned = typed.duplicate()) {
            return operation.apply(x, owned);
        }
    }
}
