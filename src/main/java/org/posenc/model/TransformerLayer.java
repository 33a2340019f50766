package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.KeyValues;
import org.posenc.attention.MultiHeadAttention;
import org.posenc.attention.RmsNorm;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;

/**
 * One pre-norm layer: h = x + attention(norm(x)), y = h + feedForward(norm(h)); or, in parallel, y
 * = x + attention(norm₁(x)) + feedForward(norm₂(x)).
 */
final class TransformerLayer extends AbstractBlock {

    private static final byte VERSION = 1;

    private final TransformerConfig config;
    private final int index;
    private final Block attentionNorm;
    private final MultiHeadAttention attention;
    private final Block feedForwardNorm;
    private final FeedForward feedForward;

    TransformerLayer(TransformerConfig config, int index) {
        super(VERSION);
        this.config = config;
        this.index = index;
        attentionNorm = addChildBlock("attentionNorm", norm(config));
        MultiHeadAttention.Builder builder =
                MultiHeadAttention.builder()
                        .setEmbeddingSize(config.embeddingSize())
                        .setHeads(config.heads())
                        .optKeyValueHeads(config.keyValueHeads())
                        .optHeadDimension(config.headDimension())
                        .optBiases(config.attentionBias(), config.attentionOutputBias())
                        .optScale(config.attentionScale())
                        .optDropout(config.attentionDropout())
                        .optCausal(config.causal())
                        .optWindow(config.window(index));
        if (config.queryKeyNorm()) {
            builder.optQueryKeyNorm(config.normEpsilon());
        }
        attention = addChildBlock("attention", builder.build());
        feedForwardNorm = addChildBlock("feedForwardNorm", norm(config));
        feedForward = addChildBlock("feedForward", new FeedForward(config));
    }

    static Block norm(TransformerConfig config) {
        return switch (config.norm()) {
            case LAYER_NORM ->
                    LayerNorm.builder().axis(2).optEpsilon((float) config.normEpsilon()).build();
            case RMS_NORM -> new RmsNorm(config.embeddingSize(), config.normEpsilon());
        };
    }

    /**
     * Runs the layer on x (B, T, E), which attends to itself or, where there is one, to what a
     * cache keeps; temporaries are freed before it returns.
     */
    NDArray forward(
            NDArray x,
            Positions positions,
            PositionalEncoding encoding,
            AttentionMask mask,
            KeyValueCache.Pass cached,
            ParameterStore parameters,
            boolean training) {
        NDArray y;
        try (NDScope temporaries = new NDScope()) {
            NDArray normed = apply(attentionNorm, x, parameters, training);
            LayerContext context = new LayerContext(index, normed, parameters, training);
            KeyValues memory = attention.keyValues(normed, positions, encoding, context);
            if (cached != null) {
                memory = cached.extend(memory, encoding, context);
            }
            NDArray attended = attention.attend(context, positions, memory, encoding, mask);
            NDArray h = x.add(drop(attended, training)); // (B, T, E)
            NDArray second = config.parallelResidual() ? x : h;
            NDArray inner = apply(feedForwardNorm, second, parameters, training);
            y = h.add(drop(apply(feedForward, inner, parameters, training), training));
            NDScope.unregister(y);
        }
        NDScope.register(y); // with the scope of the caller, if he has one
        return y;
    }

    /** The weights (B, H, T, T) with which x (B, T, E) attends to itself. */
    NDArray attentionWeights(
            NDArray x,
            Positions positions,
            PositionalEncoding encoding,
            AttentionMask mask,
            ParameterStore parameters) {
        NDArray weights;
        try (NDScope temporaries = new NDScope()) {
            NDArray normed = apply(attentionNorm, x, parameters, false);
            LayerContext context = new LayerContext(index, normed, parameters, false);
            weights = attention.weights(context, positions, encoding, mask);
            NDScope.unregister(weights);
        }
        NDScope.register(weights); // with the scope of the caller, if he has one
        return weights;
    }

    private NDArray drop(NDArray x, boolean training) {
        return drop(x, config.residualDropout(), training);
    }

    static NDArray drop(NDArray x, double rate, boolean training) {
        return training && rate > 0 ? Dropout.dropout(x, (float) rate, true).head() : x;
    }

    private static NDArray apply(
            Block block, NDArray x, ParameterStore parameters, boolean training) {
        return block.forward(parameters, new NDList(x), training).head();
    }

    /** Takes (x (B, T, E)) at the positions 0 … T − 1, without an encoding. */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow();
        Positions positions = Positions.range(x.getManager(), 0, x.getShape().get(1));
        return new NDList(
                forward(
                        x,
                        positions,
                        new NoEncoding(),
                        AttentionMask.none(),
                        null,
                        parameters,
                        training));
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape tokens = new Shape(1, 1, config.embeddingSize());
        for (Block child : getChildren().values()) {
            child.initialize(manager, type, tokens);
        }
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return inputShapes;
    }
}
