package org.posenc.encoding.rope;

/**
 * Dynamic NTK scaling (emozilla 2023), Hugging Face's type "dynamic": beyond the trained length the
 * base becomes b (s n/L − (s − 1))^(d/(d−2)). With s = 1 it is {@link NtkAware} with the factor n/L
 * that the length asks for, the form of <a href="https://arxiv.org/abs/2309.00071">Peng et al.
 * 2023</a>, section 3.3.
 *
 * <p>Here it is a function of n alone. In transformers it also depends on the lengths a model saw
 * before.
 *
 * @param factor s, at least 1
 * @param trainedLength L, in tokens, at least 1: {@code max_position_embeddings}, never the
 *     original length
 */
public record DynamicNtk(double factor, long trainedLength) implements RopeScaling {

    /** Checks both. */
    public DynamicNtk {
        ScalingArguments.factor(factor);
        ScalingArguments.length(1, trainedLength, "the trained length");
    }

    /** {@inheritDoc} */
    @Override
    public RopeFrequencies frequencies(
            int rotaryDimension, double base, long length, RopePrecision precision) {
        ScalingArguments.frequencies(rotaryDimension, base, length);
        ScalingArguments.ntkDimension(rotaryDimension);
        double b = base;
        if (length > trainedLength) {
            RopePrecision p =
                    precision == RopePrecision.HUGGING_FACE ? precision : RopePrecision.EXACT;
            double ratio =
                    p.round(p.round(p.round(factor) * p.round(length)) / p.round(trainedLength));
            double growth = p.round(ratio - p.round(factor - 1));
            double exponent = (double) rotaryDimension / (rotaryDimension - 2); // stays a double
            b = p.round(p.round(base) * p.round(Math.pow(growth, exponent)));
        }
        return new RopeFrequencies(precision.inverse(rotaryDimension, b), 1);
    }

    /** {@inheritDoc} */
    @Override
    public boolean dependsOnLength() {
        return true;
    }
}
