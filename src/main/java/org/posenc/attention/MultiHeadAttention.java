package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.posenc.encoding.ConfiguredBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.kernel.ScaledDotProduct;

/**
 * Multi-head attention (<a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>, §3.2)
 * with positions, in which groups of query heads may share keys and values (<a
 * href="https://arxiv.org/abs/2305.13245">Ainslie et al. 2023</a>).
 *
 * <p>With Q = x W_Q, K = x W_K, V = x W_V split into heads, and the encoding's rotation R and bias
 * A: softmax(scale · R(Q) R(K)ᵀ + A + mask) V, the heads put together again and multiplied by W_O.
 * No T × S matrix exists unless the encoding has a bias or there is a mask. Within a window of W
 * keys ({@link Builder#optWindow}) a mask does not make one either: memory grows with T · W.
 *
 * <p>A model gives its encoding with each call, {@link #attend}, because one encoding serves all
 * its layers. As a plain DJL block, with an encoding of its own ({@link Builder#optEncoding}), it
 * takes (x (B, T, E)) or (x, positions (T) or (B, T)); positions are 0 … T − 1 where none are
 * given.
 *
 * <p>A key/value cache has its place between {@link #keyValues} and {@link #attend}.
 */
public final class MultiHeadAttention extends ConfiguredBlock {

    private static final byte VERSION = 1;

    private final int embeddingSize;
    private final int heads;
    private final int keyValueHeads;
    private final int headDimension;
    private final boolean causal;
    private final AttentionWindow window;
    private final ScaledDotProduct core;
    private final Projection queryProjection;
    private final Projection keyProjection;
    private final Projection valueProjection;
    private final Projection outputProjection;
    private final RmsNorm queryNorm; // null where there is none
    private final RmsNorm keyNorm;
    private final PositionalEncoding encoding; // null where each call gives one

    private MultiHeadAttention(Builder builder) {
        super(VERSION);
        embeddingSize = builder.embeddingSize;
        heads = builder.heads;
        keyValueHeads = builder.keyValueHeads();
        headDimension = builder.headDimension();
        causal = builder.causal;
        window = new AttentionWindow(builder.window);
        // Not left to the kernel: an encoding may make queries and keys wider than a head.
        double scale = Double.isNaN(builder.scale) ? 1 / Math.sqrt(headDimension) : builder.scale;
        core = new ScaledDotProduct(causal, scale, builder.dropout);
        int width = heads * headDimension;
        int keyWidth = keyValueHeads * headDimension;
        ScaledDotProductAttentionBlock stock = builder.stock;
        queryProjection =
                addChildBlock(
                        "query",
                        stock == null
                                ? new Projection(width, builder.bias)
                                : Projection.sharing(stock.getQueryProjection()));
        keyProjection =
                addChildBlock(
                        "key",
                        stock == null
                                ? new Projection(keyWidth, builder.bias)
                                : Projection.sharing(stock.getKeyProjection()));
        valueProjection =
                addChildBlock(
                        "value",
                        stock == null
                                ? new Projection(keyWidth, builder.bias)
                                : Projection.sharing(stock.getValueProjection()));
        outputProjection =
                addChildBlock(
                        "output",
                        stock == null
                                ? new Projection(embeddingSize, builder.outputBias)
                                : Projection.sharing(stock.getResultProjection()));
        boolean norms = !Double.isNaN(builder.normEpsilon);
        queryNorm = norms ? addChildBlock("queryNorm", builder.norm()) : null;
        keyNorm = norms ? addChildBlock("keyNorm", builder.norm()) : null;
        encoding = builder.encoding == null ? null : addChildBlock("encoding", builder.encoding);
    }

    /**
     * Returns a builder.
     *
     * @return a builder without biases, norms and dropout, not causal
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Takes over a block of DJL with its parameters, which both blocks then share.
     *
     * @param stock an initialised or loaded block
     * @param heads H, which the block does not tell
     * @return a builder with the block's sizes, to which an encoding can be given
     * @throws IllegalArgumentException if the block has no parameters yet
     */
    public static Builder from(ScaledDotProductAttentionBlock stock, int heads) {
        if (!stock.getQueryProjection().isInitialized()) {
            throw new IllegalArgumentException(
                    "initialise or load the attention block before its encoding is swapped");
        }
        NDArray weight = stock.getQueryProjection().getParameters().valueAt(0).getArray();
        Builder builder = builder().setEmbeddingSize((int) weight.getShape().get(1));
        builder.setHeads(heads);
        builder.stock = stock;
        return builder;
    }

    /**
     * Projects what will be attended to: keys (normalised where they are to be, not yet rotated)
     * and values.
     *
     * @param x (B, S, E)
     * @param positions (S) or (B, S)
     * @param encoding what positions do; it may keep notes of the keys
     * @param context the layer
     * @return keys and values (B, G, S, D)
     */
    public KeyValues keyValues(
            NDArray x, Positions positions, PositionalEncoding encoding, LayerContext context) {
        return keyValues(x, x, positions, encoding, context);
    }

    /** Projects keys and values that are made of different arrays. */
    KeyValues keyValues(
            NDArray keySource,
            NDArray valueSource,
            Positions positions,
            PositionalEncoding encoding,
            LayerContext context) {
        ParameterStore parameters = context.parameters();
        boolean training = context.training();
        NDArray k = split(keyProjection, keyValueHeads, keySource, parameters, training);
        if (keyNorm != null) {
            k = keyNorm.normalize(k, parameters, training);
        }
        NDArray v = split(valueProjection, keyValueHeads, valueSource, parameters, training);
        NDArray notes = encoding.keyNotes(keySource, positions, context);
        return new KeyValues(k, v, notes, positions, false);
    }

    /**
     * Attends from the tokens of a layer to keys and values.
     *
     * @param context the layer, whose {@code hidden} (B, T, E) asks
     * @param positions where its tokens stand, (T) or (B, T)
     * @param memory what is attended to: of the same tokens, of a cache, or of another sequence
     * @param encoding what positions do
     * @param mask which keys may be seen; a causal block adds its own rule
     * @return (B, T, E)
     */
    public NDArray attend(
            LayerContext context,
            Positions positions,
            KeyValues memory,
            PositionalEncoding encoding,
            AttentionMask mask) {
        NDArray x = context.hidden();
        NDArray y = eachHead(context, positions, memory, encoding, mask); // (B, H, T, D)
        NDArray joined =
                y.transpose(0, 2, 1, 3).reshape(x.getShape().get(0), x.getShape().get(1), -1);
        return outputProjection.map(joined, context.parameters(), context.training());
    }

    /**
     * Returns the weights with which the tokens of a layer attend among themselves, to be looked
     * at: attention itself never makes this matrix.
     *
     * @param context the layer, whose {@code hidden} (B, T, E) asks and is attended to
     * @param positions where its tokens stand, (T) or (B, T)
     * @param encoding what positions do
     * @param mask which tokens may be seen; a causal block adds its own rule
     * @return (B, H, T, T), each row adding up to 1
     */
    public NDArray weights(
            LayerContext context,
            Positions positions,
            PositionalEncoding encoding,
            AttentionMask mask) {
        KeyValues own = keyValues(context.hidden(), positions, encoding, context);
        Shape s = own.keys().getShape();
        NDManager manager = own.keys().getManager();
        int keys = Math.toIntExact(s.get(2));
        // Weighted sums of unit vectors are the weights.
        NDArray units =
                manager.eye(keys, keys, 0, own.keys().getDataType())
                        .reshape(1, 1, keys, keys)
                        .broadcast(s.get(0), s.get(1), keys, keys);
        return eachHead(
                context,
                positions,
                new KeyValues(own.keys(), units, own.notes(), positions, false),
                encoding,
                mask);
    }

    private NDArray eachHead(
            LayerContext context,
            Positions positions,
            KeyValues memory,
            PositionalEncoding encoding,
            AttentionMask mask) {
        NDArray x = context.hidden();
        positions.checkFit(x.getShape().get(0), x.getShape().get(1));
        ParameterStore parameters = context.parameters();
        boolean training = context.training();
        NDArray q = split(queryProjection, heads, x, parameters, training); // (B, H, T, D)
        if (queryNorm != null) {
            q = queryNorm.normalize(q, parameters, training);
        }
        LayerContext met = context.withKeyNotes(memory.notes());
        NDArray k = memory.keys(); // (B, G, S, D)
        Positions at = memory.positions();
        NDArray bias = encoding.bias(q, k, positions, at, met);
        NDArray products = memory.rotated() ? null : encoding.products(q, k, positions, at, met);
        if (products != null) {
            NDArray seen = mask.scores(places(products, products.getShape().get(3)), positions);
            return core(seen).weigh(products, memory.values(), sum(bias, seen), training);
        }
        NDArray turned = encoding.rotateQueries(q, positions, met);
        NDArray turnedKeys = memory.rotated() ? k : encoding.rotateKeys(k, at, met);
        NDArray v = memory.values();
        return window.cuts(k.getShape().get(2))
                ? inBlocks(turned, turnedKeys, v, bias, mask, positions, training)
                : weigh(turned, turnedKeys, v, bias, mask, positions, training);
    }

    /**
     * Attends among the tokens of a layer.
     *
     * @param context the layer, whose {@code hidden} (B, T, E) asks and is attended to
     * @param positions where its tokens stand, (T) or (B, T)
     * @param encoding what positions do
     * @param mask which tokens may be seen; a causal block adds its own rule
     * @return (B, T, E)
     */
    public NDArray attend(
            LayerContext context,
            Positions positions,
            PositionalEncoding encoding,
            AttentionMask mask) {
        KeyValues own = keyValues(context.hidden(), positions, encoding, context);
        return attend(context, positions, own, encoding, mask);
    }

    private NDArray weigh(
            NDArray q,
            NDArray k,
            NDArray v,
            NDArray bias,
            AttentionMask mask,
            Positions positions,
            boolean training) {
        NDArray seen = mask.scores(places(q, k.getShape().get(2)), positions);
        return core(seen).attend(q, k, v, sum(bias, seen), training);
    }

    /** Lets each block of queries meet the keys that its window reaches, and no others. */
    private NDArray inBlocks(
            NDArray q,
            NDArray k,
            NDArray v,
            NDArray bias,
            AttentionMask mask,
            Positions positions,
            boolean training) {
        List<AttentionWindow.Block> blocks =
                window.blocks(q.getShape().get(2), k.getShape().get(2));
        // Keys that several blocks meet are copied for each query head once.
        int share = blocks.size() == 1 ? 1 : heads / keyValueHeads;
        NDArray eachKey = ScaledDotProduct.repeat(k, share);
        NDArray eachValue = ScaledDotProduct.repeat(v, share);
        NDList parts = new NDList();
        for (AttentionWindow.Block block : blocks) {
            parts.add(
                    weigh(
                            block.queriesOf(q), // (B, H, T', D)
                            block.keysOf(eachKey), // (B, H or G, S', D)
                            block.keysOf(eachValue),
                            bias == null ? null : block.scoresOf(bias),
                            mask.of(block),
                            positions,
                            training));
        }
        return parts.size() == 1 ? parts.head() : NDArrays.concat(parts, 2); // (B, H, T, D)
    }

    private AttentionMask.Places places(NDArray queries, long keys) {
        return new AttentionMask.Places(
                queries.getShape().get(2), keys, causal, window.size(), queries.getDataType());
    }

    /** A mask has the causal rule in it already. */
    private ScaledDotProduct core(NDArray masked) {
        return masked == null ? core : new ScaledDotProduct(false, core.scale(), core.dropout());
    }

    private static NDArray sum(NDArray bias, NDArray masked) {
        if (bias == null) {
            return masked;
        }
        return masked == null ? bias : bias.add(masked);
    }

    private NDArray split(
            Projection projection,
            int count,
            NDArray x,
            ParameterStore parameters,
            boolean training) {
        NDArray y = projection.map(x, parameters, training); // (B, T, H D)
        return y.reshape(y.getShape().get(0), y.getShape().get(1), count, headDimension)
                .transpose(0, 2, 1, 3); // (B, H, T, D)
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.head();
        Positions positions =
                inputs.size() > 1
                        ? Positions.of(inputs.get(1))
                        : Positions.range(x.getManager(), 0, x.getShape().get(1));
        LayerContext context = new LayerContext(0, x, parameters, training);
        PositionalEncoding used = encoding == null ? new NoEncoding() : encoding;
        return new NDList(attend(context, positions, used, AttentionMask.none()));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape tokens = new Shape(1, embeddingSize);
        queryProjection.initialize(manager, type, tokens);
        keyProjection.initialize(manager, type, tokens);
        valueProjection.initialize(manager, type, tokens);
        outputProjection.initialize(manager, type, new Shape(1, (long) heads * headDimension));
        if (queryNorm != null) {
            queryNorm.initialize(manager, type, new Shape(1, headDimension));
            keyNorm.initialize(manager, type, new Shape(1, headDimension));
        }
        if (encoding != null) {
            encoding.initialize(manager, type, new Shape(1, 1, embeddingSize), new Shape(1));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String identity() {
        return "embedding size "
                + embeddingSize
                + ", "
                + heads
                + " heads of "
                + headDimension
                + ", "
                + keyValueHeads
                + " key/value heads"
                + (window.size() == 0 ? "" : ", a window of " + window.size());
    }

    /** Builds {@link MultiHeadAttention}. */
    public static final class Builder {

        private int embeddingSize;
        private int heads;
        private int keyValueHeads;
        private int headDimension;
        private boolean causal;
        private int window;
        private boolean bias;
        private boolean outputBias;
        private double normEpsilon = Double.NaN;
        private double scale = Double.NaN;
        private double dropout;
        private PositionalEncoding encoding;
        private ScaledDotProductAttentionBlock stock;

        private Builder() {}

        /**
         * Sets the size of a token.
         *
         * @param embeddingSize E, at least 1
         * @return this builder
         */
        public Builder setEmbeddingSize(int embeddingSize) {
            this.embeddingSize = embeddingSize;
            return this;
        }

        /**
         * Sets the number of query heads.
         *
         * @param heads H, at least 1
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the number of heads that keys and values have.
         *
         * @param keyValueHeads G, a divisor of H; H where it is not set
         * @return this builder
         */
        public Builder optKeyValueHeads(int keyValueHeads) {
            this.keyValueHeads = keyValueHeads;
            return this;
        }

        /**
         * Sets the size of a head.
         *
         * @param headDimension D; E/H where it is not set
         * @return this builder
         */
        public Builder optHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets whether a query is kept from the keys after it.
         *
         * @param causal true in a decoder; false where it is not set
         * @return this builder
         */
        public Builder optCausal(boolean causal) {
            this.causal = causal;
            return this;
        }

        /**
         * Sets how far back a query looks, in tokens of the row or the cache: padding counts, and
         * so does the end of another document.
         *
         * @param window W, how many keys a query of a causal attention sees, its own among them; 0,
         *     or where it is not set, all up to its own
         * @return this builder
         */
        public Builder optWindow(int window) {
            this.window = window;
            return this;
        }

        /**
         * Sets whether the projections have biases.
         *
         * @param queryKeyValue those of queries, keys and values
         * @param output that of the output
         * @return this builder
         */
        public Builder optBiases(boolean queryKeyValue, boolean output) {
            this.bias = queryKeyValue;
            this.outputBias = output;
            return this;
        }

        /**
         * Normalises each query and each key over its head, before it is rotated (Qwen3).
         *
         * @param epsilon of the RMSNorm
         * @return this builder
         */
        public Builder optQueryKeyNorm(double epsilon) {
            this.normEpsilon = epsilon;
            return this;
        }

        /**
         * Sets what products of queries and keys are multiplied with.
         *
         * @param scale any number; 1/√D where it is not set
         * @return this builder
         */
        public Builder optScale(double scale) {
            this.scale = scale;
            return this;
        }

        /**
         * Sets how often an attention weight is dropped in training. It costs the T × S matrix.
         *
         * @param dropout in [0, 1); 0 where it is not set
         * @return this builder
         */
        public Builder optDropout(double dropout) {
            this.dropout = dropout;
            return this;
        }

        /**
         * Sets the encoding of a block that is used alone; it becomes a child of the block. Only
         * its rotate and bias seams act here.
         *
         * @param encoding what positions do
         * @return this builder
         */
        public Builder optEncoding(PositionalEncoding encoding) {
            this.encoding = encoding;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return a new block
         * @throws IllegalArgumentException if sizes are missing or do not divide each other, or a
         *     window is given to attention that is not causal
         */
        public MultiHeadAttention build() {
            if (embeddingSize < 1 || heads < 1) {
                throw new IllegalArgumentException(
                        "attention needs an embedding size and heads of at least 1, got "
                                + embeddingSize
                                + " and "
                                + heads);
            }
            if (keyValueHeads() < 1 || heads % keyValueHeads() != 0) {
                throw new IllegalArgumentException(
                        "the number of heads, "
                                + heads
                                + ", must be a multiple of that of key/value heads, "
                                + keyValueHeads());
            }
            if (headDimension < 0 || headDimension == 0 && embeddingSize % heads != 0) {
                throw new IllegalArgumentException(
                        "embedding size "
                                + embeddingSize
                                + " does not divide into "
                                + heads
                                + " heads; set a head dimension of at least 1, got "
                                + headDimension);
            }
            if (window != 0 && !causal) {
                throw new IllegalArgumentException(
                        "a window of " + window + " keys needs attention that is causal");
            }
            return new MultiHeadAttention(this);
        }

        private int keyValueHeads() {
            return keyValueHeads == 0 ? heads : keyValueHeads;
        }

        private int headDimension() {
            return headDimension == 0 ? embeddingSize / heads : headDimension;
        }

        private RmsNorm norm() {
            return new RmsNorm(headDimension(), normEpsilon);
        }
    }
}
