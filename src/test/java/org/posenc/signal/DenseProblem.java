package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear fit written out as one matrix and solved by elimination: minimise Σ (G w − s)² + Σ (R
 * w)², the obvious way that small problems can take.
 */
final class DenseProblem {

    private final int unknowns;
    private final List<double[]> rows = new ArrayList<>();
    private final List<double[]> values = new ArrayList<>();

    DenseProblem(int unknowns) {
        this.unknowns = unknowns;
    }

    /** One more equation, row · w = values, one value a channel. */
    DenseProblem add(double[] row, double... values) {
        rows.add(row);
        this.values.add(values);
        return this;
    }

    /** All equations of a grid (N_0, …, C) with the features (N_m, K_m) of its axes. */
    static DenseProblem ofGrid(List<NDArray> features, NDArray samples, boolean... known) {
        int channels = (int) samples.getShape().get(samples.getShape().dimension() - 1);
        double[] s = doubles(samples);
        DenseProblem problem = null;
        for (int i = 0; i < s.length / channels; i++) {
            double[] row = {1};
            int rest = i;
            for (int m = features.size() - 1; m >= 0; m--) {
                int n = (int) features.get(m).getShape().get(0);
                row = kronecker(doubles(features.get(m).get(rest % n)), row);
                rest /= n;
            }
            problem = problem == null ? new DenseProblem(row.length) : problem;
            if (known.length == 0 || known[i]) {
                double[] value = new double[channels];
                System.arraycopy(s, i * channels, value, 0, channels);
                problem.add(row, value);
            }
        }
        return problem;
    }

    /** λ w². */
    DenseProblem ridge(double lambda) {
        int channels = values.get(0).length;
        for (int k = 0; k < unknowns; k++) {
            double[] row = new double[unknowns];
            row[k] = Math.sqrt(lambda);
            add(row, new double[channels]);
        }
        return this;
    }

    /**
     * λ times the mean squared difference of neighbours along each axis of weights (K_0, …), where
     * the error is a mean over the equations so far.
     */
    DenseProblem totalVariation(double lambda, int... sides) {
        int channels = values.get(0).length;
        int samples = rows.size();
        for (int m = 0, stride = unknowns; m < sides.length; m++) {
            stride /= sides[m];
            double count = unknowns / (double) sides[m] * (sides[m] - 1);
            for (int k = 0; k < unknowns; k++) {
                if (k / stride % sides[m] + 1 < sides[m]) {
                    double[] row = new double[unknowns];
                    row[k] = -Math.sqrt(lambda * samples / count);
                    row[k + stride] = -row[k];
                    add(row, new double[channels]);
                }
            }
        }
        return this;
    }

    /** The solution (C, K_0, …), flat, from the normal equations with pivots. */
    double[] solve() {
        int channels = values.get(0).length;
        double[][] a = new double[unknowns][unknowns + channels];
        for (int r = 0; r < rows.size(); r++) {
            double[] row = rows.get(r);
            for (int i = 0; i < unknowns; i++) {
                for (int j = 0; j < unknowns; j++) {
                    a[i][j] += row[i] * row[j];
                }
                for (int c = 0; c < channels; c++) {
                    a[i][unknowns + c] += row[i] * values.get(r)[c];
                }
            }
        }
        for (int i = 0; i < unknowns; i++) {
            int pivot = i;
            for (int j = i + 1; j < unknowns; j++) {
                pivot = Math.abs(a[j][i]) > Math.abs(a[pivot][i]) ? j : pivot;
            }
            double[] swapped = a[i];
            a[i] = a[pivot];
            a[pivot] = swapped;
            for (int j = 0; j < unknowns; j++) {
                double factor = j == i ? 0 : a[j][i] / a[i][i];
                for (int k = i; k < unknowns + channels && factor != 0; k++) {
                    a[j][k] -= factor * a[i][k];
                }
            }
        }
        double[] w = new double[channels * unknowns];
        for (int c = 0; c < channels; c++) {
            for (int i = 0; i < unknowns; i++) {
                w[c * unknowns + i] = a[i][unknowns + c] / a[i][i];
            }
        }
        return w;
    }

    static double[] kronecker(double[] a, double[] b) {
        double[] product = new double[a.length * b.length];
        for (int i = 0; i < product.length; i++) {
            product[i] = a[i / b.length] * b[i % b.length];
        }
        return product;
    }

    static double[] doubles(NDArray array) {
        return array.toType(DataType.FLOAT64, true).toDoubleArray();
    }
}
