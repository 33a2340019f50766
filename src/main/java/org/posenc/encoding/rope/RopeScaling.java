package org.posenc.encoding.rope;

/**
 * How RoPE's frequencies are changed for contexts longer than those of training: a pure function of
 * the scaling and the length.
 */
public sealed interface RopeScaling permits RopeScaling.Default {

    /**
     * Computes the frequencies.
     *
     * @param rotaryDimension r, even
     * @param base b
     * @param length the declared length of the context, in tokens
     * @return the frequencies at this length
     */
    RopeFrequencies frequencies(int rotaryDimension, double base, long length);

    /** No change: θ_i = b^(−2i/r) at every length. */
    record Default() implements RopeScaling {

        /** {@inheritDoc} */
        @Override
        public RopeFrequencies frequencies(int rotaryDimension, double base, long length) {
            double[] inverse = new double[rotaryDimension / 2];
            for (int i = 0; i < inverse.length; i++) {
                inverse[i] = Math.pow(base, -2.0 * i / rotaryDimension);
            }
            return new RopeFrequencies(inverse, 1);
        }
    }
}
