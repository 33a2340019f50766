package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.posenc.kernel.Cast;

/**
 * Base of the encodings whose bias depends on the positions of query and key alone, not on what
 * stands there. The layers of a model share one bias in each forward pass.
 *
 * <p>As a plain DJL block it takes (scores (B, H, T, S), query positions, key positions) and
 * returns the scores with the bias added.
 */
public abstract class PositionBias extends EncodingBlock {

    private final int heads;

    /**
     * A bias for a number of heads.
     *
     * @param version written before the parameters; raised when their format changes
     * @param heads H, at least 1
     */
    protected PositionBias(byte version, int heads) {
        super(version);
        this.heads = Checks.atLeast(1, heads, "heads");
    }

    /**
     * Returns the number of heads.
     *
     * @return H
     */
    public final int heads() {
        return heads;
    }

    /**
     * Computes the bias.
     *
     * @param queries positions i, (T) or (B, T)
     * @param keys positions j, (S) or (B, S)
     * @param type float32, or float64 where the scores have it; half precision is narrowed later
     * @param parameters gives this block's parameters on the right device
     * @param training whether gradients are to flow
     * @return (…, H, T, S), in any type; closed by the caller
     */
    protected abstract NDArray biases(
            Positions queries,
            Positions keys,
            DataType type,
            ParameterStore parameters,
            boolean training);

    /** {@inheritDoc} */
    @Override
    public final NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        long given = queries.getShape().get(1);
        if (given != heads) {
            throw new IllegalArgumentException(
                    "this bias is made for " + heads + " heads, got " + given);
        }
        return bias(
                queryPositions,
                keyPositions,
                queries.getDataType(),
                context.parameters(),
                context.training());
    }

    /**
     * Returns the bias.
     *
     * @param queryPositions (T) or (B, T)
     * @param keyPositions (S) or (B, S)
     * @param type the type wanted
     * @param parameters gives this block's parameters on the right device
     * @param training whether gradients are to flow
     * @return (1, H, T, S), or (B, H, T, S) where either has rows; not to be closed
     * @throws IllegalArgumentException if tokens have several coordinates each
     */
    public final NDArray bias(
            Positions queryPositions,
            Positions keyPositions,
            DataType type,
            ParameterStore parameters,
            boolean training) {
        record Key(PositionBias of, Positions keys, DataType type, boolean training) {}
        return queryPositions.derived(
                new Key(this, keyPositions, type, training),
                () -> {
                    checkOneCoordinate(queryPositions);
                    checkOneCoordinate(keyPositions);
                    DataType wide = type == DataType.FLOAT64 ? type : DataType.FLOAT32;
                    // T × S matrices are freed here; the graph keeps what backward needs.
                    try (NDArray each =
                                    biases(
                                            queryPositions,
                                            keyPositions,
                                            wide,
                                            parameters,
                                            training);
                            NDArray typed = narrowed(each, type, training)) { // (…, H, T, S)
                        return typed.getShape().dimension() == 4
                                ? typed.reshape(typed.getShape())
                                : typed.expandDims(0);
                    }
                });
    }

    private static void checkOneCoordinate(Positions positions) {
        if (positions.arePoints()) {
            throw new IllegalArgumentException(
                    "this bias is of tokens with one position each, got points of shape "
                            + positions.array().getShape());
        }
    }

    private static NDArray narrowed(NDArray bias, DataType type, boolean training) {
        return bias.getDataType() == type
                ? bias.reshape(bias.getShape())
                : Cast.to(bias, type, training);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return heads + " heads";
    }

    /** {@inheritDoc} */
    @Override
    protected final NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray scores = inputs.get(0);
        return new NDList(
                scores.add(
                        bias(
                                Positions.of(inputs.get(1)),
                                Positions.of(inputs.get(2)),
                                scores.getDataType(),
                                parameters,
                                training)));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }
}
