package org.posenc.signal;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;

/**
 * How the embedding of any point of [0, 1] is a blend of those of the two points of a virtual grid
 * around it (<a href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>), so that a complex
 * encoding of scattered points costs as much as that of a grid.
 *
 * <p>The grid has G points j h, h = 1/(G − 1), both ends included, at which the encoding is to be
 * evaluated. For x = (i + t) h the weights a and b of the points i and i + 1 give the blend the
 * right inner products with both: with D the similarity of positions at a distance,
 *
 * <pre>
 * a + b D(h) = D(t h),  a D(h) + b = D((1 − t) h),  then a ← a/(a + b), b ← b/(a + b)
 * </pre>
 *
 * <p>Over several axes the weights of a cell's 2^M corners are the products of those of the axes.
 */
public final class Blending {

    /** Less than this part of the similarity left between two grid points is none. */
    private static final double NOTHING = 1e-9;

    private final DoubleUnaryOperator similarity;
    private final int gridPoints;
    private final double neighbours; // D(h)

    /**
     * The corners of the cells in which points lie, and their weights.
     *
     * @param index (P, 2^M) flat places in the grid (G_0, …, G_{M−1}), row-major, in the order of
     *     the corners: the upper neighbour along the last axis second
     * @param weight (P, 2^M), of sum 1 for each point
     * @param corners 2^M
     */
    public record Cells(long[] index, double[] weight, int corners) {

        /**
         * Returns the number of points.
         *
         * @return P
         */
        public int points() {
            return index.length / corners;
        }
    }

    /**
     * A blend by a similarity, over a grid.
     *
     * @param similarity D(u) of positions at a distance u, D(0) = 1, such as {@link
     *     BasisFunction#similarity}
     * @param gridPoints G, at least 2
     * @throws IllegalArgumentException if there are fewer points, or so few that a point between
     *     two of them is similar to neither, or so many that the two are the same
     */
    public Blending(DoubleUnaryOperator similarity, int gridPoints) {
        if (gridPoints < 2) {
            throw new IllegalArgumentException(
                    "a virtual grid needs at least 2 points, got " + gridPoints);
        }
        this.similarity = similarity;
        this.gridPoints = gridPoints;
        neighbours = similarity.applyAsDouble(1.0 / (gridPoints - 1));
        if (!(Math.abs(neighbours) < 1)) {
            throw new IllegalArgumentException(
                    "the encoding has to tell neighbours of the virtual grid apart: with "
                            + gridPoints
                            + " points their similarity is "
                            + neighbours);
        }
    }

    /**
     * A blend of the features along an axis.
     *
     * @param axis shifted copies or Fourier features of one coordinate, whose similarity is known
     *     in closed form
     * @param gridPoints G, at least 2
     * @return the blend
     * @throws IllegalArgumentException if the features are of another kind, or as the constructor
     */
    public static Blending of(PositionFeatures axis, int gridPoints) {
        if (axis.positionDimension() == 1 && axis instanceof ShiftedBasis shifted) {
            return new Blending(shifted.basis()::similarity, gridPoints);
        }
        if (axis.positionDimension() == 1 && axis instanceof FourierFeatures fourier) {
            return new Blending(fourier::similarity, gridPoints);
        }
        throw new IllegalArgumentException(
                "blending needs shifted copies or Fourier features of one coordinate, got "
                        + axis.getClass().getSimpleName()
                        + " of "
                        + axis.positionDimension());
    }

    /**
     * Returns the kernel that the authors' code blends triangles with, max(0, 1 − |u|/(2w))², to
     * repeat their figures. It is not the triangle's similarity, which is {@link
     * BasisFunction.Triangle#similarity}: up to 0.17 lower.
     *
     * @param width w, half the width of the triangle's foot
     * @return D(u)
     * @throws IllegalArgumentException if the width is not positive
     */
    public static DoubleUnaryOperator authorsTriangle(double width) {
        if (!(width > 0)) {
            throw new IllegalArgumentException("width must be positive, got " + width);
        }
        return u -> {
            double part = Math.max(0, 1 - Math.abs(u) / (2 * width));
            return part * part;
        };
    }

    /**
     * Returns the points of the virtual grid.
     *
     * @return 0, h, …, 1
     */
    public double[] positions() {
        double[] positions = new double[gridPoints];
        Arrays.setAll(positions, j -> j / (gridPoints - 1.0));
        return positions;
    }

    /**
     * Returns the number of points of the virtual grid.
     *
     * @return G
     */
    public int gridPoints() {
        return gridPoints;
    }

    /**
     * Returns the grid point at or below a position, and never the last.
     *
     * @param x in [0, 1]
     * @return i, 0 to G − 2
     * @throws IllegalArgumentException if the position lies outside
     */
    public int cell(double x) {
        if (!(x >= 0 && x <= 1)) {
            throw new IllegalArgumentException("points to be blended must lie in [0, 1], got " + x);
        }
        return Math.min((int) ((gridPoints - 1) * x), gridPoints - 2);
    }

    /**
     * Returns the weight of the grid point {@link #cell}; that of the next one is 1 less this.
     *
     * @param x in [0, 1]
     * @return a
     * @throws IllegalArgumentException if the position lies outside, or is similar to neither of
     *     its neighbours
     */
    public double weight(double x) {
        int sides = gridPoints - 1;
        double t = sides * x - cell(x);
        double below = similarity.applyAsDouble(t / sides);
        double above = similarity.applyAsDouble((1 - t) / sides);
        double both = below + above;
        if (!(Math.abs(both) > NOTHING)) {
            throw new IllegalArgumentException(
                    "the encoding is too narrow for a virtual grid of "
                            + gridPoints
                            + " points: it sees neither neighbour of "
                            + x);
        }
        return (below - neighbours * above) / (both * (1 - neighbours));
    }

    /**
     * Returns the cells in which points lie.
     *
     * @param axes the blend along each of M axes
     * @param points (P, M)
     * @return their corners and weights
     * @throws IllegalArgumentException if a point has not M coordinates, or as {@link #weight}
     */
    public static Cells cells(List<Blending> axes, double[][] points) {
        int m = axes.size();
        int corners = 1 << m;
        long[] index = new long[points.length * corners];
        double[] weight = new double[index.length];
        for (int p = 0; p < points.length; p++) {
            if (points[p].length != m) {
                throw new IllegalArgumentException(
                        "points must have "
                                + m
                                + " coordinates, got "
                                + Arrays.toString(points[p]));
            }
            int at = p * corners;
            weight[at] = 1;
            for (int axis = 0, known = 1; axis < m; axis++, known *= 2) {
                Blending blending = axes.get(axis);
                long cell = blending.cell(points[p][axis]);
                double a = blending.weight(points[p][axis]);
                for (int c = known - 1; c >= 0; c--) { // from the end: corners double in place
                    long row = index[at + c] * blending.gridPoints + cell;
                    double w = weight[at + c];
                    index[at + 2 * c] = row;
                    index[at + 2 * c + 1] = row + 1;
                    weight[at + 2 * c] = w * a;
                    weight[at + 2 * c + 1] = w * (1 - a);
                }
            }
        }
        return new Cells(index, weight, corners);
    }
}
