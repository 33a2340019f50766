package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/** Gates that tell at each token how much of what came before is kept, as logarithms. */
public final class ForgetGates {

    private ForgetGates() {}

    /**
     * Returns the type in which gates of arrays of a type are computed and kept.
     *
     * @param type the type of the tokens
     * @return float64 for float64, else float32
     */
    public static DataType gateType(DataType type) {
        return LibtorchTypes.wide(type);
    }

    /**
     * Computes the gates, log σ(x Wᵀ + b).
     *
     * @param x (B, S, E), float16, float32 or float64
     * @param weight W: (H, E), in the gates' type
     * @param bias b: (H), in the gates' type
     * @param training whether gradients are to flow
     * @return (B, H, S), at most 0, in {@link #gateType}, in x's manager
     */
    public static NDArray of(NDArray x, NDArray weight, NDArray bias, boolean training) {
        Map<String, Integer> constants =
                Map.of("wide", LibtorchTypes.number(gateType(x.getDataType())));
        return TorchScript.load("log_gates", constants).call(training, x, weight, bias);
    }

    /**
     * Sums the gates between keys and queries: Σ g_t over the tokens t after key j up to query i,
     * and 0 for keys after the query. The queries are the last T of the S tokens.
     *
     * @param gates g (B, H, S)
     * @param queries (B, H, T, D), whose length and type count
     * @param training whether gradients are to flow
     * @return (B, H, T, S), finite, in the queries' type and the gates' manager
     * @throws IllegalArgumentException if there are more queries than gates
     */
    public static NDArray decay(NDArray gates, NDArray queries, boolean training) {
        Shape g = gates.getShape();
        Shape q = queries.getShape();
        if (g.dimension() != 3 || q.dimension() != 4 || q.get(2) > g.get(2)) {
            throw new IllegalArgumentException(
                    "decay needs gates (B, H, S) and queries (B, H, T, D), the last of as many"
                            + " tokens, got "
                            + g
                            + " and "
                            + q);
        }
        DataType type = queries.getDataType();
        Map<String, Object> constants =
                Map.of(
                        "type",
                        LibtorchTypes.number(type),
                        "clamped",
                        type == DataType.FLOAT16,
                        "lowest",
                        ScaledDotProduct.lowest(type));
        return TorchScript.load("decay", constants).call(training, gates, queries);
    }
}
