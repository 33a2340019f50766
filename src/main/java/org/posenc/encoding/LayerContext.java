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
 * @param parameters gives the encoding's parameters on the right device
 * @param training whether the pass trains
 */
public record LayerContext(
        int layer, NDArray hidden, ParameterStore parameters, boolean training) {}
