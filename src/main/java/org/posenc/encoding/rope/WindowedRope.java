package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Settings;
import org.posenc.kernel.WindowProducts;

/**
 * RoPE that tells near pairs from far ones: with the query at i, the key at j and the window w, the
 * score is that of RoPE for i − j &lt; w, and elsewhere that of RoPE between other positions i′ and
 * j′, which bring far keys nearer.
 *
 * <p>Keys cannot be turned once and for all, since those near to one query are far from the next: a
 * cache keeps them as they are, and all is done in {@link #products}. They are taken twice, in two
 * T × S matrices. Keys after the query keep their distance: the methods are made for decoders.
 */
public abstract class WindowedRope extends EncodingBlock {

    private final Rope rope;
    private final int window;

    WindowedRope(byte version, Rope rope, int window) {
        super(version);
        if (rope == null) {
            throw new IllegalArgumentException("a window needs the RoPE it acts on");
        }
        if (!rope.keysStayRotated()) {
            throw new IllegalArgumentException(
                    "a window moves positions, from which this RoPE takes its length; declare a"
                            + " length, got "
                            + rope);
        }
        if (window < 1) {
            throw new IllegalArgumentException("the window must be at least 1, got " + window);
        }
        this.rope = addChildBlock("rope", rope);
        this.window = window;
    }

    /**
     * Returns where queries stand for far keys.
     *
     * @param i their positions, (T) or (B, T), float64
     * @return i′, the same shape
     */
    abstract NDArray farQueries(NDArray i);

    /**
     * Returns where keys stand for far queries.
     *
     * @param j their positions, (S) or (B, S), float64
     * @return j′, the same shape
     */
    abstract NDArray farKeys(NDArray j);

    /**
     * Returns what turns queries and keys.
     *
     * @return the RoPE
     */
    public final Rope rope() {
        return rope;
    }

    /**
     * Returns from which distance on pairs are far.
     *
     * @return w, in positions
     */
    public final int window() {
        return window;
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray products(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        NDArray inside = inside(queryPositions, keyPositions); // (…, T, S)
        NDArray each = inside.getShape().dimension() == 2 ? inside : inside.expandDims(1);
        Positions i = farQueries(queryPositions);
        Positions j = farKeys(keyPositions);
        try (NDArray q = rope.rotateQueries(queries, queryPositions, context); // (B, H, T, D)
                NDArray k = rope.rotateKeys(keys, keyPositions, context); // (B, G, S, D)
                NDArray farQ = rope.rotateQueries(queries, i, context);
                NDArray farK = rope.rotateKeys(keys, j, context)) {
            return WindowProducts.of(q, k, farQ, farK, each, context.training()); // (B, H, T, S)
        }
    }

    /**
     * Returns the distances that RoPE is given: i − j of near pairs, i′ − j′ of far ones.
     *
     * @param queryPositions (T) or (B, T)
     * @param keyPositions (S) or (B, S)
     * @return (T, S), or (B, T, S) where either has rows, float64
     */
    public final NDArray distances(Positions queryPositions, Positions keyPositions) {
        return NDArrays.where(
                inside(queryPositions, keyPositions),
                differences(queryPositions, keyPositions),
                differences(farQueries(queryPositions), farKeys(keyPositions)));
    }

    /** i − j, (…, T, S). */
    private static NDArray differences(Positions queryPositions, Positions keyPositions) {
        return column(queryPositions).sub(row(keyPositions));
    }

    /** Whether i − j &lt; w, (…, T, S). */
    private NDArray inside(Positions queryPositions, Positions keyPositions) {
        record Inside(Positions keys, int window) {}
        return queryPositions.derived(
                new Inside(keyPositions, window),
                () -> row(keyPositions).gt(column(queryPositions).sub(window)));
    }

    /** (…, T, 1). */
    private static NDArray column(Positions positions) {
        return positions.real(DataType.FLOAT64).expandDims(-1);
    }

    /** (…, 1, S). */
    private static NDArray row(Positions positions) {
        return positions.real(DataType.FLOAT64).expandDims(-2);
    }

    private record Far(WindowedRope of, boolean keys) {}

    private Positions farQueries(Positions i) {
        return i.derivedPositions(new Far(this, false), () -> farQueries(i.real(DataType.FLOAT64)));
    }

    private Positions farKeys(Positions j) {
        return j.derivedPositions(new Far(this, true), () -> farKeys(j.real(DataType.FLOAT64)));
    }

    /** {@inheritDoc} */
    @Override
    public final Optional<RotaryPart> rotaryPart(int layer) {
        return rope.rotaryPart(layer);
    }

    /**
     * Refuses to turn queries alone.
     *
     * @throws IllegalArgumentException always
     */
    @Override
    public final NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        throw pairsAlone();
    }

    /**
     * Refuses to turn keys alone.
     *
     * @throws IllegalArgumentException always
     */
    @Override
    public final NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        throw pairsAlone();
    }

    /**
     * Returns that the rotation of a key depends on the query.
     *
     * @return false: a cache keeps keys that are not rotated
     */
    @Override
    public final boolean keysStayRotated() {
        return false;
    }

    /**
     * Refuses to turn keys alone.
     *
     * @throws IllegalArgumentException always
     */
    @Override
    public final NDArray rerotateKeys(
            NDArray rotated,
            Positions positions,
            Positions before,
            Positions now,
            LayerContext context) {
        throw pairsAlone();
    }

    private IllegalArgumentException pairsAlone() {
        return new IllegalArgumentException(
                getClass().getSimpleName()
                        + " turns pairs of a query and a key, neither of them alone; a cache must"
                        + " keep keys that are not rotated");
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        rope.initialize(manager, type, inputShapes);
    }

    /** The settings of RoPE, and others beside them. */
    static List<Settings.Key> with(NamedEncoding rope, Settings.Key... own) {
        return Stream.concat(rope.keys().stream(), Stream.of(own)).toList();
    }
}
