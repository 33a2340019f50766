package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;

/**
 * Sandwich, the inner product of sinusoidal positions as a bias (<a
 * href="https://arxiv.org/abs/2212.10356">Chi et al. 2023</a>). Nothing is learned.
 *
 * <p>b_h(i, j) = H / (8h) · Σ_t cos((i − j) 10000^(−2t/D̄)), t = 0 … D̄/2 − 1, h = 1 … H, for a
 * query at position i and a key at position j, which may be any real numbers. The sum is
 * PE(i)·PE(j) of {@link Sinusoidal} positions and is taken as that product, in double precision.
 *
 * <p>Others subtract D̄/2 from the sum, which changes no attention weight.
 */
public final class Sandwich extends PositionBias {

    private static final byte VERSION = 1;

    private final Sinusoidal sinusoidal;
    private final DeviceConstant scales; // (H, 1, 1)

    private Sandwich(Builder builder) {
        super(VERSION, builder.heads);
        sinusoidal = Sinusoidal.of(builder.dimension);
        double[] each = new double[heads()];
        for (int h = 1; h <= heads(); h++) {
            each[h - 1] = heads() / (8.0 * h);
        }
        scales = new DeviceConstant(each, new Shape(heads(), 1, 1));
    }

    /**
     * Returns a builder.
     *
     * @return a builder with D̄ = 128; heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    protected NDArray biases(
            Positions queries,
            Positions keys,
            DataType type,
            ParameterStore parameters,
            boolean training) {
        NDArray i = sinusoidal.waves(queries); // (…, T, D̄)
        NDArray j = sinusoidal.waves(keys); // (…, S, D̄)
        try (NDArray exact = i.matMul(j.swapAxes(-1, -2)); // (…, T, S)
                NDArray typed = Cast.to(exact, type, true);
                NDArray kernel = typed.expandDims(-3)) { // (…, 1, T, S)
            return kernel.mul(scales.beside(kernel, type)); // (…, H, T, S)
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration() + ", dimension " + sinusoidal.featureDimension();
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "sandwich",
                "inner product of sinusoidal positions as a bias (Sandwich, Chi et al. 2023)",
                (site, settings) ->
                        builder()
                                .setHeads(site.heads())
                                .optDimension(settings.integer("dimension"))
                                .build(),
                new Settings.Key("dimension", "128", "D̄, of the sinusoidal positions, even"));
    }

    /** Builds {@link Sandwich}. */
    public static final class Builder {

        private int heads;
        private int dimension = 128;

        private Builder() {}

        /**
         * Sets the number of heads.
         *
         * @param heads H, at least 1
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the dimension of the sinusoidal positions.
         *
         * @param dimension D̄, even; 128, the authors', where it is not set
         * @return this builder
         */
        public Builder optDimension(int dimension) {
            this.dimension = dimension;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the number of heads is missing, or the dimension odd
         */
        public Sandwich build() {
            return new Sandwich(this);
        }
    }
}
