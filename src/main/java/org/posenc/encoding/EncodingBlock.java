package org.posenc.encoding;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.posenc.kernel.TorchScript;

/**
 * Base of encodings that act on a Transformer. Called as a plain DJL block it takes (tokens,
 * positions) and applies the embed seam; encodings of another seam say what they take instead.
 */
public abstract class EncodingBlock extends AbstractBlock implements PositionalEncoding {

    /**
     * A block of a format version.
     *
     * @param version written before the parameters; raised when their format changes
     */
    protected EncodingBlock(byte version) {
        super(version);
    }

    /**
     * Returns what decides the output beside the dimensions and the parameters, such as "base
     * 10000.0, layout interleaved". It is saved with the parameters, and a block refuses to load
     * what was saved with another.
     *
     * @return the configuration in words, empty where there is nothing to tell
     */
    protected String configuration() {
        return "";
    }

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) throws IOException {
        super.saveMetadata(os);
        os.writeUTF(identity());
    }

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is)
            throws IOException, MalformedModelException {
        super.loadMetadata(loadVersion, is);
        Checks.sameConfiguration(is.readUTF(), identity());
    }

    /**
     * Returns what this block is, with the settings in effect.
     *
     * @return its class and configuration
     */
    @Override
    public String toString() {
        return identity();
    }

    private String identity() {
        String configuration = configuration();
        String name = getClass().getSimpleName();
        return configuration.isEmpty() ? name : name + " (" + configuration + ")";
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType type, Shape... inputShapes) {
        TorchScript.checkType(type); // bfloat16 would abort the JVM
        super.initialize(manager, type, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray tokens = inputs.get(0);
        return new NDList(embed(tokens, Positions.of(inputs.get(1)), parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }
}
