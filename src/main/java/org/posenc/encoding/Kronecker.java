package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The complex encoding (<a href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>): the
 * Kronecker product of features of each coordinate alone.
 *
 * <p>φ(x) = φ_0(x_0) ⊗ φ_1(x_1) ⊗ … ⊗ φ_{M−1}(x_{M−1}): (…, M) → (…, D), D = K_0 K_1 … K_{M−1}. The
 * last coordinate's features change fastest, as the elements of an array (K_0, …, K_{M−1}) do. φ(x)
 * · φ(y) is the product of the coordinates' inner products, and on a grid the stable rank is the
 * product of the axes' stable ranks.
 *
 * <p>{@link #features} materialises the product, which is meant for looking at a few points. Models
 * take {@link #axisFeatures} and never do.
 */
public final class Kronecker extends FeaturesBlock {

    private static final byte VERSION = 1;

    private record Coordinate(int axis) {}

    private final List<PositionFeatures> axes;

    private Kronecker(List<PositionFeatures> axes) {
        super(VERSION, axes.size(), dimension(axes));
        this.axes = axes;
        distinct().forEach(axis -> addChildBlock("axis", axis));
    }

    /**
     * The same features of each coordinate.
     *
     * @param axis features of one coordinate; learnable ones are shared by all
     * @param axes M, at least 1
     * @return the complex encoding
     * @throws IllegalArgumentException if M is smaller, the features are of several coordinates, or
     *     their product has more than 2³¹ − 1 elements
     */
    public static Kronecker of(PositionFeatures axis, int axes) {
        Checks.atLeast(1, axes, "number of axes");
        return new Kronecker(Collections.nCopies(axes, axis));
    }

    /**
     * Features of their own for each coordinate.
     *
     * @param axes M of them, at least 1, of one coordinate each
     * @return the complex encoding
     * @throws IllegalArgumentException as {@link #of(PositionFeatures, int)}
     */
    public static Kronecker of(PositionFeatures... axes) {
        Checks.atLeast(1, axes.length, "number of axes");
        return new Kronecker(List.of(axes));
    }

    private static int dimension(List<PositionFeatures> axes) {
        long product = 1;
        for (PositionFeatures axis : axes) {
            if (axis.positionDimension() != 1) {
                throw new IllegalArgumentException(
                        "a Kronecker product takes features of 1 coordinate each, got "
                                + axis.positionDimension());
            }
            product *= axis.featureDimension();
            if (product > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "a Kronecker product of "
                                + sizes(axes)
                                + " features is too long, it may have "
                                + Integer.MAX_VALUE);
            }
        }
        return (int) product;
    }

    private static String sizes(List<PositionFeatures> axes) {
        return axes.stream()
                .map(axis -> Integer.toString(axis.featureDimension()))
                .collect(Collectors.joining(" × "));
    }

    private Set<PositionFeatures> distinct() {
        return new LinkedHashSet<>(axes);
    }

    /**
     * Returns the features of each coordinate.
     *
     * @return φ_0, …, φ_{M−1}
     */
    public List<PositionFeatures> axes() {
        return axes;
    }

    /**
     * Computes each coordinate's features of points.
     *
     * @param points (…) where M = 1, else (…, M)
     * @param parameters gives the axes' parameters on the points' device
     * @param training whether the pass trains
     * @return φ_m(x_m) of each m, (…, K_m)
     * @throws IllegalArgumentException if the last axis of the points is not M
     */
    public List<NDArray> axisFeatures(
            Positions points, ParameterStore parameters, boolean training) {
        checkDimension(points);
        List<NDArray> features = new ArrayList<>();
        for (int m = 0; m < axes.size(); m++) {
            features.add(axes.get(m).features(coordinate(points, m), parameters, training));
        }
        return features;
    }

    /** Coordinate m of each point, (…). */
    private Positions coordinate(Positions points, int m) {
        if (axes.size() == 1) {
            return points;
        }
        return points.derivedPositions(
                new Coordinate(m),
                () -> points.array().get(new NDIndex().addEllipseDim().addIndices(m)));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray features(Positions positions, ParameterStore parameters, boolean training) {
        NDArray product = null; // (…, K_0 … K_m)
        for (NDArray next : axisFeatures(positions, parameters, training)) {
            product =
                    product == null
                            ? next
                            : product.expandDims(-1)
                                    .mul(next.expandDims(-2))
                                    .reshape(points(next).add(-1));
        }
        return product;
    }

    private static Shape points(NDArray features) {
        Shape shape = features.getShape();
        return shape.slice(0, shape.dimension() - 1);
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        distinct().forEach(axis -> axis.initialize(manager, type, new Shape(1)));
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return distinct().size() == 1
                ? axes.get(0) + " at each axis"
                : axes.stream().map(Object::toString).collect(Collectors.joining(" ⊗ "));
    }
}
