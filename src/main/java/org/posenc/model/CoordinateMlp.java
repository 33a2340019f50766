package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import org.posenc.encoding.ConfiguredBlock;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SeededInitializer;
import org.posenc.kernel.Cast;
import org.posenc.kernel.WeightedRows;

/**
 * A coordinate network (<a href="https://arxiv.org/abs/2006.10739">Tancik et al. 2020</a>; <a
 * href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>): any position features, then
 * {@code depth} hidden layers and a linear map to the outputs.
 *
 * <p>h₀ = φ(position), hᵢ = a(Wᵢ hᵢ₋₁ + bᵢ), y = W h + b, with a sigmoid at the end where values
 * lie in [0, 1]. a is max(0, u) unless another {@link CoordinateActivation} is set. Initial weights
 * and biases are what it needs, from the seed alone: uniform in ±1/√(fan in), PyTorch's standard
 * for linear layers, for ReLU and for a single map without hidden layers.
 *
 * <p>The first map of a complex encoding ({@link Kronecker}) is a {@link KroneckerLinear} without
 * bias, whose weights start uniform in ±1/√(its outputs), as the authors have it. It and the first
 * map of features that stand axis after axis exploit a grid: {@link #onGrid} computes the features
 * and the first products along its sides alone. Scattered points may be {@link #blended} from a
 * grid instead of being evaluated one by one with {@link #at}.
 *
 * <p>As a plain DJL block it takes (positions (…, M)) and returns (…, outputs); or, for M &gt; 1, a
 * grid's (axis 0, …, axis M−1) and returns (N_0, …, N_{M−1}, outputs); or (axis 0, …, axis M−1,
 * samples, weights) of a blend and returns (P, outputs). An axis is the coordinates (N_m) of its
 * samples or, to compute fixed features once, their {@link #axisFeatures} (N_m, K_m).
 */
public final class CoordinateMlp extends ConfiguredBlock {

    private static final byte VERSION = 1;

    /** Elements of a hidden layer that are computed at once: 64 MB in float32. */
    private static final long HIDDEN_ELEMENTS = 1 << 24;

    private final PositionFeatures features;
    private final List<PositionFeatures> axes; // of each coordinate, empty where inseparable
    private final int depth;
    private final int width;
    private final int outputs;
    private final boolean sigmoid;
    private final CoordinateActivation activation;
    private final KroneckerLinear complex; // the first map of a complex encoding, or null
    private final List<Block> maps = new ArrayList<>(); // those after it, or all

    private CoordinateMlp(Builder builder) {
        super(VERSION);
        depth = builder.depth;
        width = builder.width;
        outputs = builder.outputs;
        sigmoid = builder.sigmoid;
        activation = builder.activation;
        features = addChildBlock("features", builder.features);
        axes = features instanceof Kronecker product ? product.axes() : features.separated();
        complex = features instanceof Kronecker ? addChildBlock("map", complex(builder)) : null;
        for (int i = complex == null ? 0 : 1; i <= depth; i++) {
            Block map = addChildBlock("map", map(i));
            maps.add(map);
            int fanIn = i == 0 ? features.featureDimension() : width;
            CoordinateActivation.Bounds bounds =
                    depth == 0
                            ? CoordinateActivation.Bounds.standard(fanIn)
                            : activation.initial(i, fanIn);
            for (Pair<String, Parameter> p : map.getParameters()) {
                String name = "map" + i + "/" + p.getKey();
                boolean weight = p.getValue().getType() == Parameter.Type.WEIGHT;
                double bound = weight ? bounds.weight() : bounds.bias();
                p.getValue().setInitializer(SeededInitializer.uniform(bound, builder.seed, name));
            }
        }
    }

    private Block map(int i) {
        return i > 0 && i < depth && activation.parts() == 2
                ? new ComplexLinear(width, width)
                : Linear.builder().setUnits(i < depth ? width : outputs).build();
    }

    private KroneckerLinear complex(Builder builder) {
        return KroneckerLinear.builder()
                .setUnits(depth == 0 ? outputs : width)
                .setFeatureDimensions(
                        axes.stream().mapToInt(PositionFeatures::featureDimension).toArray())
                .optSeed(builder.seed)
                .build();
    }

    /**
     * Returns a builder.
     *
     * @return a builder of 4 hidden layers of 256 and one output without sigmoid
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns what positions are mapped to first.
     *
     * @return the features
     */
    public PositionFeatures features() {
        return features;
    }

    /**
     * Returns the first map of a complex encoding.
     *
     * @return the map of the encoding to the first hidden layer or, at depth 0, to the outputs
     * @throws IllegalStateException if the features are no {@link Kronecker}
     */
    public KroneckerLinear complexMap() {
        if (complex == null) {
            throw new IllegalStateException("the features " + features + " are not complex");
        }
        return complex;
    }

    /**
     * Computes the outputs at positions, one by one.
     *
     * @param positions (…, M), or (…) where M = 1
     * @param parameters gives the parameters on the positions' device
     * @param training whether gradients are to flow
     * @return (…, outputs), in the weights' type
     */
    public NDArray at(Positions positions, ParameterStore parameters, boolean training) {
        if (features instanceof Kronecker product) {
            List<NDArray> a = product.axisFeatures(positions, parameters, training); // (…, K_m)
            NDArray u = complex.atPoints(rows(a), parameters, training); // (P, width)
            NDArray y = finished(u, parameters, training);
            return y.reshape(points(a.get(0)).add(outputs));
        }
        return of(features.features(positions, parameters, training), parameters, training);
    }

    private static List<NDArray> rows(List<NDArray> features) {
        return features.stream().map(a -> a.reshape(-1, lastSide(a))).toList(); // (P, K_m)
    }

    /**
     * Computes the outputs from features that were computed before, which fixed encodings allow.
     *
     * @param phi φ: (…, D)
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (…, outputs), in the weights' type
     * @throws IllegalArgumentException if the last axis is not D
     */
    public NDArray of(NDArray phi, ParameterStore parameters, boolean training) {
        return finished(first(phi, parameters, training), parameters, training);
    }

    /**
     * Computes what the network makes of the features, layer by layer.
     *
     * @param phi φ: (…, D)
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return h₀ = φ (…, D), then after each activation h₁, …, h_depth (…, width), twice the width
     *     where its units are complex numbers
     * @throws IllegalArgumentException if the last axis is not D
     */
    public List<NDArray> hidden(NDArray phi, ParameterStore parameters, boolean training) {
        List<NDArray> kept = new ArrayList<>();
        kept.add(Cast.to(phi, weightType(phi, parameters, training), training));
        if (depth > 0) {
            layers(first(phi, parameters, training), parameters, training, kept);
        }
        return kept;
    }

    /**
     * Computes the features of a grid's axes.
     *
     * @param axes the coordinates of the samples along each axis, (N_0), …, (N_{M−1})
     * @param parameters gives the features' parameters on the coordinates' device
     * @param training whether gradients are to flow
     * @return (N_m, K_m) for each axis, which {@link #ofGrid} takes
     * @throws IllegalArgumentException if there are not M vectors, or the features are not separate
     *     along the axes
     */
    public List<NDArray> axisFeatures(
            List<Positions> axes, ParameterStore parameters, boolean training) {
        checkSeparable();
        checkAxes(axes.stream().map(axis -> axis.array().getShape()).toList(), 1);
        List<NDArray> features = new ArrayList<>();
        for (int m = 0; m < axes.size(); m++) {
            features.add(axisFeatures(m, axes.get(m), parameters, training));
        }
        return features;
    }

    /**
     * Computes the features along one axis of a grid.
     *
     * @param axis m
     * @param coordinates of the samples along it, (N_m)
     * @param parameters gives the features' parameters on the coordinates' device
     * @param training whether gradients are to flow
     * @return (N_m, K_m)
     * @throws IllegalArgumentException if the features are not separate along the axes
     */
    public NDArray axisFeatures(
            int axis, Positions coordinates, ParameterStore parameters, boolean training) {
        checkSeparable();
        return axes.get(axis).features(coordinates, parameters, training);
    }

    /**
     * Returns whether the features are separate along the axes, so that a grid's are those of its
     * axes.
     *
     * @return true for complex features, and for simple ones that stand axis after axis
     */
    public boolean separable() {
        return !axes.isEmpty();
    }

    /**
     * Computes the outputs on a grid. Where the features are complex or stand axis after axis, the
     * first map takes as long as the grid's sides; others are evaluated at all points.
     *
     * @param axes the coordinates of the samples along each axis, (N_0), …, (N_{M−1})
     * @param parameters gives the parameters on the coordinates' device
     * @param training whether gradients are to flow
     * @return (N_0, …, N_{M−1}, outputs), in the weights' type
     * @throws IllegalArgumentException if there are not M vectors
     */
    public NDArray onGrid(List<Positions> axes, ParameterStore parameters, boolean training) {
        if (this.axes.isEmpty()) {
            checkAxes(axes.stream().map(axis -> axis.array().getShape()).toList(), 1);
            return at(CoordinateGrid.points(axes), parameters, training);
        }
        return ofGrid(axisFeatures(axes, parameters, training), parameters, training);
    }

    /**
     * Computes the outputs on a grid from the features of its axes, which were computed before. A
     * large grid is taken in stripes of its first axis where nothing is trained, so that hidden
     * layers do not take many times the memory of the outputs.
     *
     * @param axisFeatures (N_m, K_m) for each axis, as {@link #axisFeatures} makes them
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (N_0, …, N_{M−1}, outputs), in the weights' type
     * @throws IllegalArgumentException if there are not M features of these sizes, or the network's
     *     features are not separate along the axes
     */
    public NDArray ofGrid(List<NDArray> axisFeatures, ParameterStore parameters, boolean training) {
        checkSeparable();
        checkAxes(axisFeatures.stream().map(NDArray::getShape).toList(), 2);
        long rows = axisFeatures.get(0).getShape().get(0);
        long together = depth == 0 || training ? rows : rowsTogether(axisFeatures);
        if (together >= rows) {
            return finished(firstOnGrid(axisFeatures, parameters, training), parameters, training);
        }
        NDList stripes = new NDList();
        for (long from = 0; from < rows; from += together) {
            long to = Math.min(rows, from + together);
            List<NDArray> stripe = new ArrayList<>(axisFeatures);
            stripe.set(0, stripe.get(0).get(new NDIndex().addSliceDim(from, to)));
            stripes.add(finished(firstOnGrid(stripe, parameters, false), parameters, false));
        }
        NDArray all = NDArrays.concat(stripes);
        stripes.close();
        return all;
    }

    /** How many rows of a grid keep a hidden layer within {@link #HIDDEN_ELEMENTS}. */
    private long rowsTogether(List<NDArray> axisFeatures) {
        long row = (long) activation.parts() * width;
        for (NDArray a : axisFeatures.subList(1, axisFeatures.size())) {
            row *= a.getShape().get(0);
        }
        return Math.max(1, HIDDEN_ELEMENTS / row);
    }

    /**
     * Computes the outputs at scattered points whose first layer is blended from a grid's: for each
     * point a weighted sum of what the first map gives at a few samples of the grid, then the rest
     * of the network.
     *
     * @param axisFeatures (N_m, K_m) for each axis of the grid, as {@link #axisFeatures} makes them
     * @param samples which samples of the grid, (P, J), int64: the index of (n_0, …, n_{M−1}) is
     *     its place in row-major order
     * @param weights their weights, (P, J), in any real type
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return (P, outputs), in the weights' type
     * @throws IllegalArgumentException as {@link #ofGrid}, or if samples and weights have different
     *     shapes
     */
    public NDArray blended(
            List<NDArray> axisFeatures,
            NDArray samples,
            NDArray weights,
            ParameterStore parameters,
            boolean training) {
        checkSeparable();
        checkAxes(axisFeatures.stream().map(NDArray::getShape).toList(), 2);
        NDArray u = firstOnGrid(axisFeatures, parameters, training);
        NDArray rows = u.reshape(-1, lastSide(u)); // (N_0 … N_{M−1}, width)
        NDArray blend = Cast.to(weights, rows.getDataType(), training);
        NDArray blended = WeightedRows.of(rows, samples, blend, training); // (P, width)
        u.close();
        return finished(blended, parameters, training);
    }

    /** What the first map gives, (…, width). */
    private NDArray first(NDArray phi, ParameterStore parameters, boolean training) {
        if (lastSide(phi) != features.featureDimension()) {
            throw new IllegalArgumentException(
                    "the network takes features (…, "
                            + features.featureDimension()
                            + "), got shape "
                            + phi.getShape());
        }
        if (complex != null) {
            return complex.of(phi, parameters, training);
        }
        NDArray h = Cast.to(phi, weightType(phi, parameters, training), training);
        return maps.get(0).forward(parameters, new NDList(h), training).head();
    }

    /** What the first map gives on a grid, (N_0, …, N_{M−1}, width). */
    private NDArray firstOnGrid(
            List<NDArray> axisFeatures, ParameterStore parameters, boolean training) {
        if (complex != null) {
            return complex.onGrid(axisFeatures, parameters, training);
        }
        NDArray any = axisFeatures.get(0);
        ParameterList map = maps.get(0).getParameters();
        NDArray w = parameters.getValue(map.get("weight"), any.getDevice(), training); // (U, D)
        NDArray b = parameters.getValue(map.get("bias"), any.getDevice(), training); // (U)
        List<NDArray> parts = new ArrayList<>();
        long from = 0;
        for (NDArray features : axisFeatures) {
            NDArray a = Cast.to(features, w.getDataType(), training); // (N_m, K_m)
            long to = from + lastSide(a);
            NDIndex columns = new NDIndex().addAllDim().addSliceDim(from, to);
            NDArray part = a.matMul(w.get(a.getManager(), columns).transpose()); // (N_m, U)
            parts.add(from == 0 ? part.add(b) : part);
            from = to;
        }
        return CoordinateGrid.sum(parts);
    }

    /** The outputs from what the first map gave, which is closed. */
    private NDArray finished(NDArray u, ParameterStore parameters, boolean training) {
        NDArray y = u;
        if (depth > 0) {
            NDArray h = layers(u, parameters, training, null);
            y = last().forward(parameters, new NDList(h), training).head();
            h.close();
        }
        return sigmoid ? Activation.sigmoid(y) : y;
    }

    private NDArray layers(
            NDArray first, ParameterStore parameters, boolean training, List<NDArray> kept) {
        NDArray u = first;
        int offset = complex == null ? 0 : 1;
        for (int i = 0; ; i++) {
            NDArray h = activation.apply(u, i); // (…, width)
            u.close();
            if (kept != null) {
                kept.add(h);
            }
            if (i == depth - 1) {
                return h;
            }
            u = maps.get(i + 1 - offset).forward(parameters, new NDList(h), training).head();
            if (kept == null) {
                h.close();
            }
        }
    }

    private Block last() {
        return maps.get(maps.size() - 1);
    }

    private void checkSeparable() {
        if (axes.isEmpty()) {
            throw new IllegalArgumentException(
                    "the features " + features + " are not separate along the axes of a grid");
        }
    }

    private void checkAxes(List<Shape> shapes, int dimensions) {
        boolean fit = shapes.size() == features.positionDimension();
        for (int m = 0; fit && m < shapes.size(); m++) {
            Shape shape = shapes.get(m);
            fit = shape.dimension() == dimensions;
            fit &= dimensions == 1 || shape.get(1) == axes.get(m).featureDimension();
        }
        if (!fit) {
            throw new IllegalArgumentException(
                    "a grid needs "
                            + (dimensions == 1 ? "coordinates (N)" : "features (N, K)")
                            + " for each of "
                            + features.positionDimension()
                            + " axes, got "
                            + shapes);
        }
    }

    private static long lastSide(NDArray array) {
        Shape shape = array.getShape();
        return shape.get(shape.dimension() - 1);
    }

    private static Shape points(NDArray features) {
        Shape shape = features.getShape();
        return shape.slice(0, shape.dimension() - 1);
    }

    private DataType weightType(NDArray phi, ParameterStore parameters, boolean training) {
        Block first = complex == null ? maps.get(0) : complex;
        Parameter weight = first.getParameters().valueAt(0);
        return parameters.getValue(weight, phi.getDevice(), training).getDataType();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        int m = features.positionDimension();
        if (inputs.size() == 1) {
            return new NDList(at(Positions.of(inputs.head()), parameters, training));
        }
        boolean blend = inputs.size() == m + 2;
        if (inputs.size() != m && !blend) {
            throw new IllegalArgumentException(
                    "the network takes positions, or the "
                            + m
                            + " axes of a grid, or these with samples and weights, got "
                            + inputs.size()
                            + " arrays");
        }
        List<NDArray> a = inputs.subList(0, m);
        if (a.get(0).getShape().dimension() == 1) {
            List<Positions> coordinates = a.stream().map(Positions::of).toList();
            if (!blend) {
                return new NDList(onGrid(coordinates, parameters, training));
            }
            a = axisFeatures(coordinates, parameters, training);
        }
        return new NDList(
                blend
                        ? blended(a, inputs.get(m), inputs.get(m + 1), parameters, training)
                        : ofGrid(a, parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        if (inputShapes.length == 1) {
            Shape phi = features.getOutputShapes(inputShapes)[0];
            return new Shape[] {phi.slice(0, phi.dimension() - 1).add(outputs)};
        }
        int m = features.positionDimension();
        if (inputShapes.length > m) {
            return new Shape[] {new Shape(inputShapes[m].get(0), outputs)};
        }
        Shape grid = new Shape();
        for (Shape axis : inputShapes) {
            grid = grid.add(axis.get(0));
        }
        return new Shape[] {grid.add(outputs)};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        features.initialize(manager, type, inputShapes);
        if (complex != null) {
            complex.initialize(manager, type, inputShapes);
        }
        for (Block map : maps) {
            boolean first = complex == null && map == maps.get(0);
            int inputs = first ? features.featureDimension() : activation.parts() * width;
            map.initialize(manager, type, new Shape(1, inputs));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String identity() {
        return String.join(
                ", ",
                "features " + features.featureDimension(),
                "depth " + depth,
                "width " + width,
                "outputs " + outputs,
                "activation " + activation,
                "sigmoid " + sigmoid);
    }

    /** Builds {@link CoordinateMlp}. */
    public static final class Builder {

        private PositionFeatures features;
        private int depth = 4;
        private int width = 256;
        private int outputs = 1;
        private boolean sigmoid;
        private CoordinateActivation activation = new CoordinateActivation.Relu();
        private long seed;

        private Builder() {}

        /**
         * Sets what positions are mapped to first.
         *
         * @param features φ; they become a child, saved and trained with the network
         * @return this builder
         */
        public Builder setFeatures(PositionFeatures features) {
            this.features = features;
            return this;
        }

        /**
         * Sets the number of hidden layers.
         *
         * @param depth at least 0, which leaves one linear map; 4 where it is not set
         * @return this builder
         */
        public Builder optDepth(int depth) {
            this.depth = depth;
            return this;
        }

        /**
         * Sets the size of the hidden layers.
         *
         * @param width at least 1; 256 where it is not set
         * @return this builder
         */
        public Builder optWidth(int width) {
            this.width = width;
            return this;
        }

        /**
         * Sets the number of values at a position.
         *
         * @param outputs at least 1, such as 3 for colours; 1 where it is not set
         * @return this builder
         */
        public Builder optOutputs(int outputs) {
            this.outputs = outputs;
            return this;
        }

        /**
         * Sets whether outputs are squeezed into (0, 1).
         *
         * @param sigmoid false where it is not set
         * @return this builder
         */
        public Builder optSigmoid(boolean sigmoid) {
            this.sigmoid = sigmoid;
            return this;
        }

        /**
         * Sets what stands after each hidden map, and with it the initial weights.
         *
         * @param activation ReLU where it is not set
         * @return this builder
         */
        public Builder optActivation(CoordinateActivation activation) {
            this.activation = activation;
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
         * Builds the network.
         *
         * @return a new block
         * @throws IllegalArgumentException if the features are missing or a size is too small
         */
        public CoordinateMlp build() {
            if (features == null) {
                throw new IllegalArgumentException("a coordinate network needs features");
            }
            if (depth < 0 || width < 1 || outputs < 1) {
                throw new IllegalArgumentException(
                        "depth must be at least 0, width and outputs at least 1, got "
                                + depth
                                + ", "
                                + width
                                + " and "
                                + outputs);
            }
            return new CoordinateMlp(this);
        }
    }
}
