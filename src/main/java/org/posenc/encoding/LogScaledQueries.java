package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.posenc.encoding.rope.RotaryPart;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Log-n scaling of the queries (<a href="https://kexue.fm/archives/8823">Su 2021</a>, <a
 * href="https://arxiv.org/abs/2202.12172">Chiang and Cholak 2022</a>), around any encoding: it
 * keeps attention as sharp over many keys as it was over those of training.
 *
 * <p>Products of the query at position i with all keys are multiplied by λ(n), n = i + 1 the number
 * of keys it may see, L the training length:
 *
 * <ul>
 *   <li>trained: λ(n) = ln n / ln L, for models that are trained with it; 0 for the first token,
 *       which has one key to see;
 *   <li>post hoc: λ(n) = max(1, ln n / ln L), for models that are not: up to L nothing changes.
 * </ul>
 *
 * <p>It acts behind the encoding's rotation and on products that the encoding takes itself. Biases
 * and keys are left as they are.
 */
public final class LogScaledQueries extends EncodingBlock {

    private static final byte VERSION = 1;

    private enum Form {
        OFF,
        TRAINED,
        POST_HOC
    }

    private final PositionalEncoding encoding;
    private final Form form;
    private final long length;

    private LogScaledQueries(PositionalEncoding encoding, Form form, long length) {
        super(VERSION);
        if (length < 2) {
            throw new IllegalArgumentException(
                    "the training length must be at least 2, got " + length);
        }
        this.encoding = addChildBlock("encoding", encoding);
        this.form = form;
        this.length = length;
    }

    /**
     * Scaling for a model that is trained with it.
     *
     * @param encoding what positions do otherwise
     * @param length L, the number of positions seen in training, at least 2
     * @return a new block around the encoding
     * @throws IllegalArgumentException if the length is smaller
     */
    public static LogScaledQueries trained(PositionalEncoding encoding, long length) {
        return new LogScaledQueries(encoding, Form.TRAINED, length);
    }

    /**
     * Scaling for a model that was trained without it.
     *
     * @param encoding what positions do otherwise
     * @param length L, the number of positions seen in training, at least 2
     * @return a new block around the encoding
     * @throws IllegalArgumentException if the length is smaller
     */
    public static LogScaledQueries postHoc(PositionalEncoding encoding, long length) {
        return new LogScaledQueries(encoding, Form.POST_HOC, length);
    }

    /**
     * Returns what positions do otherwise.
     *
     * @return the encoding
     */
    public PositionalEncoding encoding() {
        return encoding;
    }

    /**
     * Returns λ.
     *
     * @param positions (T) or (B, T), of queries; those below 0 count as 0
     * @param type float16, float32 or float64
     * @return (T, 1) or (B, 1, T, 1), shared by the layers of a forward pass; not to be closed
     * @throws IllegalArgumentException if positions are points, which have no order
     */
    public NDArray scale(Positions positions, DataType type) {
        if (positions.arePoints()) {
            throw new IllegalArgumentException(
                    "log-n scaling counts tokens; points have no number, got shape "
                            + positions.array().getShape());
        }
        record Key(Form form, long length, DataType type) {}
        return positions.derived(
                new Key(form, length, type),
                () -> {
                    NDArray n = Scalars.maximum(positions.real(DataType.FLOAT64).add(1), 1);
                    NDArray trained = Scalars.div(n.log(), Math.log(length));
                    NDArray scale = form == Form.TRAINED ? trained : Scalars.maximum(trained, 1);
                    NDArray column = Cast.to(scale.expandDims(-1), type, true); // (…, T, 1)
                    return column.getShape().dimension() == 2 ? column : column.expandDims(1);
                });
    }

    /** {@inheritDoc} */
    @Override
    public Optional<RotaryPart> rotaryPart(int layer) {
        return encoding.rotaryPart(layer);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        NDArray turned = encoding.rotateQueries(queries, positions, context);
        return turned.mul(scale(positions, turned.getDataType()));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray products(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        NDArray products = encoding.products(queries, keys, queryPositions, keyPositions, context);
        if (products == null) {
            return null;
        }
        try (products) { // a T × S matrix
            return products.mul(scale(queryPositions, products.getDataType()));
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDArray embed(
            NDArray tokens, Positions positions, ParameterStore parameters, boolean training) {
        return encoding.embed(tokens, positions, parameters, training);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return encoding.rotateKeys(keys, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public boolean keysStayRotated() {
        return encoding.keysStayRotated();
    }

    /** {@inheritDoc} */
    @Override
    public boolean canRerotateKeys() {
        return encoding.canRerotateKeys();
    }

    /** {@inheritDoc} */
    @Override
    public boolean rowsAreIndependent(LayerContext context) {
        return encoding.rowsAreIndependent(context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rerotateKeys(
            NDArray rotated,
            Positions positions,
            Positions before,
            Positions now,
            LayerContext context) {
        return encoding.rerotateKeys(rotated, positions, before, now, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray keyNotes(NDArray hidden, Positions positions, LayerContext context) {
        return encoding.keyNotes(hidden, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return encoding.bias(queries, keys, queryPositions, keyPositions, context);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return Settings.nameOf(form) + ", length " + length;
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        encoding.initialize(manager, type, inputShapes);
    }

    /** Gives a named encoding the setting {@code log-n}. */
    static NamedEncoding offeredBy(NamedEncoding plain) {
        List<Settings.Key> keys = new ArrayList<>(plain.keys());
        keys.add(
                new Settings.Key(
                        "log-n",
                        "off",
                        "queries times ln n / ln length (Su 2021): off, trained or post-hoc"));
        return new NamedEncoding(
                plain.name(),
                plain.summary(),
                List.copyOf(keys),
                (site, settings) -> {
                    PositionalEncoding made = plain.encoding().apply(site, settings);
                    Form form = settings.choice("log-n", Form.class);
                    return form == Form.OFF
                            ? made
                            : new LogScaledQueries(made, form, site.length());
                },
                plain.features());
    }
}
