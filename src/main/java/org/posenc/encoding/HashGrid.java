package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.GridInterpolation;
import org.posenc.kernel.Scalars;

/**
 * The multiresolution hash encoding of Instant-NGP (<a
 * href="https://arxiv.org/abs/2201.05989">Müller et al. 2022</a>, section 3).
 *
 * <p>Level l = 0 … L − 1 is a grid of N_l = ⌊N_min b^l⌋ cells along each axis of [0, 1]^M, with b =
 * (N_max / N_min)^(1/(L−1)). Each corner has F learned features; a point's are interpolated
 * linearly along each axis between the corners of its cell, and the levels stand one after the
 * other: (…, M) → (…, L·F).
 *
 * <p>Where a level's (N_l + 1)^M corners fit in T rows each has its own. Otherwise corner c has the
 * row ((c_0 π_0) xor (c_1 π_1) xor (c_2 π_2)) mod T, in 32 bits without sign, with π = (1,
 * 2654435761, 805459861), and corners that collide share their features.
 *
 * <p>All features start as U(±10⁻⁴). Their gradients are sparse and small: the paper trains them by
 * Adam with a learning rate of 10⁻² and an ε of 10⁻¹⁵, without weight decay. Coordinates beyond [0,
 * 1] have the features of the nearest edge.
 */
public final class HashGrid extends FeaturesBlock {

    private static final byte VERSION = 1;
    private static final double BOUND = 1e-4;
    private static final long[] PRIMES = {1, 2_654_435_761L, 805_459_861};

    private final int[] resolutions;
    private final int tableSize;
    private final int featuresPerLevel;
    private final boolean hashed;
    private final double scale;
    private final int numbered; // levels in which each corner has its own row
    private final DeviceConstant sides;
    private final DeviceConstant strides;
    private final DeviceConstant first;
    private final Parameter table;

    private HashGrid(Builder builder) {
        super(
                VERSION,
                builder.positionDimension,
                Math.multiplyExact(builder.levels, builder.featuresPerLevel));
        int m = positionDimension();
        resolutions = builder.resolutions();
        tableSize = builder.tableSize;
        featuresPerLevel = builder.featuresPerLevel;
        hashed = builder.hashed;
        scale = builder.scale;
        int levels = resolutions.length;
        int own = 0;
        long rows = 0;
        double[] firsts = new double[levels];
        double[] steps = new double[levels * m];
        for (int l = 0; l < levels; l++) {
            double corners = Math.pow(resolutions[l] + 1.0, m);
            boolean fits = !hashed && corners <= tableSize;
            firsts[l] = rows;
            rows += fits ? (long) corners : tableSize;
            own += fits ? 1 : 0;
            for (int i = 0; i < m; i++) {
                steps[l * m + i] = fits ? Math.pow(resolutions[l] + 1.0, i) : PRIMES[i];
            }
        }
        if (rows * featuresPerLevel > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "tables must hold less than 2^31 numbers, got "
                            + rows
                            + " rows of "
                            + featuresPerLevel);
        }
        numbered = own;
        double[] cells = new double[levels];
        for (int l = 0; l < levels; l++) {
            cells[l] = resolutions[l];
        }
        sides = new DeviceConstant(cells);
        strides = new DeviceConstant(steps, new Shape(levels, m));
        first = new DeviceConstant(firsts);
        table =
                parameter(
                        "table",
                        Parameter.Type.WEIGHT,
                        SeededInitializer.uniform(BOUND, builder.seed, "table"),
                        rows,
                        featuresPerLevel);
    }

    /**
     * Returns a builder.
     *
     * @return a builder for one coordinate, 16 levels from 16 to 512 cells with 2 features each, in
     *     tables of 2¹⁴ rows
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the number of cells along an axis on each level.
     *
     * @return N_0, …, N_{L−1}, a copy
     */
    public int[] resolutions() {
        return resolutions.clone();
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        checkDimension(positions);
        int m = positionDimension();
        Shape shape = positions.array().getShape();
        Shape points = m == 1 ? shape : shape.slice(0, shape.dimension() - 1); // (…)
        DataType type = featureType(positions);
        try (NDArray scaled = Scalars.mul(positions.real(type), scale);
                NDArray x = scaled.reshape(-1, m); // (P, M)
                NDArray y =
                        GridInterpolation.of(
                                x,
                                value(table, positions, parameters, training),
                                sides.beside(x, type),
                                strides.beside(x, DataType.FLOAT64),
                                first.beside(x, DataType.FLOAT64),
                                numbered,
                                tableSize,
                                training)) { // (P, L F)
            return y.reshape(points.add(featureDimension())); // (…, L F)
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "levels "
                + resolutions.length
                + " from "
                + resolutions[0]
                + " to "
                + resolutions[resolutions.length - 1]
                + ", table "
                + tableSize
                + (hashed ? " always hashed" : "")
                + ", scale "
                + scale;
    }

    static NamedEncoding named() {
        return NamedEncoding.concatenated(
                "hash-grid",
                "learned features at the corners of grids of many resolutions (Instant-NGP, Müller"
                        + " et al. 2022)",
                (space, settings) -> {
                    int finest = settings.integer("finest", space.length());
                    return builder()
                            .optPositionDimension(space.positionDimension())
                            .optLevels(settings.integer("levels"))
                            .optFeaturesPerLevel(settings.integer("features"))
                            .optTableSize(settings.integer("table"))
                            .optResolutions(
                                    settings.integer("coarsest", Math.min(16, finest)), finest)
                            .optScale(settings.number("scale", 1 / space.extent()))
                            .optSeed(space.seed())
                            .build();
                },
                new Settings.Key("levels", "16", "L, number of grids"),
                new Settings.Key("features", "2", "F, features of a corner on each level"),
                new Settings.Key("table", "16384", "T, rows of a level's table at most"),
                new Settings.Key(
                        "coarsest",
                        "auto",
                        "N_min, cells along an axis of the first grid; auto: 16, or as the last"),
                new Settings.Key(
                        "finest",
                        "auto",
                        "N_max, cells along an axis of the last grid; auto: the length"),
                new Settings.Key(
                        "scale", "auto", "multiplies positions; auto: maps the extent to [0, 1)"));
    }

    /** Builds {@link HashGrid}. */
    public static final class Builder {

        /** Cells and rows up to which float32 coordinates and memory are good for. */
        private static final int MOST = 1 << 24;

        private int positionDimension = 1;
        private int levels = 16;
        private int featuresPerLevel = 2;
        private int tableSize = 1 << 14;
        private int coarsest = 16;
        private int finest = 512;
        private boolean hashed;
        private double scale = 1;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of coordinates.
         *
         * @param positionDimension M, 1 to 3; 1 where it is not set
         * @return this builder
         */
        public Builder optPositionDimension(int positionDimension) {
            this.positionDimension =
                    between(1, positionDimension, PRIMES.length, "position dimension");
            return this;
        }

        /**
         * Sets the number of grids.
         *
         * @param levels L, at least 1; 16 where it is not set
         * @return this builder
         */
        public Builder optLevels(int levels) {
            this.levels = Checks.atLeast(1, levels, "levels");
            return this;
        }

        /**
         * Sets the number of features that a corner has on each level.
         *
         * @param featuresPerLevel F, at least 1; 2 where it is not set
         * @return this builder
         */
        public Builder optFeaturesPerLevel(int featuresPerLevel) {
            this.featuresPerLevel = Checks.atLeast(1, featuresPerLevel, "features");
            return this;
        }

        /**
         * Sets how many rows a level's table has at most.
         *
         * @param tableSize T, 1 to 2²⁴; 2¹⁴ where it is not set
         * @return this builder
         */
        public Builder optTableSize(int tableSize) {
            this.tableSize = between(1, tableSize, MOST, "table");
            return this;
        }

        /**
         * Sets the cells along an axis of the first and of the last grid.
         *
         * @param coarsest N_min, at least 1; 16 where it is not set
         * @param finest N_max, at least N_min and at most 2²⁴; 512 where it is not set
         * @return this builder
         */
        public Builder optResolutions(int coarsest, int finest) {
            this.coarsest = Checks.atLeast(1, coarsest, "coarsest resolution");
            this.finest = between(coarsest, finest, MOST, "finest resolution");
            return this;
        }

        /**
         * Sets whether levels are hashed even where each corner could have its own row, as some
         * ports in Python have it.
         *
         * @param hashed false where it is not set
         * @return this builder
         */
        public Builder optAlwaysHashed(boolean hashed) {
            this.hashed = hashed;
            return this;
        }

        /**
         * Sets what positions are multiplied with first: one over the length makes token positions
         * coordinates in [0, 1).
         *
         * @param scale positive; 1 where it is not set
         * @return this builder
         */
        public Builder optScale(double scale) {
            this.scale = Checks.positive(scale, "scale");
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
         */
        public HashGrid build() {
            return new HashGrid(this);
        }

        private int[] resolutions() {
            int[] resolutions = new int[levels];
            for (int l = 0; l < levels; l++) {
                double growth =
                        levels == 1 ? 1 : Math.pow((double) finest / coarsest, l / (levels - 1.0));
                // A product that is a whole number may come out a little below it.
                resolutions[l] = (int) Math.floor(coarsest * growth * (1 + 1e-12));
            }
            return resolutions;
        }

        private static int between(int least, int value, int most, String what) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(
                        what + " must be from " + least + " to " + most + ", got " + value);
            }
            return value;
        }
    }
}
