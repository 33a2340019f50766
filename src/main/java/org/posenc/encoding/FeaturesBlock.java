package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/** Base of the encodings that are features: checks positions and is callable as a DJL block. */
public abstract class FeaturesBlock extends ConfiguredBlock implements PositionFeatures {

    private final int positionDimension;
    private final int featureDimension;

    /**
     * A block of a format version.
     *
     * @param version written before the parameters; raised when their format changes
     * @param positionDimension M, at least 1
     * @param featureDimension D, at least 1
     * @throws IllegalArgumentException if a dimension is smaller
     */
    protected FeaturesBlock(byte version, int positionDimension, int featureDimension) {
        super(version);
        this.positionDimension = Checks.atLeast(1, positionDimension, "position dimension");
        this.featureDimension = Checks.atLeast(1, featureDimension, "feature dimension");
    }

    /** {@inheritDoc} */
    @Override
    public final int positionDimension() {
        return positionDimension;
    }

    /** {@inheritDoc} */
    @Override
    public final int featureDimension() {
        return featureDimension;
    }

    /**
     * Returns the type that features of these positions have.
     *
     * @param positions the positions
     * @return float64 for float64 positions or parameters, else float32
     */
    protected final DataType featureType(Positions positions) {
        boolean exact =
                positions.array().getDataType() == DataType.FLOAT64
                        || getDirectParameters().values().stream().anyMatch(FeaturesBlock::isExact);
        return exact ? DataType.FLOAT64 : DataType.FLOAT32;
    }

    private static boolean isExact(Parameter parameter) {
        return parameter.isInitialized() && parameter.getArray().getDataType() == DataType.FLOAT64;
    }

    /**
     * Returns a parameter's value in the type that features of these positions have.
     *
     * @param parameter one of this block's own
     * @param positions the positions
     * @param parameters gives its array on the positions' device
     * @param training whether the pass trains
     * @return the value
     */
    protected final NDArray value(
            Parameter parameter, Positions positions, ParameterStore parameters, boolean training) {
        return value(parameter, positions.array(), featureType(positions), parameters, training);
    }

    @Override
    final String subject() {
        return super.subject() + " of M = " + positionDimension + ", D = " + featureDimension;
    }

    /**
     * Refuses positions of another dimension.
     *
     * @param positions what {@link #features} was given
     * @throws IllegalArgumentException if M > 1 and the last axis is not M
     */
    protected final void checkDimension(Positions positions) {
        Shape shape = positions.array().getShape();
        boolean fits =
                positionDimension == 1
                        || shape.dimension() > 0
                                && shape.get(shape.dimension() - 1) == positionDimension;
        if (!fits) {
            throw new IllegalArgumentException(
                    getClass().getSimpleName()
                            + " takes positions (…, "
                            + positionDimension
                            + "), got shape "
                            + shape);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(features(Positions.of(inputs.head()), parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape positions = inputShapes[0];
        Shape points =
                positionDimension == 1 ? positions : positions.slice(0, positions.dimension() - 1);
        return new Shape[] {points.add(featureDimension)};
    }
}
