package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.posenc.encoding.DeviceConstant;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Settings;
import org.posenc.encoding.Site;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;

/**
 * Rotary position embedding (<a href="https://arxiv.org/abs/2104.09864">Su et al. 2021</a>, eq.
 * 34).
 *
 * <p>The pair i of a query or key at position p is turned by the angle p θ_i and multiplied by the
 * attention scaling a; components from the rotary dimension d on are left alone. Without a scaling
 * θ_i = b^(−2i/d), i = 0 … d/2 − 1, and a = 1. A score then depends on positions only through their
 * difference.
 *
 * <p>Positions may differ from row to row, restart (packed rows, whose mask keeps them apart), or
 * be real numbers. The frequencies of a scaling that depends on the length are those of the {@link
 * ContextLength}; nothing depends on what was called before. Angles are taken in the {@link
 * RopePrecision}, and the rotation in float32 at least, whatever the type of the activations.
 *
 * <p>As a plain DJL block it takes (x (B, H, T, D), positions (T) or (B, T)) and returns x turned.
 */
public final class Rope extends EncodingBlock {

    private static final byte VERSION = 1;
    private static final DeviceConstant CONJUGATE = new DeviceConstant(1, -1);

    private final RopeParameters rope;
    private final RotaryPart part;
    private final ContextLength length;
    private final RopePrecision precision;
    private final RotaryTable table; // null where frequencies are not fixed
    private final Parameter learned; // θ, null where it is computed

    private Rope(Builder builder) {
        super(VERSION);
        rope = builder.parameters();
        part = new RotaryPart(rope.headDimension(), rope.rotaryDimension(), builder.layout);
        length = builder.length;
        precision = builder.precision;
        RopeFrequencies fixed = keysStayRotated() ? frequencies(declared()) : null;
        table = fixed == null || builder.learned ? null : RotaryTable.of(fixed, precision);
        learned = builder.learned ? addParameter(inverse(fixed)) : null;
    }

    private static Parameter inverse(RopeFrequencies start) {
        return Parameter.builder()
                .setName("inverse")
                .setType(Parameter.Type.OTHER)
                .optShape(new Shape(start.pairs()))
                .optInitializer((manager, shape, type) -> array(manager, type, start.inverse()))
                .build();
    }

    /** Numbers as an array in memory of libtorch's own. */
    private static NDArray array(NDManager manager, DataType type, double... values) {
        try (NDArray exact = manager.create(values)) {
            NDArray typed = Cast.to(exact, type, false);
            return typed == exact ? exact.duplicate() : typed;
        }
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10,000, full rotation, no scaling and exact angles; layout and
     *     head dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns what decides the frequencies.
     *
     * @return dimensions, base and scaling
     */
    public RopeParameters parameters() {
        return rope;
    }

    /**
     * Returns the layout.
     *
     * @return which components make a pair
     */
    public RotaryLayout layout() {
        return part.layout();
    }

    /**
     * Returns the frequencies at a length, as they are before any training.
     *
     * @param tokens the length of the context, at least 1
     * @return θ, in radians per position, and the attention scaling
     */
    public RopeFrequencies frequencies(long tokens) {
        return rope.frequencies(tokens, precision);
    }

    /**
     * Returns the frequencies in effect for positions, as they are before any training.
     *
     * @param positions (T) or (B, T)
     * @return one set for all rows, or one for each of B rows
     */
    public List<RopeFrequencies> frequencies(Positions positions) {
        if (keysStayRotated()) {
            return List.of(frequencies(declared()));
        }
        double[] greatest =
                length instanceof ContextLength.WholeBatch
                        ? new double[] {positions.bounds().greatest()}
                        : positions.greatestOfRows();
        return Arrays.stream(greatest)
                .mapToObj(last -> frequencies(Math.max(1, (long) Math.floor(last) + 1)))
                .toList();
    }

    /** The declared length; any will do for a scaling that does not depend on it. */
    private long declared() {
        return length instanceof ContextLength.Declared given ? given.tokens() : 1;
    }

    /**
     * Turns queries or keys.
     *
     * @param x (B, H, T, D)
     * @param positions (T) or (B, T), any real numbers
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D is not the head dimension, or the frequencies are
     *     learned
     */
    public NDArray rotate(NDArray x, Positions positions, boolean training) {
        checkFixed();
        return rotate(x, positions, null, training);
    }

    /**
     * Turns queries or keys.
     *
     * @param x (B, H, T, D)
     * @param positions (T) or (B, T), any real numbers
     * @param parameters gives learned frequencies
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D is not the head dimension
     */
    public NDArray rotate(
            NDArray x, Positions positions, ParameterStore parameters, boolean training) {
        checkFit(x, positions);
        DataType type = Rotation.tableType(x.getDataType());
        return part.turn(x, table(positions, type, parameters, training), training);
    }

    /**
     * Turns back what {@link #rotate(NDArray, Positions, boolean)} turned, attention scaling
     * included.
     *
     * @param x (B, H, T, D)
     * @param positions (T) or (B, T), the same as then
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D is not the head dimension, or the frequencies are
     *     learned
     */
    public NDArray unrotate(NDArray x, Positions positions, boolean training) {
        checkFit(x, positions);
        try (NDArray inverse = reciprocal(table(positions, DataType.FLOAT64));
                NDArray typed = Cast.to(inverse, Rotation.tableType(x.getDataType()), true)) {
            return part.turn(x, typed, training);
        }
    }

    /**
     * Turns rotated keys on, from one set of frequencies to another: by the difference of the
     * angles, times the ratio of the attention scalings, as one quotient of complex numbers in
     * float64.
     *
     * @param rotated (B, G, S, D)
     * @param positions (S) or (B, S)
     * @param from what they were rotated with
     * @param to what they would now be rotated with
     * @param training whether gradients are to flow
     * @return (B, G, S, D), in the keys' type and manager
     * @throws IllegalArgumentException if D is not the head dimension, or there are not d/2
     *     frequencies
     */
    public NDArray rerotate(
            NDArray rotated,
            Positions positions,
            RopeFrequencies from,
            RopeFrequencies to,
            boolean training) {
        checkFit(rotated, positions);
        checkPairs(from);
        checkPairs(to);
        NDArray places = positions.real(RotaryWaves.type(precision));
        DataType type = Rotation.tableType(rotated.getDataType());
        try (NDArray before = overHeads(RotaryWaves.of(places, List.of(from)), DataType.FLOAT64);
                NDArray now = overHeads(RotaryWaves.of(places, List.of(to)), DataType.FLOAT64);
                NDArray on = quotient(now, before);
                NDArray typed = Cast.to(on, type, true)) {
            return part.turn(rotated, typed, training);
        }
    }

    /**
     * Returns cosines and sines, times the attention scaling; shared by the layers of a forward
     * pass.
     *
     * @param positions (T) or (B, T)
     * @param type float32 or float64
     * @return (T, d/2, 2) or (B, 1, T, d/2, 2); not to be closed or changed
     * @throws IllegalArgumentException if the frequencies are learned
     */
    public NDArray table(Positions positions, DataType type) {
        checkFixed();
        return table(positions, type, null, true);
    }

    /**
     * Returns cosines and sines, times the attention scaling; shared by the layers of a forward
     * pass.
     *
     * @param positions (T) or (B, T)
     * @param type float32 or float64
     * @param parameters gives learned frequencies
     * @param training whether gradients are to flow to learned frequencies
     * @return (T, d/2, 2) or (B, 1, T, d/2, 2); not to be closed or changed
     */
    public NDArray table(
            Positions positions, DataType type, ParameterStore parameters, boolean training) {
        return table(positions, positions, type, parameters, training);
    }

    /** Everything that a table depends on, beside the positions it is derived of. */
    private record TableKey(Object frequencies, Positions sequence, DataType type) {}

    private record Frequencies(
            RopeParameters rope, ContextLength length, RopePrecision precision) {}

    /** The table of positions at the frequencies that a sequence has. */
    private NDArray table(
            Positions positions,
            Positions sequence,
            DataType type,
            ParameterStore parameters,
            boolean training) {
        // Other layers' encodings may be made alike; learned frequencies are one's own.
        Object source = learned == null ? new Frequencies(rope, length, precision) : this;
        return positions.derived(
                new TableKey(source, sequence, type),
                () -> {
                    if (table != null) {
                        return overHeads(table.waves(positions, type), type);
                    }
                    NDArray p = positions.real(RotaryWaves.type(precision));
                    NDArray waves =
                            learned == null
                                    ? RotaryWaves.of(p, frequencies(sequence))
                                    : learnedWaves(p, parameters, training);
                    return overHeads(waves, type);
                });
    }

    private NDArray learnedWaves(NDArray places, ParameterStore parameters, boolean training) {
        NDArray own = parameters.getValue(learned, places.getDevice(), training);
        NDArray theta = Cast.to(own, places.getDataType(), training);
        double a = frequencies(declared()).attentionScaling();
        try (NDArray scaling = array(places.getManager(), places.getDataType(), a)) {
            return RotaryWaves.of(places, theta, scaling);
        }
    }

    /** The waves in a type, with an axis of one for the heads where there are rows. */
    private static NDArray overHeads(NDArray waves, DataType type) {
        NDArray typed = RotaryWaves.to(type, waves); // (…, T, d/2, 2)
        if (typed.getShape().dimension() < 4) {
            return typed;
        }
        try (typed) {
            return typed.expandDims(1); // (B, 1, T, d/2, 2)
        }
    }

    /** 1 / z of z = a (cos + i sin). */
    private static NDArray reciprocal(NDArray z) {
        try (NDArray conjugate = z.mul(CONJUGATE.beside(z, z.getDataType()));
                NDArray squares = z.square();
                NDArray norm = squares.sum(new int[] {-1}, true)) {
            return conjugate.div(norm);
        }
    }

    /** w / z, of complex numbers whose parts lie on the last axis. */
    private static NDArray quotient(NDArray w, NDArray z) {
        try (NDArray inverse = reciprocal(z);
                NDArray flat =
                        w.reshape(w.getShape().slice(0, w.getShape().dimension() - 2).add(-1));
                NDArray turned = Rotation.interleaved(flat, inverse, true)) {
            return turned.reshape(
                    turned.getShape()
                            .slice(0, turned.getShape().dimension() - 1)
                            .addAll(new Shape(-1, 2)));
        }
    }

    /** {@inheritDoc} */
    @Override
    public Optional<RotaryPart> rotaryPart(int layer) {
        return Optional.of(part);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return rotate(queries, positions, context.parameters(), context.training());
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return rotate(keys, positions, context.parameters(), context.training());
    }

    /** {@inheritDoc} */
    @Override
    public boolean keysStayRotated() {
        return !rope.scaling().dependsOnLength() || length instanceof ContextLength.Declared;
    }

    /** {@inheritDoc} */
    @Override
    public boolean rowsAreIndependent(LayerContext context) {
        return keysStayRotated() || length instanceof ContextLength.EachRow;
    }

    /** {@inheritDoc} */
    @Override
    public boolean canRerotateKeys() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rerotateKeys(
            NDArray rotated,
            Positions positions,
            Positions before,
            Positions now,
            LayerContext context) {
        if (keysStayRotated() || frequencies(before).equals(frequencies(now))) {
            return rotated;
        }
        checkFit(rotated, positions);
        DataType type = Rotation.tableType(rotated.getDataType());
        record Key(Frequencies frequencies, Positions before, Positions now, DataType type) {}
        NDArray on =
                positions.derived(
                        new Key(new Frequencies(rope, length, precision), before, now, type),
                        () -> {
                            NDArray w = table(positions, now, DataType.FLOAT64, null, true);
                            NDArray z = table(positions, before, DataType.FLOAT64, null, true);
                            return Cast.to(quotient(w, z), type, true);
                        });
        return part.turn(rotated, on, context.training());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        Positions positions = Positions.of(inputs.get(1));
        return new NDList(rotate(inputs.get(0), positions, parameters, training));
    }

    /**
     * Initializes learned frequencies in float32 at least: half precision would move them.
     *
     * @param manager owns them
     * @param type the type of the model's other parameters
     * @param inputShapes the shapes of the inputs
     */
    @Override
    public void initialize(NDManager manager, DataType type, Shape... inputShapes) {
        super.initialize(manager, Rotation.tableType(type), inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        StringBuilder text = new StringBuilder();
        text.append("head dimension ").append(rope.headDimension());
        text.append(", rotated ").append(rope.rotaryDimension());
        text.append(", base ").append(rope.base());
        text.append(", layout ").append(Settings.nameOf(layout()));
        text.append(", scaling ").append(rope.scaling());
        if (rope.scaling().dependsOnLength()) {
            text.append(", length ").append(length);
        }
        if (precision != RopePrecision.EXACT) {
            text.append(", precision ").append(Settings.nameOf(precision));
        }
        if (learned != null) {
            text.append(", learned");
        }
        return text.toString();
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "rope", "rotary position embedding (Su et al. 2021)", KEYS, Rope::of, null);
    }

    private static final List<Settings.Key> KEYS =
            Stream.concat(
                            Stream.of(
                                    new Settings.Key(
                                            "layout", "interleaved", "interleaved or half-split"),
                                    new Settings.Key(
                                            "length",
                                            "each-row",
                                            "what counts as length for scalings that depend on it:"
                                                    + " each-row, whole-batch or a number of tokens"),
                                    new Settings.Key(
                                            "precision",
                                            "exact",
                                            "arithmetic of the angles: exact, hugging-face or"
                                                    + " hugging-face-int-length"),
                                    new Settings.Key(
                                            "learned",
                                            "false",
                                            "whether the frequencies are trained")),
                            NamedScaling.keys().stream())
                    .toList();

    private static Rope of(Site site, Settings settings) {
        Builder builder =
                builder()
                        .setParameters(
                                NamedScaling.parameters(
                                        settings, site.headDimension(), site.length()))
                        .setLayout(settings.choice("layout", RotaryLayout.class))
                        .optLength(ContextLength.of(settings))
                        .optPrecision(settings.choice("precision", RopePrecision.class));
        return (settings.flag("learned") ? builder.optLearned() : builder).build();
    }

    private void checkFixed() {
        if (learned != null) {
            throw new IllegalArgumentException(
                    "this RoPE's frequencies are learned: rotate with the ParameterStore that has"
                            + " them");
        }
    }

    private void checkFit(NDArray x, Positions positions) {
        Shape shape = x.getShape();
        part.check(x);
        if (positions.arePoints()) {
            throw new IllegalArgumentException(
                    "RoPE takes one position for each token, got points of shape "
                            + positions.array().getShape());
        }
        positions.checkFit(shape.get(0), shape.get(shape.dimension() - 2));
    }

    private void checkPairs(RopeFrequencies frequencies) {
        if (frequencies.pairs() != part.pairs()) {
            throw new IllegalArgumentException(
                    "this RoPE turns "
                            + part.pairs()
                            + " pairs, got "
                            + frequencies.pairs()
                            + " frequencies");
        }
    }

    /** Builds {@link Rope}. */
    public static final class Builder {

        private int headDimension;
        private double base = 10_000;
        private double partial = 1;
        private RotaryLayout layout;
        private RopeScaling scaling = new Default();
        private RopeParameters parameters;
        private ContextLength length = new ContextLength.EachRow();
        private RopePrecision precision = RopePrecision.EXACT;
        private boolean learned;

        private Builder() {}

        /**
         * Sets all that decides the frequencies at once, instead of head dimension, base, part and
         * scaling.
         *
         * @param parameters dimensions, base and scaling
         * @return this builder
         */
        public Builder setParameters(RopeParameters parameters) {
            this.parameters = parameters;
            return this;
        }

        /**
         * Sets the size of a head.
         *
         * @param headDimension D
         * @return this builder
         */
        public Builder setHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets which components make a pair. It must be the one the weights were trained with: the
         * other gives plausible nonsense, which is why there is no default.
         *
         * @param layout interleaved or half-split
         * @return this builder
         */
        public Builder setLayout(RotaryLayout layout) {
            this.layout = layout;
            return this;
        }

        /**
         * Sets the base.
         *
         * @param base b, positive; 10,000 where it is not set
         * @return this builder
         */
        public Builder optBase(double base) {
            this.base = base;
            return this;
        }

        /**
         * Sets the part of each head that turns, its first d = ⌊D · partial⌋ components.
         *
         * @param partial in (0, 1]; 1 where it is not set
         * @return this builder
         */
        public Builder optPartial(double partial) {
            this.partial = partial;
            return this;
        }

        /**
         * Sets how the frequencies are changed for a longer context.
         *
         * @param scaling the scaling; none where it is not set
         * @return this builder
         */
        public Builder optScaling(RopeScaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /**
         * Sets the length that scalings which depend on it take; it has no effect on others.
         *
         * @param length each row's own where it is not set
         * @return this builder
         */
        public Builder optLength(ContextLength length) {
            this.length = length;
            return this;
        }

        /**
         * Sets the arithmetic of frequencies and angles.
         *
         * @param precision exact where it is not set
         * @return this builder
         */
        public Builder optPrecision(RopePrecision precision) {
            this.precision = precision;
            return this;
        }

        /**
         * Makes the frequencies a parameter that is trained and saved with the model. It starts at
         * the scaling's frequencies and is float32 at least.
         *
         * @return this builder
         */
        public Builder optLearned() {
            this.learned = true;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the layout is missing, the dimensions, base or
         *     scaling are not possible, or frequencies to learn depend on the length
         */
        public Rope build() {
            if (learned
                    && scaling().dependsOnLength()
                    && !(length instanceof ContextLength.Declared)) {
                throw new IllegalArgumentException(
                        "frequencies to learn must not change with the length: declare one for "
                                + scaling());
            }
            return new Rope(this);
        }

        private RopeScaling scaling() {
            return parameters().scaling();
        }

        private RopeParameters parameters() {
            return parameters != null
                    ? parameters
                    : RopeParameters.partial(headDimension, partial, base, scaling);
        }
    }
}
