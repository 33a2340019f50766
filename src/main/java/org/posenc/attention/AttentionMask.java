package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.Map;
import org.posenc.kernel.Scalars;
import org.posenc.kernel.ScaledDotProduct;

/**
 * Which keys a query may see, beside the causal rule.
 *
 * <p>A query that may see no key at all attends to something finite, never to NaN. Like {@link
 * org.posenc.encoding.Positions}, one instance serves one thread and one forward pass, whose layers
 * share what is computed from it.
 */
public final class AttentionMask {

    private static final AttentionMask NONE = new AttentionMask(null, null);

    private final NDArray visible; // boolean, (B, 1, T or 1, S), or null
    private final NDArray additive; // (B or 1, H or 1, T, S), or null
    private final Map<Object, NDArray> scores = new HashMap<>();

    private AttentionMask(NDArray visible, NDArray additive) {
        this.visible = visible;
        this.additive = additive;
    }

    /**
     * Every key may be seen, as far as the causal rule allows; costs no memory.
     *
     * @return the mask
     */
    public static AttentionMask none() {
        return NONE;
    }

    /**
     * Keys that are padding may not be seen.
     *
     * @param real (B, S), boolean or a number: not 0 where there is a token, 0 where there is
     *     padding
     * @return the mask
     * @throws IllegalArgumentException if the array is not a matrix
     */
    public static AttentionMask padding(NDArray real) {
        Shape s = matrix(real, "a padding mask");
        NDArray tokens = real.getDataType() == DataType.BOOLEAN ? real : real.neq(0);
        return new AttentionMask(tokens.reshape(s.get(0), 1, 1, s.get(1)), null);
    }

    /**
     * Several documents share a row, and a token sees those of its own document only.
     *
     * @param documents (B, T): each token's document, any whole number; padding is one more
     *     document
     * @return the mask
     * @throws IllegalArgumentException if the array is not a matrix
     */
    public static AttentionMask documents(NDArray documents) {
        return documents(documents, documents);
    }

    /**
     * Several documents share a row, and a query sees the keys of its own document only.
     *
     * @param queries (B, T): each query's document
     * @param keys (B, S): each key's document
     * @return the mask
     * @throws IllegalArgumentException if the arrays are not matrices of as many rows
     */
    public static AttentionMask documents(NDArray queries, NDArray keys) {
        Shape q = matrix(queries, "document numbers");
        Shape k = matrix(keys, "document numbers");
        if (q.get(0) != k.get(0)) {
            throw new IllegalArgumentException(
                    "document numbers of queries and keys must have as many rows, got "
                            + q
                            + " and "
                            + k);
        }
        NDArray column = queries.reshape(q.get(0), 1, q.get(1), 1);
        return new AttentionMask(column.eq(keys.reshape(k.get(0), 1, 1, k.get(1))), null);
    }

    /**
     * Each query has its own list of keys that it may see.
     *
     * @param visible (B, T, S), boolean or a number: not 0 where the query may see the key
     * @return the mask
     * @throws IllegalArgumentException if the array has not three axes
     */
    public static AttentionMask visible(NDArray visible) {
        Shape s = visible.getShape();
        if (s.dimension() != 3) {
            throw new IllegalArgumentException(
                    "a mask of each query's keys must be (B, T, S), got shape " + s);
        }
        NDArray seen = visible.getDataType() == DataType.BOOLEAN ? visible : visible.neq(0);
        return new AttentionMask(seen.reshape(s.get(0), 1, s.get(1), s.get(2)), null);
    }

    /**
     * Anything else: numbers that are added to the scores.
     *
     * @param bias (T, S) or broadcasting to (B, H, T, S); large negative but finite where a key may
     *     not be seen
     * @return the mask
     */
    public static AttentionMask additive(NDArray bias) {
        return new AttentionMask(null, bias);
    }

    /**
     * Returns what to add to the scores for this mask and the causal rule.
     *
     * @param queries T
     * @param keys S
     * @param causal whether the last query sees every key, the one before it all but the last, …
     * @param type the queries' type
     * @return broadcasts to (B, H, T, S); {@code null} for {@link #none()}, which leaves the causal
     *     rule to the kernel
     */
    NDArray scores(long queries, long keys, boolean causal, DataType type) {
        if (this == NONE) {
            return null;
        }
        record Key(long queries, long keys, boolean causal, DataType type) {}
        return scores.computeIfAbsent(
                new Key(queries, keys, causal, type),
                key -> {
                    NDArray sum = sum(queries, keys, causal && queries > 1, type);
                    NDArray given = visible == null ? additive : visible;
                    if (sum != given) {
                        sum.attach(given.getManager());
                        NDScope.unregister(sum); // it outlives the layer that asked first
                    }
                    return sum;
                });
    }

    private NDArray sum(long queries, long keys, boolean causal, DataType type) {
        if (visible == null) {
            return causal
                    ? additive.add(penalty(past(additive.getManager(), queries, keys), type))
                    : additive;
        }
        long width = visible.getShape().get(3);
        long height = visible.getShape().get(2);
        if (width != keys || height != 1 && height != queries) {
            throw new IllegalArgumentException(
                    "a mask for "
                            + (height == 1 ? "" : height + " queries and ")
                            + width
                            + " keys cannot serve "
                            + queries
                            + " queries and "
                            + keys
                            + " keys");
        }
        NDArray seen =
                causal
                        ? visible.logicalAnd(past(visible.getManager(), queries, keys))
                        : visible; // (B, 1, T, S) or (B, 1, 1, S)
        return penalty(seen, type);
    }

    /** (T, S): whether key s is not after query t, where the last query stands at the last key. */
    private static NDArray past(NDManager manager, long queries, long keys) {
        NDArray q = manager.create(count(keys - queries, keys), new Shape(queries, 1));
        return q.gte(manager.create(count(0, keys), new Shape(1, keys)));
    }

    private static long[] count(long from, long to) {
        long[] values = new long[Math.toIntExact(to - from)];
        for (int i = 0; i < values.length; i++) {
            values[i] = from + i;
        }
        return values;
    }

    private static NDArray penalty(NDArray seen, DataType type) {
        return Scalars.mul(seen.toType(type, false).sub(1), -ScaledDotProduct.lowest(type));
    }

    private static Shape matrix(NDArray array, String what) {
        Shape shape = array.getShape();
        if (shape.dimension() != 2) {
            throw new IllegalArgumentException(what + " must be (B, S), got shape " + shape);
        }
        return shape;
    }
}
