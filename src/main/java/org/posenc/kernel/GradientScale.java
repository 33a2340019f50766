package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** The way back from gradients of a scaled loss, in one native call. */
public final class GradientScale {

    private GradientScale() {}

    /**
     * Divides arrays by a number in place, and looks whether all of them are finite.
     *
     * @param arrays float32, on one device
     * @param scale the number, not 0
     * @return whether every element of every array is finite; reading it waits for the device
     */
    public static boolean divide(List<NDArray> arrays, double scale) {
        try (NDArray found = TorchScript.load("divide_finite").change(List.of(arrays), 1 / scale)) {
            return found.getFloat() == 0;
        }
    }
}
