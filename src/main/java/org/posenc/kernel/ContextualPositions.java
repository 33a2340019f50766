package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/**
 * Positions that are counted by gates between a key and a query, and their bias, fused so that the
 * T × S matrices on the way are freed as soon as they are used.
 */
public final class ContextualPositions {

    private ContextualPositions() {}

    /**
     * Computes z[p_ij] with p_ij = min(Σ_t σ(s q_i·k_t), P − 1), t = j … i, and z[p] = q_i·e[p],
     * linear between whole p, and 0 for keys after the query. The queries are the last T of the S
     * tokens.
     *
     * @param q queries (B, H, T, D), float16, float32 or float64
     * @param k keys (B, G, S, D) in the queries' type, H a multiple of G, S at least T
     * @param e embeddings (H, P, D), or (1, P, D) shared by the heads, in float32, or float64 where
     *     the queries have it
     * @param scale s, any number
     * @param training whether gradients are to flow
     * @return (B, H, T, S), in the queries' type and manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray bias(NDArray q, NDArray k, NDArray e, double scale, boolean training) {
        Shape a = q.getShape();
        Shape b = k.getShape();
        Shape c = e.getShape();
        boolean fits =
                a.dimension() == 4
                        && b.dimension() == 4
                        && c.dimension() == 3
                        && a.get(0) == b.get(0)
                        && a.get(1) % b.get(1) == 0
                        && a.get(2) <= b.get(2)
                        && a.get(3) == b.get(3)
                        && a.get(3) == c.get(2)
                        && (c.get(0) == 1 || c.get(0) == a.get(1));
        if (!fits) {
            throw new IllegalArgumentException(
                    "contextual positions need queries (B, H, T, D), the last of the keys (B, G, S,"
                            + " D) with H a multiple of G, and embeddings (H, P, D), got "
                            + a
                            + ", "
                            + b
                            + " and "
                            + c);
        }
        DataType wide = LibtorchTypes.wide(q.getDataType());
        Map<String, Object> constants =
                Map.of(
                        "wide",
                        LibtorchTypes.number(wide),
                        "type",
                        LibtorchTypes.number(q.getDataType()),
                        "scale",
                        scale,
                        "closed", // a logit whose gate is 0
                        -1e30);
        return TorchScript.load("contextual_positions", constants).call(training, q, k, e);
    }
}
