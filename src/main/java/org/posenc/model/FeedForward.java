package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.kernel.GatedUnit;

/** The part of a Transformer layer that sees one token at a time: GELU or SwiGLU between maps. */
final class FeedForward extends AbstractBlock {

    private static final byte VERSION = 1;

    private final int embeddingSize;
    private final int innerSize;
    private final Linear gate; // null for GELU
    private final Linear up;
    private final Linear down;

    FeedForward(TransformerConfig config) {
        super(VERSION);
        embeddingSize = config.embeddingSize();
        innerSize = config.feedForwardSize();
        boolean bias = config.feedForwardBias();
        gate =
                config.activation() == TransformerConfig.Activation.SWIGLU
                        ? addChildBlock("gate", linear(innerSize, bias))
                        : null;
        up = addChildBlock("up", linear(innerSize, bias));
        down = addChildBlock("down", linear(embeddingSize, bias));
    }

    private static Linear linear(int units, boolean bias) {
        return Linear.builder().setUnits(units).optBias(bias).build();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow(); // (B, T, E)
        NDArray u = up.forward(parameters, new NDList(x), training).head(); // (B, T, F)
        NDArray inner;
        if (gate == null) {
            inner = Activation.gelu(u);
        } else {
            NDArray g = gate.forward(parameters, new NDList(x), training).head(); // (B, T, F)
            inner = GatedUnit.silu(g, u, training);
        }
        return down.forward(parameters, new NDList(inner), training); // (B, T, E)
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape tokens = new Shape(1, embeddingSize);
        if (gate != null) {
            gate.initialize(manager, type, tokens);
        }
        up.initialize(manager, type, tokens);
        down.initialize(manager, type, new Shape(1, innerSize));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return inputShapes;
    }
}
