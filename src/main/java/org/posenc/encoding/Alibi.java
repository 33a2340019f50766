package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Attention with linear biases (ALiBi, <a href="https://arxiv.org/abs/2108.12409">Press et al.
 * 2022</a>).
 *
 * <p>b_h(i, j) = −m_h |i − j| for a query at position i and a key at position j, which may be any
 * real numbers. For H a power of two, m_h = 2^(−8h/H), h = 1 … H; otherwise the slopes of the power
 * below, followed by every other slope of the power above. The causal form leaves keys after the
 * query at 0 instead, for attention that masks them anyway.
 */
public final class Alibi extends DistanceBias {

    private static final byte VERSION = 1;

    private final boolean causal;
    private final DeviceConstant slopes; // (H, 1, 1)

    private Alibi(Builder builder) {
        super(VERSION, builder.heads);
        causal = builder.causal;
        slopes = new DeviceConstant(slopes(builder.heads), new Shape(builder.heads, 1, 1));
    }

    /**
     * Returns a builder.
     *
     * @return a builder of the symmetric form; heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the slopes.
     *
     * @param heads H, at least 1
     * @return m_h
     */
    public static double[] slopes(int heads) {
        int power = Integer.highestOneBit(Checks.atLeast(1, heads, "heads"));
        double[] slopes = new double[heads];
        for (int h = 0; h < heads; h++) {
            slopes[h] =
                    h < power
                            ? Math.pow(2, -8.0 * (h + 1) / power)
                            : Math.pow(2, -8.0 * (2 * (h - power) + 1) / (2 * power));
        }
        return slopes;
    }

    /** {@inheritDoc} */
    @Override
    protected NDArray biases(
            NDArray distances, DataType type, ParameterStore parameters, boolean training) {
        try (NDArray fall = fall(distances); // (…, T, S)
                NDArray typed = Cast.to(fall, type, true);
                NDArray narrow = typed.expandDims(-3)) { // (…, 1, T, S)
            return narrow.mul(slopes.beside(narrow, type)); // (…, H, T, S)
        }
    }

    private NDArray fall(NDArray distances) {
        if (causal) {
            return Scalars.minimum(distances, 0);
        }
        try (NDArray apart = distances.abs()) {
            return apart.neg();
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration() + (causal ? ", causal" : ", symmetric");
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "alibi",
                "attention with linear biases (ALiBi, Press et al. 2022)",
                (site, settings) ->
                        builder()
                                .setHeads(site.heads())
                                .optCausal(
                                        settings.automatic("causal")
                                                ? site.causal()
                                                : settings.flag("causal"))
                                .build(),
                new Settings.Key(
                        "causal", "auto", "true, false or auto: as the attention it is made for"));
    }

    /** Builds {@link Alibi}. */
    public static final class Builder {

        private int heads;
        private boolean causal;

        private Builder() {}

        /**
         * Sets the number of heads.
         *
         * @param heads H, any number from 1
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the form.
         *
         * @param causal whether keys after the query have no bias; false where it is not set
         * @return this builder
         */
        public Builder optCausal(boolean causal) {
            this.causal = causal;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the number of heads is missing
         */
        public Alibi build() {
            return new Alibi(this);
        }
    }
}
