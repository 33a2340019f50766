package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import org.posenc.encoding.ConfiguredBlock;

/**
 * A linear map of complex numbers, z ↦ W z + b, in real arithmetic: with W = A + iB it is one
 * product with the real matrix [A, −B; B, A].
 *
 * <p>A vector of n complex numbers is given by 2n real ones, the real parts first: (…, 2n) → (…, 2
 * units). The parameters are the weight (2, units, n), A and B, and the bias (2, units).
 */
final class ComplexLinear extends ConfiguredBlock {

    private static final byte VERSION = 1;

    private final int units;
    private final Parameter weight;
    private final Parameter bias;

    /**
     * A map whose initial values are set from outside.
     *
     * @param units how many complex numbers it gives
     * @param n how many it takes
     */
    ComplexLinear(int units, int n) {
        super(VERSION);
        this.units = units;
        weight = parameter("weight", Parameter.Type.WEIGHT, Initializer.ZEROS, 2, units, n);
        bias = parameter("bias", Parameter.Type.BIAS, Initializer.ZEROS, 2, units);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray z = inputs.singletonOrThrow(); // (…, 2n)
        NDArray w = value(weight, z, z.getDataType(), parameters, training); // (2, U, n)
        NDArray beta = value(bias, z, z.getDataType(), parameters, training); // (2, U)
        try (NDArray a = w.get(new NDIndex(0));
                NDArray b = w.get(new NDIndex(1));
                NDArray minus = b.neg();
                NDArray top = a.concat(minus, 1);
                NDArray bottom = b.concat(a, 1);
                NDArray real = NDArrays.concat(new NDList(top, bottom)); // (2U, 2n)
                NDArray shift = beta.flatten()) { // (2U)
            return Linear.linear(z, real, shift);
        }
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape z = inputShapes[0];
        return new Shape[] {z.slice(0, z.dimension() - 1).add(2L * units)};
    }
}
