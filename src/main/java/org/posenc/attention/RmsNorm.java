package org.posenc.attention;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.posenc.kernel.Normalization;
import org.posenc.kernel.TorchScript;

/**
 * Root mean square normalisation (<a href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich
 * 2019</a>) over the last axis: x / √(mean(x²) + ε) · g with a learned gain g.
 */
public final class RmsNorm extends AbstractBlock {

    private static final byte VERSION = 1;

    private final int size;
    private final double epsilon;
    private final Parameter gain;

    /**
     * A normalisation with gain 1.
     *
     * @param size E, the length of the last axis
     * @param epsilon ε, positive
     * @throws IllegalArgumentException if one of them is not positive
     */
    public RmsNorm(int size, double epsilon) {
        super(VERSION);
        if (size < 1 || !(epsilon > 0)) {
            throw new IllegalArgumentException(
                    "RMSNorm needs a positive size and epsilon, got " + size + " and " + epsilon);
        }
        this.size = size;
        this.epsilon = epsilon;
        gain =
                addParameter(
                        Parameter.builder()
                                .setName("gain")
                                .setType(Parameter.Type.GAMMA)
                                .optShape(new Shape(size))
                                .build());
    }

    /**
     * Normalises.
     *
     * @param x (…, E)
     * @param parameters gives the gain on the right device
     * @param training whether gradients are to flow
     * @return (…, E), in x's type
     */
    public NDArray normalize(NDArray x, ParameterStore parameters, boolean training) {
        NDArray g = parameters.getValue(gain, x.getDevice(), training);
        return Normalization.rootMeanSquare(x, g, epsilon, training);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(normalize(inputs.singletonOrThrow(), parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType type, Shape... inputShapes) {
        TorchScript.checkType(type);
        super.initialize(manager, type, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return inputShapes;
    }

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) throws IOException {
        super.saveMetadata(os);
        os.writeInt(size);
    }

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is)
            throws IOException, MalformedModelException {
        super.loadMetadata(loadVersion, is);
        int saved = is.readInt();
        if (saved != size) {
            throw new MalformedModelException(
                    "this RMSNorm is made for size " + size + ", the saved one for " + saved);
        }
    }
}
