package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import java.util.function.BinaryOperator;

/**
 * Operations of an array with a number, whose gradients are right.
 *
 * <p>DJL's {@code mul(Number)} and its kin hand libtorch a view of Java memory that is gone once
 * the garbage collector has run; where the graph has kept the number for backward, the gradient is
 * then computed with whatever stands there. Here the number is in memory of libtorch's own.
 */
public final class Scalars {

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
        try (NDArray borrowed = x.getManager().create(n);
                NDArray owned = borrowed.duplicate()) {
            return operation.apply(x, owned);
        }
    }
}
