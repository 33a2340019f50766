package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.posenc.kernel.Cast;

/** Refuses arrays that no solution can come from. */
final class FiniteNumbers {

    private FiniteNumbers() {}

    /** Refuses types other than float32 and float64, and numbers that are not finite. */
    static void check(NDArray array, String what) {
        DataType type = array.getDataType();
        if (type != DataType.FLOAT32 && type != DataType.FLOAT64) {
            throw new IllegalArgumentException(what + " must be float32 or float64, got " + type);
        }
        try (NDScope temporaries = new NDScope()) {
            NDArray finite = array.isInfinite().logicalOr(array.isNaN()).logicalNot();
            if (!finite.all().getBoolean()) {
                long at = Cast.to(finite, DataType.INT32, false).flatten().argMin().getLong();
                double value = Cast.to(array, DataType.FLOAT64, false).flatten().getDouble(at);
                throw new IllegalArgumentException(
                        what + " must be finite, got " + value + " at " + index(array, at));
            }
        }
    }

    private static List<Long> index(NDArray array, long flat) {
        Shape shape = array.getShape();
        List<Long> index = new ArrayList<>();
        long rest = flat;
        for (int axis = shape.dimension() - 1; axis >= 0; axis--) {
            index.add(0, rest % shape.get(axis));
            rest /= shape.get(axis);
        }
        return index;
    }
}
