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
}
