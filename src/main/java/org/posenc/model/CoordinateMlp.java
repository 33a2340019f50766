package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import org.posenc.encoding.ConfiguredBlock;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SeededInitializer;
import org.posenc.kernel.Cast;

/**
 * A coordinate network (<a href="https://arxiv.org/abs/2006.10739">Tancik et al. 2020</a>): any
 * position features, then {@code depth} hidden layers and a linear map to the outputs.
 *
 * <p>h₀ = φ(position), hᵢ = a(Wᵢ hᵢ₋₁ + bᵢ), y = W h + b, with a sigmoid at the end where values
 * lie in [0, 1]. a is max(0, u) unless another {@link CoordinateActivation} is set. Initial weights
 * and biases are what it needs, from the seed alone: uniform in ±1/√(fan in), PyTorch's standard
 * for linear layers, for ReLU and for a single map without hidden layers.
 *
 * <p>As a plain DJL block it takes (positions (…, M)) and returns (…, outputs).
 */
public final class CoordinateMlp extends ConfiguredBlock {

    private static final byte VERSION = 1;

    private final PositionFeatures features;
    private final int depth;
    private final int width;
    private final int outputs;
    private final boolean sigmoid;
    private final CoordinateActivation activation;
    private final List<Linear> maps = new ArrayList<>();

    private CoordinateMlp(Builder builder) {
        super(VERSION);
        depth = builder.depth;
        width = builder.width;
        outputs = builder.outputs;
        sigmoid = builder.sigmoid;
        activation = builder.activation;
        features = addChildBlock("features", builder.features);
        int fanIn = features.featureDimension();
        for (int i = 0; i <= depth; i++) {
            Linear map = Linear.builder().setUnits(i < depth ? width : outputs).build();
            maps.add(addChildBlock("map", map));
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
            fanIn = width;
        }
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
     * Computes the outputs at positions.
     *
     * @param positions (…, M)
     * @param parameters gives the parameters on the positions' device
     * @param training whether gradients are to flow
     * @return (…, outputs), in the weights' type
     */
    public NDArray at(Positions positions, ParameterStore parameters, boolean training) {
        return of(features.features(positions, parameters, training), parameters, training);
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
        return output(run(phi, parameters, training, null), parameters, training);
    }

    /**
     * Computes what the network makes of the features, layer by layer.
     *
     * @param phi φ: (…, D)
     * @param parameters gives the parameters on the features' device
     * @param training whether gradients are to flow
     * @return h₀ = φ (…, D), then after each activation h₁, …, h_depth (…, width)
     * @throws IllegalArgumentException if the last axis is not D
     */
    public List<NDArray> hidden(NDArray phi, ParameterStore parameters, boolean training) {
        List<NDArray> kept = new ArrayList<>();
        run(phi, parameters, training, kept);
        return kept;
    }

    private NDArray run(
            NDArray phi, ParameterStore parameters, boolean training, List<NDArray> kept) {
        Shape shape = phi.getShape();
        if (shape.get(shape.dimension() - 1) != features.featureDimension()) {
            throw new IllegalArgumentException(
                    "the network takes features (…, "
                            + features.featureDimension()
                            + "), got shape "
                            + shape);
        }
        DataType type = weightType(phi, parameters, training);
        NDArray h = Cast.to(phi, type, training);
        if (kept != null) {
            kept.add(h);
        }
        for (int i = 0; i < depth; i++) {
            NDArray u = maps.get(i).forward(parameters, new NDList(h), training).head();
            NDArray next = activation.apply(u, i); // (…, width)
            u.close();
            if (kept == null && h != phi) {
                h.close();
            } else if (kept != null) {
                kept.add(next);
            }
            h = next;
        }
        return h;
    }

    private NDArray output(NDArray h, ParameterStore parameters, boolean training) {
        NDArray y = maps.get(depth).forward(parameters, new NDList(h), training).head();
        return sigmoid ? Activation.sigmoid(y) : y;
    }

    private DataType weightType(NDArray phi, ParameterStore parameters, boolean training) {
        Parameter first = maps.get(0).getParameters().valueAt(0);
        return parameters.getValue(first, phi.getDevice(), training).getDataType();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(at(Positions.of(inputs.singletonOrThrow()), parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape phi = features.getOutputShapes(inputShapes)[0];
        return new Shape[] {phi.slice(0, phi.dimension() - 1).add(outputs)};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        features.initialize(manager, type, inputShapes);
        int fanIn = features.featureDimension();
        for (Linear map : maps) {
            map.initialize(manager, type, new Shape(1, fanIn));
            fanIn = width;
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
