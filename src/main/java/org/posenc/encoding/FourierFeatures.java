package org.posenc.encoding;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Fixed Fourier features (<a href="https://arxiv.org/abs/2006.10739">Tancik et al. 2020</a>; <a
 * href="https://arxiv.org/abs/2003.08934">NeRF</a>).
 *
 * <p>φ(x) = [sin(c B x) ; cos(c B x)] with frequencies B (K, M) and c = 2π: (…, M) → (…, D), D =
 * 2K. Each row has the norm √K exactly. φ(x)·φ(y) = Σ_k cos(c b_k·(x − y)), so that the inner
 * product depends on the difference alone. Angles are taken in double precision.
 */
public final class FourierFeatures extends FeaturesBlock {

    private static final byte VERSION = 1;

    private static final Settings.Key SCALE =
            new Settings.Key(
                    "scale", "auto", "multiplies positions; auto: maps the extent to [0, 1)");

    /** How sines and cosines are laid out. */
    public enum Order {
        /** All sines, then all cosines (Tancik's notebooks; nerfstudio). */
        SINES_COSINES,
        /** All cosines, then all sines (Tancik et al., eq. 5). */
        COSINES_SINES,
        /** Sines, then cosines, of the first coordinate, then of the second, and so on. */
        BY_AXIS,
        /** sin, cos, sin, cos, …, frequency by frequency (NeRF, eq. 4). */
        INTERLEAVED
    }

    /** What a frequency of 1 is: public code has three conventions. */
    public enum Unit {
        /** One cycle a unit, c = 2π (Tancik et al.; nerfstudio). */
        CYCLES(2 * Math.PI),
        /** Half a cycle a unit, c = π (NeRF, eq. 4). */
        HALF_CYCLES(Math.PI),
        /** One radian a unit, c = 1 (NeRF's code). */
        RADIANS(1);

        private final double radians;

        Unit(double radians) {
            this.radians = radians;
        }
    }

    private final FourierFrequencies frequencies;
    private final Order order;
    private final Unit unit;
    private final double scale;
    private final double norm; // of a row, or 1 where rows are left as they are
    private double[][] b; // (K, M)
    private DeviceConstant angular; // (M, K), c Bᵀ

    private FourierFeatures(Builder builder) {
        super(VERSION, builder.positionDimension, builder.dimension);
        frequencies = builder.frequencies;
        order = builder.order();
        unit = builder.unit;
        scale = builder.scale;
        int m = builder.positionDimension;
        int k = Checks.even(builder.dimension, "dimension") / 2;
        norm = builder.normalized ? Math.sqrt(k) : 1;
        b = frequencies.matrix(k, m);
        angular = angular();
    }

    /** The features of one coordinate alone, where all coordinates have the same frequencies. */
    private FourierFeatures(FourierFeatures plane) {
        super(VERSION, 1, plane.featureDimension() / plane.positionDimension());
        frequencies = plane.frequencies;
        order = plane.order;
        unit = plane.unit;
        scale = plane.scale;
        norm = plane.norm;
        b = frequencies.matrix(featureDimension() / 2, 1);
        angular = angular();
    }

    /**
     * Returns a builder.
     *
     * @return a builder for one coordinate in cycles; frequencies and dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * One cycle a unit along each axis: [sin 2πx ; cos 2πx], the "basic" features of Tancik et al.
     *
     * @param positionDimension M
     * @return 2M features, all sines first
     */
    public static FourierFeatures basic(int positionDimension) {
        return builder()
                .setFrequencies(new FourierFrequencies.Linear(0))
                .setDimension(2 * positionDimension)
                .optPositionDimension(positionDimension)
                .optOrder(Order.SINES_COSINES)
                .build();
    }

    /**
     * Returns what the frequencies were made by.
     *
     * @return the frequencies' family
     */
    public FourierFrequencies frequencies() {
        return frequencies;
    }

    /**
     * Returns the frequencies themselves.
     *
     * @return a copy of B (K, M)
     */
    public double[][] matrix() {
        return Arrays.stream(b).map(double[]::clone).toArray(double[][]::new);
    }

    /**
     * Returns how many cycles per unit of position a frequency of 1 is.
     *
     * @return c times the scale of positions, over 2π
     */
    public double cyclesPerUnit() {
        return unit.radians * scale / (2 * Math.PI);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        checkDimension(positions);
        int m = positionDimension();
        NDArray real = positions.real(DataType.FLOAT64);
        NDArray x = m == 1 ? real.expandDims(-1) : real; // (…, M)
        NDArray angles = x.matMul(angular.beside(x, DataType.FLOAT64)); // (…, K)
        Shape points = angles.getShape().slice(0, angles.getShape().dimension() - 1);
        if (order == Order.BY_AXIS) {
            angles = angles.reshape(points.add(m).add(featureDimension() / 2 / m)); // (…, M, K/M)
        }
        NDArray sines = angles.sin();
        NDArray cosines = angles.cos();
        NDArray waves =
                switch (order) {
                    case SINES_COSINES, BY_AXIS -> sines.concat(cosines, -1);
                    case COSINES_SINES -> cosines.concat(sines, -1);
                    case INTERLEAVED -> NDArrays.stack(new NDList(sines, cosines), -1);
                };
        NDArray features = waves.reshape(points.add(featureDimension())); // (…, D)
        if (norm != 1) {
            features = Scalars.div(features, norm);
        }
        return Cast.to(features, featureType(positions), training);
    }

    /** {@inheritDoc} */
    @Override
    public List<PositionFeatures> separated() {
        boolean axisAfterAxis = order == Order.BY_AXIS || order == Order.INTERLEAVED;
        if (!frequencies.byAxis() || !axisAfterAxis || positionDimension() == 1) {
            return super.separated();
        }
        return Collections.nCopies(positionDimension(), new FourierFeatures(this));
    }

    /**
     * Returns the similarity of positions at a distance, mean cos(c b_k u): the inner product of
     * their features over that of one with itself.
     *
     * @param u the distance
     * @return between −1 and 1
     * @throws IllegalArgumentException if positions have several coordinates
     */
    public double similarity(double u) {
        if (positionDimension() != 1) {
            throw new IllegalArgumentException(
                    "the similarity at a distance is that of one coordinate, got "
                            + positionDimension());
        }
        double sum = 0;
        for (double[] row : b) {
            sum += Math.cos(unit.radians * scale * row[0] * u);
        }
        return sum / b.length;
    }

    private DeviceConstant angular() {
        int k = b.length;
        double[] transposed = new double[positionDimension() * k];
        for (int i = 0; i < transposed.length; i++) {
            transposed[i] = unit.radians * scale * b[i % k][i / k];
        }
        return new DeviceConstant(transposed, new Shape(positionDimension(), k));
    }

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) throws IOException {
        super.saveMetadata(os);
        if (frequencies.drawn()) {
            for (double[] row : b) {
                for (double frequency : row) {
                    os.writeDouble(frequency);
                }
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is)
            throws IOException, MalformedModelException {
        super.loadMetadata(loadVersion, is);
        if (frequencies.drawn()) {
            double[][] loaded = new double[b.length][positionDimension()];
            for (double[] row : loaded) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = is.readDouble();
                }
            }
            b = loaded;
            angular = angular();
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return (frequencies instanceof FourierFrequencies.Random random
                        ? "Random[sigma=" + random.sigma() + "]"
                        : frequencies)
                + ", order "
                + Settings.nameOf(order)
                + ", unit "
                + Settings.nameOf(unit)
                + ", scale "
                + scale
                + (norm == 1 ? "" : ", normalized");
    }

    static List<NamedEncoding> named() {
        Settings.Key highest =
                new Settings.Key(
                        "highest",
                        "auto",
                        "p, the frequencies go from 1 to 2^p; auto: log2(length / 16), at least 1");
        return List.of(
                NamedEncoding.concatenated(
                        "basic",
                        "one sine and one cosine for each coordinate (Tancik et al. 2020)",
                        (space, settings) -> {
                            int m = space.positionDimension();
                            return builder()
                                    .setFrequencies(new FourierFrequencies.Linear(0))
                                    .setDimension(2 * m)
                                    .optPositionDimension(m)
                                    .optOrder(Order.SINES_COSINES)
                                    .optScale(settings.number("scale", 1 / space.extent()))
                                    .build();
                        },
                        SCALE),
                entry(
                        "random-fourier",
                        "random Fourier features (Tancik et al. 2020)",
                        (space, settings) ->
                                new FourierFrequencies.Random(
                                        settings.number("sigma", space.length() / 50.0),
                                        space.seed()),
                        new Settings.Key(
                                "sigma",
                                "auto",
                                "spread of the frequencies, over scaled positions; auto: length /"
                                        + " 50")),
                entry(
                        "linear-frequencies",
                        "Fourier features of evenly spaced frequencies",
                        (space, settings) ->
                                new FourierFrequencies.Linear(highest(space, settings)),
                        highest),
                entry(
                        "log-frequencies",
                        "Fourier features of geometric frequencies (NeRF: highest = L − 1)",
                        (space, settings) ->
                                new FourierFrequencies.Logarithmic(highest(space, settings)),
                        highest));
    }

    private static double highest(Space space, Settings settings) {
        double automatic = Math.max(1, Math.log(space.length() / 16.0) / Math.log(2));
        return settings.number("highest", automatic);
    }

    private static NamedEncoding entry(
            String name,
            String summary,
            BiFunction<Space, Settings, FourierFrequencies> frequencies,
            Settings.Key own) {
        return NamedEncoding.ofFeatures(
                name,
                summary,
                (space, settings) -> {
                    Builder builder =
                            builder()
                                    .setFrequencies(frequencies.apply(space, settings))
                                    .setDimension(space.featureDimension())
                                    .optPositionDimension(space.positionDimension())
                                    .optUnit(settings.choice("unit", Unit.class))
                                    .optScale(settings.number("scale", 1 / space.extent()))
                                    .optNormalized(settings.flag("normalized"));
                    return settings.automatic("order")
                            ? builder.build()
                            : builder.optOrder(settings.choice("order", Order.class)).build();
                },
                own,
                new Settings.Key(
                        "order",
                        "auto",
                        "sines-cosines, cosines-sines, by-axis or interleaved; auto: by-axis, and"
                                + " sines-cosines for random frequencies"),
                new Settings.Key("unit", "cycles", "cycles (2πbx), half-cycles (πbx) or radians"),
                SCALE,
                new Settings.Key("normalized", "false", "whether rows have the norm 1"));
    }

    /** Builds {@link FourierFeatures}. */
    public static final class Builder {

        private FourierFrequencies frequencies;
        private int dimension;
        private int positionDimension = 1;
        private Order order;
        private Unit unit = Unit.CYCLES;
        private double scale = 1;
        private boolean normalized;

        private Builder() {}

        /**
         * Sets the frequencies.
         *
         * @param frequencies gives B
         * @return this builder
         */
        public Builder setFrequencies(FourierFrequencies frequencies) {
            this.frequencies = frequencies;
            return this;
        }

        /**
         * Sets the number of features.
         *
         * @param dimension D = 2K; a multiple of 2M where each frequency has one axis
         * @return this builder
         */
        public Builder setDimension(int dimension) {
            this.dimension = dimension;
            return this;
        }

        /**
         * Sets the number of coordinates.
         *
         * @param positionDimension M; 1 where it is not set
         * @return this builder
         */
        public Builder optPositionDimension(int positionDimension) {
            this.positionDimension = Checks.atLeast(1, positionDimension, "position dimension");
            return this;
        }

        /**
         * Sets the order.
         *
         * @param order {@link Order#BY_AXIS} where it is not set and each frequency has one axis,
         *     else {@link Order#SINES_COSINES}
         * @return this builder
         */
        public Builder optOrder(Order order) {
            this.order = order;
            return this;
        }

        /**
         * Sets what a frequency of 1 is.
         *
         * @param unit cycles where it is not set
         * @return this builder
         */
        public Builder optUnit(Unit unit) {
            this.unit = unit;
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
         * Sets whether features are divided by √K, which makes every row's norm 1.
         *
         * @param normalized false where it is not set
         * @return this builder
         */
        public Builder optNormalized(boolean normalized) {
            this.normalized = normalized;
            return this;
        }

        /**
         * Builds the features.
         *
         * @return a new block
         * @throws IllegalArgumentException if frequencies are missing, or the dimension does not
         *     fit them
         */
        public FourierFeatures build() {
            if (frequencies == null) {
                throw new IllegalArgumentException("Fourier features need frequencies");
            }
            if (order == Order.BY_AXIS || frequencies.byAxis()) {
                Checks.divided(dimension, 2 * positionDimension, "dimension");
            }
            return new FourierFeatures(this);
        }

        private Order order() {
            if (order != null) {
                return order;
            }
            return frequencies.byAxis() ? Order.BY_AXIS : Order.SINES_COSINES;
        }
    }
}
