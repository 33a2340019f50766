package org.posenc.analysis;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The similarity kernel of a simple encoding, encoders of each coordinate concatenated (<a
 * href="https://arxiv.org/abs/2205.08987">Zheng et al. 2022</a>): D(u) = Σ_m w_m D_m(u_m), w_m
 * being the share of the squared norm of a row.
 *
 * <p>It never falls below 1 − w_m along axis m: a cross of positions that stay alike. Its stable
 * rank does not grow with the axes: on a grid of a circle's similarities that are nowhere negative
 * it is the harmonic mean of the axes' own, that of one axis where they are the same.
 */
public final class ConcatenationKernel implements SimilarityKernel {

    private final List<LineKernel> kernels;
    private final double[] shares;

    /**
     * Encoders of each coordinate, concatenated.
     *
     * @param kernels of each coordinate's encoder
     * @param weights the squared norm of a row of each
     */
    public ConcatenationKernel(List<? extends LineKernel> kernels, double... weights) {
        this.kernels = List.copyOf(kernels);
        shares = shares(kernels.size(), weights);
    }

    /** The same encoder of each coordinate; of one it stands for itself. */
    static SimilarityKernel alongAxes(LineKernel kernel, int axes) {
        double[] weights = new double[axes];
        Arrays.fill(weights, 1);
        return axes == 1
                ? kernel
                : new ConcatenationKernel(Collections.nCopies(axes, kernel), weights);
    }

    static void checkAxes(int axes, double... difference) {
        if (difference.length != axes) {
            throw new IllegalArgumentException(
                    "this encoder is of " + axes + " coordinates, got " + difference.length);
        }
    }

    /** Refuses weights that do not go with the kernels, and returns them with the sum 1. */
    static double[] shares(int kernels, double... weights) {
        if (kernels == 0 || weights.length != kernels) {
            throw new IllegalArgumentException(
                    kernels + " encoders do not go with " + weights.length + " weights");
        }
        for (double weight : weights) {
            ClosedForms.checkPositive(weight, "a weight");
        }
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(w -> w / sum).toArray();
    }

    /**
     * Returns the harmonic mean of stable ranks by shares, which is the limit where the constant
     * vector is the first of all axes; NaN elsewhere.
     */
    static double limit(List<LineKernel> kernels, double... shares) {
        double sum = 0;
        for (int i = 0; i < shares.length; i++) {
            LineKernel kernel = kernels.get(i);
            boolean constant =
                    kernel.periodic()
                            && kernel.distancePreservation(0, -1e-12) > 0.4999 * kernel.range();
            sum += constant ? shares[i] / kernel.stableRankLimit() : Double.NaN;
        }
        return 1 / sum;
    }

    /** {@inheritDoc} */
    @Override
    public int axes() {
        return kernels.size();
    }

    /** {@inheritDoc} */
    @Override
    public double similarity(double... difference) {
        checkAxes(axes(), difference);
        double sum = 0;
        for (int m = 0; m < axes(); m++) {
            sum += shares[m] * kernels.get(m).at(difference[m]);
        }
        return sum;
    }

    /**
     * {@inheritDoc}
     *
     * <p>The Gram matrix of the grid has the rank of the axes' together, M N: its largest
     * eigenvalue is Nᴹ⁻¹ times that of R Q R, with Q = diag(w_m G_m) of the axes' own Gram matrices
     * and R = diag(I − J/N) + J'/(N √M), J and J' being all ones.
     */
    @Override
    public double stableRank(int points) {
        int n = points;
        int m = axes();
        if (n < 1) {
            throw new IllegalArgumentException("points must be at least 1, got " + n);
        }
        int size = m * n;
        double[][] q = new double[size][size];
        for (int axis = 0; axis < m; axis++) {
            LineKernel kernel = kernels.get(axis);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    q[axis * n + i][axis * n + j] =
                            shares[axis] * kernel.at((i - j) * kernel.range() / n);
                }
            }
        }
        double[][] half = centred(q, n, m);
        double[] all = new double[size * size];
        double[][] whole = centred(transposed(half), n, m);
        for (int i = 0; i < size; i++) {
            System.arraycopy(whole[i], 0, all, i * size, size);
        }
        return n / GramMatrix.largestEigenvalue(all, size);
    }

    /** R times a matrix, column by column. */
    private static double[][] centred(double[][] matrix, int n, int m) {
        int size = m * n;
        double[][] result = new double[size][size];
        for (int column = 0; column < size; column++) {
            double all = 0;
            double[] sums = new double[m];
            for (int row = 0; row < size; row++) {
                sums[row / n] += matrix[row][column];
                all += matrix[row][column];
            }
            for (int row = 0; row < size; row++) {
                result[row][column] =
                        matrix[row][column] - sums[row / n] / n + all / (n * Math.sqrt(m));
            }
        }
        return result;
    }

    private static double[][] transposed(double[][] matrix) {
        int size = matrix.length;
        double[][] result = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                result[j][i] = matrix[i][j];
            }
        }
        return result;
    }

    /** {@inheritDoc} */
    @Override
    public double stableRankLimit() {
        return limit(kernels, shares);
    }

    /** {@inheritDoc} */
    @Override
    public double distancePreservation(int axis, double level) {
        // The other axes add their whole share.
        double own = 1 - (1 - level) / shares[axis];
        return kernels.get(axis).distancePreservation(0, own);
    }
}
