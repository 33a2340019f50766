package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;

/** A change of data type through which gradients flow; DJL's own {@code toType} cuts them. */
public final class Cast {

    private Cast() {}

    /**
     * Returns an array in another data type.
     *
     * @param x any shape
     * @param type the type wanted
     * @param training whether gradients are to flow
     * @return the array itself where it has the type already, else a new one in its manager
     * @throws IllegalArgumentException if either type cannot pass from DJL to PyTorch (bfloat16)
     */
    public static NDArray to(NDArray x, DataType type, boolean training) {
        if (x.getDataType() == type) {
            return x;
        }
        Map<String, Integer> constants = Map.of("type", LibtorchTypes.number(type));
        return TorchScript.load("cast", constants).call(training, x);
    }

    /**
     * Returns float64 values in another data type, those of magnitudes up to 10⁻²⁰ as 0 unless the
     * type is float64. Products of so small a float32 with another, or with a gradient, are
     * denormal numbers, on which a CPU takes many times as long; the tails of a Gaussian are full
     * of them.
     *
     * @param x any shape, float64
     * @param type the type wanted
     * @param training whether gradients are to flow; those of what became 0 are 0
     * @return the array itself for float64, else a new one in its manager
     * @throws IllegalArgumentException if the type cannot pass from DJL to PyTorch (bfloat16)
     */
    public static NDArray withoutTails(NDArray x, DataType type, boolean training) {
        if (type == DataType.FLOAT64) {
            return x;
        }
        Map<String, Number> constants = Map.of("type", LibtorchTypes.number(type), "least", 1e-20);
        return TorchScript.load("narrow", constants).call(training, x);
    }
}
