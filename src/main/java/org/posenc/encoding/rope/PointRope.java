package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Optional;
import org.posenc.encoding.DeviceConstant;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Rotation;
import org.posenc.kernel.Scalars;

/**
 * RoPE over points: each pair of a query or key turns by one coordinate of the token's position.
 *
 * <p>The pair i at the point p (M coordinates) is turned by the angle Σ_a p_a F_ai, F (M, r/2)
 * having one frequency in each column. Scores then depend on points through their differences
 * alone, a point of zeros is not turned, and turning by the points −p undoes it. Angles are taken
 * in float64 and the rotation in float32 at least.
 *
 * <p>A position of one coordinate p stands for the point (p, …, p), as text has it among images.
 *
 * <p>As a plain DJL block it takes (x (B, H, T, D), positions (T), (T, M) or (B, T, M)) and returns
 * x turned.
 */
public abstract class PointRope extends EncodingBlock implements PairRotation {

    private final RotaryPart part;
    private final double[][] frequencies;
    private final double attentionScaling;
    private final DeviceConstant matrix; // (M, r/2)

    /**
     * A rotation.
     *
     * @param version of the saved form
     * @param part what turns
     * @param frequencies F, M rows of r/2
     * @param attentionScaling multiplies cosines and sines
     */
    PointRope(byte version, RotaryPart part, double[][] frequencies, double attentionScaling) {
        super(version);
        this.part = part;
        this.frequencies = frequencies;
        this.attentionScaling = attentionScaling;
        double[] flat = new double[frequencies.length * part.pairs()];
        for (int a = 0; a < frequencies.length; a++) {
            System.arraycopy(frequencies[a], 0, flat, a * part.pairs(), part.pairs());
        }
        matrix = new DeviceConstant(flat, new Shape(frequencies.length, part.pairs()));
    }

    /**
     * Returns the number of coordinates.
     *
     * @return M
     */
    public final int axes() {
        return frequencies.length;
    }

    /**
     * Returns by how much each pair turns along each axis.
     *
     * @return F, in radians per unit, M rows of r/2; a copy
     */
    public final double[][] frequencies() {
        double[][] copy = new double[frequencies.length][];
        for (int a = 0; a < copy.length; a++) {
            copy[a] = frequencies[a].clone();
        }
        return copy;
    }

    /**
     * Turns queries or keys.
     *
     * @param x (B, H, T, D)
     * @param positions (T), (B, T), or points (T, M), (B, T, M), any real numbers
     * @param training whether gradients are to flow
     * @return (B, H, T, D), in x's type and manager
     * @throws IllegalArgumentException if D or M is not this rotation's, or the positions are not
     *     the tokens'
     */
    public final NDArray rotate(NDArray x, Positions positions, boolean training) {
        part.check(x);
        Shape shape = x.getShape();
        positions.checkFit(shape.get(0), shape.get(shape.dimension() - 2));
        return part.turn(x, table(positions, Rotation.tableType(x.getDataType())), training);
    }

    /**
     * Returns cosines and sines, shared by the layers of a forward pass.
     *
     * @param positions (T), (B, T), or points (T, M), (B, T, M)
     * @param type float32 or float64
     * @return (T, r/2, 2) or (B, 1, T, r/2, 2)
     * @throws IllegalArgumentException if points have another number of coordinates
     */
    public final NDArray table(Positions positions, DataType type) {
        record Key(PointRope rope, DataType type) {}
        return positions.derived(
                new Key(this, type),
                () -> {
                    NDArray p = coordinates(positions, axes()); // (…, T, M)
                    NDArray angles = p.matMul(matrix.beside(p, DataType.FLOAT64)); // (…, T, r/2)
                    NDArray table = waves(angles, attentionScaling, type); // (…, T, r/2, 2)
                    return table.getShape().dimension() == 4 ? table.expandDims(1) : table;
                });
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray waves(Positions positions, DataType type, ParameterStore parameters) {
        return table(positions, type);
    }

    /**
     * Returns positions as points of float64.
     *
     * @param positions (T), (B, T), (T, M) or (B, T, M)
     * @param axes M
     * @return (T, M) or (B, T, M)
     */
    static NDArray coordinates(Positions positions, int axes) {
        NDArray p = positions.real(DataType.FLOAT64);
        Shape shape = p.getShape();
        if (!positions.arePoints()) {
            return p.expandDims(-1).broadcast(shape.add(axes)); // (…, T, M)
        }
        if (shape.get(shape.dimension() - 1) != axes) {
            throw new IllegalArgumentException(
                    "this rotation takes points of " + axes + " coordinates, got shape " + shape);
        }
        return p;
    }

    /**
     * Returns cosines and sines of angles, times a number.
     *
     * @param angles (…), float64
     * @param scaling the number
     * @param type of the result
     * @return (…, 2)
     */
    static NDArray waves(NDArray angles, double scaling, DataType type) {
        NDArray waves = NDArrays.stack(new NDList(angles.cos(), angles.sin()), -1);
        return Cast.to(scaling == 1 ? waves : Scalars.mul(waves, scaling), type, true);
    }

    /** Positions as the second input of a plain block: points unless they have one axis alone. */
    static Positions input(NDArray array) {
        return array.getShape().dimension() == 1 ? Positions.of(array) : Positions.points(array);
    }

    /** {@inheritDoc} */
    @Override
    public Optional<RotaryPart> rotaryPart(int layer) {
        return Optional.of(part);
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return rotate(queries, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return rotate(keys, positions, context.training());
    }

    /** {@inheritDoc} */
    @Override
    protected final NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(rotate(inputs.get(0), input(inputs.get(1)), training));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return part.toString();
    }
}
