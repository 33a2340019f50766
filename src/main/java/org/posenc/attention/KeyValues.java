package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import org.posenc.encoding.Positions;

/**
 * What queries attend to: keys and values with the positions they stand at.
 *
 * @param keys (B, G, S, D)
 * @param values (B, G, S, D)
 * @param notes what the encoding keeps of each key beside it, (B, C, S); {@code null} where nothing
 * @param positions (S) or (B, S)
 * @param rotated whether the keys have been through the encoding's rotate seam already; keys that
 *     have not can be kept from one call to the next, and an encoding whose angles depend on the
 *     length still turns all of them alike
 */
public record KeyValues(
        NDArray keys, NDArray values, NDArray notes, Positions positions, boolean rotated) {

    /** Checks that the lengths agree. */
    public KeyValues {
        if (positions.length() != keys.getShape().get(2)) {
            throw new IllegalArgumentException(
                    keys.getShape().get(2)
                            + " keys cannot stand at positions of shape "
                            + positions.array().getShape());
        }
    }
}
