package org.posenc.kernel;

import ai.djl.ndarray.NDArray;

/**
 * A perceptron with one hidden layer, fused: what is between its maps never leaves the kernel and
 * is of the type in which the thread's {@link Precision} takes products.
 */
public final class Perceptron {

    private Perceptron() {}

    /**
     * A hidden layer of SwiGLU (<a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>):
     * down(silu(gate(x)) · up(x)), silu(z) = z / (1 + e^(−z)).
     *
     * @param x (…, E)
     * @param gate (…, E) to (…, F)
     * @param up (…, E) to (…, F)
     * @param down (…, F) to (…, E)
     * @param training whether gradients flow and dropout acts
     * @return (…, E), in x's type and manager
     * @throws IllegalArgumentException if the gate has another size than what it gates
     */
    public static NDArray swiglu(
            NDArray x, LinearMap gate, LinearMap up, LinearMap down, boolean training) {
        if (gate.weight().getShape().get(0) != up.weight().getShape().get(0)) {
            throw new IllegalArgumentException(
                    "a gate of weight "
                            + gate.weight().getShape()
                            + " does not fit what it gates, of weight "
                            + up.weight().getShape());
        }
        KernelText text = new KernelText(x, training);
        String g = text.linear("h", gate);
        String u = text.linear("h", up);
        text.put("inner", "torch.mul(torch.silu(" + g + "), " + u + ")");
        return text.call("perceptron", text.linear("z", down));
    }

    /**
     * A hidden layer of GELU (<a href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel
     * 2016</a>): down(gelu(up(x))), gelu(z) = z Φ(z).
     *
     * @param x (…, E)
     * @param up (…, E) to (…, F)
     * @param down (…, F) to (…, E)
     * @param training whether gradients flow and dropout acts
     * @return (…, E), in x's type and manager
     */
    public static NDArray gelu(NDArray x, LinearMap up, LinearMap down, boolean training) {
        KernelText text = new KernelText(x, training);
        text.put("inner", "torch.gelu(" + text.linear("h", up) + ")");
        return text.call("perceptron", text.linear("z", down));
    }
}
