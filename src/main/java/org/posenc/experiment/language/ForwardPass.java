package org.posenc.experiment.language;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.Optional;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.model.Transformer;

/**
 * The logits of given tokens, as another program would be asked for them: in one pass, or through a
 * cache, some tokens at a time.
 *
 * @param ids (B, T): tokens in [0, V)
 * @param positions (B, T), or (1, T) for all rows; empty for 0 … T − 1
 * @param mask (B, T), 1 for a token and 0 for padding; empty where there is no padding. Positions
 *     do not follow from it, nor do they in the forward pass of transformers
 * @param packed whether a document begins where a position is not the one before it plus one, and a
 *     token sees those of its own document only, as transformers reads positions without a mask
 */
public record ForwardPass(
        long[][] ids, Optional<long[][]> positions, Optional<long[][]> mask, boolean packed) {

    /** Checks that the shapes fit together. */
    public ForwardPass {
        if (ids.length == 0 || ids[0].length == 0) {
            throw new IllegalArgumentException("a forward pass needs at least one token");
        }
        checkRows("tokens", ids, ids.length, ids[0].length);
        if (positions.isPresent()) {
            int rows = positions.get().length == 1 ? 1 : ids.length;
            checkRows("position ids", positions.get(), rows, ids[0].length);
            checkRange("position", positions.get(), 0, Long.MAX_VALUE);
        }
        if (mask.isPresent()) {
            checkRows("the attention mask", mask.get(), ids.length, ids[0].length);
            checkRange("attention mask", mask.get(), 0, 2);
        }
        if (packed && (mask.isPresent() || positions.isEmpty())) {
            throw new IllegalArgumentException(
                    "documents in one row are told by position ids, without an attention mask");
        }
    }

    private static void checkRows(String what, long[][] values, int rows, int length) {
        if (values.length != rows) {
            throw new IllegalArgumentException(
                    what + " must have " + rows + " rows, got " + values.length);
        }
        for (int i = 0; i < rows; i++) {
            if (values[i].length != length) {
                throw new IllegalArgumentException(
                        "all rows must be of one length, padded and with an attention mask where"
                                + " they are not: the first row of tokens has "
                                + length
                                + ", row "
                                + i
                                + " of "
                                + what
                                + " has "
                                + values[i].length);
            }
        }
    }

    private static void checkRange(String what, long[][] values, long from, long to) {
        for (int i = 0; i < values.length; i++) {
            for (int t = 0; t < values[i].length; t++) {
                if (values[i][t] < from || values[i][t] >= to) {
                    throw new IllegalArgumentException(
                            String.format(
                                    "%s %d of row %d, at place %d, must be %s",
                                    what,
                                    values[i][t],
                                    i,
                                    t,
                                    to == Long.MAX_VALUE
                                            ? "at least " + from
                                            : "in [" + from + ", " + to + ")"));
                }
            }
        }
    }

    /**
     * Returns the logits of one pass over all tokens.
     *
     * @param model a decoder with weights
     * @param manager owns the result, on the model's device
     * @return (B, T, V), in the weights' type
     * @throws IllegalArgumentException if a token is not in the vocabulary
     */
    public NDArray logits(Transformer model, NDManager manager) {
        checkRange("token", ids, 0, model.config().vocabulary());
        try (Autograd.Scope off = Autograd.off();
                NDManager inner = manager.newSubManager()) {
            AttentionMask seen = AttentionMask.none();
            if (mask.isPresent()) {
                seen = AttentionMask.padding(matrix(inner, mask.get(), 0, length()));
            } else if (packed) {
                seen = AttentionMask.documents(matrix(inner, documents(), 0, length()));
            }
            NDArray logits =
                    model.logits(
                            matrix(inner, ids, 0, length()),
                            places(inner, 0, length()),
                            seen,
                            new ParameterStore(inner, false),
                            false);
            logits.attach(manager);
            return logits;
        }
    }

    /**
     * Returns the logits of tokens that come a few at a time, each seeing those before it in a
     * cache.
     *
     * @param model a decoder with weights
     * @param manager owns the result, on the model's device
     * @param step how many tokens of each row come at once, at least 1
     * @param policy in which state the cache keeps keys
     * @return (B, T, V), in the weights' type
     * @throws IllegalArgumentException if a token is not in the vocabulary, documents share a row,
     *     or the encoding forbids the policy
     */
    public NDArray cachedLogits(
            Transformer model, NDManager manager, int step, KeyValueCache.Policy policy) {
        if (step < 1) {
            throw new IllegalArgumentException("at least 1 token must come at once, got " + step);
        }
        if (packed) {
            throw new IllegalArgumentException(
                    "a cache holds one document in each row; give each a row of its own");
        }
        checkRange("token", ids, 0, model.config().vocabulary());
        try (NDManager inner = manager.newSubManager();
                KeyValueCache cache = model.cache(inner, policy)) {
            ParameterStore parameters = new ParameterStore(inner, false);
            NDList pieces = new NDList();
            for (int from = 0; from < length(); from += step) {
                int to = Math.min(length(), from + step);
                try (NDManager piece = inner.newSubManager()) {
                    NDArray tokens = mask.isPresent() ? matrix(piece, mask.get(), from, to) : null;
                    NDArray logits =
                            model.logits(
                                    matrix(piece, ids, from, to),
                                    places(piece, from, to),
                                    tokens,
                                    cache,
                                    parameters);
                    logits.attach(inner);
                    pieces.add(logits);
                }
            }
            NDArray all = NDArrays.concat(pieces, 1);
            all.attach(manager);
            return all;
        }
    }

    private int length() {
        return ids[0].length;
    }

    /** Positions from..to − 1 of each row; known as consecutive where they are, which is faster. */
    private Positions places(NDManager manager, int from, int to) {
        if (positions.isEmpty()) {
            return Positions.range(manager, from, to);
        }
        long[][] given = positions.get();
        boolean consecutive = given.length == 1 && !starts(given[0], from, to);
        if (consecutive) {
            return Positions.range(manager, given[0][from], given[0][to - 1] + 1);
        }
        NDArray array = matrix(manager, given, from, to);
        return Positions.of(given.length == 1 ? array.reshape(to - from) : array);
    }

    private static boolean starts(long[] positions, int from, int to) {
        for (int t = from + 1; t < to; t++) {
            if (positions[t] != positions[t - 1] + 1) {
                return true;
            }
        }
        return false;
    }

    /** Each token's document, counted from 0 in its row. */
    private long[][] documents() {
        long[][] given = positions.orElseThrow();
        long[][] documents = new long[ids.length][length()];
        for (int i = 0; i < ids.length; i++) {
            long[] row = given[given.length == 1 ? 0 : i];
            for (int t = 1; t < row.length; t++) {
                documents[i][t] = documents[i][t - 1] + (row[t] == row[t - 1] + 1 ? 0 : 1);
            }
        }
        return documents;
    }

    private static NDArray matrix(NDManager manager, long[][] rows, int from, int to) {
        long[] flat =
                Arrays.stream(rows).flatMapToLong(row -> Arrays.stream(row, from, to)).toArray();
        return manager.create(flat, new Shape(rows.length, to - from));
    }
}
