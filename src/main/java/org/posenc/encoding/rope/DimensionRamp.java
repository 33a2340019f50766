package org.posenc.encoding.rope;

/**
 * A ramp from 0 to 1 over the pairs, as YaRN's code has it: linear in the pair's number, between
 * the pairs that turn {@code fast} and {@code slow} times within the original length. A pair that
 * turns r times has the (real) number c(r) = d ln(O / 2πr) / (2 ln b).
 *
 * @param low the last number at which the ramp is 0
 * @param high the first number at which it is 1
 */
record DimensionRamp(double low, double high) {

    static DimensionRamp between(
            double fast, double slow, int d, double base, long originalLength, boolean truncate) {
        ScalingArguments.baseAboveOne(base);
        double low = pairTurning(fast, d, base, originalLength);
        double high = pairTurning(slow, d, base, originalLength);
        if (truncate) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, d - 1); // their bound, though pairs end at d/2 − 1
        return new DimensionRamp(low, high == low ? high + 0.001 : high);
    }

    /** Returns the ramp at pair i. */
    double at(int i, RopePrecision p) {
        double value = p.round(p.round(i - p.round(low)) / p.round(high - low));
        return Math.max(0, Math.min(1, value));
    }

    private static double pairTurning(double times, int d, double base, long originalLength) {
        return d * Math.log(originalLength / (times * 2 * Math.PI)) / (2 * Math.log(base));
    }
}
