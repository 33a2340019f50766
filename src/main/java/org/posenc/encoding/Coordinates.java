package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;

/**
 * The coordinates themselves as features, φ(x) = x: what "no encoding" is to a coordinate network.
 */
public final class Coordinates extends FeaturesBlock {

    private static final byte VERSION = 1;

    /**
     * Features that are the coordinates.
     *
     * @param positionDimension M, which is also D
     */
    public Coordinates(int positionDimension) {
        super(VERSION, positionDimension, positionDimension);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        checkDimension(positions);
        NDArray x = positions.real(featureType(positions)); // (…) or (…, M)
        return positionDimension() == 1 ? x.expandDims(-1) : x.reshape(x.getShape()); // (…, M)
    }
}
