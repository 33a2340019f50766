package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.List;

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
     * Takes these features apart into features of each coordinate alone, where they are that: φ(x)
     * = [φ_0(x_0), φ_1(x_1), …, φ_{M−1}(x_{M−1})]. A linear map of them is then a sum of functions
     * of one coordinate, which a grid needs along its sides only.
     *
     * @return φ_0, …, φ_{M−1}, without parameters of their own where M > 1; empty where a feature
     *     looks at several coordinates, or the coordinates' features do not stand one after the
     *     other
     */
    default List<PositionFeatures> separated() {
        return positionDimension() == 1 ? List.of(this) : List.of();
    }

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
