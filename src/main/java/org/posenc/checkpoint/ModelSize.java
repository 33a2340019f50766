package org.posenc.checkpoint;

import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.posenc.model.TransformerConfig;

/**
 * How large a model is, and what it needs of memory; plain arithmetic, nothing is allocated.
 *
 * @param config what it is made of
 */
public record ModelSize(TransformerConfig config) {

    /** A weight, its gradient and the two moments of Adam, each a float32. */
    private static final int TRAINING_BYTES = 16;

    /**
     * Returns how many numbers are trained.
     *
     * @return the parameters; those of tied embeddings count once
     */
    public long parameters() {
        return TensorTable.parameters(config).values().stream().mapToLong(Shape::size).sum();
    }

    /**
     * Returns how many of the parameters belong to tokens of the vocabulary.
     *
     * @return those of the embeddings, and of the output where it is not tied
     */
    public long vocabularyParameters() {
        Map<String, Shape> shapes = TensorTable.parameters(config);
        Shape output = shapes.get("output.weight");
        return shapes.get("tokens").size() + (output == null ? 0 : output.size());
    }

    /**
     * Returns what the weights take.
     *
     * @param numberBytes bytes of a number: 4 of float32, 2 of float16 and bfloat16
     * @return bytes
     */
    public long weightBytes(int numberBytes) {
        return parameters() * numberBytes;
    }

    /**
     * Returns what a key/value cache takes.
     *
     * @param numberBytes bytes of a number
     * @param tokens how many tokens it holds, of all rows together
     * @return bytes: 2 · layers · key/value heads · head dimension for each token
     */
    public long cacheBytes(int numberBytes, long tokens) {
        return Math.multiplyExact(
                2L
                        * config.layers()
                        * config.keyValueHeads()
                        * config.headDimension()
                        * numberBytes,
                tokens);
    }

    /**
     * Returns what training of all parameters takes beside the activations.
     *
     * @return bytes of the weights, their gradients and Adam's moments in float32
     */
    public long trainingBytes() {
        return parameters() * TRAINING_BYTES;
    }
}
