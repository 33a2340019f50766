package org.posenc.encoding;

/**
 * What the user of features tells features that are made by name.
 *
 * @param positionDimension M, the number of coordinates of a position
 * @param featureDimension D, the number of features wanted
 * @param length the number of positions, or of samples along an axis, that features must tell
 *     apart; sets the size of a table and the extent of a basis over token positions
 * @param unit whether coordinates lie in [0, 1) (signals, images) rather than being token positions
 *     0, …, length − 1
 * @param seed draws whatever the features draw at random
 */
public record Space(
        int positionDimension, int featureDimension, int length, boolean unit, long seed) {

    /** Checks the values. */
    public Space {
        Checks.atLeast(1, positionDimension, "position dimension");
        Checks.atLeast(1, featureDimension, "feature dimension");
        Checks.atLeast(1, length, "length");
    }

    /**
     * Returns this space, for features of positions with one coordinate.
     *
     * @return this
     * @throws IllegalArgumentException if positions have more coordinates
     */
    Space onOneAxis() {
        if (positionDimension != 1) {
            throw new IllegalArgumentException(
                    "these features take positions of 1 coordinate, got " + positionDimension);
        }
        return this;
    }

    /**
     * Returns the extent of the coordinates along an axis.
     *
     * @return 1 for unit coordinates, else the length
     */
    public double extent() {
        return unit ? 1 : length;
    }
}
