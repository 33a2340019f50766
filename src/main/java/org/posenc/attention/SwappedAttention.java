package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;

/**
 * Stands where a {@link ScaledDotProductAttentionBlock} stood: the same parameters (shared, not
 * copied), the same inputs, and the encoding of one's choice.
 *
 * <p>Takes (x (B, T, E)), (x, mask), (keys, queries, values) or (keys, queries, values, mask), as
 * the stock block does; a mask is (B, T, S) with 1 where a query may see a key, or four axes of
 * numbers that are added to the scores. Positions are 0, 1, … in queries and in keys. With {@link
 * org.posenc.encoding.NoEncoding} its output is the stock block's to 10⁻⁶.
 *
 * <p>Other than the stock block it keeps no T × S matrix where there is no mask, bias or dropout,
 * follows the data type it is initialised with, and lets a query that may see nothing attend
 * evenly.
 */
public final class SwappedAttention extends AbstractBlock {

    private static final byte VERSION = 1;

    private final MultiHeadAttention attention;
    private final PositionalEncoding encoding;

    private SwappedAttention(MultiHeadAttention attention, PositionalEncoding encoding) {
        super(VERSION);
        this.attention = addChildBlock("attention", attention);
        this.encoding = addChildBlock("encoding", encoding);
    }

    /**
     * Swaps the encoding of a block whose weights are not to be dropped out.
     *
     * @param stock an initialised or loaded block; it stays usable
     * @param heads its number of heads, which it does not tell
     * @param encoding what positions shall do; its own parameters are initialised here
     * @return a block that is ready for use
     * @throws IllegalArgumentException if the block has no parameters yet, or no such heads
     */
    public static SwappedAttention of(
            ScaledDotProductAttentionBlock stock, int heads, PositionalEncoding encoding) {
        return of(stock, heads, 0, encoding);
    }

    /**
     * Swaps the encoding of a block.
     *
     * @param stock an initialised or loaded block; it stays usable
     * @param heads its number of heads, which it does not tell
     * @param dropout how often an attention weight is dropped in training; 0.1 in a stock block
     *     that was not told otherwise
     * @param encoding what positions shall do; its own parameters are initialised here
     * @return a block that is ready for use
     * @throws IllegalArgumentException if the block has no parameters yet, or no such heads
     */
    public static SwappedAttention of(
            ScaledDotProductAttentionBlock stock,
            int heads,
            double dropout,
            PositionalEncoding encoding) {
        MultiHeadAttention attention =
                MultiHeadAttention.from(stock, heads).optDropout(dropout).build();
        SwappedAttention swapped = new SwappedAttention(attention, encoding);
        NDArray weight = stock.getQueryProjection().getParameters().valueAt(0).getArray();
        Shape tokens = new Shape(1, 1, weight.getShape().get(1));
        swapped.initialize(weight.getManager(), weight.getDataType(), tokens);
        return swapped;
    }

    /**
     * Returns the attention itself, which takes explicit positions.
     *
     * @return the attention
     */
    public MultiHeadAttention attention() {
        return attention;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        int n = inputs.size();
        NDArray keys = inputs.head();
        NDArray queries = n < 3 ? keys : inputs.get(1);
        NDArray values = n < 3 ? keys : inputs.get(2);
        AttentionMask mask = n % 2 == 0 ? mask(inputs.get(n - 1)) : AttentionMask.none();
        NDManager manager = queries.getManager();
        Positions at = Positions.range(manager, 0, queries.getShape().get(1));
        Positions keysAt = n < 3 ? at : Positions.range(manager, 0, keys.getShape().get(1));
        LayerContext context = new LayerContext(0, queries, parameters, training);
        KeyValues memory = attention.keyValues(keys, values, keysAt, encoding, context);
        return new NDList(attention.attend(context, at, memory, encoding, mask));
    }

    private static AttentionMask mask(NDArray given) {
        return given.getShape().dimension() == 4
                ? AttentionMask.additive(given)
                : AttentionMask.visible(given);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[inputShapes.length < 3 ? 0 : 1]};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        attention.initialize(manager, type, inputShapes[0]);
        encoding.initialize(manager, type, inputShapes[0], new Shape(1));
    }
}
