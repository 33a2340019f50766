package org.posenc.signal;

/**
 * When an iteration has done enough.
 *
 * @param tolerance it ends when what is left of the equations is this part of what was there at
 *     first, in every channel; at least 0
 * @param iterations it ends after so many steps in any case; at least 1
 */
public record Stopping(double tolerance, int iterations) {

    /** What pictures need: nothing visible changes after 10⁻⁴, some 20 to 50 steps. */
    public static final Stopping USUAL = new Stopping(1e-4, 500);

    /** Checks the values. */
    public Stopping {
        if (!(tolerance >= 0 && tolerance < 1) || iterations < 1) {
            throw new IllegalArgumentException(
                    "a tolerance must be at least 0 and below 1 and iterations at least 1, got "
                            + tolerance
                            + " and "
                            + iterations);
        }
    }
}
