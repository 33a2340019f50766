package org.posenc.encoding;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.posenc.kernel.Cast;
import org.posenc.kernel.TorchScript;

/** A block whose configuration is saved with its parameters and compared when they are loaded. */
public abstract class ConfiguredBlock extends AbstractBlock {

    /**
     * A block of a format version.
     *
     * @param version written before the parameters; raised when their format changes
     */
    protected ConfiguredBlock(byte version) {
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

    /**
     * Adds a parameter of a known shape.
     *
     * @param name what it is saved by
     * @param type what it is to optimizers
     * @param initializer draws its first values
     * @param shape its shape
     * @return the parameter, which is this block's own
     */
    protected final Parameter parameter(
            String name, Parameter.Type type, Initializer initializer, long... shape) {
        return addParameter(
                Parameter.builder()
                        .setName(name)
                        .setType(type)
                        .optShape(new Shape(shape))
                        .optInitializer(initializer)
                        .build());
    }

    /**
     * Returns a parameter's value beside an array, where the pass frees it: a weight as it stands,
     * and all that is made of it first, would stay with the model.
     *
     * @param parameter one of this block's own
     * @param array an array of the pass
     * @param type the type wanted
     * @param parameters gives the parameter's array on the right device
     * @param training whether the pass trains
     * @return a new handle in the array's manager
     */
    protected final NDArray value(
            Parameter parameter,
            NDArray array,
            DataType type,
            ParameterStore parameters,
            boolean training) {
        NDArray own = parameters.getValue(parameter, array.getDevice(), training);
        NDArray value = Cast.to(own, type, training);
        if (value == own) {
            value = own.reshape(own.getShape());
        }
        value.attach(array.getManager());
        return value;
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
        String loaded = is.readUTF();
        if (!loaded.equals(identity())) {
            throw new MalformedModelException(
                    "the file holds " + loaded + ", which does not fit " + identity());
        }
    }

    /**
     * Returns what this block is, with the settings in effect.
     *
     * @return {@link #identity}
     */
    @Override
    public String toString() {
        return identity();
    }

    /**
     * Returns what is saved with the parameters and compared when they are loaded.
     *
     * @return the class and its configuration, unless a block says it otherwise
     */
    protected String identity() {
        String configuration = configuration();
        return configuration.isEmpty() ? subject() : subject() + " (" + configuration + ")";
    }

    /** Returns the class and its dimensions. */
    String subject() {
        return getClass().getSimpleName();
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType type, Shape... inputShapes) {
        TorchScript.checkType(type); // bfloat16 would abort the JVM
        super.initialize(manager, type, inputShapes);
    }
}
