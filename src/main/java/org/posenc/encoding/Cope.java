package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.util.PairList;
import org.posenc.kernel.ContextualPositions;

/**
 * Contextual position encoding (CoPE, <a href="https://arxiv.org/abs/2405.18719">Golovneva et al.
 * 2024</a>).
 *
 * <p>b_h(i, j) = q_i·e_h[p_ij] with p_ij = min(Σ_t σ(s q_i·k_t), P − 1), t = j … i, where e[p]
 * between two whole positions is their linear interpolation: each query counts only the tokens that
 * it takes for units, words or sentences. e (H, P, D) is learned and starts at 0, as the authors'.
 *
 * <p>The gates take the scaled products, s = 1/√D, which attention takes too; the paper writes
 * σ(q·k), which is s = 1. The authors have one e for all heads of a layer and one for each layer;
 * here each head has its own unless they are to share it, and the layers of a model share theirs
 * unless a {@link LayerSchedule} gives each its own, as it does where the encoding is made by name.
 *
 * <p>Tokens are counted in their order, as the causal rule of attention goes, not by their
 * positions: the queries are the last T of the S keys, and keys after the query have the bias 0.
 * What lies between a key and a query counts even if it is masked, so padding must stand before a
 * sequence or after it; pairs in one of several packed documents have only that document's tokens
 * between them.
 *
 * <p>As a plain DJL block it takes (scores (B, H, T, S), queries (B, H, T, D), keys (B, G, S, D))
 * and returns the scores with the bias added. It holds some T × S matrices for each head.
 */
public final class Cope extends EncodingBlock {

    private static final byte VERSION = 1;

    private final int heads;
    private final int headDimension;
    private final int positions;
    private final boolean shared;
    private final double scale;
    private final Parameter embedding;

    private Cope(Builder builder) {
        super(VERSION);
        heads = Checks.atLeast(1, builder.heads, "heads");
        headDimension = Checks.atLeast(1, builder.headDimension, "head dimension");
        positions = Checks.atLeast(2, builder.positions, "positions");
        shared = builder.shared;
        scale =
                Double.isNaN(builder.scale)
                        ? 1 / Math.sqrt(headDimension)
                        : Checks.finite(builder.scale, "scale");
        embedding =
                parameter(
                        "embedding",
                        Parameter.Type.WEIGHT,
                        new ConstantInitializer(0),
                        shared ? 1 : heads,
                        positions,
                        headDimension);
    }

    /**
     * Returns a builder.
     *
     * @return a builder with 64 positions for each head; heads and head dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    public NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return bias(queries, keys, context.parameters(), context.training());
    }

    private NDArray bias(
            NDArray queries, NDArray keys, ParameterStore parameters, boolean training) {
        Shape q = queries.getShape();
        if (q.get(1) != heads || q.get(3) != headDimension) {
            throw new IllegalArgumentException(
                    "these contextual positions are made for "
                            + heads
                            + " heads of "
                            + headDimension
                            + ", got queries "
                            + q);
        }
        DataType type =
                queries.getDataType() == DataType.FLOAT64 ? DataType.FLOAT64 : DataType.FLOAT32;
        NDArray e = value(embedding, queries, type, parameters, training); // (H or 1, P, D)
        return ContextualPositions.bias(queries, keys, e, scale, training);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray bias = bias(inputs.get(1), inputs.get(2), parameters, training);
        return new NDList(inputs.get(0).add(bias));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return heads
                + " heads of "
                + headDimension
                + ", "
                + positions
                + " positions, "
                + (shared ? "shared" : "each its own")
                + ", scale "
                + scale;
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "cope",
                "positions that a query counts by gates (CoPE, Golovneva et al. 2024)",
                (site, settings) ->
                        builder()
                                .setHeads(site.heads())
                                .setHeadDimension(site.headDimension())
                                .optPositions(settings.integer("positions"))
                                .optShared(settings.flag("shared"))
                                .optScale(settings.number("scale", Double.NaN))
                                .build(),
                new Settings.Key(
                        "positions", "64", "P, of which the last stands for all beyond, from 2"),
                new Settings.Key("shared", "false", "true: all heads share their embeddings"),
                new Settings.Key(
                        "scale",
                        "auto",
                        "of the products in the gates; auto: 1/√D as in attention; 1 as the paper"
                                + " writes"));
    }

    /** Builds {@link Cope}. */
    public static final class Builder {

        private int heads;
        private int headDimension;
        private int positions = 64;
        private boolean shared;
        private double scale = Double.NaN;

        private Builder() {}

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
         * Sets the size of a head.
         *
         * @param headDimension D, at least 1
         * @return this builder
         */
        public Builder setHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets how many positions are told apart.
         *
         * @param positions P, at least 2; 64 where it is not set
         * @return this builder
         */
        public Builder optPositions(int positions) {
            this.positions = positions;
            return this;
        }

        /**
         * Sets whether all heads have the same embeddings.
         *
         * @param shared as the authors do; false where it is not set
         * @return this builder
         */
        public Builder optShared(boolean shared) {
            this.shared = shared;
            return this;
        }

        /**
         * Sets what the products in the gates are multiplied with.
         *
         * @param scale any number; 1/√D where it is not set
         * @return this builder
         */
        public Builder optScale(double scale) {
            this.scale = scale;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if a size is missing
         */
        public Cope build() {
            return new Cope(this);
        }
    }
}
