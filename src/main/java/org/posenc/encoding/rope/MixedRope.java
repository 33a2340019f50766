package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.List;
import java.util.Optional;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SeededInitializer;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;

/**
 * RoPE with mixed learnable frequencies for images (RoPE-Mixed, <a
 * href="https://arxiv.org/abs/2403.13298">Heo et al. 2024</a>, §3.2).
 *
 * <p>The pair i of head h at the point (y, x) is turned by the angle y F_h0i + x F_h1i, so that
 * patterns along diagonals can be seen, which no axial rotation does. F (G, 2, D/2) is learned for
 * each head and, where so set, each layer. It starts as directions that are turned by a random
 * angle α_h: with w_i = b^(−4i/D), the first half of the pairs has (x, y) frequencies w (cos α, sin
 * α), the second half w (−sin α, cos α).
 *
 * <p>Query heads that share keys share their frequencies: G is the number of key heads. A point of
 * zeros (a class token) is not turned; a position of one coordinate p stands for (p, p). {@link
 * GridPoints} makes the points. Angles are taken in float64.
 *
 * <p>As a plain DJL block it takes (x (B, H, T, D), points (T, 2) or (B, T, 2)) and returns x
 * turned as in the first layer.
 */
public final class MixedRope extends EncodingBlock implements PairRotation {

    private static final byte VERSION = 1;
    private static final int AXES = 2;

    private final RotaryPart part;
    private final int heads;
    private final double base;
    private final LayerParameters frequencies;

    private MixedRope(Builder builder) {
        super(VERSION);
        part = new RotaryPart(builder.headDimension, builder.headDimension, builder.layout);
        heads = builder.heads;
        base = ScalingArguments.positive(builder.base, "the base");
        ScalingArguments.length(1, heads, "heads");
        frequencies =
                new LayerParameters(
                        "frequencies",
                        new Shape(heads, AXES, part.pairs()),
                        builder.layers,
                        name -> directions(builder.seed, name));
        frequencies.all().forEach(this::addParameter);
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10 whose layers share their frequencies; head dimension, heads
     *     and layout must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    private Initializer directions(long seed, String name) {
        Initializer angles = SeededInitializer.uniform(Math.PI, seed, name);
        return (manager, shape, type) -> {
            try (NDManager temporary = manager.newSubManager()) {
                double[] alpha =
                        angles.initialize(temporary, new Shape(heads), DataType.FLOAT64)
                                .toDoubleArray();
                double[] f = new double[Math.toIntExact(shape.size())];
                for (int h = 0; h < heads; h++) {
                    System.arraycopy(
                            directions(alpha[h]),
                            0,
                            f,
                            h * AXES * part.pairs(),
                            AXES * part.pairs());
                }
                NDArray owned = Cast.to(temporary.create(f, shape), type, false).duplicate();
                owned.attach(manager);
                return owned;
            }
        };
    }

    /** F of one head: a row for y, one for x. */
    private double[] directions(double alpha) {
        int pairs = part.pairs();
        int half = (pairs + 1) / 2;
        double[] f = new double[AXES * pairs];
        for (int i = 0; i < pairs; i++) {
            double w = Math.pow(base, -2.0 * (i % half) / pairs); // 4i/D
            double angle = i < half ? alpha : alpha + Math.PI / 2;
            f[i] = w * Math.sin(angle);
            f[pairs + i] = w * Math.cos(angle);
        }
        return f;
    }

    /** {@inheritDoc} */
    @Override
    public Optional<RotaryPart> rotaryPart(int layer) {
        return Optional.of(part);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return rotate(queries, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return rotate(keys, positions, context);
    }

    private NDArray rotate(NDArray x, Positions positions, LayerContext context) {
        part.check(x);
        Shape shape = x.getShape(); // (B, H, T, D)
        positions.checkFit(shape.get(0), shape.get(2));
        if (shape.get(1) % heads != 0) {
            throw new IllegalArgumentException(
                    "this rotation is made for a multiple of "
                            + heads
                            + " heads, those of the keys, got "
                            + shape.get(1));
        }
        NDArray table = table(positions, Rotation.tableType(x.getDataType()), context);
        NDArray grouped =
                x.reshape(shape.get(0), heads, -1, shape.get(2), shape.get(3)); // (B, G, H/G, T, D)
        return part.turn(grouped, table, context.training()).reshape(shape);
    }

    /** Cosines and sines (…, G, 1, T, D/2, 2), shared by the queries and keys of a layer. */
    private NDArray table(Positions positions, DataType type, LayerContext context) {
        record Key(MixedRope rope, int layer, DataType type) {}
        return positions.derived(
                new Key(this, frequencies.index(context), type),
                () -> {
                    NDArray p = PointRope.coordinates(positions, AXES).expandDims(-3);
                    NDArray f = // (G, 2, D/2)
                            value(
                                    frequencies.of(context),
                                    p,
                                    DataType.FLOAT64,
                                    context.parameters(),
                                    context.training());
                    NDArray angles = p.matMul(f); // (…, G, T, D/2)
                    return PointRope.waves(angles, 1, type).expandDims(-4);
                });
    }

    /** {@inheritDoc} */
    @Override
    public NDArray waves(Positions positions, DataType type, ParameterStore parameters) {
        LayerContext first = new LayerContext(0, positions.array(), parameters, false);
        return table(positions, type, first).squeeze(1); // (G, T, D/2, 2)
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        LayerContext first = new LayerContext(0, inputs.get(0), parameters, training);
        return new NDList(rotate(inputs.get(0), PointRope.input(inputs.get(1)), first));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return part
                + ", "
                + heads
                + " heads, base "
                + base
                + ", "
                + frequencies.all().size()
                + " layers";
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "mixed-rope",
                "RoPE with learned frequencies of both coordinates (RoPE-Mixed, Heo et al. 2024)",
                List.of(
                        new Settings.Key("base", "10", "base b of the first values, above 0"),
                        new Settings.Key("layout", "interleaved", "interleaved or half-split"),
                        new Settings.Key(
                                "layers", "1", "layers that learn their own; 1: all share them")),
                (site, settings) ->
                        builder()
                                .setHeadDimension(site.headDimension())
                                .setHeads(site.keyValueHeads())
                                .setLayout(settings.choice("layout", RotaryLayout.class))
                                .optBase(settings.number("base"))
                                .optLayers(settings.integer("layers"))
                                .optSeed(site.seed())
                                .build(),
                null);
    }

    /** Builds {@link MixedRope}. */
    public static final class Builder {

        private int headDimension;
        private int heads;
        private RotaryLayout layout;
        private double base = 10;
        private int layers = 1;
        private long seed;

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
         * Sets the number of heads that have frequencies of their own.
         *
         * @param heads G, the number of key heads; query heads are a multiple of it
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets which components make a pair.
         *
         * @param layout interleaved in rope-vit
         * @return this builder
         */
        public Builder setLayout(RotaryLayout layout) {
            this.layout = layout;
            return this;
        }

        /**
         * Sets the base of the first values.
         *
         * @param base b, positive; 10 where it is not set
         * @return this builder
         */
        public Builder optBase(double base) {
            this.base = base;
            return this;
        }

        /**
         * Sets how many layers learn frequencies of their own.
         *
         * @param layers the number of layers of the model, as in the paper; 1, which is the
         *     standard, where all share one set
         * @return this builder
         */
        public Builder optLayers(int layers) {
            this.layers = layers;
            return this;
        }

        /**
         * Sets what draws the initial directions.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if something is missing or out of range
         */
        public MixedRope build() {
            return new MixedRope(this);
        }
    }
}
