package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.Scalars;

/**
 * The basis in which an error of a Kronecker layer's weights is an error of what the layer
 * computes.
 *
 * <p>What the layer makes of weights w along an axis is A w, with the features A of the axis'
 * points, and its mean square is wᵀ G w, with the Gram matrix G = AᵀA / N of features sampled
 * densely. With Cholesky's G = L Lᵀ this is |Lᵀ w|², and with an orthonormal cosine transform D
 * still |c|² of c = D Lᵀ w. An error of c has the size it has in the signal, everywhere the same;
 * and as the cosine transform gathers what a smooth signal is made of in few numbers, most of c is
 * almost nothing and costs almost nothing. That is how transform coders work (<a
 * href="https://doi.org/10.1109/79.952802">Goyal 2001</a>), except that the transform is the
 * encoding's own. A little is added to the diagonal of G, so that directions in which the encoding
 * has no features do not matter.
 *
 * <p>Channels of a layer that computes the signal itself are transformed too: the cosine transform
 * of red, green and blue is an opponent colour space.
 */
final class WeightBasis {

    /** Points of an axis for each of its features: enough that sums are integrals. */
    private static final int DENSITY = 8;

    /** What is added to the diagonal of G, beside its mean. */
    private static final double RIDGE = 1e-10;

    private final NDManager manager;
    private final List<NDArray> forward = new ArrayList<>(); // T = D Lᵀ, (K_m, K_m)
    private final List<NDArray> backward = new ArrayList<>(); // T⁻¹
    private final double[][] mix; // (C, C), or null for channels that are left as they are

    /**
     * Prepares the basis.
     *
     * @param axes the features of each axis, without parameters
     * @param channels C, what the layer computes, if that is the signal; 0 if it is hidden units
     * @param manager owns the matrices; they stay on the CPU, where they are the same everywhere
     */
    WeightBasis(List<PositionFeatures> axes, int channels, NDManager manager) {
        this.manager = manager;
        Map<PositionFeatures, NDArray[]> known = new LinkedHashMap<>();
        for (PositionFeatures axis : axes) {
            NDArray[] pair = known.computeIfAbsent(axis, this::transforms);
            forward.add(pair[0]);
            backward.add(pair[1]);
        }
        mix = channels < 2 ? null : cosines(channels);
    }

    private NDArray[] transforms(PositionFeatures axis) {
        int k = axis.featureDimension();
        double[] l = cholesky(gram(axis), k);
        double[] inverse = inverseOfLower(l, k);
        NDArray d = matrix(flat(cosines(k)), k);
        NDArray t = d.matMul(matrix(l, k).transpose());
        NDArray u = matrix(inverse, k).transpose().matMul(d.transpose());
        return new NDArray[] {t, u};
    }

    private NDArray matrix(double[] values, int k) {
        return manager.create(values, new Shape(k, k));
    }

    private double[] gram(PositionFeatures axis) {
        int k = axis.featureDimension();
        try (NDManager scope = manager.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            int n = DENSITY * k;
            double[] x = new double[n];
            for (int i = 0; i < n; i++) {
                x[i] = (double) i / n;
            }
            Positions points = Positions.of(scope.create(x));
            NDArray a = axis.features(points, new ParameterStore(scope, false), false); // (N, K)
            double[] g = Scalars.div(a.transpose().matMul(a), n).toDoubleArray();
            double mean = 0;
            for (int i = 0; i < k; i++) {
                mean += g[i * k + i] / k;
            }
            for (int i = 0; i < k; i++) {
                g[i * k + i] += RIDGE * mean;
            }
            return g;
        }
    }

    /** L with L Lᵀ = G, both (K, K) row-major. */
    private static double[] cholesky(double[] g, int k) {
        double[] l = new double[k * k];
        for (int i = 0; i < k; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = g[i * k + j];
                for (int m = 0; m < j; m++) {
                    sum -= l[i * k + m] * l[j * k + m];
                }
                if (i == j && !(sum > 0)) {
                    throw new IllegalArgumentException(
                            "the encoding's features of an axis are all 0 or not finite");
                }
                l[i * k + j] = i == j ? Math.sqrt(sum) : sum / l[j * k + j];
            }
        }
        return l;
    }

    private static double[] inverseOfLower(double[] l, int k) {
        double[] inverse = new double[k * k];
        for (int i = 0; i < k; i++) {
            inverse[i * k + i] = 1;
            for (int m = 0; m < i; m++) {
                double factor = l[i * k + m];
                for (int j = 0; j <= m; j++) {
                    inverse[i * k + j] -= factor * inverse[m * k + j];
                }
            }
            for (int j = 0; j <= i; j++) {
                inverse[i * k + j] /= l[i * k + i];
            }
        }
        return inverse;
    }

    /** The orthonormal cosine transform of n numbers (DCT-II). */
    static double[][] cosines(int n) {
        double[][] d = new double[n][n];
        for (int i = 0; i < n; i++) {
            double scale = Math.sqrt((i == 0 ? 1.0 : 2.0) / n);
            for (int j = 0; j < n; j++) {
                d[i][j] = scale * Math.cos(Math.PI * i * (j + 0.5) / n);
            }
        }
        return d;
    }

    private static double[] flat(double[][] rows) {
        double[] flat = new double[rows.length * rows.length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * rows.length, rows.length);
        }
        return flat;
    }

    /**
     * Takes weights to the basis.
     *
     * @param weights (U, K_0, …, K_{M−1}), row-major
     * @return c, in the same shape
     */
    double[] coefficients(double[] weights) {
        try (NDManager scope = manager.newSubManager()) {
            NDArray w = scope.create(weights, weightShape(weights.length));
            double[] last = ModeProducts.unitsLast(w, forward).toDoubleArray(); // (K_0, …, U)
            return unitsFirst(last);
        }
    }

    /**
     * Takes coefficients back.
     *
     * @param coefficients c, (U, K_0, …, K_{M−1}), row-major
     * @return the weights, in the same shape
     */
    double[] weights(double[] coefficients) {
        try (NDManager scope = manager.newSubManager()) {
            Shape shape = weightShape(coefficients.length);
            Shape last = shape.slice(1).add(shape.get(0));
            NDArray c = scope.create(unitsLast(coefficients), last);
            return ModeProducts.unitsFirst(c, backward).toDoubleArray();
        }
    }

    private Shape weightShape(int size) {
        Shape axes = new Shape(forward.stream().mapToLong(t -> t.getShape().get(0)).toArray());
        return new Shape(size / axes.size()).addAll(axes);
    }

    private double[] unitsFirst(double[] last) {
        int units = Math.toIntExact(weightShape(last.length).get(0));
        int each = last.length / units;
        double[] first = new double[last.length];
        for (int i = 0; i < each; i++) {
            for (int u = 0; u < units; u++) {
                if (mix == null) {
                    first[u * each + i] = last[i * units + u];
                    continue;
                }
                for (int c = 0; c < units; c++) {
                    first[u * each + i] += mix[u][c] * last[i * units + c];
                }
            }
        }
        return first;
    }

    private double[] unitsLast(double[] first) {
        int units = Math.toIntExact(weightShape(first.length).get(0));
        int each = first.length / units;
        double[] last = new double[first.length];
        for (int i = 0; i < each; i++) {
            for (int u = 0; u < units; u++) {
                if (mix == null) {
                    last[i * units + u] = first[u * each + i];
                    continue;
                }
                for (int c = 0; c < units; c++) {
                    last[i * units + u] += mix[c][u] * first[c * each + i];
                }
            }
        }
        return last;
    }
}
