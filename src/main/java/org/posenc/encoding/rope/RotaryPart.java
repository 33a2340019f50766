package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Rotation;

/**
 * Which components of a head turn, and in which pairs: the first r of D.
 *
 * @param headDimension D
 * @param rotaryDimension r, even, at least 2 and at most D; the components from r on are left alone
 * @param layout which components make a pair
 */
public record RotaryPart(int headDimension, int rotaryDimension, RotaryLayout layout) {

    /** Checks the values. */
    public RotaryPart {
        if (layout == null) {
            throw new IllegalArgumentException(
                    "a rotation needs a layout, interleaved or half-split: the one the weights"
                            + " were trained with");
        }
        ScalingArguments.rotaryDimension(rotaryDimension);
        if (rotaryDimension > headDimension) {
            throw new IllegalArgumentException(
                    "the part that turns must be at most the head dimension of "
                            + headDimension
                            + ", got "
                            + rotaryDimension);
        }
    }

    /** r/2. */
    int pairs() {
        return rotaryDimension / 2;
    }

    /** Refuses an array that is not (…, T, D). */
    void check(NDArray x) {
        Shape shape = x.getShape();
        int axes = shape.dimension();
        if (axes < 2 || shape.get(axes - 1) != headDimension) {
            throw new IllegalArgumentException(
                    "this rotation is made for heads of " + headDimension + ", got shape " + shape);
        }
    }

    /**
     * Turns the pairs.
     *
     * @param x (…, T, D)
     * @param table (…, T, r/2, 2), broadcasting to x
     * @param training whether gradients are to flow
     * @return (…, T, D)
     */
    NDArray turn(NDArray x, NDArray table, boolean training) {
        if (rotaryDimension == headDimension) {
            return pairs(x, table, training);
        }
        try (NDArray first = x.get(lastAxis(0, rotaryDimension));
                NDArray rest = x.get(lastAxis(rotaryDimension, headDimension));
                NDArray turned = pairs(first, table, training)) {
            return turned.concat(rest, -1);
        }
    }

    private NDArray pairs(NDArray x, NDArray table, boolean training) {
        return layout == RotaryLayout.INTERLEAVED
                ? Rotation.interleaved(x, table, training)
                : Rotation.halfSplit(x, table, training);
    }

    private static NDIndex lastAxis(long from, long to) {
        return new NDIndex().addEllipseDim().addSliceDim(from, to);
    }

    /** As a configuration tells it. */
    @Override
    public String toString() {
        return "head dimension "
                + headDimension
                + ", rotated "
                + rotaryDimension
                + ", layout "
                + Settings.nameOf(layout);
    }
}
