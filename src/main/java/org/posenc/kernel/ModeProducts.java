package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A matrix for each axis of an array, applied one axis after the other: the product with their
 * Kronecker product, which never exists.
 *
 * <p>Each step is one matrix product that moves the axis it works on from one end of the array to
 * the other, so nothing is copied into another order, and the axis of channels changes ends: last
 * in a sampled signal, first in weights.
 */
public final class ModeProducts {

    /** The part of the work that another order must save to be worth its copies. */
    private static final double WORTHWHILE = 0.25;

    private ModeProducts() {}

    /**
     * Turns a grid of samples into weights: y[c, k₀, k₁, …] = Σ P₀[k₀, n₀] P₁[k₁, n₁] … x[n₀, n₁,
     * …, c].
     *
     * @param x (N_0, …, N_{M−1}, C)
     * @param matrices P_m (K_m, N_m) of each axis, in x's type
     * @return (C, K_0, …, K_{M−1}), in x's manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray unitsFirst(NDArray x, List<NDArray> matrices) {
        NDArray y = x;
        Shape shape = x.getShape();
        check(matrices, shape, 0);
        for (NDArray p : matrices) {
            long n = shape.get(0);
            NDArray rows = y.reshape(n, shape.size() / n);
            y = rows.transpose().matMul(p.transpose()); // (N_{m+1} … C K_0 …, K_m)
            shape = shape.slice(1).add(p.getShape().get(0));
        }
        return y.reshape(shape);
    }

    /**
     * Turns weights into a grid of samples: y[n₀, n₁, …, c] = Σ A₀[n₀, k₀] A₁[n₁, k₁] … w[c, k₀,
     * k₁, …]. The last axis is multiplied first, unless another order takes much less work: then
     * the axes of the weights and of the grid are exchanged before and after.
     *
     * @param w (C, K_0, …, K_{M−1})
     * @param matrices A_m (N_m, K_m) of each axis, in w's type
     * @return (N_0, …, N_{M−1}, C), in the matrices' manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray unitsLast(NDArray w, List<NDArray> matrices) {
        check(matrices, w.getShape(), 1);
        int axes = matrices.size();
        int[] order = cheapestOrder(matrices);
        if (order.length == 0) {
            return inOrder(w, matrices);
        }
        int[] before = new int[axes + 1];
        int[] after = new int[axes + 1];
        after[axes] = axes;
        for (int m = 0; m < axes; m++) {
            before[m + 1] = order[m] + 1;
            after[order[m]] = m;
        }
        List<NDArray> ordered = Arrays.stream(order).mapToObj(matrices::get).toList();
        return inOrder(w.transpose(before), ordered).transpose(after);
    }

    private static NDArray inOrder(NDArray w, List<NDArray> matrices) {
        NDArray y = w;
        Shape shape = w.getShape();
        for (int m = matrices.size() - 1; m >= 0; m--) {
            NDArray a = matrices.get(m);
            int last = shape.dimension() - 1;
            long k = shape.get(last);
            NDArray columns = y.reshape(shape.size() / k, k);
            y = a.matMul(columns.transpose()); // (N_m, N_{m+1} … C K_0 …)
            shape = new Shape(a.getShape().get(0)).addAll(shape.slice(0, last));
        }
        return y.reshape(shape);
    }

    /**
     * Axes in the order in which they should stand to be multiplied from the last to the first. i
     * before j takes less work if 1/K_i − 1/N_i &lt; 1/K_j − 1/N_j. Empty where the order in which
     * they stand is good enough.
     */
    private static int[] cheapestOrder(List<NDArray> matrices) {
        double[] n = matrices.stream().mapToDouble(a -> a.getShape().get(0)).toArray();
        double[] k = matrices.stream().mapToDouble(a -> a.getShape().get(1)).toArray();
        int[] natural = IntStream.range(0, n.length).toArray();
        int[] best =
                Arrays.stream(natural)
                        .boxed()
                        .sorted(Comparator.comparingDouble(m -> 1 / n[m] - 1 / k[m]))
                        .mapToInt(m -> m)
                        .toArray();
        boolean saves = work(best, n, k) < (1 - WORTHWHILE) * work(natural, n, k);
        return saves ? best : new int[0];
    }

    /** The multiplications of a channel. */
    private static double work(int[] order, double[] n, double[] k) {
        double size = Arrays.stream(k).reduce(1, (a, b) -> a * b);
        double work = 0;
        for (int i = order.length - 1; i >= 0; i--) {
            work += size * n[order[i]];
            size *= n[order[i]] / k[order[i]];
        }
        return work;
    }

    /**
     * Applies a matrix along one axis: y[…, n, …] = Σ_k a[n, k] x[…, k, …].
     *
     * @param x (…, K, …)
     * @param axis which axis
     * @param a (N, K), in x's type
     * @return (…, N, …)
     * @throws IllegalArgumentException if the matrix does not fit the axis
     */
    public static NDArray along(NDArray x, int axis, NDArray a) {
        Shape shape = x.getShape();
        long n = a.getShape().get(0);
        long k = shape.get(axis);
        if (a.getShape().dimension() != 2 || a.getShape().get(1) != k) {
            throw new IllegalArgumentException(
                    "a matrix of shape "
                            + a.getShape()
                            + " does not fit axis "
                            + axis
                            + " of an array of shape "
                            + shape);
        }
        long before = shape.slice(0, axis).size();
        Shape rest = shape.slice(axis + 1);
        NDArray y =
                rest.dimension() == 0
                        ? x.reshape(before, k).matMul(a.transpose())
                        : a.matMul(x.reshape(before, k, rest.size())); // (before, N, after)
        return y.reshape(shape.slice(0, axis).add(n).addAll(rest));
    }

    private static void check(List<NDArray> matrices, Shape array, int first) {
        boolean fits = array.dimension() == matrices.size() + 1;
        for (int m = 0; fits && m < matrices.size(); m++) {
            Shape matrix = matrices.get(m).getShape();
            fits = matrix.dimension() == 2 && matrix.get(1) == array.get(first + m);
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "matrices of shapes "
                            + matrices.stream().map(NDArray::getShape).toList()
                            + " do not fit the axes of an array of shape "
                            + array);
        }
    }
}
