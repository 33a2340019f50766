package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

    /**
     * Rows as signals: training takes the samples 0, 2k, 4k, …
     *
     * @param rows the rows
     * @param step k
     * @param from the test's first sample
     * @param testStep between samples of the test
     * @param seed draws initial weights, others for each row
     * @return a signal each
     */
    static List<LinearTraining.Signal> signals(
            double[][] rows, int step, int from, int testStep, long seed) {
        List<LinearTraining.Signal> signals = new ArrayList<>();
        for (int r = 0; r < rows.length; r++) {
            signals.add(
                    new LinearTraining.Signal(
                            every(rows[r], 0, 2 * step),
                            every(rows[r], from, testStep),
                            seed,
                            "row" + r));
        }
        return signals;
    }

    static double[] every(double[] row, int from, int step) {
        double[] samples = new double[(row.length - from + step - 1) / step];
        Arrays.setAll(samples, i -> row[from + i * step]);
        return samples;
    }
}
