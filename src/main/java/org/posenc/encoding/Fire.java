package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.training.initializer.Initializer;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Functional interpolation of relative positions (FIRE, <a
 * href="https://arxiv.org/abs/2310.04418">Li et al. 2024</a>, as in its appendix).
 *
 * <p>b(i, j) = f(ψ(i − j) / (ψ(max(L, i)) + ε)) with ψ(x) = ln(|c| x + 1), for a query at position
 * i and a key at position j. f is a learned function from one number to one of each head, W_2
 * ReLU(W_1 x + B_1) + B_2; c is learned, from 0.1, and L = |l| L_0 too, from l = 1. ε = 10⁻⁶. Keys
 * after the query count as distance 0.
 *
 * <p>The bias depends on where the query stands, not on the distance alone: positions have to start
 * at 0 in each document, as those of packed rows do. It holds an array of hidden size × T × S. The
 * layers of a model share f unless a {@link LayerSchedule} gives each its own.
 */
public final class Fire extends PositionBias {

    private static final byte VERSION = 1;
    private static final double EPSILON = 1e-6;

    private final double length;
    private final int hidden;
    private final Parameter c;
    private final Parameter l;
    private final Parameter w1;
    private final Parameter b1;
    private final Parameter w2;
    private final Parameter b2;

    private Fire(Builder builder) {
        super(VERSION, builder.heads);
        length = Checks.positive(builder.length, "length");
        hidden = Checks.atLeast(1, builder.hidden, "hidden size");
        c = parameter("c", new ConstantInitializer(0.1f), 1);
        l = parameter("l", new ConstantInitializer(1), 1);
        double second = 1 / Math.sqrt(hidden);
        w1 = uniform("W_1", 1, builder.seed, hidden, 1);
        b1 = uniform("B_1", 1, builder.seed, hidden);
        w2 = uniform("W_2", second, builder.seed, heads(), hidden);
        b2 = uniform("B_2", second, builder.seed, heads());
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
     * @return a builder with L_0 = 512 and hidden size 32; heads must be set
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
        NDArray i = queries.real(DataType.FLOAT64).expandDims(-1); // (…, T, 1)
        NDArray j = keys.real(DataType.FLOAT64).expandDims(-2); // (…, 1, S)
        NDArray slope = value(c, i, type, parameters, training).abs();
        NDArray factor = value(l, i, type, parameters, training).abs();
        NDArray threshold = Scalars.mul(factor, length);
        NDArray extent = psi(Cast.to(i, type, true).maximum(threshold), slope); // (…, T, 1)
        try (NDArray ahead = i.sub(j); // (…, T, S)
                NDArray apart = Scalars.maximum(ahead, 0);
                NDArray typed = Cast.to(apart, type, true);
                NDArray psi = psi(typed, slope);
                NDArray x = psi.div(extent.add(EPSILON))) {
            return f(x, type, parameters, training); // (…, H, T, S)
        }
    }

    private static NDArray psi(NDArray x, NDArray slope) {
        try (NDArray scaled = x.mul(slope);
                NDArray grown = scaled.add(1)) {
            return grown.log();
        }
    }

    private NDArray f(NDArray x, DataType type, ParameterStore parameters, boolean training) {
        Shape shape = x.getShape(); // (…, T, S)
        NDArray first = value(w1, x, type, parameters, training);
        NDArray second = value(w2, x, type, parameters, training);
        NDArray firstBias = value(b1, x, type, parameters, training);
        NDArray secondBias = value(b2, x, type, parameters, training).reshape(heads(), 1);
        try (NDArray column = x.reshape(shape.size(), 1);
                NDArray hidden = Linear.linear(column, first, firstBias).singletonOrThrow();
                NDArray h = Activation.relu(hidden); // (… T S, hidden)
                NDArray product = second.matMul(h.transpose()); // (H, … T S)
                NDArray bias = product.add(secondBias)) {
            return shape.dimension() == 2
                    ? bias.reshape(heads(), shape.get(0), shape.get(1))
                    : bias.reshape(heads(), shape.get(0), shape.get(1), shape.get(2))
                            .swapAxes(0, 1); // (…, H, T, S)
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration() + ", length " + length + ", hidden size " + hidden;
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "fire",
                "learned function of the distance, relative to the query's position (FIRE, Li et"
                        + " al. 2024)",
                (site, settings) ->
                        builder()
                                .setHeads(site.heads())
                                .optLength(settings.number("length", site.length()))
                                .optHiddenSize(settings.integer("hidden"))
                                .optSeed(site.seed())
                                .build(),
                new Settings.Key(
                        "length",
                        "auto",
                        "initial L in positions, up to which queries are alike; auto: the training"
                                + " length"),
                new Settings.Key("hidden", "32", "width of the function's MLP"));
    }

    /** Builds {@link Fire}. */
    public static final class Builder {

        private int heads;
        private double length = 512;
        private int hidden = 32;
        private long seed;

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
         * Sets where L starts.
         *
         * @param length L_0 in positions, above 0; 512, the authors', where it is not set
         * @return this builder
         */
        public Builder optLength(double length) {
            this.length = length;
            return this;
        }

        /**
         * Sets the width of the learned function.
         *
         * @param hidden rows of W_1, at least 1; 32 where it is not set
         * @return this builder
         */
        public Builder optHiddenSize(int hidden) {
            this.hidden = hidden;
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
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the number of heads is missing, or a size is not
         *     positive
         */
        public Fire build() {
            return new Fire(this);
        }
    }
}
