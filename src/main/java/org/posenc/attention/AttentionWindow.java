package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.posenc.kernel.Slice;

/**
 * How far back a causal attention looks: query t of T stands at key i = S − T + t, the last query
 * at the last key, and sees the keys j with i − W &lt; j ≤ i, its own among them (<a
 * href="https://arxiv.org/abs/2310.06825">Jiang et al. 2023</a>, §2).
 *
 * <p>What counts is the place in the sequence, with padding and other documents, not the position
 * that an encoding is told; so it does in Hugging Face's code.
 *
 * <p>The scores that count are a band. It is cut into blocks of queries, each with the keys that
 * one of them sees, so that memory grows with T · W, and not with T · S, and so does work.
 *
 * @param size W, how many keys a query sees; 0 for all keys up to its own
 */
record AttentionWindow(int size) {

    /** A block of queries costs a few calls, and the work on W keys more than each needs. */
    private static final int FEWEST_QUERIES = 512;

    AttentionWindow {
        if (size < 0) {
            throw new IllegalArgumentException(
                    "a window must hold at least 1 key, or be 0 for all keys, got " + size);
        }
    }

    /**
     * Some queries of all T, and some keys of all S, the last of which is the last query's own.
     *
     * @param firstQuery the first query, from 0
     * @param queries how many
     * @param firstKey the first key that one of them sees, from 0
     * @param keys how many
     */
    record Block(long firstQuery, long queries, long firstKey, long keys) {

        NDArray queriesOf(NDArray q) {
            return Slice.range(q, 2, firstQuery, firstQuery + queries);
        }

        NDArray keysOf(NDArray k) {
            return Slice.range(k, 2, firstKey, firstKey + keys);
        }

        /** What belongs to the block of scores that broadcast to (B, H, T, S). */
        NDArray scoresOf(NDArray scores) {
            Shape s = scores.getShape();
            int last = s.dimension() - 1;
            NDArray rows =
                    s.get(last - 1) == 1
                            ? scores
                            : Slice.range(scores, last - 1, firstQuery, firstQuery + queries);
            return s.get(last) == 1 ? rows : Slice.range(rows, last, firstKey, firstKey + keys);
        }
    }

    /** Whether some query does not see all keys before it. */
    boolean cuts(long keys) {
        return size > 0 && keys > size;
    }

    /** The blocks that queries fall into, in order; the first may see all keys up to its own. */
    List<Block> blocks(long queries, long keys) {
        List<Block> blocks = new ArrayList<>();
        long before = keys - queries;
        long at = 0;
        if (before < size) {
            at = Math.min(queries, size - before);
            blocks.add(new Block(0, at, 0, before + at));
        }
        long most = Math.max(FEWEST_QUERIES, size / 4);
        while (at < queries) {
            long count = Math.min(most, queries - at);
            long first = before + at - size + 1;
            blocks.add(new Block(at, count, first, before + at + count - first));
            at += count;
        }
        return blocks;
    }
}
