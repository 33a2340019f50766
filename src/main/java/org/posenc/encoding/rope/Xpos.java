package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import java.util.Optional;
import org.posenc.encoding.DeviceConstant;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Settings;
import org.posenc.encoding.Site;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;
import org.posenc.kernel.Scalars;

/**
 * Extrapolatable position embedding (xPos, <a href="https://arxiv.org/abs/2212.10554">Sun et al.
 * 2023</a>, Algorithm 1): RoPE whose pairs also fade with distance.
 *
 * <p>The pair i at position p is turned by p θ_i, θ_i = b^(−2i/r); those of queries are multiplied
 * by ζ_i^((p − c)/s) and those of keys by ζ_i^((c − p)/s), ζ_i = (2i/r + γ)/(1 + γ), γ = 0.4, i = 0
 * … r/2 − 1. A score then has the factor ζ_i^((m − n)/s) of the query's position m and the key's n,
 * below 1 for keys of the past.
 *
 * <p>The centre c cancels in every score and only keeps numbers in range: it is best half the
 * longest context. It is a constant, not the middle of the sequence at hand as in torchscale and
 * rotary-embedding-torch, so that a key, once rotated, stays right as the sequence grows.
 *
 * <p>For causal attention alone: scores of keys after the query would grow without bound with their
 * distance. As a plain DJL block it takes (x (B, H, T, D), positions (T) or (B, T)) and returns x
 * as queries become.
 */
public final class Xpos extends EncodingBlock implements PairRotation {

    private static final byte VERSION = 1;
    private static final double GAMMA = 0.4;

    private final RotaryPart part;
    private final double base;
    private final double scaleBase;
    private final double centre;
    private final DeviceConstant theta;
    private final DeviceConstant decay; // ln(ζ) / s

    private Xpos(Builder builder) {
        super(VERSION);
        part = new RotaryPart(builder.headDimension, builder.headDimension, builder.layout);
        base = ScalingArguments.positive(builder.base, "the base");
        scaleBase = ScalingArguments.positive(builder.scaleBase, "the scale base");
        centre = builder.centre;
        theta = new DeviceConstant(RopePrecision.EXACT.inverse(builder.headDimension, base));
        double[] zeta = zeta(builder.headDimension);
        double[] each = new double[zeta.length];
        for (int i = 0; i < each.length; i++) {
            each[i] = Math.log(zeta[i]) / scaleBase;
        }
        decay = new DeviceConstant(each);
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10,000, scale base 512 and centre 0; head dimension and layout
     *     must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns what each pair is multiplied by over a distance of s.
     *
     * @param dimension r, even, at least 2
     * @return ζ, r/2 numbers in (0, 1)
     */
    public static double[] zeta(int dimension) {
        ScalingArguments.rotaryDimension(dimension);
        double[] zeta = new double[dimension / 2];
        for (int i = 0; i < zeta.length; i++) {
            zeta[i] = (2.0 * i / dimension + GAMMA) / (1 + GAMMA);
        }
        return zeta;
    }

    /**
     * Turns and scales queries.
     *
     * @param x (B, H, T, D)
     * @param positions (T) or (B, T)
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D is not the head dimension, or a position is too far
     *     from the centre for x's type (on a GPU only where the bounds of the positions are known)
     */
    public NDArray queries(NDArray x, Positions positions, boolean training) {
        return turn(x, positions, 1, training);
    }

    /**
     * Turns and scales keys.
     *
     * @param x (B, G, S, D)
     * @param positions (S) or (B, S)
     * @param training whether gradients are to flow
     * @return (B, G, S, D), in x's type and manager
     * @throws IllegalArgumentException as {@link #queries}
     */
    public NDArray keys(NDArray x, Positions positions, boolean training) {
        return turn(x, positions, -1, training);
    }

    private NDArray turn(NDArray x, Positions positions, int sign, boolean training) {
        part.check(x);
        positions.checkFit(x.getShape().get(0), x.getShape().get(2));
        checkRange(positions, x.getDataType());
        NDArray table = table(positions, Rotation.tableType(x.getDataType()), sign);
        return part.turn(x, table, training);
    }

    /** Cosines and sines times scales, (T, r/2, 2) or (B, 1, T, r/2, 2). */
    private NDArray table(Positions positions, DataType type, int sign) {
        record Key(Xpos xpos, DataType type, int sign) {}
        return positions.derived(
                new Key(this, type, sign),
                () -> {
                    NDArray p = positions.real(DataType.FLOAT64).expandDims(-1); // (…, T, 1)
                    NDArray angles = p.mul(theta.beside(p, DataType.FLOAT64)); // (…, T, r/2)
                    NDArray waves = PointRope.waves(angles, 1, DataType.FLOAT64);
                    NDArray away = Scalars.mul(p.sub(centre), sign);
                    NDArray scale = away.mul(decay.beside(p, DataType.FLOAT64)).exp();
                    NDArray scaled = waves.mul(scale.expandDims(-1)); // (…, T, r/2, 2)
                    NDArray table = Cast.to(scaled, type, true);
                    return table.getShape().dimension() == 4 ? table.expandDims(1) : table;
                });
    }

    /** {@inheritDoc} */
    @Override
    public NDArray waves(Positions positions, DataType type, ParameterStore parameters) {
        checkRange(positions, type);
        return table(positions, type, 1);
    }

    private void checkRange(Positions positions, DataType type) {
        if (!positions.knowBounds()) {
            return;
        }
        double largest = type == DataType.FLOAT16 ? 1e3 : type == DataType.FLOAT32 ? 1e30 : 1e150;
        double farthest = -Math.log(largest) * scaleBase / Math.log(GAMMA / (1 + GAMMA));
        Positions.Bounds bounds = positions.bounds();
        for (double position : new double[] {bounds.least(), bounds.greatest()}) {
            if (Math.abs(position - centre) > farthest) {
                throw new IllegalArgumentException(
                        "xPos in %s reaches %.0f positions to both sides of its centre %s, got %s"
                                .formatted(Settings.nameOf(type), farthest, centre, position));
            }
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
        return queries(queries, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return keys(keys, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(queries(inputs.get(0), Positions.of(inputs.get(1)), training));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return part + ", base " + base + ", scale base " + scaleBase; // a centre changes no score
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "xpos",
                "RoPE that fades with distance, for causal attention (xPos, Sun et al. 2023)",
                List.of(
                        new Settings.Key("base", "10000", "base b of the frequencies, above 0"),
                        new Settings.Key(
                                "scale-base", "512", "distance s over which a pair fades by ζ"),
                        new Settings.Key(
                                "centre",
                                "auto",
                                "position without scale, of no effect on scores; auto: half the"
                                        + " length"),
                        new Settings.Key("layout", "interleaved", "interleaved or half-split")),
                Xpos::forTransformer,
                null);
    }

    private static Xpos forTransformer(Site site, Settings settings) {
        if (!site.causal()) {
            throw new IllegalArgumentException(
                    "xpos is for causal attention: the scores of keys after the query would grow"
                            + " without bound");
        }
        return builder()
                .setHeadDimension(site.headDimension())
                .setLayout(settings.choice("layout", RotaryLayout.class))
                .optBase(settings.number("base"))
                .optScaleBase(settings.number("scale-base"))
                .optCentre(settings.number("centre", site.length() / 2.0))
                .build();
    }

    /** Builds {@link Xpos}. */
    public static final class Builder {

        private int headDimension;
        private RotaryLayout layout;
        private double base = 10_000;
        private double scaleBase = 512;
        private double centre;

        private Builder() {}

        /**
         * Sets the size of a head.
         *
         * @param headDimension D, even; all of it turns, r = D
         * @return this builder
         */
        public Builder setHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets which components make a pair.
         *
         * @param layout interleaved in torchscale and rotary-embedding-torch
         * @return this builder
         */
        public Builder setLayout(RotaryLayout layout) {
            this.layout = layout;
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
         * Sets the distance over which a pair fades by ζ.
         *
         * @param scaleBase s, positive; 512 where it is not set
         * @return this builder
         */
        public Builder optScaleBase(double scaleBase) {
            this.scaleBase = scaleBase;
            return this;
        }

        /**
         * Sets the position that is not scaled. The scales of float16 reach about 5.5 s to both
         * sides of it, those of float32 55 s.
         *
         * @param centre c, best half the longest context; 0 where it is not set
         * @return this builder
         */
        public Builder optCentre(double centre) {
            if (!Double.isFinite(centre)) {
                throw new IllegalArgumentException("the centre must be finite, got " + centre);
            }
            this.centre = centre;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if something is missing or out of range
         */
        public Xpos build() {
            return new Xpos(this);
        }
    }
}
