package org.posenc.encoding.rope;

/**
 * Powers of one number as PyTorch computes {@code base ** tensor} in float32 on a CPU.
 *
 * <p>Its loop takes as many elements at a time as two vectors hold, 32 with AVX-512, and raises
 * them by {@link VectorPower}; what is left over goes through the C library, {@link ScalarPower}.
 * With AVX2 the loop takes 16, so that only the 16 elements after the last 32 may differ there, and
 * by one unit of the last place.
 */
final class TorchPower {

    /** Elements of two vectors of 512 bits. */
    private static final int AT_A_TIME = 32;

    private TorchPower() {}

    /**
     * Computes the powers.
     *
     * @param base positive
     * @param exponents finite; the powers must be normal numbers
     * @return base to each exponent
     */
    static float[] of(float base, float[] exponents) {
        float[] powers = new float[exponents.length];
        int vectorised = exponents.length / AT_A_TIME * AT_A_TIME;
        boolean normal = base >= Float.MIN_NORMAL && base <= Float.MAX_VALUE;
        for (int i = 0; i < powers.length; i++) {
            float y = exponents[i];
            powers[i] =
                    !normal
                            ? (float) Math.pow(base, y)
                            : i < vectorised ? VectorPower.of(base, y) : ScalarPower.of(base, y);
        }
        return powers;
    }
}
