package org.posenc.model;

import java.util.List;
import org.posenc.encoding.Site;

/**
 * What a {@link Transformer} is made of, beside its encoding. {@link #builder()} gives every value
 * but the sizes a standard.
 *
 * @param vocabulary V, the number of token ids
 * @param embeddingSize E
 * @param layers N
 * @param heads H, the number of query heads
 * @param keyValueHeads G, a divisor of H
 * @param headDimension D
 * @param feedForwardSize F, the inner width of the feed-forward part
 * @param norm what normalises
 * @param normEpsilon its ε
 * @param activation the feed-forward part's non-linearity
 * @param causal true for a decoder, false for an encoder
 * @param tiedOutput whether the output's weights are the token embeddings
 * @param attentionBias whether the projections of queries, keys and values have biases
 * @param attentionOutputBias whether the projection of the attention's output has a bias
 * @param feedForwardBias whether the feed-forward part has biases
 * @param queryKeyNorm whether queries and keys are normalised by RMSNorm
 * @param attentionScale what products of queries and keys are multiplied with; NaN for 1/√D
 * @param embeddingScale what token embeddings are multiplied with; √E (Vaswani et al. 2017, Gemma)
 *     lets features that are added to them neither drown nor be drowned
 * @param windows how many keys up to its own a query sees, in each layer, 0 for all; empty where
 *     all layers see all
 * @param parallelResidual whether attention and feed-forward part read the same input (GPT-NeoX)
 *     rather than the one the other's output
 * @param embeddingDropout probability in training, after the embed seam
 * @param residualDropout probability in training, on what is added to the residual stream
 * @param attentionDropout probability in training, on attention weights; costs the T × T matrix
 * @param seed decides every initial weight
 */
public record TransformerConfig(
        int vocabulary,
        int embeddingSize,
        int layers,
        int heads,
        int keyValueHeads,
        int headDimension,
        int feedForwardSize,
        Norm norm,
        double normEpsilon,
        Activation activation,
        boolean causal,
        boolean tiedOutput,
        boolean attentionBias,
        boolean attentionOutputBias,
        boolean feedForwardBias,
        boolean queryKeyNorm,
        double attentionScale,
        double embeddingScale,
        List<Integer> windows,
        boolean parallelResidual,
        double embeddingDropout,
        double residualDropout,
        double attentionDropout,
        long seed) {

    /** What normalises the residual stream before each part. */
    public enum Norm {
        /** (x − mean(x)) / √(var(x) + ε) · γ + β (Ba et al. 2016). */
        LAYER_NORM,
        /** x / √(mean(x²) + ε) · g (Zhang and Sennrich 2019). */
        RMS_NORM
    }

    /** The feed-forward part's non-linearity. */
    public enum Activation {
        /** W₂ gelu(W₁ x), with the exact Gaussian distribution function. */
        GELU,
        /** W₂ (silu(W₁ x) · W₃ x) (<a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>). */
        SWIGLU
    }

    /** Checks the values. */
    public TransformerConfig {
        atLeastOne(vocabulary, "vocabulary");
        atLeastOne(embeddingSize, "embedding size");
        atLeastOne(layers, "layers");
        atLeastOne(heads, "heads");
        atLeastOne(keyValueHeads, "key/value heads");
        atLeastOne(headDimension, "head dimension");
        atLeastOne(feedForwardSize, "feed-forward size");
        if (heads % keyValueHeads != 0) {
            throw new IllegalArgumentException(
                    "heads must be a multiple of key/value heads, got "
                            + heads
                            + " and "
                            + keyValueHeads);
        }
        if (!(normEpsilon > 0)) {
            throw new IllegalArgumentException("norm epsilon must be positive, got " + normEpsilon);
        }
        if (!(embeddingScale > 0) || Double.isInfinite(embeddingScale)) {
            throw new IllegalArgumentException(
                    "embedding scale must be positive and finite, got " + embeddingScale);
        }
        if (!windows.isEmpty() && windows.size() != layers) {
            throw new IllegalArgumentException(
                    "windows must be none or one for each of %d layers, got %s"
                            .formatted(layers, windows));
        }
        boolean narrow = windows.stream().anyMatch(window -> window != 0);
        if (windows.stream().anyMatch(window -> window < 0) || narrow && !causal) {
            throw new IllegalArgumentException(
                    "windows must be those of a decoder, each at least 1 key or 0 for all, got "
                            + windows);
        }
        windows = narrow ? List.copyOf(windows) : List.of();
        probability(embeddingDropout, "embedding dropout");
        probability(residualDropout, "residual dropout");
        probability(attentionDropout, "attention dropout");
    }

    /**
     * Returns a builder.
     *
     * @return a builder of a decoder with LayerNorm, GELU, tied output, no biases and no dropout
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Tells an encoding that is made by name where it will be used.
     *
     * @param length the number of positions seen in training
     * @return this model, as encodings see it
     */
    public Site site(int length) {
        return new Site(
                embeddingSize, heads, keyValueHeads, headDimension, layers, length, causal, seed);
    }

    /**
     * Returns how far back a layer's queries look.
     *
     * @param layer the layer's index, from 0
     * @return how many keys up to its own a query sees, 0 for all
     */
    public int window(int layer) {
        return windows.isEmpty() ? 0 : windows.get(layer);
    }

    /** What must be equal for saved weights to fit, in words. */
    String architecture() {
        return String.join(
                ", ",
                "vocabulary " + vocabulary,
                "embedding size " + embeddingSize,
                "layers " + layers,
                "heads " + heads,
                "key/value heads " + keyValueHeads,
                "head dimension " + headDimension,
                "feed-forward size " + feedForwardSize,
                "norm " + norm,
                "activation " + activation,
                "tied output " + tiedOutput,
                "attention bias " + attentionBias,
                "attention output bias " + attentionOutputBias,
                "feed-forward bias " + feedForwardBias,
                "query/key norm " + queryKeyNorm,
                "attention scale " + attentionScale,
                "embedding scale " + embeddingScale,
                "parallel residual "
                        + parallelResidual
                        + (windows.isEmpty() ? "" : ", windows " + windows));
    }

    private static void atLeastOne(int value, String what) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, got " + value);
        }
    }

    private static void probability(double value, String what) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(what + " must be in [0, 1), got " + value);
        }
    }

    /** Builds {@link TransformerConfig}. */
    public static final class Builder {

        private int vocabulary;
        private int embeddingSize;
        private int layers;
        private int heads;
        private int keyValueHeads;
        private int headDimension;
        private int feedForwardSize;
        private Norm norm = Norm.LAYER_NORM;
        private double normEpsilon = 1e-5;
        private Activation activation = Activation.GELU;
        private boolean causal = true;
        private boolean tiedOutput = true;
        private boolean attentionBias;
        private boolean attentionOutputBias;
        private boolean feedForwardBias;
        private boolean queryKeyNorm;
        private double attentionScale = Double.NaN;
        private double embeddingScale = 1;
        private List<Integer> windows = List.of();
        private boolean parallelResidual;
        private double embeddingDropout;
        private double residualDropout;
        private double attentionDropout;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of token ids.
         *
         * @param vocabulary V
         * @return this builder
         */
        public Builder setVocabulary(int vocabulary) {
            this.vocabulary = vocabulary;
            return this;
        }

        /**
         * Sets the size of a token.
         *
         * @param embeddingSize E
         * @return this builder
         */
        public Builder setEmbeddingSize(int embeddingSize) {
            this.embeddingSize = embeddingSize;
            return this;
        }

        /**
         * Sets the number of layers.
         *
         * @param layers N
         * @return this builder
         */
        public Builder setLayers(int layers) {
            this.layers = layers;
            return this;
        }

        /**
         * Sets the number of query heads.
         *
         * @param heads H
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the number of heads of keys and values.
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
         * Sets the inner width of the feed-forward part.
         *
         * @param feedForwardSize F; 4 E where it is not set
         * @return this builder
         */
        public Builder optFeedForwardSize(int feedForwardSize) {
            this.feedForwardSize = feedForwardSize;
            return this;
        }

        /**
         * Sets what normalises.
         *
         * @param norm LayerNorm where it is not set
         * @param epsilon its ε; 10⁻⁵ where it is not set
         * @return this builder
         */
        public Builder optNorm(Norm norm, double epsilon) {
            this.norm = norm;
            this.normEpsilon = epsilon;
            return this;
        }

        /**
         * Sets the feed-forward part's non-linearity.
         *
         * @param activation GELU where it is not set
         * @return this builder
         */
        public Builder optActivation(Activation activation) {
            this.activation = activation;
            return this;
        }

        /**
         * Sets whether the model is a decoder.
         *
         * @param causal true where it is not set
         * @return this builder
         */
        public Builder optCausal(boolean causal) {
            this.causal = causal;
            return this;
        }

        /**
         * Sets whether the output's weights are the token embeddings.
         *
         * @param tiedOutput true where it is not set
         * @return this builder
         */
        public Builder optTiedOutput(boolean tiedOutput) {
            this.tiedOutput = tiedOutput;
            return this;
        }

        /**
         * Sets where biases are; nowhere where it is not set.
         *
         * @param attention in the projections of queries, keys and values
         * @param attentionOutput in the projection of the attention's output
         * @param feedForward in the feed-forward part
         * @return this builder
         */
        public Builder optBiases(boolean attention, boolean attentionOutput, boolean feedForward) {
            this.attentionBias = attention;
            this.attentionOutputBias = attentionOutput;
            this.feedForwardBias = feedForward;
            return this;
        }

        /**
         * Sets whether queries and keys are normalised by RMSNorm.
         *
         * @param queryKeyNorm false where it is not set
         * @return this builder
         */
        public Builder optQueryKeyNorm(boolean queryKeyNorm) {
            this.queryKeyNorm = queryKeyNorm;
            return this;
        }

        /**
         * Sets what products of queries and keys are multiplied with.
         *
         * @param attentionScale 1/√D where it is not set
         * @return this builder
         */
        public Builder optAttentionScale(double attentionScale) {
            this.attentionScale = attentionScale;
            return this;
        }

        /**
         * Sets what token embeddings are multiplied with. Where it is not 1 they start with
         * deviation 1/scale, so that the scaled ones start with deviation 1.
         *
         * @param embeddingScale positive; 1 where it is not set
         * @return this builder
         */
        public Builder optEmbeddingScale(double embeddingScale) {
            this.embeddingScale = embeddingScale;
            return this;
        }

        /**
         * Sets how far back queries look, in tokens of the row or the cache.
         *
         * @param windows how many keys up to its own a query sees, in each layer, 0 for all; empty,
         *     or where it is not set, all layers see all
         * @return this builder
         */
        public Builder optWindows(List<Integer> windows) {
            this.windows = windows;
            return this;
        }

        /**
         * Sets whether attention and feed-forward part read the same input.
         *
         * @param parallelResidual false where it is not set
         * @return this builder
         */
        public Builder optParallelResidual(boolean parallelResidual) {
            this.parallelResidual = parallelResidual;
            return this;
        }

        /**
         * Sets the dropout probabilities; 0 where they are not set.
         *
         * @param embedding after the embed seam
         * @param residual on what is added to the residual stream
         * @param attention on attention weights; costs the T × T matrix
         * @return this builder
         */
        public Builder optDropout(double embedding, double residual, double attention) {
            this.embeddingDropout = embedding;
            this.residualDropout = residual;
            this.attentionDropout = attention;
            return this;
        }

        /**
         * Sets the seed of the initial weights.
         *
         * @param seed 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is missing or out of range
         */
        public TransformerConfig build() {
            if (headDimension == 0 && heads > 0 && embeddingSize % heads != 0) {
                throw new IllegalArgumentException(
                        "embedding size "
                                + embeddingSize
                                + " does not divide into "
                                + heads
                                + " heads; set the head dimension");
            }
            return new TransformerConfig(
                    vocabulary,
                    embeddingSize,
                    layers,
                    heads,
                    keyValueHeads == 0 ? heads : keyValueHeads,
                    headDimension == 0 && heads > 0 ? embeddingSize / heads : headDimension,
                    feedForwardSize == 0 ? 4 * embeddingSize : feedForwardSize,
                    norm,
                    normEpsilon,
                    activation,
                    causal,
                    tiedOutput,
                    attentionBias,
                    attentionOutputBias,
                    feedForwardBias,
                    queryKeyNorm,
                    attentionScale,
                    embeddingScale,
                    windows,
                    parallelResidual,
                    embeddingDropout,
                    residualDropout,
                    attentionDropout,
                    seed);
        }
    }
}
