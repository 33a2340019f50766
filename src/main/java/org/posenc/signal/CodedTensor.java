package org.posenc.signal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * An array of numbers in few bytes: each is rounded to a multiple of a step, and the multiples are
 * coded; or each is a float32 as it stands.
 *
 * @param name what it is in its network
 * @param shape its sides
 * @param step Δ, the distance of neighbouring values, positive; 0 for numbers as they stand
 * @param code the bytes
 */
record CodedTensor(String name, int[] shape, double step, byte[] code) {

    /** Checks all but the code, which is checked when it is read. */
    CodedTensor {
        if (name == null || shape == null || code == null) {
            throw new IllegalArgumentException("a tensor needs a name, a shape and a code");
        }
        if (!(step >= 0 && step <= Float.MAX_VALUE)) {
            throw new IllegalArgumentException(
                    "the step of " + name + " must be finite and at least 0, got " + step);
        }
        long least =
                step == 0 ? 4 * count(shape) : count(shape) / ArithmeticCoder.MOST_BITS_IN_A_BYTE;
        if (code.length < least || step == 0 && code.length > least) {
            throw new IllegalArgumentException(
                    "tensor "
                            + name
                            + " of shape "
                            + Arrays.toString(shape)
                            + " cannot be "
                            + code.length
                            + " bytes");
        }
    }

    /** Returns how many numbers a shape has. */
    static long count(int[] shape) {
        long count = 1;
        for (int side : shape) {
            if (side < 1 || (count *= side) > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException("a tensor cannot be " + Arrays.toString(shape));
            }
        }
        return count;
    }

    /**
     * Rounds to multiples of a step.
     *
     * @param zero how much less a number counts, from 0 for the nearest multiple to below 0.5
     */
    static int[] multiples(double[] values, double step, double zero) {
        return Arrays.stream(values)
                .mapToInt(v -> (int) (Math.signum(v) * Math.floor(Math.abs(v) / step + 0.5 - zero)))
                .toArray();
    }

    /** Codes multiples of a step. */
    static CodedTensor rounded(String name, int[] shape, int[] multiples, double step) {
        return new CodedTensor(name, shape, step, IntegerCoder.encode(multiples, shape));
    }

    /** Returns the step wanted or, if its multiples would be too large, one that is allowed. */
    static double allowed(double[] values, double step) {
        double greatest = Arrays.stream(values).map(Math::abs).max().orElse(0);
        double least = greatest / (IntegerCoder.GREATEST - 1);
        return greatest == 0 ? 1 : Math.max(step, least);
    }

    /** Keeps numbers as they stand, in float32. */
    static CodedTensor exact(String name, int[] shape, double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            bytes.putFloat((float) value);
        }
        return new CodedTensor(name, shape, 0, bytes.array());
    }

    /**
     * Reads the numbers.
     *
     * @throws IllegalArgumentException if the code is damaged
     */
    double[] values() {
        if (step > 0) {
            int[] multiples = IntegerCoder.decode(code, shape);
            return Arrays.stream(multiples).mapToDouble(q -> q * step).toArray();
        }
        ByteBuffer bytes = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[code.length / 4];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.getFloat();
            if (!Double.isFinite(values[i])) {
                throw new IllegalArgumentException("tensor " + name + " has a number that is none");
            }
        }
        return values;
    }
}
