package org.posenc.encoding;

/** Arguments that are checked the same way by every encoding. */
final class Checks {

    private Checks() {}

    static int atLeast(int least, int value, String what) {
        if (value < least) {
            throw new IllegalArgumentException(
                    what + " must be at least " + least + ", got " + value);
        }
        return value;
    }

    static int even(int value, String what) {
        if (value < 2 || value % 2 != 0) {
            throw new IllegalArgumentException(what + " must be even and at least 2, got " + value);
        }
        return value;
    }

    static double positive(double value, String what) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " must be positive and finite, got " + value);
        }
        return value;
    }

    static double finite(double value, String what) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(what + " must be finite, got " + value);
        }
        return value;
    }

    /** Returns value / divisor. */
    static int divided(int value, int divisor, String what) {
        if (value < divisor || value % divisor != 0) {
            throw new IllegalArgumentException(
                    what + " must be a multiple of " + divisor + ", got " + value);
        }
        return value / divisor;
    }
}
