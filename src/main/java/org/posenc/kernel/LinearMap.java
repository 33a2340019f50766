package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import java.util.HashMap;
import java.util.Map;

/**
 * Products of vectors with a matrix, and with a matrix to which one of low rank is added, in the
 * thread's {@link Precision}.
 */
public final class LinearMap {

    private LinearMap() {}

    /**
     * Returns x Wᵀ + b.
     *
     * @param x (…, I)
     * @param weight W: (O, I), in x's type
     * @param bias b: (O), or {@code null}
     * @param training whether gradients are to flow
     * @return (…, O), in x's manager
     */
    public static NDArray apply(NDArray x, NDArray weight, NDArray bias, boolean training) {
        if (!Precision.current().narrows(x.getDataType())) {
            return Linear.linear(x, weight, bias).head();
        }
        Map<String, Object> constants = Precision.current().types(x.getDataType());
        NDArray y = TorchScript.load("linear", constants).call(training, x, weight);
        return bias == null ? y : y.add(bias);
    }

    /**
     * Returns x Wᵀ + b + s · dropout(x) Aᵀ Bᵀ (<a href="https://arxiv.org/abs/2106.09685">Hu et al.
     * 2021</a>, eq. 3).
     *
     * @param x (…, I)
     * @param weight W: (O, I), in x's type
     * @param bias b: (O), or {@code null}
     * @param down A: (r, I), in x's type
     * @param up B: (O, r), in x's type
     * @param scale s
     * @param dropout how often an element of x is dropped where it meets A, in [0, 1)
     * @param training whether gradients flow and dropout acts
     * @return (…, O), in x's manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray adapted(
            NDArray x,
            NDArray weight,
            NDArray bias,
            NDArray down,
            NDArray up,
            double scale,
            double dropout,
            boolean training) {
        Shape w = weight.getShape();
        Shape a = down.getShape();
        Shape b = up.getShape();
        boolean fits =
                w.dimension() == 2
                        && a.dimension() == 2
                        && b.dimension() == 2
                        && a.get(1) == w.get(1)
                        && b.get(0) == w.get(0)
                        && a.get(0) == b.get(1);
        if (!fits) {
            throw new IllegalArgumentException(
                    "a weight (O, I) is adapted by A (r, I) and B (O, r), got "
                            + w
                            + ", "
                            + a
                            + " and "
                            + b);
        }
        Map<String, Object> constants = new HashMap<>(Precision.current().types(x.getDataType()));
        constants.put("scale", scale);
        constants.put("dropout", training ? dropout : 0.0);
        NDArray y = TorchScript.load("lora_linear", constants).call(training, x, weight, down, up);
        return bias == null ? y : y.add(bias);
    }
}
