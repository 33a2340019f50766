package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/** Normalisation of vectors, fused. */
public final class Normalization {

    private Normalization() {}

    /**
     * Root mean square normalisation (<a href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich
     * 2019</a>), x / √(mean(x²) + ε) · g over the last axis, computed in float32 at least.
     *
     * @param x (…, E), float16, float32 or float64
     * @param gain g: (E), in x's type
     * @param epsilon ε
     * @param training whether gradients are to flow
     * @return (…, E), in x's type and manager
     * @throws IllegalArgumentException if the gain is not as long as the last axis
     */
    public static NDArray rootMeanSquare(
            NDArray x, NDArray gain, double epsilon, boolean training) {
        Shape shape = x.getShape();
        long size = shape.dimension() == 0 ? 0 : shape.get(shape.dimension() - 1);
        if (gain.getShape().dimension() != 1 || gain.getShape().get(0) != size) {
            throw new IllegalArgumentException(
                    "normalisation needs x (…, E) and a gain (E), got "
                            + shape
                            + " and "
                            + gain.getShape());
        }
        Map<String, Object> constants = Map.of("size", size, "epsilon", epsilon);
        return TorchScript.load("rms_norm", constants).call(training, x, gain);
    }
}
