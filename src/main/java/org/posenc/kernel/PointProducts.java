package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Products with the matrix G whose row p is the Kronecker product of the p-th rows of the axes'
 * features, a_0[p] ⊗ a_1[p] ⊗ …, which never exists: a complex encoding of scattered points.
 */
public final class PointProducts {

    /** Elements that points taken at once may need on the way: 64 MB in float64. */
    private static final long TOGETHER = 1 << 23;

    private PointProducts() {}

    /**
     * Computes G w: y[p, c] = Σ_k w[c, k_0, k_1, …] a_0[p, k_0] a_1[p, k_1] …, without gradients.
     *
     * @param w (C, K_0, …, K_{M−1})
     * @param features a_m (P, K_m) of each axis, in w's type
     * @return (P, C), in the features' manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray of(NDArray w, List<NDArray> features) {
        NDList values = new NDList();
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            for (List<NDArray> part : parts(w.getShape(), features)) {
                values.add(values(w, part));
            }
            NDArray y = values.size() == 1 ? values.head() : NDArrays.concat(values);
            NDScope.unregister(y);
            values.clear();
            values.add(y);
        }
        NDScope.register(values.head()); // with the scope of the caller, if he has one
        return values.head();
    }

    /**
     * Computes Gᵀ y: z[c, k_0, k_1, …] = Σ_p y[p, c] a_0[p, k_0] a_1[p, k_1] …, without gradients.
     *
     * @param y (P, C)
     * @param features a_m (P, K_m) of each axis, in y's type
     * @return (C, K_0, …, K_{M−1}), in y's manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray transposed(NDArray y, List<NDArray> features) {
        Shape shape = new Shape(y.getShape().get(1));
        for (NDArray a : features) {
            shape = shape.add(a.getShape().get(1));
        }
        NDArray sum = y.getManager().zeros(shape, y.getDataType());
        long from = 0;
        for (List<NDArray> part : parts(shape, features)) {
            long to = from + part.get(0).getShape().get(0);
            add(sum, y.get(new NDIndex().addSliceDim(from, to)), part);
            from = to;
        }
        return sum;
    }

    /**
     * Computes GᵀG w, without gradients and without G w of all points at once.
     *
     * @param w (C, K_0, …, K_{M−1})
     * @param features a_m (P, K_m) of each axis, in w's type
     * @return (C, K_0, …, K_{M−1}), in w's manager
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    public static NDArray normal(NDArray w, List<NDArray> features) {
        NDArray sum = w.zerosLike();
        for (List<NDArray> part : parts(w.getShape(), features)) {
            try (Autograd.Scope off = Autograd.off();
                    NDScope temporaries = new NDScope()) {
                add(sum, values(w, part), part);
            }
        }
        return sum;
    }

    /** The outputs at a few points, contracted from the last axis to the first. */
    private static NDArray values(NDArray w, List<NDArray> features) {
        int last = features.size() - 1;
        long points = features.get(0).getShape().get(0);
        long k = w.getShape().get(last + 1);
        NDArray x = features.get(last).matMul(w.reshape(-1, k).transpose()); // (P, C K_0 …)
        for (int m = last - 1; m >= 0; m--) {
            k = w.getShape().get(m + 1);
            x = x.reshape(points, -1, k).matMul(features.get(m).expandDims(-1)); // (P, C …, 1)
        }
        return x.reshape(points, w.getShape().get(0));
    }

    /** Adds what a few points give, expanded from the first axis to the last. */
    private static void add(NDArray sum, NDArray y, List<NDArray> features) {
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            int last = features.size() - 1;
            long points = y.getShape().get(0);
            NDArray x = y;
            for (int m = 0; m < last; m++) {
                NDArray a = features.get(m).expandDims(1);
                x = x.expandDims(-1).mul(a).reshape(points, -1); // (P, C K_0 … K_m)
            }
            sum.addi(x.transpose().matMul(features.get(last)).reshape(sum.getShape()));
        }
    }

    /** The features of as many points as may be taken at once, and of the next ones. */
    private static List<List<NDArray>> parts(Shape w, List<NDArray> features) {
        boolean fits = !features.isEmpty() && w.dimension() == features.size() + 1;
        for (int m = 0; fits && m < features.size(); m++) {
            Shape a = features.get(m).getShape();
            fits =
                    a.dimension() == 2
                            && a.get(1) == w.get(m + 1)
                            && a.get(0) == features.get(0).getShape().get(0);
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "points need features (P, K_m) for weights (C, K_0, …), got "
                            + features.stream().map(NDArray::getShape).toList()
                            + " for "
                            + w);
        }
        long points = features.get(0).getShape().get(0);
        long together = Math.max(1, TOGETHER / w.slice(0, w.dimension() - 1).size());
        List<List<NDArray>> parts = new ArrayList<>();
        for (long from = 0; from < points; from += together) {
            NDIndex rows = new NDIndex().addSliceDim(from, Math.min(points, from + together));
            parts.add(features.stream().map(a -> a.get(rows)).toList()); // views
        }
        return parts;
    }
}
