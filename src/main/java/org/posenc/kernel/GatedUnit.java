package org.posenc.kernel;

import ai.djl.ndarray.NDArray;

/** Products with a gate, fused. */
public final class GatedUnit {

    private GatedUnit() {}

    /**
     * The gate of SwiGLU (<a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>), silu(g) · x
     * with silu(z) = z / (1 + e^(−z)).
     *
     * @param gate g: any shape
     * @param x the same shape and type
     * @param training whether gradients are to flow
     * @return the same shape, in the gate's manager
     * @throws IllegalArgumentException if the shapes differ
     */
    public static NDArray silu(NDArray gate, NDArray x, boolean training) {
        if (!gate.getShape().equals(x.getShape())) {
            throw new IllegalArgumentException(
                    "a gate " + gate.getShape() + " does not fit what it gates, " + x.getShape());
        }
        return TorchScript.load("silu_product").call(training, gate, x);
    }
}
