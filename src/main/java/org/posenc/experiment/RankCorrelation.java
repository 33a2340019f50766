package org.posenc.experiment;

import java.util.Arrays;

/**
 * Spearman's rank correlation: Pearson's correlation of the ranks, equal values sharing the mean of
 * theirs.
 */
final class RankCorrelation {

    private RankCorrelation() {}

    /**
     * Returns ρ in [−1, 1].
     *
     * @param x some values
     * @param y as many
     * @return NaN where a value is NaN, or where all x or all y are equal
     */
    static double of(double[] x, double[] y) {
        double[] a = ranks(x);
        double[] b = ranks(y);
        double middle = (x.length + 1) / 2.0;
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (a[i] - middle) * (b[i] - middle);
            aa += (a[i] - middle) * (a[i] - middle);
            bb += (b[i] - middle) * (b[i] - middle);
        }
        return ab / Math.sqrt(aa * bb);
    }

    private static double[] ranks(double[] values) {
        return Arrays.stream(values).map(value -> rank(value, values)).toArray();
    }

    private static double rank(double value, double[] values) {
        if (Double.isNaN(value)) {
            return Double.NaN;
        }
        long less = Arrays.stream(values).filter(v -> v < value).count();
        long equal = Arrays.stream(values).filter(v -> v == value).count();
        return less + (equal + 1) / 2.0;
    }
}
