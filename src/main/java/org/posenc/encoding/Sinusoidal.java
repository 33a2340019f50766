package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;

/**
 * Sinusoidal positions (<a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>, §3.5).
 *
 * <p>PE(p, 2i) = sin(p ω_i) and PE(p, 2i+1) = cos(p ω_i) with ω_i = b^(−2i/D), i = 0 … D/2 − 1. Any
 * real position has an encoding, also a negative one. Angles are taken in double precision.
 *
 * <p>PE(p)·PE(q) = Σ_i cos((p − q) ω_i), so that the inner product depends on the distance alone.
 */
public final class Sinusoidal extends FeaturesBlock {

    private static final byte VERSION = 1;

    /** How sines and cosines are laid out, and which frequencies they have. */
    public enum Layout {
        /** sin, cos, sin, cos, …, as in the paper. */
        INTERLEAVED,
        /** All sines, then all cosines, of the same frequencies. */
        CONCATENATED,
        /**
         * All sines, then all cosines, of the frequencies b^(−i/(D/2 − 1)) of tensor2tensor and
         * fairseq: other numbers, not another order.
         */
        TENSOR2TENSOR
    }

    private final double base;
    private final Layout layout;
    private final DeviceConstant frequencies;

    private Sinusoidal(Builder builder) {
        super(VERSION, 1, Checks.even(builder.dimension, "dimension"));
        base = builder.base;
        layout = builder.layout;
        frequencies = new DeviceConstant(frequencies(builder.dimension, builder.base, layout));
    }

    /**
     * Sinusoids in the paper's layout with base 10,000.
     *
     * @param dimension D, even
     * @return the features
     * @throws IllegalArgumentException if the dimension is odd
     */
    public static Sinusoidal of(int dimension) {
        return builder().setDimension(dimension).build();
    }

    /**
     * Returns a builder.
     *
     * @return a builder with base 10,000 and the paper's layout
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns ω.
     *
     * @param dimension D, even
     * @param base b
     * @param layout decides between b^(−2i/D) and tensor2tensor's b^(−i/(D/2 − 1))
     * @return D/2 frequencies in radians per position, from high to low
     */
    public static double[] frequencies(int dimension, double base, Layout layout) {
        double[] frequencies = new double[dimension / 2];
        double steps =
                layout == Layout.TENSOR2TENSOR ? Math.max(1, dimension / 2 - 1) : dimension / 2;
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(base, -i / steps);
        }
        return frequencies;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        return Cast.to(waves(positions), featureType(positions), training);
    }

    /** The features in float64, (…, D). */
    NDArray waves(Positions positions) {
        NDArray p = positions.real(DataType.FLOAT64).expandDims(-1); // (…, 1)
        NDArray angles = p.mul(frequencies.beside(p, DataType.FLOAT64)); // (…, D/2)
        NDList waves = new NDList(angles.sin(), angles.cos());
        if (layout == Layout.INTERLEAVED) {
            Shape flat = positions.array().getShape().add(featureDimension());
            return NDArrays.stack(waves, -1).reshape(flat);
        }
        return NDArrays.concat(waves, -1);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "base " + base + ", layout " + Settings.nameOf(layout);
    }

    static NamedEncoding named() {
        return NamedEncoding.ofFeatures(
                "sinusoidal",
                "sines and cosines of geometric frequencies (Vaswani et al. 2017)",
                (space, settings) ->
                        builder()
                                .setDimension(space.onOneAxis().featureDimension())
                                .optBase(settings.number("base"))
                                .optLayout(settings.choice("layout", Layout.class))
                                .build(),
                new Settings.Key("base", "10000", "base b of the frequencies, above 0"),
                new Settings.Key(
                        "layout", "interleaved", "interleaved, concatenated or tensor2tensor"));
    }

    /** Builds {@link Sinusoidal}. */
    public static final class Builder {

        private int dimension;
        private double base = 10_000;
        private Layout layout = Layout.INTERLEAVED;

        private Builder() {}

        /**
         * Sets the number of features.
         *
         * @param dimension D, even
         * @return this builder
         */
        public Builder setDimension(int dimension) {
            this.dimension = dimension;
            return this;
        }

        /**
         * Sets the base.
         *
         * @param base b, positive; 10,000 where it is not set
         * @return this builder
         */
        public Builder optBase(double base) {
            this.base = Checks.positive(base, "base");
            return this;
        }

        /**
         * Sets the layout.
         *
         * @param layout the paper's where it is not set
         * @return this builder
         */
        public Builder optLayout(Layout layout) {
            this.layout = layout;
            return this;
        }

        /**
         * Builds the features.
         *
         * @return a new block
         * @throws IllegalArgumentException if the dimension is odd
         */
        public Sinusoidal build() {
            return new Sinusoidal(this);
        }
    }
}
