package org.posenc.encoding.rope;

import java.util.Arrays;

/** The arithmetic in which frequencies are computed. */
public enum RopePrecision {
    /** Double precision to the end. */
    EXACT,

    /**
     * The float32 arithmetic of Hugging Face's transformers as a model's forward pass does it,
     * where the length is a tensor: every operation on a tensor is rounded to float32, in their
     * order, and powers are those of PyTorch. All frequencies are theirs to the last bit as an
     * x86-64 processor with AVX-512 computes them under Linux. On other processors PyTorch's powers
     * may differ in the last place, which {@link Llama3} magnifies between its bounds. Scalings
     * that transformers lack are rounded likewise.
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
        return periods(d, base, d / 2);
    }

    private double[] periods(int d, double base, int pairs) {
        double[] periods = new double[pairs];
        if (this == EXACT) {
            Arrays.setAll(periods, i -> Math.pow(base, 2.0 * i / d));
            return periods;
        }
        float[] exponents = new float[pairs];
        for (int i = 0; i < pairs; i++) {
            exponents[i] = 2f * i / d;
        }
        float[] powers = TorchPower.of((float) base, exponents);
        Arrays.setAll(periods, i -> powers[i]);
        return periods;
    }

    /** Returns b^(−2i/d), i = 0 … d/2 − 1. */
    double[] inverse(int d, double base) {
        return inverse(d, base, d / 2);
    }

    /** Returns the first of them alone: how many there are decides which power each is by. */
    double[] inverse(int d, double base, int pairs) {
        double[] inverse = periods(d, base, pairs);
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = round(1 / inverse[i]);
        }
        return inverse;
    }
}
