package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** The Euclidean norm of many arrays taken as one vector. */
public final class GlobalNorm {

    private GlobalNorm() {}

    /**
     * Scales arrays in place by min(1, c / (‖x‖ + 10⁻⁶)), as PyTorch's {@code clip_grad_norm_}; the
     * device decides, so nothing waits for it.
     *
     * @param arrays x, on one device, at least one
     * @param limit c, positive
     * @return ‖x‖ before, a scalar to read, in the first array's manager
     * @throws IllegalArgumentException if the limit is not positive
     */
    public static NDArray limit(List<NDArray> arrays, double limit) {
        if (!(limit > 0)) {
            throw new IllegalArgumentException("the norm's limit must be positive, got " + limit);
        }
        return TorchScript.load("limit_norm").change(List.of(arrays), limit);
    }
}
