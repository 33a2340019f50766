package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;

/**
 * What an encoding may look at while one attention layer runs, beside the queries, keys and
 * positions.
 *
 * @param layer the layer's index, from 0
 * @param hidden the layer's input (B, T, E), after normalisation; encodings that depend on content
 *     (forget gates, selective rotations) read it
 * @param keyNotes what {@link PositionalEncoding#keyNotes} returned for all keys (B, C, S), where
 *     queries meet keys; {@code null} before, and where it returned nothing
 * @param parameters gives the encoding's parameters on the right device
 * @param training whether the pass trains
 */
public record LayerContext(
        int layer, NDArray hidden, NDArray keyNotes, ParameterStore parameters, boolean training) {

    /**
     * A layer whose queries have not met keys yet.
     *
     * @param layer the layer's index, from 0
     * @param hidden the layer's input (B, T, E), after normalisation
     * @param parameters gives the encoding's parameters on the right device
     * @param training whether the pass trains
     */
    public LayerContext(int layer, NDArray hidden, ParameterStore parameters, boolean training) {
        this(layer, hidden, null, parameters, training);
    }

    /**
     * Returns the same layer with notes.
     *
     * @param notes (B, C, S), or {@code null}
     * @return a new context
     */
    public LayerContext withKeyNotes(NDArray notes) {
        return new LayerContext(layer, hidden, notes, parameters, training);
    }
}
