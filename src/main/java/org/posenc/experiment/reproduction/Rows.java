package org.posenc.experiment.reproduction;

import java.util.Arrays;
import java.util.Random;

/** The one-dimensional signals of the notebooks: rows of an image of 512 × 512, and noise. */
final class Rows {

    /** Samples of a row. */
    static final int LENGTH = 512;

    /** The notebooks' rows, one of them twice. */
    private static final int[] NUMBERS = {158, 329, 47, 344, 257, 410, 426, 199, 426, 295};

    private Rows() {}

    /** The first so many of the notebooks' rows. */
    static double[][] of(Subject subject, int count) {
        return subject.greyRows(Arrays.copyOf(NUMBERS, count), LENGTH);
    }

    /** Normal numbers of mean 0 and deviation 1. */
    static double[][] noise(long seed, int count) {
        Random random = new Random(seed);
        double[][] rows = new double[count][LENGTH];
        for (double[] row : rows) {
            Arrays.setAll(row, i -> random.nextGaussian());
        }
        return rows;
    }

    static double[] every(double[] row, int from, int step) {
        double[] samples = new double[(row.length - from + step - 1) / step];
        Arrays.setAll(samples, i -> row[from + i * step]);
        return samples;
    }
}
