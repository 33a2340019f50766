package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.Map;

/**
 * Scaled dot-product attention (<a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>,
 * eq. 1) with grouped-query heads, in memory linear in the length unless a bias is given.
 *
 * <p>softmax(Q Kᵀ · scale + bias) V. With {@code causal}, the last query sees every key, the one
 * before it all but the last key, and so on, whatever the two lengths are.
 *
 * @param causal whether a query is kept from the keys after it
 * @param scale what the products are multiplied with; NaN stands for 1/√D
 * @param dropout the probability that a weight is dropped in training, in [0, 1)
 */
public record ScaledDotProduct(boolean causal, double scale, double dropout) {

    /** Checks the values. */
    public ScaledDotProduct {
        if (Double.isInfinite(scale)) {
            throw new IllegalArgumentException("scale must be finite, or NaN for 1/√D");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("dropout must be in [0, 1), got " + dropout);
        }
    }

    /**
     * Attention with the usual scale 1/√D and no dropout.
     *
     * @param causal whether a query is kept from the keys after it
     */
    public ScaledDotProduct(boolean causal) {
        this(causal, Double.NaN, 0);
    }

    /**
     * Attends.
     *
     * @param q queries (B, H, T, D), float16, float32 or float64
     * @param k keys (B, G, S, D), H a multiple of G
     * @param v values (B, G, S, C)
     * @param bias added to the scores, (T, S) or broadcasting to (B, H, T, S); may be {@code null}
     * @param training whether gradients flow and dropout acts
     * @return (B, H, T, C), in the queries' manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public NDArray attend(NDArray q, NDArray k, NDArray v, NDArray bias, boolean training) {
        check(q, k, v);
        long queries = q.getShape().get(2);
        long keys = k.getShape().get(2);
        if (queries == 1 && !training && Precision.current().narrows(q.getDataType())) {
            // It reads each key once: to narrow them would take longer than the products do.
            try (Autograd.Scope wide = Precision.FLOAT32.use()) {
                return attend(q, k, v, bias, false);
            }
        }
        Map<String, Object> constants = constants(q.getDataType(), training);
        constants.put("scale", Double.isNaN(scale) ? "None" : scale);
        boolean masks = causal && queries > 1; // a single query sees every key
        NDArray added = bias;
        if (bias == null && masks && queries != keys) {
            added = q.getManager().zeros(new Shape(queries, keys), q.getDataType(), q.getDevice());
        } else if (bias != null && bias.getShape().dimension() == 3) {
            added = bias.expandDims(0); // libtorch's fused code takes two axes or four
        }
        long heads = q.getShape().get(1);
        long keyHeads = k.getShape().get(1);
        if (heads != keyHeads && !masks && (added == null || queries == 1)) {
            return grouped(q, k, v, added, training);
        }
        int share = Math.toIntExact(heads / keyHeads);
        NDArray eachKey = repeat(k, share);
        NDArray eachValue = repeat(v, share);
        if (added == null) {
            constants.put("causal", masks);
            return TorchScript.load("attention", constants).call(training, q, eachKey, eachValue);
        }
        double lowest = Precision.current().lowest(q.getDataType());
        // What no score outweighs in float32 is minus infinity in float16.
        boolean clamp = lowest != lowest(q.getDataType());
        constants.put("bias", clamp ? "torch.clamp(bias, " + lowest + ")" : "bias");
        if (!masks) {
            return TorchScript.load("attention_biased", constants)
                    .call(training, q, eachKey, eachValue, added);
        }
        constants.put("lowest", lowest);
        return TorchScript.load("attention_biased_causal", constants)
                .call(training, q, eachKey, eachValue, added);
    }

    /**
     * Attends by products of queries and keys that were taken elsewhere: softmax(P · scale + bias)
     * V. It holds T × S matrices.
     *
     * @param products P (B, H, T, S), not yet scaled
     * @param v values (B, G, S, C), H a multiple of G
     * @param bias added to the scaled products, (T, S) or broadcasting to (B, H, T, S); may be
     *     {@code null}
     * @param training whether gradients flow and dropout acts
     * @return (B, H, T, C), in the products' manager
     * @throws IllegalArgumentException if the shapes do not fit together, or the scale is left to
     *     the head dimension, which products do not tell
     */
    public NDArray weigh(NDArray products, NDArray v, NDArray bias, boolean training) {
        Shape p = products.getShape();
        Shape c = v.getShape();
        boolean fits =
                p.dimension() == 4
                        && c.dimension() == 4
                        && p.get(0) == c.get(0)
                        && p.get(1) % c.get(1) == 0
                        && p.get(3) == c.get(2);
        if (!fits || Double.isNaN(scale)) {
            throw new IllegalArgumentException(
                    "attention by products needs them (B, H, T, S), values (B, G, S, C) with H a"
                            + " multiple of G and a scale, got "
                            + p
                            + ", "
                            + c
                            + " and the scale "
                            + scale);
        }
        Map<String, Object> constants = constants(products.getDataType(), training);
        constants.put("scale", scale);
        constants.put("causal", causal && p.get(2) > 1);
        constants.put("lowest", lowest(products.getDataType()));
        if (bias != null) {
            return TorchScript.load("attention_products", constants)
                    .call(training, products, v, bias);
        }
        try (NDArray none =
                products.getManager()
                        .zeros(new Shape(1), products.getDataType(), products.getDevice())) {
            return TorchScript.load("attention_products", constants)
                    .call(training, products, v, none);
        }
    }

    private Map<String, Object> constants(DataType type, boolean training) {
        Map<String, Object> constants = new HashMap<>(Precision.current().types(type));
        constants.put("dropout", training ? dropout : 0.0);
        return constants;
    }

    /**
     * Query heads that share a key head become further queries of it, (B, H, T, D) to (B, G, H/G ·
     * T, D): each sees the same keys, so that none need be copied.
     */
    private NDArray grouped(NDArray q, NDArray k, NDArray v, NDArray bias, boolean training) {
        Shape a = q.getShape();
        long groups = k.getShape().get(1);
        Shape b = bias == null || bias.getShape().dimension() < 4 ? null : bias.getShape();
        boolean eachHead = b != null && b.get(1) > 1;
        NDArray added =
                eachHead ? bias.reshape(b.get(0), groups, a.get(1) / groups, b.get(3)) : bias;
        try (NDArray rows = q.reshape(a.get(0), groups, -1, a.get(3));
                NDArray y =
                        new ScaledDotProduct(false, scale, dropout)
                                .attend(rows, k, v, added, training)) {
            return y.reshape(a.get(0), a.get(1), a.get(2), v.getShape().get(3));
        } finally {
            if (eachHead) {
                added.close();
            }
        }
    }

    /**
     * Gives every query head its own copy of the keys or values, which attention does by itself;
     * who attends to stretches of them that overlap spares himself the copies of each. libtorch
     * could share them, but then takes the scores as a T × S matrix on the CPU.
     *
     * @param shared (B, G, S, D)
     * @param times H/G
     * @return (B, H, S, D); the same array where there is nothing to copy
     */
    public static NDArray repeat(NDArray shared, int times) {
        if (times == 1) {
            return shared;
        }
        Shape s = shared.getShape();
        try (NDArray one = shared.expandDims(2);
                NDArray all = one.broadcast(s.get(0), s.get(1), times, s.get(2), s.get(3))) {
            return all.reshape(s.get(0), s.get(1) * times, s.get(2), s.get(3));
        }
    }

    /**
     * Returns a finite number that no score outweighs: a row that is masked out whole then attends
     * to something where minus infinity would give NaN. In float16 it leaves room for a bias below
     * it.
     *
     * @param type float16, float32 or float64
     * @return the number to add to a score that must not count
     */
    public static double lowest(DataType type) {
        return type == DataType.FLOAT16 ? -3e4 : -1e30;
    }

    private static void check(NDArray q, NDArray k, NDArray v) {
        Shape a = q.getShape();
        Shape b = k.getShape();
        Shape c = v.getShape();
        boolean fits =
                a.dimension() == 4
                        && b.dimension() == 4
                        && c.dimension() == 4
                        && a.get(0) == b.get(0)
                        && a.get(0) == c.get(0)
                        && b.get(1) == c.get(1)
                        && a.get(1) % b.get(1) == 0
                        && a.get(3) == b.get(3)
                        && b.get(2) == c.get(2);
        if (!fits) {
            throw new IllegalArgumentException(
                    "attention needs queries (B, H, T, D), keys (B, G, S, D) and values (B, G, S,"
                            + " C) with H a multiple of G, got "
                            + a
                            + ", "
                            + b
                            + " and "
                            + c);
        }
    }
}
