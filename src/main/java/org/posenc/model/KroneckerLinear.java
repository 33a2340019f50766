package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.posenc.encoding.ConfiguredBlock;
import org.posenc.encoding.SeededInitializer;
import org.posenc.kernel.Cast;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.Slice;

/**
 * A linear map of a complex encoding that never materialises it (<a
 * href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>, section 3).
 *
 * <p>y_u(x) = Σ_k W_uk Π_m φ_m(x_m)[k_m] + b_u with weights W (U, K_0, …, K_{M−1}), k = (k_0, …,
 * k_{M−1}) and a bias b (U) where it is asked for. With the features A_m (N_m, K_m) of each axis's
 * samples, a whole grid is W multiplied with A_m along axis m, one after the other: Ŝ = A_0 W A_1ᵀ
 * for M = 2. It takes about U (K_0 K_1 N_1 + K_0 N_0 N_1) multiplications instead of the U K_0 K_1
 * N_0 N_1 that the product of the features would take, and memory for the weights and the grid.
 *
 * <p>Scattered points are evaluated one by one, at U K_0 … K_{M−1} multiplications each. Weights
 * start uniform in ±1/√U, the authors' choice, and the bias at 0.
 *
 * <p>As a plain DJL block it takes (A_0, …, A_{M−1}) and returns (N_0, …, N_{M−1}, U).
 */
public final class KroneckerLinear extends ConfiguredBlock {

    private static final byte VERSION = 1;

    /** Elements that points evaluated at once may need on the way: 64 MB in float32. */
    private static final long POINT_ELEMENTS = 1 << 24;

    private final int units;
    private final long[] k; // K_0, …, K_{M−1}
    private final Parameter weight;
    private final Parameter bias; // null without

    private KroneckerLinear(Builder builder) {
        super(VERSION);
        units = builder.units;
        k = Arrays.stream(builder.featureDimensions).asLongStream().toArray();
        Initializer uniform =
                SeededInitializer.uniform(1 / Math.sqrt(units), builder.seed, "weight");
        weight = parameter("weight", Parameter.Type.WEIGHT, uniform, shape(units, k));
        bias =
                builder.bias
                        ? parameter("bias", Parameter.Type.BIAS, Initializer.ZEROS, units)
                        : null;
    }

    /**
     * Returns a builder.
     *
     * @return a builder without bias; units and feature dimensions must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the number of axes.
     *
     * @return M
     */
    public int axes() {
        return k.length;
    }

    /**
     * Replaces the weights, by those of a closed form for instance.
     *
     * @param weights (U, K_0, …, K_{M−1}), in any real type; they are copied
     * @throws IllegalArgumentException if the shape is another
     * @throws IllegalStateException if the block is not initialised
     */
    public void setWeights(NDArray weights) {
        if (!weights.getShape().equals(weight.getShape())) {
            throw new IllegalArgumentException(
                    "the weights are " + weight.getShape() + ", got " + weights.getShape());
        }
        Slice.write(weight.getArray(), 0, 0, weights);
    }

    /**
     * Computes the outputs on a grid.
     *
     * @param axisFeatures A_0, …, A_{M−1}: (N_m, K_m) for the N_m samples along axis m
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (N_0, …, N_{M−1}, U), in the weights' type
     * @throws IllegalArgumentException if there are not M features of these sizes
     */
    public NDArray onGrid(List<NDArray> axisFeatures, ParameterStore parameters, boolean training) {
        check(axisFeatures);
        return scoped(
                () -> {
                    List<NDArray> a = typed(axisFeatures, parameters, training);
                    NDArray w = value(weight, a.get(0), parameters, training);
                    return withBias(ModeProducts.unitsLast(w, a), parameters, training);
                });
    }

    /**
     * Computes the outputs at scattered points, one by one.
     *
     * @param axisFeatures φ_0(x_0), …, φ_{M−1}(x_{M−1}) of the points, (P, K_m) each
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (P, U), in the weights' type
     * @throws IllegalArgumentException if there are not M features of these sizes, or they are not
     *     of equally many points
     */
    public NDArray atPoints(
            List<NDArray> axisFeatures, ParameterStore parameters, boolean training) {
        check(axisFeatures);
        long points = axisFeatures.get(0).getShape().get(0);
        if (axisFeatures.stream().anyMatch(a -> a.getShape().get(0) != points)) {
            throw new IllegalArgumentException(
                    "all axes need features of the same points, got " + shapes(axisFeatures));
        }
        int last = k.length - 1;
        long each = units * product(k, 0, last); // elements on the way, for a point
        long together = Math.max(1, POINT_ELEMENTS / each);
        return scoped(
                () -> {
                    List<NDArray> a = typed(axisFeatures, parameters, training);
                    NDArray w =
                            value(weight, a.get(0), parameters, training)
                                    .reshape(each, k[last])
                                    .transpose();
                    NDList parts = new NDList();
                    for (long from = 0; from < points; from += together) {
                        long to = Math.min(points, from + together);
                        parts.add(part(a, w, from, to));
                    }
                    NDArray y = parts.size() == 1 ? parts.head() : NDArrays.concat(parts);
                    return withBias(y, parameters, training);
                });
    }

    /** The outputs of the points {@code from}, …, {@code to − 1}, without bias. */
    private NDArray part(List<NDArray> a, NDArray w, long from, long to) {
        NDIndex rows = new NDIndex().addSliceDim(from, to);
        int last = k.length - 1;
        NDArray x = a.get(last).get(rows).matMul(w); // (P, U K_0 … K_{M−2})
        for (int m = last - 1; m >= 0; m--) {
            NDArray next =
                    x.reshape(to - from, -1, k[m])
                            .matMul(a.get(m).get(rows).expandDims(-1)); // (P, U K_0 … K_{m−1}, 1)
            x.close(); // a point needs K_m times as much before as after
            x = next;
        }
        return x.reshape(to - from, units);
    }

    /**
     * Computes the outputs from the product of the features, as {@code Kronecker.features} makes
     * it.
     *
     * @param phi φ_0(x_0) ⊗ … ⊗ φ_{M−1}(x_{M−1}): (…, K_0 … K_{M−1})
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (…, U), in the weights' type
     */
    NDArray of(NDArray phi, ParameterStore parameters, boolean training) {
        return scoped(
                () -> {
                    NDArray typed = typed(List.of(phi), parameters, training).get(0);
                    NDArray w = value(weight, typed, parameters, training);
                    NDArray y = typed.matMul(w.reshape(units, -1).transpose());
                    return withBias(y, parameters, training);
                });
    }

    /** Frees what is made on the way. */
    private static NDArray scoped(Supplier<NDArray> computation) {
        NDArray y;
        try (NDScope temporaries = new NDScope()) {
            y = computation.get();
            NDScope.unregister(y);
        }
        NDScope.register(y); // with the scope of the caller, if he has one
        return y;
    }

    private List<NDArray> typed(
            List<NDArray> features, ParameterStore parameters, boolean training) {
        List<NDArray> typed = new ArrayList<>();
        for (NDArray a : features) {
            NDArray own = parameters.getValue(weight, a.getDevice(), training);
            typed.add(Cast.to(a, own.getDataType(), training));
        }
        return typed;
    }

    private NDArray value(
            Parameter parameter, NDArray array, ParameterStore parameters, boolean training) {
        return value(parameter, array, array.getDataType(), parameters, training);
    }

    private NDArray withBias(NDArray y, ParameterStore parameters, boolean training) {
        return bias == null ? y : y.add(value(bias, y, parameters, training));
    }

    private void check(List<NDArray> axisFeatures) {
        boolean fits = axisFeatures.size() == k.length;
        for (int m = 0; fits && m < k.length; m++) {
            Shape a = axisFeatures.get(m).getShape();
            fits = a.dimension() == 2 && a.get(1) == k[m];
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "the map takes features of each axis "
                            + Arrays.stream(k).mapToObj(n -> "(N, " + n + ")").toList()
                            + ", got "
                            + shapes(axisFeatures));
        }
    }

    private static List<Shape> shapes(List<NDArray> arrays) {
        return arrays.stream().map(NDArray::getShape).toList();
    }

    private static long product(long[] sides, int from, int to) {
        return Arrays.stream(sides, from, to).reduce(1, (a, b) -> a * b);
    }

    private static long[] shape(long first, long[] rest) {
        return new Shape(first).addAll(new Shape(rest)).getShape();
    }

    private static Shape shape(long[] first, long last) {
        return new Shape(first).add(last);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(onGrid(inputs, parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        long[] sides = Arrays.stream(inputShapes).mapToLong(shape -> shape.get(0)).toArray();
        return new Shape[] {shape(sides, units)};
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "features "
                + Arrays.toString(k)
                + ", units "
                + units
                + (bias == null ? "" : ", bias");
    }

    /** Builds {@link KroneckerLinear}. */
    public static final class Builder {

        private int units;
        private int[] featureDimensions = {};
        private boolean bias;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of outputs.
         *
         * @param units U, at least 1
         * @return this builder
         */
        public Builder setUnits(int units) {
            this.units = units;
            return this;
        }

        /**
         * Sets the numbers of features along the axes.
         *
         * @param featureDimensions K_0, …, K_{M−1}, at least 1 each
         * @return this builder
         */
        public Builder setFeatureDimensions(int... featureDimensions) {
            this.featureDimensions = featureDimensions.clone();
            return this;
        }

        /**
         * Sets whether there is a bias.
         *
         * @param bias false where it is not set
         * @return this builder
         */
        public Builder optBias(boolean bias) {
            this.bias = bias;
            return this;
        }

        /**
         * Sets the seed of the initial weights.
         *
         * @param seed 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the map.
         *
         * @return a new block
         * @throws IllegalArgumentException if units or features are missing or less than 1
         */
        public KroneckerLinear build() {
            if (units < 1
                    || featureDimensions.length == 0
                    || Arrays.stream(featureDimensions).anyMatch(n -> n < 1)) {
                throw new IllegalArgumentException(
                        "units and features of each axis must be at least 1, got "
                                + units
                                + " and "
                                + Arrays.toString(featureDimensions));
            }
            return new KroneckerLinear(this);
        }
    }
}
