package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/** Products of queries and keys that are turned one way for near pairs and another for far ones. */
public final class WindowProducts {

    private WindowProducts() {}

    /**
     * Returns q · k for pairs inside a window and q′ · k′ for all others. No key is repeated for
     * the query heads that share it, and without gradients no more than two T × S matrices exist.
     *
     * @param q queries of near pairs (B, H, T, D)
     * @param k keys of near pairs (B, G, S, D), H a multiple of G
     * @param farQ queries of far pairs (B, H, T, D)
     * @param farK keys of far pairs (B, G, S, D)
     * @param inside which pairs are near, boolean, (T, S) or (B, 1, T, S)
     * @param training whether gradients are to flow
     * @return (B, H, T, S), in the queries' type and manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray of(
            NDArray q, NDArray k, NDArray farQ, NDArray farK, NDArray inside, boolean training) {
        Shape a = q.getShape();
        Shape b = k.getShape();
        boolean fits =
                a.dimension() == 4
                        && b.dimension() == 4
                        && a.get(0) == b.get(0)
                        && a.get(1) % b.get(1) == 0
                        && a.get(3) == b.get(3)
                        && farQ.getShape().equals(a)
                        && farK.getShape().equals(b);
        if (!fits) {
            throw new IllegalArgumentException(
                    "products need queries (B, H, T, D) and keys (B, G, S, D) with H a multiple of"
                            + " G, twice, got "
                            + a
                            + " and "
                            + b
                            + ", then "
                            + farQ.getShape()
                            + " and "
                            + farK.getShape());
        }
        return TorchScript.load("window_products", Map.of("training", training))
                .call(training, q, k, farQ, farK, inside);
    }
}
