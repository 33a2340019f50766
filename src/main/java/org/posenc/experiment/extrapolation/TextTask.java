package org.posenc.experiment.extrapolation;

import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.Positive;
import org.posenc.model.TransformerConfig;

/**
 * A small decoder and how it is trained.
 *
 * <p>It is built as Llama is (RMSNorm, SwiGLU, no biases). Heads are 64 wide and at least four, and
 * the learned biases end within the training length: at smaller settings the order of the methods
 * turns over.
 *
 * @param layers the decoder's layers
 * @param embeddingSize E
 * @param heads H
 * @param headDimension D
 * @param length L, the tokens of a training window
 * @param batch windows in a step
 * @param training steps and learning rate
 */
public record TextTask(
        int layers,
        int embeddingSize,
        int heads,
        int headDimension,
        int length,
        int batch,
        DecoderTraining training) {

    /** Checks the values. */
    public TextTask {
        Positive.check(layers, "layers");
        Positive.check(embeddingSize, "embedding size");
        Positive.check(heads, "heads");
        Positive.check(headDimension, "head dimension");
        Positive.check(length, "length");
        Positive.check(batch, "batch");
    }

    /** The decoder. */
    TransformerConfig config(int vocabulary, long seed) {
        return decoder(layers, embeddingSize, heads, headDimension, vocabulary, seed);
    }

    static TransformerConfig decoder(
            int layers,
            int embeddingSize,
            int heads,
            int headDimension,
            int vocabulary,
            long seed) {
        return TransformerConfig.builder()
                .setVocabulary(vocabulary)
                .setEmbeddingSize(embeddingSize)
                .setLayers(layers)
                .setHeads(heads)
                .optHeadDimension(headDimension)
                .optFeedForwardSize(embeddingSize * 8 / 3)
                .optNorm(TransformerConfig.Norm.RMS_NORM, 1e-5)
                .optActivation(TransformerConfig.Activation.SWIGLU)
                .optEmbeddingScale(Math.sqrt(embeddingSize))
                .optSeed(seed)
                .build();
    }

    @Override
    public String toString() {
        return "%d layers of %d, %d heads of %d, %d windows of %d tokens in each of %d steps, learning rate %s"
                .formatted(
                        layers,
                        embeddingSize,
                        heads,
                        headDimension,
                        batch,
                        length,
                        training.steps(),
                        training.learningRate());
    }
}
