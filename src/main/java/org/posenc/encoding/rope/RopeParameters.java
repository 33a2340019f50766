package org.posenc.encoding.rope;

/**
 * All that decides RoPE's angles: what a configuration says, what diagnostics read.
 *
 * @param headDimension D, at least 2
 * @param rotaryDimension d, how many components of a head turn: even, from 2 to D
 * @param base b, positive
 * @param scaling how the frequencies are changed
 */
public record RopeParameters(
        int headDimension, int rotaryDimension, double base, RopeScaling scaling) {

    /** Checks each, and that the scaling fits the rotary dimension and the base. */
    public RopeParameters {
        if (scaling == null) {
            throw new IllegalArgumentException(
                    "RoPE needs a scaling, Default() for none, got null");
        }
        ScalingArguments.rotaryDimension(rotaryDimension);
        if (rotaryDimension > headDimension) {
            throw new IllegalArgumentException(
                    "the rotary dimension must be at most the head dimension of "
                            + headDimension
                            + ", got "
                            + rotaryDimension);
        }
        if (scaling instanceof Proportional && rotaryDimension != headDimension) {
            throw new IllegalArgumentException(
                    "proportional RoPE's rotary dimension is the head dimension of "
                            + headDimension
                            + ", got "
                            + rotaryDimension);
        }
        // Whatever the scaling refuses, it refuses at every length.
        scaling.frequencies(rotaryDimension, base, 1, RopePrecision.EXACT);
    }

    /**
     * Returns RoPE that turns whole heads.
     *
     * @param headDimension D, even
     * @param base b
     * @param scaling the scaling
     * @return the parameters
     */
    public static RopeParameters of(int headDimension, double base, RopeScaling scaling) {
        return new RopeParameters(headDimension, headDimension, base, scaling);
    }

    /**
     * Returns RoPE that turns the first components of each head (GPT-NeoX, Phi, StableLM).
     *
     * @param headDimension D
     * @param part in (0, 1]; d = ⌊D part⌋ must be even and at least 2
     * @param base b
     * @param scaling the scaling
     * @return the parameters
     */
    public static RopeParameters partial(
            int headDimension, double part, double base, RopeScaling scaling) {
        ScalingArguments.part(part, "the part that turns");
        return new RopeParameters(headDimension, (int) (headDimension * part), base, scaling);
    }

    /**
     * Computes the frequencies at a length.
     *
     * @param length the declared length of the context in tokens, at least 1
     * @param precision the arithmetic
     * @return d/2 frequencies and the attention scaling
     */
    public RopeFrequencies frequencies(long length, RopePrecision precision) {
        return scaling.frequencies(rotaryDimension, base, length, precision);
    }
}
