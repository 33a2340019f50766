package org.posenc.encoding.rope;

/**
 * The first NTK-by-parts, as released before the paper ({@code LlamaPartNTKScaledRotaryEmbedding}
 * of <a href="https://github.com/jquesnelle/yarn">jquesnelle/yarn</a>): a three-way blend, first of
 * position interpolation with {@link NtkAware} where pairs turn about once within the original
 * length, then of that with unchanged frequencies where they turn 2 to 16 times:
 *
 * <pre>
 * h_i = (1 − u_i) θ_i / s + u_i θ'_i,  u = f_ntk (1 − ramp(1.25, 0.75)),  θ' of base b s^(d/(d−2))
 * (1 − v_i) h_i + v_i θ_i,             v = f_ext (1 − ramp(16, 2))
 * </pre>
 *
 * <p>The ramps are those of {@link Yarn}, whole pairs.
 *
 * @param factor s, at least 1
 * @param originalLength O, the length of the pre-training in tokens, at least 1
 * @param ntkFactor f_ntk, from 0 to 1
 * @param extrapolationFactor f_ext, from 0 to 1
 */
public record NtkByPartsV1(
        double factor, long originalLength, double ntkFactor, double extrapolationFactor)
        implements RopeScaling {

    /** Checks all. */
    public NtkByPartsV1 {
        ScalingArguments.factor(factor);
        ScalingArguments.length(1, originalLength, "the original length");
        share(ntkFactor, "the NTK factor");
        share(extrapolationFactor, "the extrapolation factor");
    }

    /**
     * Returns the blend as released, both factors 1.
     *
     * @param factor s
     * @param originalLength O
     * @return the scaling
     */
    public static NtkByPartsV1 of(double factor, long originalLength) {
        return new NtkByPartsV1(factor, originalLength, 1, 1);
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        RopePrecision p = precision;
        int d = rotaryDimension;
        DimensionRamp once = DimensionRamp.between(1.25, 0.75, d, base, originalLength, true);
        DimensionRamp often = DimensionRamp.between(16, 2, d, base, originalLength, true);
        double s = p.round(factor);
        double[] periods = p.periods(d, base);
        double[] ntk = p.inverse(d, new NtkAware(factor).scaledBase(d, base));
        double[] inverse = new double[periods.length];
        for (int i = 0; i < inverse.length; i++) {
            double linear = p.round(1 / p.round(s * periods[i]));
            double unchanged = p.round(1 / periods[i]);
            double low = blend(linear, ntk[i], once.at(i, p), ntkFactor, p);
            inverse[i] = blend(low, unchanged, often.at(i, p), extrapolationFactor, p);
        }
        return new RopeFrequencies(inverse, 1);
    }

    /** Returns (1 − u) a + u b, u = f (1 − ramp). */
    private static double blend(double a, double b, double ramp, double f, RopePrecision p) {
        double u = p.round(p.round(1 - ramp) * p.round(f));
        return p.round(p.round(a * p.round(1 - u)) + p.round(b * u));
    }

    private static void share(double value, String what) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(what + " must be in [0, 1], got " + value);
        }
    }
}
