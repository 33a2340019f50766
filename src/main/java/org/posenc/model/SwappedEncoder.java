package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.MultiHeadAttention;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;

/**
 * Stands where a {@link TransformerEncoderBlock} stood: the same parameters (shared, not copied)
 * and the encoding of one's choice at its rotate and bias seams.
 *
 * <p>Takes (x (B, T, E)) or (x, mask), where a mask is (B, T, T) with 1 where a query may see a
 * key, or four axes of numbers that are added to the scores. With {@link
 * org.posenc.encoding.NoEncoding} its output is the stock block's to 10⁻⁶.
 *
 * <p>For that it keeps two peculiarities that the parameters were trained with, and that {@link
 * Transformer} does not have: a = norm₁(attention(x) + x), y = norm₂(feedForward(a) + x), where the
 * second sum adds x and not a; and both norms are batch norms, so that in training a row's output
 * depends on the rows beside it.
 */
public final class SwappedEncoder extends AbstractBlock {

    private static final byte VERSION = 1;

    private final MultiHeadAttention attention;
    private final Block attentionNorm;
    private final Block feedForward;
    private final Block outputNorm;
    private final double dropout;
    private final PositionalEncoding encoding; // null where each call gives one

    SwappedEncoder(
            TransformerEncoderBlock stock, int heads, double dropout, PositionalEncoding encoding) {
        super(VERSION);
        this.dropout = dropout;
        ScaledDotProductAttentionBlock old =
                (ScaledDotProductAttentionBlock) child(stock, "01selfAttention");
        attention =
                addChildBlock(
                        "attention",
                        MultiHeadAttention.from(old, heads).optDropout(dropout).build());
        attentionNorm = addChildBlock("attentionNorm", child(stock, "02attentionNorm"));
        feedForward = addChildBlock("feedForward", child(stock, "03outputBlock"));
        outputNorm = addChildBlock("outputNorm", child(stock, "04outputNorm"));
        this.encoding = encoding == null ? null : addChildBlock("encoding", encoding);
    }

    /**
     * Swaps the encoding of a block.
     *
     * @param stock an initialised or loaded block; it stays usable
     * @param heads its number of heads, which it does not tell
     * @param dropout its dropout probability, which it does not tell
     * @param encoding what positions shall do; its own parameters are initialised here
     * @return a block that is ready for use
     * @throws IllegalArgumentException if the block has no parameters yet, or no such heads
     */
    public static SwappedEncoder of(
            TransformerEncoderBlock stock, int heads, double dropout, PositionalEncoding encoding) {
        SwappedEncoder swapped = new SwappedEncoder(stock, heads, dropout, encoding);
        NDArray weight = first(swapped.attention).getArray();
        Shape tokens = new Shape(1, 1, weight.getShape().get(1));
        swapped.initialize(weight.getManager(), weight.getDataType(), tokens);
        return swapped;
    }

    static Block child(Block block, String key) {
        Block child = block.getChildren().get(key);
        if (child == null) {
            throw new IllegalArgumentException(
                    block.getClass().getSimpleName() + " has no part " + key);
        }
        return child;
    }

    static Parameter first(Block block) {
        return block.getParameters().valueAt(0);
    }

    NDArray forward(
            int layer,
            NDArray x,
            Positions positions,
            PositionalEncoding encoding,
            AttentionMask mask,
            ParameterStore parameters,
            boolean training) {
        NDArray y;
        try (NDScope temporaries = new NDScope()) {
            LayerContext context = new LayerContext(layer, x, parameters, training);
            NDArray attended = attention.attend(context, positions, encoding, mask);
            NDArray sum = TransformerLayer.drop(attended, dropout, training).add(x);
            NDList a = attentionNorm.forward(parameters, new NDList(sum), training);
            NDArray inner = feedForward.forward(parameters, a, training).head();
            NDArray second = TransformerLayer.drop(inner, dropout, training).add(x);
            y = outputNorm.forward(parameters, new NDList(second), training).head();
            NDScope.unregister(y);
        }
        NDScope.register(y); // with the scope of the caller, if he has one
        return y;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.head();
        for (Parameter parameter : getParameters().values()) {
            parameters.getValue(parameter, x.getDevice(), training); // see Transformer#mirror
        }
        AttentionMask mask = AttentionMask.none();
        if (inputs.size() > 1) {
            NDArray given = inputs.get(1);
            mask =
                    given.getShape().dimension() == 4
                            ? AttentionMask.additive(given)
                            : AttentionMask.visible(given);
        }
        Positions positions = Positions.range(x.getManager(), 0, x.getShape().get(1));
        return new NDList(forward(0, x, positions, encoding, mask, parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        for (Block child : getChildren().values()) {
            child.initialize(manager, type, inputShapes[0]);
        }
    }
}
