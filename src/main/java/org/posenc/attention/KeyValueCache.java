package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Slice;

/**
 * The keys and values of all tokens that a decoder has read, in all its layers, so that the next
 * token costs one token's work.
 *
 * <p>One cache serves one batch of sequences. It also keeps where each token stands, which tokens
 * are padding, and the notes an encoding makes of its keys. Memory doubles when it is full;
 * appending copies the new tokens only. No gradients flow through a cache. Layers that look through
 * a window read its keys only, but all are kept: {@link #truncate} may lead back to any.
 *
 * <p>What {@link Policy} promises: decoding step by step gives the logits of one full pass over the
 * same tokens, up to rounding. Where an encoding's angles depend on the length of the sequence
 * (dynamic scalings, LongRoPE), and it is not declared beforehand, no policy can: a token's hidden
 * state was computed at the length of its time, and layers above the first have seen it. Declare
 * the length, or accept the difference.
 *
 * <p>The arrays live in a manager of the cache's own, below the one it was given, until it is
 * closed. One instance serves one thread.
 */
public final class KeyValueCache implements AutoCloseable {

    /** In which state keys are kept. */
    public enum Policy {
        /**
         * As rotated when they came: the cheapest, and right for every encoding whose rotated keys
         * stay right. Other encodings are refused.
         */
        ROTATED,
        /**
         * As they came; all of them are rotated in each step. Right for every encoding. Where
         * angles depend on the length, all keys of a step are turned alike, as in the YaRN paper's
         * §3.3: a model of one layer then keeps the promise, a deeper one does not.
         */
        UNROTATED,
        /**
         * Rotated, and turned on in place when the angles change. The results of {@link #UNROTATED}
         * up to rounding, which adds up with each change, at the cost of {@link #ROTATED} while
         * angles stay.
         */
        REROTATED,
        /**
         * As rotated when they came, even if angles have changed since: what Hugging Face does, for
         * parity with it. Where angles depend on the length, queries then meet keys of other
         * frequencies.
         */
        HUGGING_FACE;

        boolean keepsRotated() {
            return this != UNROTATED;
        }
    }

    private record Layer(GrowingArray keys, GrowingArray values, GrowingArray notes) {

        Stream<GrowingArray> arrays() {
            return Stream.of(keys, values, notes);
        }
    }

    private final NDManager owner;
    private final PositionalEncoding encoding;
    private final Policy policy;
    private final List<Layer> layers = new ArrayList<>();
    private final GrowingArray positions; // (1 or B, S) or (1 or B, S, M)
    private final GrowingArray real; // (B, S), boolean; empty while no token is padding
    private final GrowingArray turnedFor; // positions of the batch that keys are rotated for
    private long turnedLength;
    private long[] turnedRows; // which rows of that batch are kept; null while all are, in order
    private boolean points;
    private double first; // where the first token stands, if positions are consecutive; else NaN
    private long rows; // B; 0 before the first token
    private long length; // S
    private boolean torn; // a pass ended between two layers

    /**
     * An empty cache.
     *
     * @param parent owns the manager of this cache; the cache is closed with it at the latest
     * @param encoding what positions do in the model that fills it
     * @param layers the number of layers, at least 1
     * @param policy in which state keys are kept
     * @throws IllegalArgumentException if the policy would make keys of this encoding wrong
     */
    public KeyValueCache(NDManager parent, PositionalEncoding encoding, int layers, Policy policy) {
        if (layers < 1) {
            throw new IllegalArgumentException("layers must be at least 1, got " + layers);
        }
        check(encoding, policy);
        this.encoding = encoding;
        this.policy = policy;
        owner = parent.newSubManager();
        owner.setName("keyValueCache");
        for (int i = 0; i < layers; i++) {
            this.layers.add(new Layer(array(2), array(2), array(2)));
        }
        positions = array(1);
        real = array(1);
        turnedFor = array(1);
    }

    private GrowingArray array(int axis) {
        return new GrowingArray(owner, axis);
    }

    private static void check(PositionalEncoding encoding, Policy policy) {
        if (policy == Policy.ROTATED && !encoding.keysStayRotated()) {
            throw new IllegalArgumentException(
                    "keys of this encoding, once rotated, are wrong in a longer sequence; keep them"
                            + " UNROTATED"
                            + (encoding.canRerotateKeys()
                                    ? " or REROTATED, or declare the length"
                                    : ""));
        }
        if (policy.keepsRotated() && !encoding.canRerotateKeys()) {
            throw new IllegalArgumentException(
                    "this encoding rotates a key differently for each query and has no rotated"
                            + " keys to keep as "
                            + policy
                            + "; keep them UNROTATED");
        }
    }

    /**
     * Returns in which state keys are kept.
     *
     * @return the policy
     */
    public Policy policy() {
        return policy;
    }

    /**
     * Returns how many tokens of each row are kept, padding included.
     *
     * @return S, 0 at first
     */
    public long length() {
        return length;
    }

    /**
     * Returns how many sequences it holds.
     *
     * @return B, 0 before the first token
     */
    public long rows() {
        return rows;
    }

    /**
     * Returns how much native memory the kept arrays take, with the room for tokens to come.
     *
     * @return bytes
     */
    public long bytes() {
        return arrays().mapToLong(GrowingArray::bytes).sum();
    }

    private Stream<GrowingArray> arrays() {
        return Stream.concat(
                layers.stream().flatMap(Layer::arrays), Stream.of(positions, real, turnedFor));
    }

    /**
     * Forgets the last tokens of each row; memory is kept for others.
     *
     * @param length how many tokens of each row stay, in [0, {@link #length()}]
     * @throws IllegalArgumentException if there are not so many
     */
    public void truncate(long length) {
        if (length < 0 || length > this.length) {
            throw new IllegalArgumentException(
                    "a cache of " + this.length + " tokens cannot be cut to " + length);
        }
        this.length = length;
    }

    /**
     * Keeps some rows, in the order given; a row may be kept more than once.
     *
     * @param rows the rows' numbers, in [0, B)
     * @throws IllegalArgumentException if there are none, or one is not in the cache
     */
    public void select(int... rows) {
        if (rows.length == 0) {
            throw new IllegalArgumentException("a cache cannot be left without rows");
        }
        long[] chosen = new long[rows.length];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i] < 0 || rows[i] >= this.rows) {
                throw new IllegalArgumentException(
                        "a cache of " + this.rows + " rows has no row " + rows[i]);
            }
            chosen[i] = rows[i];
        }
        try (NDManager temporary = owner.newSubManager()) {
            for (GrowingArray array : arrays().filter(a -> !a.isEmpty()).toList()) {
                if (array == turnedFor) {
                    continue; // keys may have been rotated for the length of a row that goes
                }
                boolean shared = array.shape().get(0) == 1 && this.rows > 1; // positions of all
                if (!shared) {
                    array.select(temporary.create(chosen).toDevice(array.device(), false));
                }
            }
        }
        long[] before = turnedRows;
        turnedRows =
                before == null
                        ? chosen
                        : LongStream.of(chosen).map(row -> before[(int) row]).toArray();
        this.rows = rows.length;
    }

    /**
     * Begins a forward pass over more tokens of each row.
     *
     * @param encoding what positions do in the model
     * @param layers how many layers it has
     * @param batch B
     * @param added the new tokens' positions, (T) or (B, T)
     * @param tokens (B, T), not 0 where there is a token and 0 where there is padding; {@code null}
     *     where there is no padding
     * @return the pass, to be closed
     * @throws IllegalArgumentException if the cache was made for another encoding or number of
     *     layers, or rows, mask and positions are not of the kind that it holds
     * @throws IllegalStateException if an earlier pass was not completed after keys had been turned
     */
    public Pass pass(
            PositionalEncoding encoding, int layers, long batch, Positions added, NDArray tokens) {
        if (encoding != this.encoding || layers != this.layers.size()) {
            throw new IllegalArgumentException(
                    "this cache was made for another encoding or other layers than those "
                            + layers
                            + " of the model");
        }
        if (torn) {
            throw new IllegalStateException(
                    "a pass ended before all layers of this cache were turned; begin a new one");
        }
        if (rows != 0 && batch != rows) {
            throw new IllegalArgumentException(
                    "this cache holds " + rows + " rows, got a batch of " + batch);
        }
        added.checkFit(batch, added.length());
        place(batch, added);
        mark(batch, added.length(), tokens);
        rows = batch;
        return new Pass(added.length());
    }

    private void place(long batch, Positions added) {
        NDArray array = added.array();
        boolean other =
                rows != 0
                        && (added.arePoints() != points || array.getDataType() != positions.type());
        if (other) {
            throw new IllegalArgumentException(
                    "this cache holds positions of shape "
                            + positions.shape()
                            + " and type "
                            + positions.type()
                            + ", got "
                            + array.getShape()
                            + " and "
                            + array.getDataType());
        }
        points = added.arePoints();
        double from = added.areConsecutive() ? added.bounds().least() : Double.NaN;
        if (length == 0) {
            first = from;
        } else if (from != first + length) {
            first = Double.NaN;
        }
        boolean shared = array.getShape().dimension() == (points ? 2 : 1);
        try (NDArray each = shared ? array.expandDims(0) : array.reshape(array.getShape())) {
            long given = each.getShape().get(0);
            if (rows != 0 && positions.shape().get(0) < given) {
                positions.spread(given);
            }
            if (rows != 0 && positions.shape().get(0) > given) {
                try (NDArray all = each.repeat(0, batch)) {
                    positions.write(all, length);
                }
            } else {
                positions.write(each, length);
            }
        }
    }

    private void mark(long batch, long added, NDArray tokens) {
        Shape needed = new Shape(batch, added);
        if (tokens != null && !tokens.getShape().equals(needed)) {
            throw new IllegalArgumentException(
                    "a mask of new tokens must be " + needed + ", got shape " + tokens.getShape());
        }
        if (tokens == null && real.isEmpty()) {
            return;
        }
        try (NDManager temporary = owner.newSubManager()) {
            if (real.isEmpty() && length > 0) {
                Shape before = new Shape(batch, length);
                real.write(temporary.ones(before, DataType.BOOLEAN, tokens.getDevice()), 0);
            }
            real.write(
                    tokens == null
                            ? temporary.ones(needed, DataType.BOOLEAN, real.device())
                            : tokens,
                    length);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        owner.close();
    }

    /** One forward pass over new tokens. What it hands out lives until it is closed. */
    public final class Pass implements AutoCloseable {

        private final NDManager views = owner.newSubManager();
        private final long end;
        private final Positions now;
        private final Positions old; // null where there are none
        private final Positions batchBefore;
        private final Positions rowsBefore;
        private final AttentionMask mask;

        private Pass(long added) {
            end = length + added;
            now = places(positions.view(views, end));
            mask =
                    real.isEmpty()
                            ? AttentionMask.none()
                            : AttentionMask.padding(real.view(views, end));
            boolean turns = policy == Policy.REROTATED && length > 0;
            old = turns ? places(positions.view(views, length)) : null;
            batchBefore = turns ? places(turnedFor.view(views, turnedLength)) : null;
            rowsBefore = turns ? rowsBefore() : null;
        }

        /** The positions that rows which are still kept had when keys were rotated. */
        private Positions rowsBefore() {
            NDArray all = turnedFor.view(views, turnedLength);
            if (turnedRows == null || all.getShape().get(0) == 1) {
                return batchBefore;
            }
            NDArray chosen = views.create(turnedRows).toDevice(all.getDevice(), false);
            return places(Slice.rows(all, chosen));
        }

        /** Positions of a view (1 or B, S) or (1 or B, S, M). */
        private Positions places(NDArray view) {
            NDArray each = view.getShape().get(0) == 1 ? view.squeeze(0) : view;
            if (points) {
                return Positions.points(each);
            }
            boolean known = !Double.isNaN(first) && each.getShape().dimension() == 1;
            return known ? Positions.range(each, (long) first) : Positions.of(each);
        }

        /**
         * Returns which of all keys, old and new, may be seen.
         *
         * @return the mask, to which attention adds the causal rule
         */
        public AttentionMask mask() {
            return mask;
        }

        /**
         * Keeps a layer's new keys and values behind the old ones.
         *
         * @param added of the new tokens, not yet rotated
         * @param encoding what positions do in this layer
         * @param context the layer
         * @return those of all tokens
         */
        public KeyValues extend(
                KeyValues added, PositionalEncoding encoding, LayerContext context) {
            Layer layer = layers.get(context.layer());
            NDArray keys = added.keys(); // (B, G, T, D)
            if (policy.keepsRotated()) {
                keys = encoding.rotateKeys(keys, added.positions(), context);
            }
            if (old != null) {
                NDArray kept = layer.keys().view(views, length);
                Positions before = encoding.rowsAreIndependent(context) ? rowsBefore : batchBefore;
                NDArray turned = encoding.rerotateKeys(kept, old, before, now, context);
                if (turned != kept) {
                    torn = true;
                    layer.keys().write(turned, 0);
                }
            }
            layer.keys().write(keys, length);
            layer.values().write(added.values(), length);
            if (added.notes() != null) {
                layer.notes().write(added.notes(), length);
            }
            return new KeyValues(
                    layer.keys().view(views, end), // (B, G, S, D)
                    layer.values().view(views, end),
                    layer.notes().isEmpty() ? null : layer.notes().view(views, end),
                    now,
                    policy.keepsRotated());
        }

        /** Says that all layers have been extended: the new tokens are kept. */
        public void complete() {
            if (policy == Policy.REROTATED) {
                NDArray all = positions.view(views, end);
                if (!turnedFor.isEmpty() && turnedFor.shape().get(0) != all.getShape().get(0)) {
                    turnedFor.close(); // rows have got positions of their own
                }
                turnedFor.write(all, 0);
                turnedLength = end;
                turnedRows = null;
            }
            torn = false;
            length = end;
        }

        /** Frees the views; without {@link #complete}, the new tokens are forgotten. */
        @Override
        public void close() {
            views.close();
        }
    }
}
