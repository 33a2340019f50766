package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import org.posenc.encoding.Positions;

/** An encoding that turns pairs of components by angles which depend on positions alone. */
public interface PairRotation {

    /**
     * Returns what queries are multiplied by, pair by pair, as complex numbers; those of the first
     * layer where layers differ.
     *
     * @param positions (T), or points (T, M) where the encoding takes them
     * @param type float32 or float64
     * @param parameters gives what is learned
     * @return cosines and sines (T, pairs, 2), or (H, T, pairs, 2) where heads differ; not to be
     *     closed
     */
    NDArray waves(Positions positions, DataType type, ParameterStore parameters);
}
