package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;

/**
 * The linear map y = x Wᵀ + b, or one to which a pair of low rank is added (<a
 * href="https://arxiv.org/abs/2106.09685">Hu et al. 2021</a>, eq. 3): y = x Wᵀ + b + s · dropout(x)
 * Aᵀ Bᵀ. It is computed in the thread's {@link Precision}.
 *
 * @param weight W: (O, I)
 * @param bias b: (O), or {@code null}
 * @param pair A, B and s, or {@code null}
 */
public record LinearMap(NDArray weight, NDArray bias, Pair pair) {

    /**
     * What is added to W: s B A.
     *
     * @param down A: (r, I)
     * @param up B: (O, r)
     * @param scale s
     * @param dropout how often an element of x is dropped where it meets A in training, in [0, 1)
     */
    public record Pair(NDArray down, NDArray up, double scale, double dropout) {}

    /** Checks that the shapes fit together. */
    public LinearMap {
        if (pair != null && !fits(weight.getShape(), pair)) {
            throw new IllegalArgumentException(
                    "a weight (O, I) is adapted by A (r, I) and B (O, r), got "
                            + weight.getShape()
                            + ", "
                            + pair.down.getShape()
                            + " and "
                            + pair.up.getShape());
        }
    }

    private static boolean fits(Shape w, Pair pair) {
        Shape a = pair.down.getShape();
        Shape b = pair.up.getShape();
        return w.dimension() == 2
                && a.dimension() == 2
                && b.dimension() == 2
                && a.get(1) == w.get(1)
                && b.get(0) == w.get(0)
                && a.get(0) == b.get(1);
    }

    /**
     * Maps.
     *
     * @param x (…, I), in the weight's type
     * @param training whether gradients flow and dropout acts
     * @return y: (…, O), in x's type and manager
     */
    public NDArray apply(NDArray x, boolean training) {
        boolean plain = pair == null && !Precision.current().narrows(x.getDataType());
        if (plain && !KernelText.isVector(x)) {
            return Linear.linear(x, weight, bias).head();
        }
        KernelText text = new KernelText(x, training);
        return text.call("linear", text.linear("h", this));
    }
}
