package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.posenc.kernel.Scalars;

/**
 * Learnable Fourier features (<a href="https://arxiv.org/abs/2106.02795">Li et al. 2021</a>,
 * Algorithm 1).
 *
 * <p>F = [cos X W_rᵀ ; sin X W_rᵀ] / √|F|, Y = GELU(F W_1ᵀ + B_1) W_2ᵀ + B_2, PE = the groups' Y
 * one after the other; all five are learned, GELU is the exact one. W_r (|F|/2, M) starts as N(0,
 * σ²), which makes F(x)·F(y) ≈ ½ exp(−σ²|x − y|²/2); W_1 (|H|, |F|), B_1 (|H|), W_2 (D/G, |H|), B_2
 * (D/G) start uniform in ±1/√fan-in.
 *
 * <p>A position is G points of M coordinates (a box is two corners), each multiplied by {@code
 * scale}: (…, G·M) → (…, D). σ must match the scale of the coordinates.
 */
public final class LearnableFourier extends FeaturesBlock {

    private static final byte VERSION = 1;

    private final int groups;
    private final int coordinates;
    private final int fourierDimension;
    private final int hiddenDimension;
    private final double scale;
    private final Parameter wr;
    private final Parameter w1;
    private final Parameter b1;
    private final Parameter w2;
    private final Parameter b2;

    private LearnableFourier(Builder builder) {
        super(VERSION, builder.groups * builder.coordinates, builder.dimension);
        groups = builder.groups;
        coordinates = builder.coordinates;
        fourierDimension = builder.fourierDimension;
        hiddenDimension = builder.hiddenDimension;
        scale = builder.scale;
        int outputs = Checks.divided(builder.dimension, groups, "dimension");
        long seed = builder.seed;
        double first = 1 / Math.sqrt(fourierDimension);
        double second = 1 / Math.sqrt(hiddenDimension);
        wr =
                parameter(
                        "W_r",
                        SeededInitializer.normal(builder.sigma, seed, "W_r"),
                        fourierDimension / 2,
                        coordinates);
        w1 = uniform("W_1", first, seed, hiddenDimension, fourierDimension);
        b1 = uniform("B_1", first, seed, hiddenDimension);
        w2 = uniform("W_2", second, seed, outputs, hiddenDimension);
        b2 = uniform("B_2", second, seed, outputs);
    }

    private Parameter uniform(String name, double bound, long seed, long... shape) {
        return parameter(name, SeededInitializer.uniform(bound, seed, name), shape);
    }

    private Parameter parameter(String name, Initializer initializer, long... shape) {
        Parameter.Type type = shape.length == 1 ? Parameter.Type.BIAS : Parameter.Type.WEIGHT;
        return parameter(name, type, initializer, shape);
    }

    /**
     * Returns a builder.
     *
     * @return a builder for one group of one coordinate with |F| = 256 and |H| = 32; dimension and
     *     sigma (or gamma) must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        checkDimension(positions);
        Shape shape = positions.array().getShape();
        boolean flat = positionDimension() == 1;
        Shape points = flat ? shape : shape.slice(0, shape.dimension() - 1); // (…)
        NDArray x =
                Scalars.mul(positions.real(featureType(positions)), scale)
                        .reshape(points.add(groups).add(coordinates)); // (…, G, M)
        NDArray angles = linear(x, value(wr, positions, parameters, training), null);
        NDArray waves = angles.cos().concat(angles.sin(), -1);
        NDArray f = Scalars.div(waves, Math.sqrt(fourierDimension)); // (…, G, |F|)
        NDArray h =
                Activation.gelu(
                        linear(
                                f,
                                value(w1, positions, parameters, training),
                                value(b1, positions, parameters, training))); // (…, G, |H|)
        NDArray y =
                linear(
                        h,
                        value(w2, positions, parameters, training),
                        value(b2, positions, parameters, training)); // (…, G, D/G)
        return y.reshape(points.add(featureDimension())); // (…, D)
    }

    private static NDArray linear(NDArray x, NDArray weight, NDArray bias) {
        NDList result = bias == null ? Linear.linear(x, weight) : Linear.linear(x, weight, bias);
        return result.singletonOrThrow();
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "G = "
                + groups
                + ", |F| = "
                + fourierDimension
                + ", |H| = "
                + hiddenDimension
                + ", scale "
                + scale;
    }

    static NamedEncoding named() {
        return NamedEncoding.ofFeatures(
                "fourier",
                "learnable Fourier features (Li et al. 2021)",
                (space, settings) -> {
                    int groups = settings.integer("groups");
                    Checks.atLeast(1, groups, "groups");
                    return builder()
                            .setDimension(space.featureDimension())
                            .setSigma(settings.number("sigma", space.length() / 8.0))
                            .optGroups(groups)
                            .optCoordinates(
                                    Checks.divided(
                                            space.positionDimension(),
                                            groups,
                                            "number of coordinates"))
                            .optFourierDimension(settings.integer("fourier"))
                            .optHiddenDimension(settings.integer("hidden"))
                            .optScale(settings.number("scale", 1 / space.extent()))
                            .optSeed(space.seed())
                            .build();
                },
                new Settings.Key(
                        "sigma", "auto", "spread of W_r, over scaled positions; auto: length / 8"),
                new Settings.Key("fourier", "256", "|F|, number of Fourier features, even"),
                new Settings.Key("hidden", "32", "|H|, width of the MLP"),
                new Settings.Key("groups", "1", "G, points in a position"),
                new Settings.Key(
                        "scale", "auto", "multiplies positions; auto: maps the extent to [0, 1)"));
    }

    /** Builds {@link LearnableFourier}. */
    public static final class Builder {

        private int dimension;
        private double sigma = Double.NaN;
        private int groups = 1;
        private int coordinates = 1;
        private int fourierDimension = 256;
        private int hiddenDimension = 32;
        private double scale = 1;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of features.
         *
         * @param dimension D, a multiple of the groups
         * @return this builder
         */
        public Builder setDimension(int dimension) {
            this.dimension = dimension;
            return this;
        }

        /**
         * Sets the spread of W_r.
         *
         * @param sigma σ, the standard deviation of its initial values
         * @return this builder
         */
        public Builder setSigma(double sigma) {
            this.sigma = Checks.positive(sigma, "sigma");
            return this;
        }

        /**
         * Sets the spread of W_r from the paper's γ: its variance is γ⁻², so that σ = 1/γ and γ is
         * the distance over which features stay alike. Public ports that take γ disagree with the
         * paper and with each other: some use γ⁻² or γ² as the standard deviation; give {@link
         * #setSigma} the number they draw with.
         *
         * @param gamma γ, in units of the scaled coordinates
         * @return this builder
         */
        public Builder fromGamma(double gamma) {
            return setSigma(1 / Checks.positive(gamma, "gamma"));
        }

        /**
         * Sets the number of points in a position.
         *
         * @param groups G; 1 where it is not set
         * @return this builder
         */
        public Builder optGroups(int groups) {
            this.groups = Checks.atLeast(1, groups, "groups");
            return this;
        }

        /**
         * Sets the number of coordinates of a point.
         *
         * @param coordinates M; 1 where it is not set
         * @return this builder
         */
        public Builder optCoordinates(int coordinates) {
            this.coordinates = Checks.atLeast(1, coordinates, "coordinates");
            return this;
        }

        /**
         * Sets the number of Fourier features.
         *
         * @param fourierDimension |F|, even; 256 where it is not set
         * @return this builder
         */
        public Builder optFourierDimension(int fourierDimension) {
            this.fourierDimension = Checks.even(fourierDimension, "Fourier dimension");
            return this;
        }

        /**
         * Sets the width of the MLP.
         *
         * @param hiddenDimension |H|; 32 where it is not set
         * @return this builder
         */
        public Builder optHiddenDimension(int hiddenDimension) {
            this.hiddenDimension = Checks.atLeast(1, hiddenDimension, "hidden dimension");
            return this;
        }

        /**
         * Sets what positions are multiplied with first: one over the length makes token positions
         * coordinates in [0, 1), as the paper's are.
         *
         * @param scale positive; 1 where it is not set
         * @return this builder
         */
        public Builder optScale(double scale) {
            this.scale = Checks.positive(scale, "scale");
            return this;
        }

        /**
         * Sets what draws the initial values.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the features.
         *
         * @return a new block
         * @throws IllegalArgumentException if sigma is missing or the dimension is no multiple of
         *     the groups
         */
        public LearnableFourier build() {
            Checks.positive(sigma, "sigma (or gamma)");
            return new LearnableFourier(this);
        }
    }
}
