package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.List;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SeededInitializer;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;
import org.posenc.kernel.Scalars;

/**
 * Polar coordinate position embedding (PoPE, <a href="https://arxiv.org/abs/2509.10534">
 * Gopalakrishnan et al. 2025</a>): content is in the lengths alone and position in the angles
 * alone.
 *
 * <p>The score of a query q at m and a key k at n is Σ_c μ(q_c) μ(k_c) cos((n − m) θ_c + δ_hc), c =
 * 0 … D − 1, with μ the softplus, θ_c = b^(−c/D), and phases δ (H, D) learned for each query head
 * and, where so set, each layer; they are kept within [−2π, 0].
 *
 * <p>Each component becomes two, so queries and keys are (B, H, T, 2D) between the rotation and the
 * scores; scores are still scaled by the head dimension D. The phases turn queries, not keys, which
 * gives the same scores and lets query heads share keys, and keys stay right while phases are
 * trained.
 *
 * <p>As a plain DJL block it takes (x (B, H, T, D), positions (T) or (B, T)) and returns what keys
 * become.
 */
public final class Pope extends EncodingBlock implements PairRotation {

    private static final byte VERSION = 1;

    private final int headDimension;
    private final int heads;
    private final double base;
    private final RotaryTable table;
    private final LayerParameters phases;

    private Pope(Builder builder) {
        super(VERSION);
        headDimension = (int) ScalingArguments.length(1, builder.headDimension, "head dimension");
        heads = (int) ScalingArguments.length(1, builder.heads, "heads");
        base = ScalingArguments.positive(builder.base, "the base");
        double[] theta = RopePrecision.EXACT.inverse(2 * headDimension, base); // b^(−2c/2D)
        table = RotaryTable.of(new RopeFrequencies(theta, 1), RopePrecision.EXACT);
        phases =
                new LayerParameters(
                        "phases",
                        new Shape(heads, headDimension),
                        builder.layers,
                        name -> builder.uniform ? uniform(builder.seed, name) : Initializer.ZEROS);
        phases.all().forEach(this::addParameter);
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10,000 whose layers share their phases, which start at 0; head
     *     dimension and heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /** U(−2π, 0). */
    private static Initializer uniform(long seed, String name) {
        return SeededInitializer.uniform(-2 * Math.PI, 0, seed, name);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        long given = queries.getShape().get(1);
        if (given != heads) {
            throw new IllegalArgumentException(
                    "this PoPE is made for " + heads + " query heads, got " + given);
        }
        DataType type = queries.getDataType();
        boolean training = context.training();
        NDArray polar = polar(queries, positions, training); // (B, H, T, 2D)
        NDArray back = back(positions, polar.getDataType(), context); // (H, 1, D, 2)
        return Cast.to(Rotation.interleaved(polar, back, training), type, training);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return keys(keys, positions, context.training());
    }

    private NDArray keys(NDArray x, Positions positions, boolean training) {
        return Cast.to(polar(x, positions, training), x.getDataType(), training);
    }

    /** μ(x) [cos p θ, sin p θ], component by component: (B, H, T, 2D) in float32 at least. */
    private NDArray polar(NDArray x, Positions positions, boolean training) {
        Shape shape = x.getShape();
        if (shape.get(shape.dimension() - 1) != headDimension) {
            throw new IllegalArgumentException(
                    "this PoPE is made for heads of " + headDimension + ", got shape " + shape);
        }
        positions.checkFit(shape.get(0), shape.get(2));
        DataType type = Rotation.tableType(x.getDataType());
        NDArray magnitude = Activation.softPlus(Cast.to(x, type, training)); // (B, H, T, D)
        NDArray polar = magnitude.expandDims(-1).mul(waves(positions, type)); // (B, H, T, D, 2)
        return polar.reshape(shape.get(0), shape.get(1), shape.get(2), 2L * headDimension);
    }

    /** (T, D, 2) or (B, 1, T, D, 2). */
    private NDArray waves(Positions positions, DataType type) {
        record Key(RotaryTable table, DataType type) {}
        return positions.derived(
                new Key(table, type),
                () -> {
                    NDArray waves = table.waves(positions, type);
                    return waves.getShape().dimension() == 4 ? waves.expandDims(1) : waves;
                });
    }

    /** Cosines and sines of −δ, (H, 1, D, 2). */
    private NDArray back(Positions positions, DataType type, LayerContext context) {
        record Key(Pope pope, int layer, DataType type) {}
        return positions.derived(
                new Key(this, phases.index(context), type),
                () -> {
                    NDArray beside = positions.array();
                    NDArray delta = // (H, D)
                            value(
                                    phases.of(context),
                                    beside,
                                    DataType.FLOAT64,
                                    context.parameters(),
                                    context.training());
                    // min(δ, 0) with all of the gradient at 0, where phases start: that of a
                    // minimum
                    // is shared out between equals.
                    NDArray negative = delta.sub(Activation.relu(delta));
                    NDArray kept = Scalars.maximum(negative, -2 * Math.PI);
                    NDArray waves = PointRope.waves(kept.neg(), 1, type); // (H, D, 2)
                    return waves.expandDims(1);
                });
    }

    /** {@inheritDoc} */
    @Override
    public NDArray waves(Positions positions, DataType type, ParameterStore parameters) {
        LayerContext first = new LayerContext(0, positions.array(), parameters, false);
        NDArray keys = waves(positions, type); // (T, D, 2)
        NDArray flat = keys.reshape(1, keys.getShape().get(0), 2L * headDimension);
        NDArray queries = Rotation.interleaved(flat, back(positions, type, first), false);
        return queries.reshape(heads, -1, headDimension, 2); // (H, T, D, 2)
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(keys(inputs.get(0), Positions.of(inputs.get(1)), training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        return new Shape[] {x.slice(0, x.dimension() - 1).add(2L * headDimension)};
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "head dimension "
                + headDimension
                + ", "
                + heads
                + " heads, base "
                + base
                + ", "
                + phases.all().size()
                + " layers";
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "pope",
                "polar coordinates: content in lengths, position in angles (PoPE, Gopalakrishnan"
                        + " et al. 2025)",
                List.of(
                        new Settings.Key("base", "10000", "base b of the frequencies, above 0"),
                        new Settings.Key(
                                "uniform-phases",
                                "false",
                                "whether phases start as U(−2π, 0): true or false"),
                        new Settings.Key(
                                "layers", "1", "layers that learn their own; 1: all share them")),
                (site, settings) ->
                        builder()
                                .setHeadDimension(site.headDimension())
                                .setHeads(site.heads())
                                .optBase(settings.number("base"))
                                .optUniformPhases(settings.flag("uniform-phases"))
                                .optLayers(settings.integer("layers"))
                                .optSeed(site.seed())
                                .build(),
                null);
    }

    /** Builds {@link Pope}. */
    public static final class Builder {

        private int headDimension;
        private int heads;
        private double base = 10_000;
        private boolean uniform;
        private int layers = 1;
        private long seed;

        private Builder() {}

        /**
         * Sets the size of a head.
         *
         * @param headDimension D, at least 1
         * @return this builder
         */
        public Builder setHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets the number of query heads.
         *
         * @param heads H
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the base of the frequencies.
         *
         * @param base b, positive; 10,000 where it is not set
         * @return this builder
         */
        public Builder optBase(double base) {
            this.base = base;
            return this;
        }

        /**
         * Sets how the phases start.
         *
         * @param uniform whether they are drawn from U(−2π, 0) instead of being 0; false where it
         *     is not set
         * @return this builder
         */
        public Builder optUniformPhases(boolean uniform) {
            this.uniform = uniform;
            return this;
        }

        /**
         * Sets how many layers learn phases of their own.
         *
         * @param layers the number of layers of the model; 1, which is the standard, where all
         *     share one set
         * @return this builder
         */
        public Builder optLayers(int layers) {
            this.layers = layers;
            return this;
        }

        /**
         * Sets what draws the phases.
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
        public Pope build() {
            return new Pope(this);
        }
    }
}
