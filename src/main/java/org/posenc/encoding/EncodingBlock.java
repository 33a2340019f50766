package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * Base of encodings that act on a Transformer. Called as a plain DJL block it takes (tokens,
 * positions) and applies the embed seam; encodings of another seam say what they take instead.
 */
public abstract class EncodingBlock extends ConfiguredBlock implements PositionalEncoding {

    /**
     * A block of a format version.
     *
     * @param version written before the parameters; raised when their format changes
     */
    protected EncodingBlock(byte version) {
        super(version);
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
