package org.posenc.experiment;

/** The one check that every size of an experiment needs. */
public final class Positive {

    private Positive() {}

    public static void check(int value, String what) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, got " + value);
        }
    }
}
