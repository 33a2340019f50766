package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.LearnedTable;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;

/**
 * Stands where a {@link BertBlock} stood: the same parameters (shared, not copied) but for its
 * position table, and the encoding of one's choice in the table's place.
 *
 * <p>Takes (token ids (B, T), type ids (B, T), mask (B, T) with 1 for a token and 0 for padding)
 * and returns (tokens (B, T, E), pooled (B, E)), as the stock block does. With {@link #table} as
 * its encoding the output is the stock block's to 10⁻⁶ at the one length that block takes; at any
 * shorter length, where the stock block fails or, for a single token, silently returns a row of
 * other positions, this one uses the table's first rows.
 *
 * <p>It keeps what the parameters were trained with (see {@link SwappedEncoder}), also that the
 * pooled token is the second one: {@link #optPooledToken} takes another.
 */
public final class SwappedBert extends AbstractBlock {

    private static final byte VERSION = 1;

    private static final double ENCODER_DROPOUT = 0.1; // which BertBlock gives its encoders

    private final PositionalEncoding encoding;
    private final Block tokens;
    private final Block types;
    private final Block norm;
    private final Block dropout;
    private final List<SwappedEncoder> encoders = new ArrayList<>();
    private final Linear pooling;
    private final int embeddingSize;
    private int pooledToken = 1;

    private SwappedBert(BertBlock stock, int heads, PositionalEncoding encoding) {
        super(VERSION);
        embeddingSize = stock.getEmbeddingSize();
        this.encoding = addChildBlock("encoding", encoding);
        tokens = addChildBlock("tokens", SwappedEncoder.child(stock, "01tokenEmbedding"));
        types = addChildBlock("types", SwappedEncoder.child(stock, "02typeEmbedding"));
        norm = addChildBlock("norm", SwappedEncoder.child(stock, "03embeddingNorm"));
        dropout = addChildBlock("dropout", SwappedEncoder.child(stock, "04embeddingDropout"));
        Linear last = null;
        for (Pair<String, Block> child : stock.getChildren()) {
            if (child.getValue() instanceof TransformerEncoderBlock old) {
                SwappedEncoder encoder = new SwappedEncoder(old, heads, ENCODER_DROPOUT, null);
                encoders.add(addChildBlock("encoder" + encoders.size(), encoder));
            } else if (child.getValue() instanceof Linear linear) {
                last = linear;
            }
        }
        pooling = addChildBlock("pooling", last);
    }

    /**
     * Swaps the encoding of a block.
     *
     * @param stock an initialised or loaded block; it stays usable
     * @param heads its number of heads, which it does not tell
     * @param encoding what positions shall do; its own parameters are initialised here
     * @return a block that is ready for use
     * @throws IllegalArgumentException if the block has no parameters yet, or no such heads
     */
    public static SwappedBert of(BertBlock stock, int heads, PositionalEncoding encoding) {
        if (!stock.isInitialized()) {
            throw new IllegalArgumentException(
                    "initialise or load the BERT block before its encoding is swapped");
        }
        SwappedBert swapped = new SwappedBert(stock, heads, encoding);
        NDArray table = SwappedEncoder.first(swapped.tokens).getArray();
        Shape ids = new Shape(1, 1);
        swapped.initialize(table.getManager(), table.getDataType(), ids, ids, ids);
        return swapped;
    }

    /**
     * Returns a copy of a block's own position table, as features: {@code table(stock).added()} is
     * the encoding it has, and {@code table(stock).resized(…)} one for longer texts.
     *
     * @param stock an initialised or loaded block
     * @return the learned table
     * @throws IllegalArgumentException if the block has no parameters yet
     */
    public static LearnedTable table(BertBlock stock) {
        Parameter old = stock.getDirectParameters().get("positionEmbedding");
        if (!old.isInitialized()) {
            throw new IllegalArgumentException(
                    "initialise or load the BERT block before its table is taken");
        }
        NDArray array = old.getArray();
        LearnedTable table =
                LearnedTable.builder()
                        .setLength((int) array.getShape().get(0))
                        .setDimension((int) array.getShape().get(1))
                        .build();
        Parameter parameter = SwappedEncoder.first(table);
        parameter.setShape(null);
        parameter.setArray(array.duplicate());
        return table;
    }

    /**
     * Sets which token is pooled.
     *
     * @param index 0 for the first, as BERT's paper has it; 1, as {@link BertBlock} has it, where
     *     it is not set
     * @return this block
     * @throws IllegalArgumentException if the index is negative
     */
    public SwappedBert optPooledToken(int index) {
        if (index < 0) {
            throw new IllegalArgumentException("a token's index is at least 0, got " + index);
        }
        pooledToken = index;
        return this;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray ids = inputs.get(0);
        long length = ids.getShape().get(1);
        if (length <= pooledToken) {
            throw new IllegalArgumentException(
                    "token "
                            + pooledToken
                            + " cannot be pooled from a text of "
                            + length
                            + "; see optPooledToken");
        }
        for (Parameter parameter : getParameters().values()) {
            parameters.getValue(parameter, ids.getDevice(), training); // see Transformer#mirror
        }
        Positions positions = Positions.range(ids.getManager(), 0, length);
        AttentionMask mask = AttentionMask.padding(inputs.get(2));
        NDArray x = embedded(ids, inputs.get(1), positions, parameters, training);
        for (int i = 0; i < encoders.size(); i++) {
            NDArray y =
                    encoders.get(i).forward(i, x, positions, encoding, mask, parameters, training);
            x.close();
            x = y;
        }
        NDArray token = x.get(new NDIndex().addAllDim().addIndices(pooledToken)); // (B, E)
        NDArray pooled = pooling.forward(parameters, new NDList(token), training).head().tanh();
        return new NDList(x, pooled);
    }

    private NDArray embedded(
            NDArray ids,
            NDArray typeIds,
            Positions positions,
            ParameterStore parameters,
            boolean training) {
        NDArray x;
        try (NDScope temporaries = new NDScope()) {
            NDArray e = rows(tokens, ids, parameters, training);
            NDArray sum = e.add(rows(types, typeIds, parameters, training)); // (B, T, E)
            NDArray placed = encoding.embed(sum, positions, parameters, training);
            NDList normed = norm.forward(parameters, new NDList(placed), training);
            x = dropout.forward(parameters, normed, training).head();
            NDScope.unregister(x);
        }
        NDScope.register(x); // with the scope of the caller, if he has one
        return x;
    }

    /** Not the stock embedding's own forward, which closes its table under other threads. */
    private static NDArray rows(
            Block embedding, NDArray ids, ParameterStore parameters, boolean training) {
        NDArray table =
                parameters.getValue(SwappedEncoder.first(embedding), ids.getDevice(), training);
        NDArray whole = ids.toType(DataType.INT64, false);
        return Embedding.embedding(whole, table, SparseFormat.DENSE).head();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape ids = inputShapes[0];
        return new Shape[] {ids.add(embeddingSize), new Shape(ids.get(0), embeddingSize)};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape x = new Shape(1, 1, embeddingSize);
        encoding.initialize(manager, type, x, new Shape(1));
        tokens.initialize(manager, type, inputShapes[0]);
        types.initialize(manager, type, inputShapes[0]);
        norm.initialize(manager, type, x);
        dropout.initialize(manager, type, x);
        for (SwappedEncoder encoder : encoders) {
            encoder.initialize(manager, type, x);
        }
        pooling.initialize(manager, type, new Shape(1, embeddingSize));
    }
}
