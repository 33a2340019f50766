package org.posenc.encoding.rope;

import java.util.OptionalDouble;

/** Arguments that are checked the same way by every scaling. */
final class ScalingArguments {

    private ScalingArguments() {}

    static double positive(double value, String what) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " must be positive and finite, got " + value);
        }
        return value;
    }

    static void positive(OptionalDouble value, String what) {
        if (value.isPresent()) {
            positive(value.getAsDouble(), what);
        }
    }

    static double atLeast(double least, double value, String what) {
        if (!(value >= least) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    what + " must be finite and at least " + least + ", got " + value);
        }
        return value;
    }

    /** A context is made longer, never shorter. */
    static double factor(double value) {
        return atLeast(1, value, "the factor");
    }

    static double part(double value, String what) {
        if (!(value > 0 && value <= 1)) {
            throw new IllegalArgumentException(what + " must be in (0, 1], got " + value);
        }
        return value;
    }

    static long length(long least, long value, String what) {
        if (value < least) {
            throw new IllegalArgumentException(
                    what + " must be at least " + least + ", got " + value);
        }
        return value;
    }

    static void betas(double fast, double slow) {
        positive(fast, "betaFast");
        positive(slow, "betaSlow");
        if (fast < slow) {
            throw new IllegalArgumentException(
                    "betaFast must be at least betaSlow, got " + fast + " and " + slow);
        }
    }

    /** What every scaling asks of the arguments of its frequencies. */
    static void frequencies(int rotaryDimension, double base, long length) {
        rotaryDimension(rotaryDimension);
        positive(base, "the base");
        length(1, length, "the length");
    }

    static void rotaryDimension(int value) {
        if (value < 2 || value % 2 != 0) {
            throw new IllegalArgumentException(
                    "RoPE turns pairs: the rotary dimension must be even and at least 2, got "
                            + value);
        }
    }

    /** The exponent d/(d − 2) of the NTK-aware base. */
    static void ntkDimension(int value) {
        if (value < 4) {
            throw new IllegalArgumentException(
                    "an NTK-aware base needs a rotary dimension of at least 4, got " + value);
        }
    }

    /** Where a logarithm to the base is taken. */
    static void baseAboveOne(double value) {
        if (!(value > 1)) {
            throw new IllegalArgumentException(
                    "a ramp over dimensions needs a base above 1, got " + value);
        }
    }
}
