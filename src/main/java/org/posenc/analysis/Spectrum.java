package org.posenc.analysis;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import org.posenc.kernel.GramEigenvalues;
import org.posenc.kernel.SingularValues;

/**
 * The singular values of a matrix, and the ranks that are functions of them.
 *
 * @param singularValues s_1 ≥ s_2 ≥ … ≥ 0, as many as the smaller of rows and columns
 * @param rows N
 * @param columns D
 * @param precision the relative spacing of the matrix' numbers, 2⁻⁵² for float64 and 2⁻²³ for
 *     float32, to which its values are known
 */
public record Spectrum(double[] singularValues, long rows, long columns, double precision) {

    private static final double DOUBLE = 0x1p-52;
    private static final double SINGLE = 0x1p-23;
    private static final double HALF = 0x1p-10;

    /** Copies the values. */
    public Spectrum {
        singularValues = singularValues.clone();
    }

    /**
     * Computes the singular values of a matrix: of float64 by a singular value decomposition, of
     * float32 and float16 as roots of the eigenvalues of its Gram matrix in float64, which is
     * faster and still more exact than the matrix itself.
     *
     * @param x (…, D): the last axis are the columns, all others rows
     * @return the spectrum
     * @throws IllegalArgumentException if the matrix is empty or has elements that are not finite
     */
    public static Spectrum of(NDArray x) {
        try (NDManager scope = NDManager.subManagerOf(x)) {
            NDArray rows = MatrixRows.of(x);
            rows.attach(scope);
            MatrixRows.squaredNorm(rows);
            double[] values =
                    x.getDataType() == DataType.FLOAT64
                            ? SingularValues.of(rows, false).toDoubleArray()
                            : roots(GramEigenvalues.of(rows).toDoubleArray());
            return new Spectrum(
                    values,
                    rows.getShape().get(0),
                    rows.getShape().get(1),
                    precision(x.getDataType()));
        }
    }

    /**
     * Returns the singular values.
     *
     * @return a copy, in descending order
     */
    @Override
    public double[] singularValues() {
        return singularValues.clone();
    }

    /**
     * Returns Σ s_i² / s_1², as {@link StableRank#of} does without the small values.
     *
     * @return between 1 and the number of values, or 0 where all are 0
     */
    public double stableRank() {
        double first = singularValues[0];
        return first == 0
                ? 0
                : Arrays.stream(singularValues).map(s -> s / first * (s / first)).sum();
    }

    /**
     * Returns the number of values above max(N, D) · precision · s_1, the tolerance of NumPy's and
     * MATLAB's {@code rank}.
     *
     * @return between 0 and the number of values
     */
    public int numericalRank() {
        return numericalRank(Math.max(rows, columns) * precision);
    }

    /**
     * Returns the number of values above a part of the largest.
     *
     * @param tolerance the part of s_1, at least 0
     * @return between 0 and the number of values
     * @throws IllegalArgumentException if the tolerance is negative or NaN
     */
    public int numericalRank(double tolerance) {
        if (!(tolerance >= 0)) {
            throw new IllegalArgumentException("tolerance must be at least 0, got " + tolerance);
        }
        double least = tolerance * singularValues[0];
        return (int) Arrays.stream(singularValues).filter(s -> s > least).count();
    }

    /**
     * Returns the effective rank exp(−Σ p_i ln p_i), p_i = s_i / Σ s_j (<a
     * href="https://www.eurasip.org/Proceedings/Eusipco/Eusipco2007/Papers/a5p-h05.pdf">Roy and
     * Vetterli 2007</a>): how many equal values would have the same entropy.
     *
     * @return between 1 and the number of values, or 0 where all are 0
     */
    public double effectiveRank() {
        double sum = Arrays.stream(singularValues).sum();
        if (sum == 0) {
            return 0;
        }
        double entropy = 0;
        for (double s : singularValues) {
            double p = s / sum;
            entropy -= p == 0 ? 0 : p * Math.log(p);
        }
        return Math.exp(entropy);
    }

    /** The squares of the values are given in ascending order. */
    private static double[] roots(double[] eigenvalues) {
        double[] roots = new double[eigenvalues.length];
        for (int i = 0; i < roots.length; i++) {
            roots[i] = Math.sqrt(Math.max(0, eigenvalues[roots.length - 1 - i]));
        }
        return roots;
    }

    private static double precision(DataType type) {
        return switch (type) {
            case FLOAT64 -> DOUBLE;
            case FLOAT16 -> HALF;
            default -> SINGLE;
        };
    }
}
