package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Scalars;
import org.posenc.kernel.ScaledDotProduct;
import org.posenc.kernel.Slice;

/**
 * Which keys a query may see, beside the causal rule.
 *
 * <p>A query that may see no key at all attends to something finite, never to NaN. Like {@link
 * Positions}, one instance serves one thread and one forward pass, whose layers share what is
 * computed from it.
 */
public final class AttentionMask {

    private static final AttentionMask NONE = new AttentionMask(null, null, null);

    private final NDArray visible; // boolean, (B, 1, T or 1, S), or null
    private final Documents documents; // or null
    private final NDArray additive; // (B or 1, H or 1, T, S), or null
    private final Map<Object, NDArray> scores = new HashMap<>();
    private final Map<AttentionWindow.Block, AttentionMask> parts = new HashMap<>();

    /** Whose tokens queries (B, T) and keys (B, S) are; compared when it is known which are met. */
    private record Documents(NDArray queries, NDArray keys) {

        /** (B, 1, T, S): whether a query and a key are of one document. */
        NDArray same() {
            Shape q = queries.getShape();
            Shape k = keys.getShape();
            return queries.reshape(q.get(0), 1, q.get(1), 1)
                    .eq(keys.reshape(k.get(0), 1, 1, k.get(1)));
        }
    }

    private AttentionMask(NDArray visible, Documents documents, NDArray additive) {
        this.visible = visible;
        this.documents = documents;
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
        return new AttentionMask(tokens.reshape(s.get(0), 1, 1, s.get(1)), null, null);
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
        return new AttentionMask(null, new Documents(queries, keys), null);
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
        return new AttentionMask(seen.reshape(s.get(0), 1, s.get(1), s.get(2)), null, null);
    }

    /**
     * Anything else: numbers that are added to the scores.
     *
     * @param bias (T, S) or broadcasting to (B, H, T, S); large negative but finite where a key may
     *     not be seen
     * @return the mask
     */
    public static AttentionMask additive(NDArray bias) {
        return new AttentionMask(null, null, bias);
    }

    /**
     * What a query may see by where it stands among the keys, the last one at the last key.
     *
     * @param queries T
     * @param keys S
     * @param causal whether a query is kept from the keys after its own
     * @param window how many keys it sees, its own the last of them; 0 for all
     * @param type the queries' type
     */
    record Places(long queries, long keys, boolean causal, int window, DataType type) {

        /** Whether the causal rule, which the kernel knows, is all there is. */
        boolean leaveOpenOnlyTheFuture() {
            return window == 0 || keys <= window;
        }

        /** (T, S), boolean; null where every key may be seen. */
        NDArray seen(NDManager manager) {
            boolean all = leaveOpenOnlyTheFuture();
            if (all && (!causal || queries == 1)) {
                return null; // a single query stands at the last key
            }
            NDArray q = manager.create(count(keys - queries, keys), new Shape(queries, 1));
            NDArray k = manager.create(count(0, keys), new Shape(1, keys));
            if (all) {
                return q.gte(k);
            }
            NDArray first = manager.create(count(keys - queries - window + 1, keys - window + 1));
            return q.gte(k).logicalAnd(first.reshape(queries, 1).lte(k));
        }

        private static long[] count(long from, long to) {
            return LongStream.range(from, to).toArray();
        }
    }

    /** Returns the mask of some queries and keys alone. */
    AttentionMask of(AttentionWindow.Block block) {
        return this == NONE ? NONE : parts.computeIfAbsent(block, this::part);
    }

    private AttentionMask part(AttentionWindow.Block block) {
        if (documents != null) {
            long from = block.firstQuery();
            NDArray q = documents.queries();
            NDArray k = documents.keys();
            return new AttentionMask(
                    null,
                    new Documents(
                            kept(Slice.range(q, 1, from, from + block.queries()), q),
                            kept(
                                    Slice.range(
                                            k,
                                            1,
                                            block.firstKey(),
                                            block.firstKey() + block.keys()),
                                    k)),
                    null);
        }
        return visible == null
                ? new AttentionMask(null, null, kept(block.scoresOf(additive), additive))
                : new AttentionMask(kept(block.scoresOf(visible), visible), null, null);
    }

    /**
     * Returns what to add to the scores for this mask and for where queries and keys stand.
     *
     * @param places where they stand
     * @param positions of the queries; they remember what layers share where there is no mask
     * @return broadcasts to (B, H, T, S); {@code null} where no key is kept from a query, or those
     *     after it alone, which the kernel does by itself
     */
    NDArray scores(Places places, Positions positions) {
        if (this != NONE) {
            return scores.computeIfAbsent(places, key -> sum(places));
        }
        if (places.leaveOpenOnlyTheFuture()) {
            return null;
        }
        return positions.derived(
                places, () -> penalty(places.seen(positions.array().getManager()), places.type()));
    }

    private NDArray sum(Places places) {
        DataType type = places.type();
        if (additive != null) {
            NDArray seen = places.seen(additive.getManager());
            return seen == null ? additive : kept(additive.add(penalty(seen, type)), additive);
        }
        NDArray given = documents == null ? visible : documents.queries();
        try (NDScope temporaries = new NDScope()) { // T × S each, not to wait for the layer's end
            NDArray own = documents == null ? visible : documents.same(); // (B, 1, T or 1, S)
            check(own.getShape(), places);
            NDArray seen = places.seen(given.getManager());
            return kept(penalty(seen == null ? own : own.logicalAnd(seen), type), given);
        }
    }

    private static void check(Shape own, Places places) {
        long width = own.get(3);
        long height = own.get(2);
        if (width != places.keys() || height != 1 && height != places.queries()) {
            throw new IllegalArgumentException(
                    "a mask for "
                            + (height == 1 ? "" : height + " queries and ")
                            + width
                            + " keys cannot serve "
                            + places.queries()
                            + " queries and "
                            + places.keys()
                            + " keys");
        }
    }

    /** Lets an array live as long as the one it was made of: longer than the layer that asked. */
    private static NDArray kept(NDArray made, NDArray of) {
        if (made != of) {
            made.attach(of.getManager());
            NDScope.unregister(made);
        }
        return made;
    }

    private static NDArray penalty(NDArray seen, DataType type) {
        try (NDArray hidden = seen.logicalNot()) {
            return Scalars.muli(hidden.toType(type, false), ScaledDotProduct.lowest(type));
        }
    }

    private static Shape matrix(NDArray array, String what) {
        Shape shape = array.getShape();
        if (shape.dimension() != 2) {
            throw new IllegalArgumentException(what + " must be (B, S), got shape " + shape);
        }
        return shape;
    }
}
