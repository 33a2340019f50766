package org.posenc.encoding;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Shifted copies of a basis function (<a href="https://arxiv.org/abs/2107.02561">Zheng et al.
 * 2021</a>; <a href="https://arxiv.org/abs/2205.08987">2022</a>).
 *
 * <p>φ_j(x) = ψ(x − t_j) with d centres t_j = a + j (b − a)/d over the range [a, b), the end left
 * out. In the periodic form x − t_j is taken around the circle of length b − a; otherwise copies
 * fade out at both ends, and a position well outside the range has features 0.
 *
 * <p>In the mirrored form, which is not the paper's, both ends of the range are mirrors, in which
 * centres are seen: φ_j(x) = Σ_k ψ(x − t_j − 2kL) + ψ(x − (2a − t_j) − 2kL), with L = b − a and t_j
 * = a + (j + ½) L/d. Nothing fades, and a function made of these features of an even ψ is even
 * about a and b, as one made of the cosines of a DCT-II is.
 *
 * <p>Several coordinates have D/K centres in each of K {@link Directions}, one direction after the
 * other: (…, M) → (…, D).
 *
 * <p>Rows may be divided by one number for the whole encoding, the greatest norm of a row: over the
 * range, or over given points such as those of training. It is fixed when the block is built, so
 * that training and test share it.
 */
public final class ShiftedBasis extends FeaturesBlock {

    private static final byte VERSION = 1;

    /** Points of the range whose rows are measured for its greatest norm. */
    private static final int MEASURED = 1024;

    /** Along which lines of the space centres lie. */
    public enum Directions {
        /** Along each of the M axes. */
        AXES,
        /** For M = 2: along x₀, x₁, (x₀ + x₁)/2 and (x₀ − x₁ + a + b)/2. */
        AXES_AND_DIAGONALS
    }

    private BasisFunction basis;
    private final double from;
    private final double to;
    private final boolean periodic;
    private final List<Image> images;
    private final Directions directions;
    private double norm;
    private final double[] centres;
    private final DeviceConstant centre; // (D/K)
    private final DeviceConstant mix; // (M, K), coordinates to directions
    private final DeviceConstant shift; // (K)

    /**
     * What is seen of a centre: the centre itself, or where it is seen in a mirror. Positions are
     * not mirrored in its place, so that rectangles, which have only one of their ends, all have
     * the same.
     */
    private record Image(double sign, double shift) {

        private static final Image SELF = new Image(1, 0);

        double of(double t) {
            return sign * t + shift;
        }

        NDArray of(NDArray t) {
            return equals(SELF) ? t : Scalars.mul(t, sign).add(shift);
        }

        /** Those that have a centre as near as a reach to some position in [a, b]. */
        static List<Image> inMirrors(double a, double b, double reach) {
            double period = 2 * (b - a);
            int most = (int) Math.ceil(reach / period);
            List<Image> images = new ArrayList<>();
            images.add(SELF);
            for (int k = -most; k <= most + 1; k++) {
                if (k != 0 && (Math.abs(k) - 0.5) * period < reach) {
                    images.add(new Image(1, k * period));
                }
                if ((Math.abs(k - 0.5) - 0.5) * period < reach) {
                    images.add(new Image(-1, 2 * a + k * period));
                }
            }
            return images;
        }
    }

    private ShiftedBasis(Builder builder) {
        super(VERSION, builder.positionDimension, builder.dimension);
        basis = builder.basis;
        from = builder.from;
        to = builder.to;
        periodic = builder.periodic;
        images = builder.images();
        directions = builder.directions;
        double[][] rows = builder.directionRows();
        centres = new double[Checks.divided(builder.dimension, rows.length, "dimension")];
        for (int j = 0; j < centres.length; j++) {
            centres[j] = from + (j + (builder.mirrored ? 0.5 : 0)) * range() / centres.length;
        }
        centre = new DeviceConstant(centres);
        int m = builder.positionDimension;
        double[] columns = new double[m * rows.length];
        double[] shifts = new double[rows.length];
        for (int k = 0; k < rows.length; k++) {
            for (int c = 0; c < m; c++) {
                columns[c * rows.length + k] = rows[k][c];
            }
            shifts[k] = rows[k][m];
        }
        mix = new DeviceConstant(columns, new Shape(m, rows.length));
        shift = new DeviceConstant(shifts);
        norm = builder.normalized ? greatestNorm(rows, builder.reference) : 1;
    }

    /** The features of one coordinate alone of a basis with centres along the axes. */
    private ShiftedBasis(ShiftedBasis plane) {
        super(VERSION, 1, plane.centres.length);
        basis = plane.basis;
        from = plane.from;
        to = plane.to;
        periodic = plane.periodic;
        images = plane.images;
        directions = Directions.AXES;
        norm = plane.norm;
        centres = plane.centres;
        centre = plane.centre;
        mix = plane.mix;
        shift = plane.shift;
    }

    /**
     * Returns a builder.
     *
     * @return a builder for one coordinate in [0, 1), neither periodic nor normalised; basis and
     *     dimension must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the function that is shifted.
     *
     * @return ψ
     */
    public BasisFunction basis() {
        return basis;
    }

    /**
     * Returns the length of the range.
     *
     * @return b − a
     */
    public double range() {
        return to - from;
    }

    /**
     * Returns along which lines centres lie.
     *
     * @return the directions
     */
    public Directions directions() {
        return directions;
    }

    /**
     * Returns what features are divided by.
     *
     * @return the greatest norm of a row, or 1 where rows are left as they are
     */
    public double norm() {
        return norm;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        checkDimension(positions);
        NDArray real = positions.real(DataType.FLOAT64);
        NDArray x = positionDimension() == 1 ? real.expandDims(-1) : real; // (…, M)
        if (directions == Directions.AXES_AND_DIAGONALS) {
            x =
                    x.matMul(mix.beside(x, DataType.FLOAT64))
                            .add(shift.beside(x, DataType.FLOAT64)); // (…, K)
        }
        NDArray copies = copies(x, images.get(0)); // (…, K, D/K)
        for (Image image : images.subList(1, images.size())) {
            copies = copies.add(copies(x, image));
        }
        Shape points = x.getShape().slice(0, x.getShape().dimension() - 1);
        NDArray features = copies.reshape(points.add(featureDimension())); // (…, D)
        if (norm != 1) {
            features = Scalars.div(features, norm);
        }
        return Cast.withoutTails(features, featureType(positions), training);
    }

    /** ψ(x − t_j) with the images of t_j. What is made on the way is as large, and freed. */
    private NDArray copies(NDArray x, Image image) {
        NDArray copies;
        try (NDScope temporaries = new NDScope()) {
            NDArray t = image.of(centre.beside(x, DataType.FLOAT64));
            NDArray u = x.expandDims(-1).sub(t); // (…, K, D/K)
            if (periodic) {
                NDArray turns = Scalars.div(u, range());
                u = Scalars.mul(turns.sub(turns.add(0.5).floor()), range());
            }
            copies = basis.values(u);
            NDScope.unregister(copies);
        }
        NDScope.register(copies); // with the scope of the caller, if he has one
        return copies;
    }

    /** {@inheritDoc} */
    @Override
    public List<PositionFeatures> separated() {
        if (directions != Directions.AXES || positionDimension() == 1) {
            return super.separated();
        }
        return Collections.nCopies(positionDimension(), new ShiftedBasis(this));
    }

    /** The greatest norm of the points' rows or, without points, of any row over the range. */
    private double greatestNorm(double[][] directionRows, double[][] points) {
        double greatest = 0;
        if (points == null) {
            for (int i = 0; i < MEASURED; i++) {
                greatest = Math.max(greatest, squares(from + i * range() / MEASURED));
            }
            greatest *= directionRows.length;
        } else {
            for (double[] point : points) {
                double sum = 0;
                for (double[] row : directionRows) {
                    sum += squares(along(row, point));
                }
                greatest = Math.max(greatest, sum);
            }
        }
        if (greatest == 0) {
            throw new IllegalArgumentException(
                    "rows cannot be normalised: all features are 0, " + basis + " is too narrow");
        }
        return Math.sqrt(greatest);
    }

    private static double along(double[] row, double[] point) {
        double t = row[point.length];
        for (int c = 0; c < point.length; c++) {
            t += row[c] * point[c];
        }
        return t;
    }

    private double squares(double t) {
        double sum = 0;
        for (double c : centres) {
            double value = 0;
            for (Image image : images) {
                double u = t - image.of(c);
                if (periodic) {
                    u -= Math.floor(u / range() + 0.5) * range();
                }
                value += basis.value(u);
            }
            sum += value * value;
        }
        return sum;
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return basis
                + ", range "
                + from
                + " to "
                + to
                + (periodic ? ", periodic" : "")
                + (images.size() > 1 ? ", mirrored" : "")
                + ", "
                + Settings.nameOf(directions)
                + (norm == 1 ? "" : drawn() ? ", normalized" : ", norm " + norm);
    }

    private boolean drawn() {
        return basis instanceof SampledBasis sampled && sampled.drawn();
    }

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) throws IOException {
        super.saveMetadata(os);
        if (drawn()) {
            os.writeDouble(norm);
            for (double sample : ((SampledBasis) basis).samples()) {
                os.writeDouble(sample);
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is)
            throws IOException, MalformedModelException {
        super.loadMetadata(loadVersion, is);
        if (drawn()) {
            norm = is.readDouble();
            double[] samples = ((SampledBasis) basis).samples();
            for (int i = 0; i < samples.length; i++) {
                samples[i] = is.readDouble();
            }
            basis = ((SampledBasis) basis).with(samples);
        }
    }

    static List<NamedEncoding> named() {
        String automatic = "; auto, with h the wider spacing of samples or centres: ";
        return List.of(
                entry(
                        "gaussian",
                        "shifted Gaussians (Zheng et al. 2021)",
                        (centres, spacing, space, s) ->
                                // Small decoders learn faster from wider copies than pictures do.
                                new BasisFunction.Gaussian(
                                        s.number("sigma", (space.unit() ? 1.5 : 4) * spacing)),
                        new Settings.Key(
                                "sigma",
                                "auto",
                                "standard deviation" + automatic + "1.5 h, for tokens 4 h")),
                entry(
                        "triangle",
                        "shifted triangles (Zheng et al. 2022)",
                        (centres, spacing, space, s) ->
                                new BasisFunction.Triangle(s.number("width", 2.5 * spacing)),
                        new Settings.Key("width", "auto", "half the width" + automatic + "2.5 h")),
                entry(
                        "square",
                        "shifted square waves (Zheng et al. 2021)",
                        (centres, spacing, space, s) ->
                                new BasisFunction.Square(
                                        s.number("frequency", 1 / space.extent()), s.number("low")),
                        new Settings.Key(
                                "frequency",
                                "auto",
                                "periods per unit of position; auto: one over the extent"),
                        new Settings.Key("low", "0", "the low value, 0 or -1")),
                entry(
                        "sine",
                        "shifted sines (Zheng et al. 2021)",
                        (centres, spacing, space, s) ->
                                new BasisFunction.Sine(
                                        s.number("frequency", 1 / space.extent()),
                                        s.number("offset")),
                        new Settings.Key(
                                "frequency",
                                "auto",
                                "periods per unit of position; auto: one over the extent"),
                        new Settings.Key("offset", "0", "added to the sine")),
                entry(
                        "rectangle",
                        "shifted rectangles (Zheng et al. 2022)",
                        (centres, spacing, space, s) ->
                                new BasisFunction.Rectangle(s.number("width", 4 * spacing)),
                        new Settings.Key("width", "auto", "full width" + automatic + "4 h")),
                entry(
                        "impulse",
                        "shifted impulses (Zheng et al. 2021)",
                        (centres, spacing, space, s) ->
                                new BasisFunction.Impulse(s.number("width", 0.5 * spacing)),
                        new Settings.Key("width", "auto", "half the width" + automatic + "0.5 h")),
                entry(
                        "noise",
                        "shifted random noise (Zheng et al. 2021)",
                        (centres, spacing, space, s) ->
                                SampledBasis.noise(
                                        space.extent(),
                                        s.integer("samples", centres),
                                        space.seed()),
                        new Settings.Key(
                                "samples",
                                "auto",
                                "how many numbers are drawn over the extent; auto: one for each"
                                        + " centre")));
    }

    /** Makes a basis function for a space with centres whose samples or centres have a spacing. */
    private interface Basis {
        BasisFunction of(int centres, double spacing, Space space, Settings settings);
    }

    private static NamedEncoding entry(
            String name, String summary, Basis basis, Settings.Key... own) {
        List<Settings.Key> keys = new ArrayList<>(List.of(own));
        keys.add(new Settings.Key("from", "auto", "where the range begins; auto: 0"));
        keys.add(new Settings.Key("to", "auto", "where the range ends; auto: the extent"));
        keys.add(new Settings.Key("periodic", "false", "whether the range is closed to a circle"));
        keys.add(
                new Settings.Key(
                        "mirrored",
                        "false",
                        "whether both ends of the range are mirrors, so that copies do not fade"));
        keys.add(
                new Settings.Key(
                        "directions",
                        "axes",
                        "axes, or axes-and-diagonals for two coordinates (four directions)"));
        keys.add(
                new Settings.Key(
                        "normalized", "false", "whether rows are divided by their greatest norm"));
        return NamedEncoding.ofFeatures(
                name,
                summary,
                (space, settings) -> {
                    Directions directions = settings.choice("directions", Directions.class);
                    int lines = directions == Directions.AXES ? space.positionDimension() : 4;
                    int centres = Checks.divided(space.featureDimension(), lines, "dimension");
                    double from = settings.number("from", 0);
                    double to = settings.number("to", space.extent());
                    double spacing = (to - from) / Math.min(space.length(), centres);
                    return builder()
                            .setBasis(basis.of(centres, spacing, space, settings))
                            .setDimension(space.featureDimension())
                            .optPositionDimension(space.positionDimension())
                            .optRange(from, to)
                            .optPeriodic(settings.flag("periodic"))
                            .optMirrored(settings.flag("mirrored"))
                            .optDirections(directions)
                            .optNormalized(settings.flag("normalized"))
                            .build();
                },
                keys.toArray(Settings.Key[]::new));
    }

    /** Builds {@link ShiftedBasis}. */
    public static final class Builder {

        private BasisFunction basis;
        private int dimension;
        private int positionDimension = 1;
        private double from;
        private double to = 1;
        private boolean periodic;
        private boolean mirrored;
        private Directions directions = Directions.AXES;
        private boolean normalized;
        private double[][] reference;

        private Builder() {}

        /**
         * Sets the function.
         *
         * @param basis ψ, in the units of the positions
         * @return this builder
         */
        public Builder setBasis(BasisFunction basis) {
            this.basis = basis;
            return this;
        }

        /**
         * Sets the number of features.
         *
         * @param dimension D, a multiple of the number of directions
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
         * Sets the range of each coordinate.
         *
         * @param from a; 0 where it is not set
         * @param to b, above a; 1 where it is not set
         * @return this builder
         */
        public Builder optRange(double from, double to) {
            if (!(to > from) || Double.isInfinite(to - from)) {
                throw new IllegalArgumentException("a range must go up, got " + from + " to " + to);
            }
            this.from = from;
            this.to = to;
            return this;
        }

        /**
         * Sets whether the range is closed to a circle.
         *
         * @param periodic false where it is not set
         * @return this builder
         */
        public Builder optPeriodic(boolean periodic) {
            this.periodic = periodic;
            return this;
        }

        /**
         * Sets whether both ends of the range are mirrors.
         *
         * @param mirrored false where it is not set; true for a basis that fades, and not with
         *     {@link #optPeriodic}
         * @return this builder
         */
        public Builder optMirrored(boolean mirrored) {
            this.mirrored = mirrored;
            return this;
        }

        /**
         * Sets along which lines centres lie.
         *
         * @param directions the axes where it is not set
         * @return this builder
         */
        public Builder optDirections(Directions directions) {
            this.directions = directions;
            return this;
        }

        /**
         * Sets whether features are divided by the greatest norm of a row over the range, measured
         * at 1,024 evenly spaced points of each direction.
         *
         * @param normalized false where it is not set
         * @return this builder
         */
        public Builder optNormalized(boolean normalized) {
            this.normalized = normalized;
            this.reference = null;
            return this;
        }

        /**
         * Divides features by the greatest norm among the rows of given points, as the authors do
         * with the points of training.
         *
         * @param points (N, M)
         * @return this builder
         */
        public Builder optNormalizedOver(double[][] points) {
            this.normalized = true;
            this.reference = points.clone();
            return this;
        }

        /**
         * Builds the features.
         *
         * @return a new block
         * @throws IllegalArgumentException if the basis is missing, the dimension does not fit the
         *     directions, or a range cannot be mirrored
         */
        public ShiftedBasis build() {
            if (basis == null) {
                throw new IllegalArgumentException("a shifted basis needs a basis function");
            }
            if (directions == Directions.AXES_AND_DIAGONALS && positionDimension != 2) {
                throw new IllegalArgumentException(
                        "diagonals are for 2 coordinates, got " + positionDimension);
            }
            if (mirrored && (periodic || Double.isInfinite(basis.reach()))) {
                throw new IllegalArgumentException(
                        "the ends of a range are mirrors where copies fade and are not periodic,"
                                + " got "
                                + basis
                                + (periodic ? ", periodic" : ""));
            }
            boolean points = reference != null;
            for (int i = 0; points && i < reference.length; i++) {
                if (reference[i].length != positionDimension) {
                    throw new IllegalArgumentException(
                            "reference points need "
                                    + positionDimension
                                    + " coordinates, got "
                                    + reference[i].length);
                }
            }
            return new ShiftedBasis(this);
        }

        private List<Image> images() {
            return mirrored ? Image.inMirrors(from, to, basis.reach()) : List.of(Image.SELF);
        }

        /** For each direction the coordinates' weights and, last, what is added. */
        private double[][] directionRows() {
            if (directions == Directions.AXES_AND_DIAGONALS) {
                double middle = (from + to) / 2;
                return new double[][] {{1, 0, 0}, {0, 1, 0}, {0.5, 0.5, 0}, {0.5, -0.5, middle}};
            }
            double[][] rows = new double[positionDimension][positionDimension + 1];
            for (int c = 0; c < positionDimension; c++) {
                rows[c][c] = 1;
            }
            return rows;
        }
    }
}
