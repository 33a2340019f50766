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
}
