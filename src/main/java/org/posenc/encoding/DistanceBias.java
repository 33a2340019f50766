package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;

/** Base of the encodings whose bias depends on the distance of key and query alone. */
public abstract class DistanceBias extends PositionBias {

    /**
     * A bias for a number of heads.
     *
     * @param version written before the parameters; raised when their format changes
     * @param heads H, at least 1
     */
    protected DistanceBias(byte version, int heads) {
        super(version, heads);
    }

    /**
     * Computes the bias of distances.
     *
     * @param distances key position − query position, (…, T, S), float64
     * @param type float32, or float64 where the scores have it; half precision is narrowed later
     * @param parameters gives this block's parameters on the right device
     * @param training whether gradients are to flow
     * @return (…, H, T, S), in any type
     */
    protected abstract NDArray biases(
            NDArray distances, DataType type, ParameterStore parameters, boolean training);

    /** {@inheritDoc} */
    @Override
    protected final NDArray biases(
            Positions queries,
            Positions keys,
            DataType type,
            ParameterStore parameters,
            boolean training) {
        try (NDArray distances = distances(queries, keys)) {
            return biases(distances, type, parameters, training);
        }
    }

    /**
     * Computes the distances.
     *
     * @param queries positions i, (T) or (B, T)
     * @param keys positions j, (S) or (B, S)
     * @return j − i, (…, T, S), float64; closed by the caller
     */
    NDArray distances(Positions queries, Positions keys) {
        NDArray i = queries.real(DataType.FLOAT64).expandDims(-1); // (…, T, 1)
        NDArray j = keys.real(DataType.FLOAT64).expandDims(-2); // (…, 1, S)
        return j.sub(i);
    }
}
