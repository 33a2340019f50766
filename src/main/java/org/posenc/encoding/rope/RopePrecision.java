package org.posenc.encoding.rope;

/** The arithmetic in which frequencies are computed. */
public enum RopePrecision {
    /** Double precision to the end. */
    EXACT,

    /**
     * The float32 arithmetic of Hugging Face's transformers as a model's forward pass does it,
     * where the length is a tensor: every operation on a tensor is rounded to float32, in their
     * order; scalings they lack are rounded likewise. Powers are rounded from double precision,
     * PyTorch's are good to one unit of the last place and depend on the processor. So 99 in 100
     * values are theirs to the last bit and the rest one to three units away; {@link Llama3}
     * subtracts nearly equal numbers between its bounds, and one value in ten thousand there was up
     * to seven away.
     */
    HUGGING_FACE,

    /**
     * As {@link #HUGGING_FACE}, the length being a Python int, as when their functions are called
     * by hand: numbers that depend on the length stay in double. {@link DynamicNtk} alone sees the
     * difference.
     */
    HUGGING_FACE_INT_LENGTH;

    /** Rounds the result of one operation. A float operation is a double one, rounded once. */
    double round(double value) {
        return this == EXACT ? value : (float) value;
    }

    /** Returns b^(2i/d), i = 0 … d/2 − 1: the wavelengths over 2π. */
    double[] periods(int d, double base) {
        double b = round(base);
        double[] periods = new double[d / 2];
        for (int i = 0; i < periods.length; i++) {
            periods[i] = round(Math.pow(b, round(2.0 * i / d)));
        }
        return periods;
    }

    /** Returns b^(−2i/d), i = 0 … d/2 − 1. */
    double[] inverse(int d, double base) {
        double[] inverse = periods(d, base);
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = round(1 / inverse[i]);
        }
        return inverse;
    }
}
