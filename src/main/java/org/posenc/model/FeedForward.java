package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.attention.Projection;
import org.posenc.kernel.LinearMap;
import org.posenc.kernel.Perceptron;

/** The part of a Transformer layer that sees one token at a time: GELU or SwiGLU between maps. */
final class FeedForward extends AbstractBlock {

    private static final byte VERSION = 1;

    private final int embeddingSize;
    private final int innerSize;
    private final Projection gate; // null for GELU
    private final Projection up;
    private final Projection down;

    FeedForward(TransformerConfig config) {
        super(VERSION);
        embeddingSize = config.embeddingSize();
        innerSize = config.feedForwardSize();
        boolean bias = config.feedForwardBias();
        gate =
                config.activation() == TransformerConfig.Activation.SWIGLU
                        ? addChildBlock("gate", new Projection(innerSize, bias))
                        : null;
        up = addChildBlock("up", new Projection(innerSize, bias));
        down = addChildBlock("down", new Projection(embeddingSize, bias));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow(); // (B, T, E)
        LinearMap u = up.linear(x.getDevice(), parameters, training);
        LinearMap d = down.linear(x.getDevice(), parameters, training);
        if (gate == null) {
            return new NDList(Perceptron.gelu(x, u, d, training));
        }
        LinearMap g = gate.linear(x.getDevice(), parameters, training);
        return new NDList(Perceptron.swiglu(x, g, u, d, training));
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
