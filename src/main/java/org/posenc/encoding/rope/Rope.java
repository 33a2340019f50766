package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.posenc.encoding.DeviceConstant;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;
import org.posenc.kernel.Scalars;

/**
 * Rotary position embedding (<a href="https://arxiv.org/abs/2104.09864">Su et al. 2021</a>, eq.
 * 34).
 *
 * <p>The pair i of a query or key at position p is turned by the angle p θ_i, θ_i = b^(−2i/r), i =
 * 0 … r/2 − 1; components from r on are left alone. A score then depends on positions only through
 * their difference. Angles are taken in float64 and the rotation in float32 at least, whatever the
 * type of the activations; turning by the positions −p undoes it.
 *
 * <p>As a plain DJL block it takes (x (B, H, T, D), positions (T) or (B, T)) and returns x turned.
 */
public final class Rope extends EncodingBlock {

    private static final byte VERSION = 1;

    private final int headDimension;
    private final int rotaryDimension;
    private final double base;
    private final RotaryLayout layout;
    private final RopeScaling scaling;
    private final DeviceConstant inverse;
    private final RopeFrequencies frequencies;

    private Rope(Builder builder) {
        super(VERSION);
        headDimension = builder.headDimension;
        rotaryDimension = builder.rotaryDimension();
        base = builder.base;
        layout = builder.layout;
        scaling = builder.scaling;
        frequencies =
                builder.scaling.frequencies(
                        rotaryDimension, base, builder.length, RopePrecision.EXACT);
        inverse = new DeviceConstant(frequencies.inverse());
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10,000 and full rotation; layout and head dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the frequencies.
     *
     * @return θ, in radians per position, and what the table is multiplied with
     */
    public RopeFrequencies frequencies() {
        return frequencies;
    }

    /**
     * Turns queries or keys.
     *
     * @param x (B, H, T, D)
     * @param positions (T) or (B, T), any real numbers
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D is not the head dimension
     */
    public NDArray rotate(NDArray x, Positions positions, boolean training) {
        Shape shape = x.getShape();
        if (shape.get(shape.dimension() - 1) != headDimension) {
            throw new IllegalArgumentException(
                    "this RoPE is made for heads of " + headDimension + ", got shape " + shape);
        }
        positions.checkFit(shape.get(0), shape.get(shape.dimension() - 2));
        NDArray table = table(positions, Rotation.tableType(x.getDataType()));
        if (rotaryDimension == headDimension) {
            return turn(x, table, training);
        }
        NDArray turned = turn(x.get(lastAxis(0, rotaryDimension)), table, training);
        NDArray rest = x.get(lastAxis(rotaryDimension, headDimension));
        return turned.concat(rest, -1);
    }

    /**
     * Returns cosines and sines, shared by the layers of a forward pass.
     *
     * @param positions (T) or (B, T)
     * @param type float32 or float64
     * @return (T, r/2, 2) or (B, 1, T, r/2, 2)
     */
    public NDArray table(Positions positions, DataType type) {
        record Key(Rope rope, DataType type) {}
        return positions.derived(
                new Key(this, type),
                () -> {
                    NDArray p = positions.real(DataType.FLOAT64).expandDims(-1); // (…, T, 1)
                    NDArray angles = p.mul(inverse.beside(p, DataType.FLOAT64)); // (…, T, r/2)
                    NDArray waves = NDArrays.stack(new NDList(angles.cos(), angles.sin()), -1);
                    if (frequencies.attentionScaling() != 1) {
                        waves = Scalars.mul(waves, frequencies.attentionScaling());
                    }
                    NDArray table = Cast.to(waves, type, true); // (…, T, r/2, 2)
                    return table.getShape().dimension() == 4 ? table.expandDims(1) : table;
                });
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return rotate(queries, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return rotate(keys, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(rotate(inputs.get(0), Positions.of(inputs.get(1)), training));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "head dimension "
                + headDimension
                + ", rotated "
                + rotaryDimension
                + ", base "
                + base
                + ", layout "
                + Settings.nameOf(layout)
                + ", scaling "
                + scaling;
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "rope",
                "rotary position embedding (Su et al. 2021)",
                List.of(
                        new Settings.Key("base", "10000", "base b of the frequencies, above 0"),
                        new Settings.Key("layout", "interleaved", "interleaved or half-split"),
                        new Settings.Key(
                                "partial", "1", "part of each head that turns, in (0, 1]")),
                (site, settings) ->
                        builder()
                                .setHeadDimension(site.headDimension())
                                .setLayout(settings.choice("layout", RotaryLayout.class))
                                .optBase(settings.number("base"))
                                .optPartial(settings.number("partial"))
                                .build(),
                null);
    }

    private NDArray turn(NDArray x, NDArray table, boolean training) {
        return layout == RotaryLayout.INTERLEAVED
                ? Rotation.interleaved(x, table, training)
                : Rotation.halfSplit(x, table, training);
    }

    private static NDIndex lastAxis(long from, long to) {
        return new NDIndex().addEllipseDim().addSliceDim(from, to);
    }

    /** Builds {@link Rope}. */
    public static final class Builder {

        private int headDimension;
        private double base = 10_000;
        private double partial = 1;
        private RotaryLayout layout;
        private RopeScaling scaling = new Default();
        private long length = 1;

        private Builder() {}

        /**
         * Sets the size of a head.
         *
         * @param headDimension D, even
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
            if (!(base > 0) || Double.isInfinite(base)) {
                throw new IllegalArgumentException("base must be positive and finite, got " + base);
            }
            this.base = base;
            return this;
        }

        /**
         * Sets the part of each head that turns, its first r = ⌊D · partial⌋ components.
         *
         * @param partial in (0, 1]; 1 where it is not set
         * @return this builder
         */
        public Builder optPartial(double partial) {
            if (!(partial > 0 && partial <= 1)) {
                throw new IllegalArgumentException("partial must be in (0, 1], got " + partial);
            }
            this.partial = partial;
            return this;
        }

        /**
         * Sets how the frequencies are changed for a longer context.
         *
         * @param scaling the scaling
         * @param length the declared length of the context, in tokens
         * @return this builder
         */
        public Builder optScaling(RopeScaling scaling, long length) {
            this.scaling = scaling;
            this.length = length;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the layout is missing, or D or the part that turns is
         *     odd
         */
        public Rope build() {
            if (layout == null) {
                throw new IllegalArgumentException(
                        "RoPE needs a layout, interleaved or half-split: the one the weights were"
                                + " trained with");
            }
            return new Rope(this);
        }

        private int rotaryDimension() {
            int r = (int) (headDimension * partial);
            if (r < 2 || r % 2 != 0 || headDimension % 2 != 0) {
                throw new IllegalArgumentException(
                        "RoPE turns pairs: a head and its rotated part must be even and at least"
                                + " 2, got "
                                + r
                                + " of head dimension "
                                + headDimension);
            }
            return r;
        }
    }
}
