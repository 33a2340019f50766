package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;

/**
 * A learned vector for each position (<a href="https://arxiv.org/abs/1705.03122">Gehring et al.
 * 2017</a>; BERT, GPT-2).
 *
 * <p>φ(p) = P[p], p = 0 … L − 1, with a parameter P (L, D) that starts as N(0, 0.02²). Positions
 * are whole numbers, (…) → (…, D). There is no value beyond the table: a position outside it is
 * refused before the gather, from bounds that {@link Positions#bounds} knows without asking the
 * device for consecutive positions and reads once a pass for others.
 */
public final class LearnedTable extends FeaturesBlock {

    private static final byte VERSION = 1;

    private final int length;
    private final Parameter table;

    private LearnedTable(int length, int dimension, Parameter table) {
        super(VERSION, 1, dimension);
        this.length = length;
        this.table = addParameter(table);
    }

    /**
     * Returns a builder.
     *
     * @return a builder; length and dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the number of positions.
     *
     * @return L
     */
    public int length() {
        return length;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        NDArray p = positions.array(); // (…)
        check(positions);
        NDArray rows = parameters.getValue(table, p.getDevice(), training); // (L, D)
        NDArray features = Embedding.embedding(p, rows, SparseFormat.DENSE).singletonOrThrow();
        return Cast.to(features, featureType(positions), training); // (…, D)
    }

    private void check(Positions positions) {
        DataType type = positions.array().getDataType();
        if (type != DataType.INT64 && type != DataType.INT32) {
            throw new IllegalArgumentException(
                    "a learned table takes whole-number positions (int64 or int32), got "
                            + Settings.nameOf(type));
        }
        Positions.Bounds bounds = positions.bounds();
        if (bounds.least() < 0) {
            throw new IllegalArgumentException(
                    "a learned table has no position "
                            + (long) bounds.least()
                            + ", only 0 to "
                            + (length - 1));
        }
        if (bounds.greatest() >= length) {
            throw new IllegalArgumentException(
                    "position "
                            + (long) bounds.greatest()
                            + " is beyond the learned table of length "
                            + length
                            + "; resized("
                            + (long) (bounds.greatest() + 1)
                            + ", …) makes a longer one by interpolation");
        }
    }

    /**
     * Makes a table of another length by linear interpolation with aligned ends: row i of the new
     * one is the old one at i (L − 1)/(L′ − 1), so that the first and the last row stay. (PyTorch:
     * {@code interpolate(mode="linear", align_corners=True)}.)
     *
     * @param newLength L′, at least 1
     * @param manager owns the new table
     * @return a new block with values, in this one's data type
     * @throws IllegalStateException if this table has no values yet
     */
    public LearnedTable resized(int newLength, NDManager manager) {
        Checks.atLeast(1, newLength, "new length");
        if (!table.isInitialized()) {
            throw new IllegalStateException("a table is resized after it was initialised");
        }
        NDArray old = table.getArray();
        double[] rows;
        try (NDArray exact = old.toType(DataType.FLOAT64, true)) {
            rows = exact.toDoubleArray();
        }
        int d = featureDimension();
        NDArray values =
                SeededInitializer.array(
                        manager,
                        new Shape(newLength, d),
                        old.getDataType(),
                        interpolated(rows, length, d, newLength));
        LearnedTable resized = new LearnedTable(newLength, d, parameter().optArray(values).build());
        resized.initialize(manager, old.getDataType(), new Shape(1));
        return resized;
    }

    private static double[] interpolated(double[] rows, int length, int d, int newLength) {
        double[] result = new double[newLength * d];
        double step = newLength == 1 ? 0 : (length - 1.0) / (newLength - 1);
        for (int i = 0; i < newLength; i++) {
            int below = Math.min((int) (i * step), Math.max(0, length - 2));
            int above = Math.min(below + 1, length - 1);
            double part = i * step - below;
            for (int c = 0; c < d; c++) {
                result[i * d + c] = (1 - part) * rows[below * d + c] + part * rows[above * d + c];
            }
        }
        return result;
    }

    private static Parameter.Builder parameter() {
        return Parameter.builder().setName("table").setType(Parameter.Type.WEIGHT);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "length " + length;
    }

    static NamedEncoding named() {
        return NamedEncoding.ofFeatures(
                "learned",
                "a learned vector for each position (BERT, GPT-2; Gehring et al. 2017)",
                (space, settings) -> {
                    if (space.unit()) {
                        throw new IllegalArgumentException(
                                "a learned table takes token positions 0, 1, 2, …; it has no"
                                        + " values for real coordinates");
                    }
                    return builder()
                            .setLength(settings.integer("length", space.length()))
                            .setDimension(space.onOneAxis().featureDimension())
                            .optSeed(space.seed())
                            .build();
                },
                new Settings.Key("length", "auto", "positions in the table; auto: those trained"));
    }

    /** Builds {@link LearnedTable}. */
    public static final class Builder {

        private int length;
        private int dimension;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of positions.
         *
         * @param length L, at least 1
         * @return this builder
         */
        public Builder setLength(int length) {
            this.length = length;
            return this;
        }

        /**
         * Sets the number of features.
         *
         * @param dimension D
         * @return this builder
         */
        public Builder setDimension(int dimension) {
            this.dimension = dimension;
            return this;
        }

        /**
         * Sets what draws the initial values.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the features.
         *
         * @return a new block
         * @throws IllegalArgumentException if length or dimension is missing
         */
        public LearnedTable build() {
            Checks.atLeast(1, length, "length");
            return new LearnedTable(
                    length,
                    dimension,
                    parameter()
                            .optShape(new Shape(length, dimension))
                            .optInitializer(SeededInitializer.normal(0.02, seed, "table"))
                            .build());
        }
    }
}
