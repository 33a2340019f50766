package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.util.PairList;
import org.posenc.kernel.ForgetGates;

/**
 * The forget gate of the Forgetting Transformer (FoX, <a
 * href="https://arxiv.org/abs/2503.02130">Lin et al. 2025</a>).
 *
 * <p>b_h(i, j) = Σ_t log f_t, t = j + 1 … i, with f_t = σ(w_h·x_t + b_h), where x_t is the layer's
 * input at token t, after normalisation: at each token a head decides how much of what came before
 * it keeps. Keys after the query have the bias 0. With w = 0 it is causal ALiBi of slope −log σ(b).
 *
 * <p>Tokens are counted in their order, not by their positions: the queries are the last T of the S
 * keys. What lies between a key and a query counts even if it is masked, so padding must stand
 * before a sequence or after it; between packed documents the mask hides every pair whose sum
 * crosses a border.
 *
 * <p>w starts as N(0, 0.02²), as the authors' does, and b at 5, x-transformers' value, where half
 * of a token is left after 103 others. The authors' code starts b at 0, half of a token after one.
 * The layers of a model that are given this block share w and b; the authors give each layer its
 * own, as a {@link LayerSchedule} of several does, and as the encoding made by name is.
 *
 * <p>As a plain DJL block it takes (scores (B, H, T, S), x (B, S, E)) and returns the scores with
 * the bias added.
 */
public final class ForgetGate extends EncodingBlock {

    private static final byte VERSION = 1;

    private final int embeddingSize;
    private final int heads;
    private final Parameter weight;
    private final Parameter bias;

    private ForgetGate(Builder builder) {
        super(VERSION);
        embeddingSize = Checks.atLeast(1, builder.embeddingSize, "embedding size");
        heads = Checks.atLeast(1, builder.heads, "heads");
        double initial = Checks.finite(builder.initialBias, "initial bias");
        weight =
                parameter(
                        "weight",
                        Parameter.Type.WEIGHT,
                        SeededInitializer.normal(0.02, builder.seed, "weight"),
                        heads,
                        embeddingSize);
        bias =
                parameter(
                        "bias",
                        Parameter.Type.BIAS,
                        new ConstantInitializer((float) initial),
                        heads);
    }

    /**
     * Returns a builder.
     *
     * @return a builder with the initial bias 5; embedding size and heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Computes the gates of the keys, log f_t of each head.
     *
     * @param hidden x (B, S, E)
     * @param positions not looked at
     * @param context the layer
     * @return (B, H, S), float32 at least
     */
    @Override
    public NDArray keyNotes(NDArray hidden, Positions positions, LayerContext context) {
        return gates(hidden, context.parameters(), context.training());
    }

    private NDArray gates(NDArray x, ParameterStore parameters, boolean training) {
        Shape shape = x.getShape();
        if (shape.dimension() != 3 || shape.get(2) != embeddingSize) {
            throw new IllegalArgumentException(
                    "this forget gate reads tokens (B, S, " + embeddingSize + "), got " + shape);
        }
        DataType type = ForgetGates.gateType(x.getDataType());
        return ForgetGates.of(
                x,
                value(weight, x, type, parameters, training),
                value(bias, x, type, parameters, training),
                training);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        if (context.keyNotes() == null) {
            throw new IllegalArgumentException(
                    "forget gates are notes of the keys, which this layer does not have: call"
                            + " keyNotes first");
        }
        long given = queries.getShape().get(1);
        if (given != heads) {
            throw new IllegalArgumentException(
                    "this forget gate is made for " + heads + " heads, got " + given);
        }
        return ForgetGates.decay(context.keyNotes(), queries, context.training());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray scores = inputs.get(0);
        NDArray gates = gates(inputs.get(1), parameters, training);
        return new NDList(scores.add(ForgetGates.decay(gates, scores, training)));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return heads + " heads, embedding size " + embeddingSize;
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "fox",
                "forget gates that depend on the tokens between (FoX, Lin et al. 2025)",
                (site, settings) ->
                        builder()
                                .setEmbeddingSize(site.embeddingSize())
                                .setHeads(site.heads())
                                .optInitialBias(settings.number("bias"))
                                .optSeed(site.seed())
                                .build(),
                new Settings.Key(
                        "bias", "5", "initial b of the gates σ(w·x + b); 0 in the authors' code"));
    }

    /** Builds {@link ForgetGate}. */
    public static final class Builder {

        private int embeddingSize;
        private int heads;
        private double initialBias = 5;
        private long seed;

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
         * Sets where b starts.
         *
         * @param initialBias any number, 5 where it is not set; the greater, the longer a token is
         *     remembered at first
         * @return this builder
         */
        public Builder optInitialBias(double initialBias) {
            this.initialBias = initialBias;
            return this;
        }

        /**
         * Sets what draws the initial weights.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if a size is missing
         */
        public ForgetGate build() {
            return new ForgetGate(this);
        }
    }
}
