package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

/**
 * A map from positions to feature vectors: what is added to a Transformer's tokens, what a
 * coordinate network takes as its input, and what a stable rank is computed of.
 *
 * <p>As a plain DJL block it takes (positions) and returns (features).
 */
public interface PositionFeatures extends Block {

    /**
     * Returns the number of coordinates of a position.
     *
     * @return M; with M = 1 positions have no axis for it
     */
    int positionDimension();

    /**
     * Returns the number of features of a position.
     *
     * @return D
     */
    int featureDimension();

    /**
     * Computes the features.
     *
     * @param positions (…) where M = 1, else (…, M)
     * @param parameters gives this block's parameters on the right device
     * @param training whether the pass trains
     * @return (…, D); float64 for float64 positions or parameters, else float32
     * @throws IllegalArgumentException if the last axis of positions is not M
     */
    NDArray features(Positions positions, ParameterStore parameters, boolean training);

    /**
     * Makes an encoding that adds these features to the tokens, x + p.
     *
     * @return an encoding for a Transformer of embedding size D
     */
    default PositionalEncoding added() {
        return FeatureEncoding.add(this);
    }

    /**
     * Makes an encoding that concatenates these features to the tokens and maps back to their size,
     * W [x; p].
     *
     * @param embeddingSize E, the size of the tokens
     * @return an encoding for a Transformer of embedding size E
     */
    default PositionalEncoding concatenated(int embeddingSize) {
        return FeatureEncoding.concatenate(this, embeddingSize, 0);
    }
}
