package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.encoding.rope.ContextLength;
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
 *
 * <p>Interpolation (<a href="https://arxiv.org/abs/2310.13017">Al-Khateeb et al. 2023</a>) makes a
 * context of n tokens, longer than the L of training, span the biases of training: m_h is
 * multiplied by L / n. A {@link ContextLength} says what n is; unless it is declared, a row's
 * biases change as the row grows, and decoding step by step is not what one full pass is.
 */
public final class Alibi extends DistanceBias {

    private static final byte VERSION = 1;

    private final boolean causal;
    private final DeviceConstant slopes; // (H, 1, 1)
    private final long trainedLength; // L; 0 where nothing is interpolated
    private final ContextLength length;

    private Alibi(Builder builder) {
        super(VERSION, builder.heads);
        causal = builder.causal;
        slopes = new DeviceConstant(slopes(builder.heads), new Shape(builder.heads, 1, 1));
        trainedLength = builder.trainedLength;
        length = builder.length;
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

    /** Those of a context that is longer than the trained length are shrunk to its span. */
    @Override
    NDArray distances(Positions queries, Positions keys) {
        NDArray distances = super.distances(queries, keys); // (…, T, S)
        if (trainedLength == 0) {
            return distances;
        }
        try (distances;
                NDArray longer = longer(keys);
                NDArray stretched = Scalars.mul(distances, trainedLength)) {
            return stretched.div(longer);
        }
    }

    /** max(n, L), (1) or (B, 1, 1), float64: on the device, so that nothing waits for it. */
    private NDArray longer(Positions keys) {
        NDArray j = keys.real(DataType.FLOAT64); // (…, S)
        if (length instanceof ContextLength.Declared declared) {
            return j.getManager()
                    .full(
                            new Shape(1),
                            Math.max(trainedLength, declared.tokens()),
                            DataType.FLOAT64,
                            j.getDevice());
        }
        boolean rows = j.getShape().dimension() == 2 && length instanceof ContextLength.EachRow;
        try (NDArray last = rows ? j.max(new int[] {1}, true).expandDims(2) : j.max();
                NDArray whole = last.floor();
                NDArray n = whole.add(1)) {
            return Scalars.maximum(n, trainedLength);
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
        return super.configuration()
                + (causal ? ", causal" : ", symmetric")
                + (trainedLength == 0
                        ? ""
                        : ", interpolated beyond " + trainedLength + " of length " + length);
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "alibi",
                "attention with linear biases (ALiBi, Press et al. 2022)",
                (site, settings) -> {
                    Builder builder =
                            builder()
                                    .setHeads(site.heads())
                                    .optCausal(
                                            settings.automatic("causal")
                                                    ? site.causal()
                                                    : settings.flag("causal"));
                    ContextLength length = ContextLength.of(settings);
                    return settings.text("interpolate").equals("none")
                            ? builder.build()
                            : builder.optInterpolation(settings.integer("interpolate"), length)
                                    .build();
                },
                new Settings.Key(
                        "causal", "auto", "true, false or auto: as the attention it is made for"),
                new Settings.Key(
                        "interpolate",
                        "none",
                        "trained length beyond which slopes are lowered; none: they stay"),
                new Settings.Key(
                        "length",
                        "each-row",
                        "what counts as length to interpolate: each-row, whole-batch or a number"
                                + " of tokens"));
    }

    /** Builds {@link Alibi}. */
    public static final class Builder {

        private int heads;
        private boolean causal;
        private long trainedLength;
        private ContextLength length;

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
         * Lowers the slopes where the context is longer than in training.
         *
         * @param trainedLength L in tokens, at least 1
         * @param length what counts as the length n of a context
         * @return this builder
         * @throws IllegalArgumentException if the trained length is smaller
         */
        public Builder optInterpolation(long trainedLength, ContextLength length) {
            if (trainedLength < 1) {
                throw new IllegalArgumentException(
                        "the trained length must be at least 1, got " + trainedLength);
            }
            this.trainedLength = trainedLength;
            this.length = length;
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
