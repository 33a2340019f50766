package org.posenc.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.posenc.encoding.Positions;

/**
 * What queries attend to: keys and values with the positions they stand at. Keys are as projected,
 * not yet rotated, so that they can be kept from one call to the next and an encoding whose angles
 * depend on the length still turns all of them alike.
 *
 * @param keys (B, G, S, D)
 * @param values (B, G, S, D)
 * @param positions (S) or (B, S)
 */
public record KeyValues(NDArray keys, NDArray values, Positions positions) {

    /** Checks that the lengths agree. */
    public KeyValues {
        Shape p = positions.array().getShape();
        long stated = p.dimension() == 0 ? 1 : p.get(p.dimension() - 1);
        if (stated != keys.getShape().get(2)) {
            throw new IllegalArgumentException(
                    keys.getShape().get(2) + " keys cannot stand at positions of shape " + p);
        }
    }
}
