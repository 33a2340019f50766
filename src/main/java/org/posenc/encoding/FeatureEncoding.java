package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;

/**
 * Position features at the embed seam, added to the tokens or concatenated with them.
 *
 * <p>Concatenation is the more general of the two: W [x; p] = W_I x + W_P p for W = [W_I, W_P], of
 * which plain addition x + p is the case W_I = W_P = 1.
 */
public final class FeatureEncoding extends EncodingBlock {

    private static final byte VERSION = 1;

    private final PositionFeatures features;
    private final Linear projection; // null where features are added as they are
    private final int embeddingSize;

    private FeatureEncoding(PositionFeatures features, int embeddingSize, Linear projection) {
        super(VERSION);
        if (features.positionDimension() != 1) {
            throw new IllegalArgumentException(
                    "a token's position is one number, the features take "
                            + features.positionDimension());
        }
        this.features = addChildBlock("features", features);
        this.embeddingSize = embeddingSize;
        this.projection = projection == null ? null : addChildBlock("projection", projection);
    }

    /**
     * Adds the features to the tokens, x + p.
     *
     * @param features of dimension E, the tokens' embedding size
     * @return the encoding
     * @throws IllegalArgumentException if positions have more than one coordinate
     */
    public static FeatureEncoding add(PositionFeatures features) {
        return new FeatureEncoding(features, features.featureDimension(), null);
    }

    /**
     * Concatenates the features to the tokens and maps the result back to their size, W [x; p] with
     * a learned W (E, E + D) that starts as N(0, 1/(E + D)).
     *
     * @param features of any dimension D
     * @param embeddingSize E
     * @param seed draws the initial values
     * @return the encoding
     * @throws IllegalArgumentException if positions have more than one coordinate
     */
    public static FeatureEncoding concatenate(
            PositionFeatures features, int embeddingSize, long seed) {
        int width =
                Checks.atLeast(1, embeddingSize, "embedding size") + features.featureDimension();
        Linear projection = Linear.builder().setUnits(embeddingSize).optBias(false).build();
        projection.setInitializer(
                SeededInitializer.normal(1 / Math.sqrt(width), seed, "projection"),
                Parameter.Type.WEIGHT);
        return new FeatureEncoding(features, embeddingSize, projection);
    }

    /**
     * Returns what is added or concatenated.
     *
     * @return the features
     */
    public PositionFeatures features() {
        return features;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray embed(
            NDArray tokens, Positions positions, ParameterStore parameters, boolean training) {
        long width = tokens.getShape().get(tokens.getShape().dimension() - 1);
        if (width != embeddingSize) {
            throw new IllegalArgumentException(
                    "tokens of size "
                            + width
                            + " cannot take an encoding made for "
                            + embeddingSize
                            + (projection == null
                                    ? "; concatenated(" + width + ") takes features of any size"
                                    : ""));
        }
        positions.checkFit(tokens.getShape().get(0), tokens.getShape().get(1));
        NDArray p =
                Cast.to(
                        features.features(positions, parameters, training),
                        tokens.getDataType(),
                        training); // (T, D) or (B, T, D)
        if (projection == null) {
            return tokens.add(p); // (B, T, E)
        }
        Shape batch = tokens.getShape().slice(0, tokens.getShape().dimension() - 1);
        NDArray everywhere = p.broadcast(batch.add(features.featureDimension())); // (B, T, D)
        NDArray both = tokens.concat(everywhere, -1); // (B, T, E + D)
        DataType type = projection.getParameters().valueAt(0).getArray().getDataType();
        NDList wide = new NDList(Cast.to(both, type, training));
        NDArray projected = projection.forward(parameters, wide, training).head(); // (B, T, E)
        return Cast.to(projected, tokens.getDataType(), training);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return (projection == null ? "added" : "concatenated") + " to tokens of " + embeddingSize;
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        features.initialize(manager, type, new Shape(1));
        if (projection != null) {
            int width = embeddingSize + features.featureDimension();
            projection.initialize(manager, type, new Shape(1, width));
        }
    }
}
