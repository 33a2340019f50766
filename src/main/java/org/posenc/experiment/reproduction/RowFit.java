package org.posenc.experiment.reproduction;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.posenc.analysis.StableRank;
import org.posenc.experiment.Progress;

/**
 * One linear layer over an embedder, fitted to {@link Rows} as the notebooks do: from every 2k-th
 * sample, tested on others.
 *
 * @param stableRank of the embedded training coordinates
 * @param layers what came of each row; PSNRs are means over the last hundred steps
 */
record RowFit(double stableRank, LinearTraining.Fit layers) {

    private static final int AVERAGED = 100;

    /**
     * Which samples of a row train and which are tested.
     *
     * @param step k: 0, 2k, 4k, … train
     * @param from the first to be tested
     * @param testStep from one that is tested to the next
     */
    record Split(int step, int from, int testStep) {

        /** Tests the samples half way between those that train. */
        static Split halfWay(int step) {
            return new Split(step, step, 2 * step);
        }

        /** Every second sample trains, all are tested. */
        static Split everywhere() {
            return new Split(1, 0, 1);
        }

        double[] training() {
            return Embedder.coordinates(Rows.LENGTH, 0, 2 * step);
        }

        private double[] test() {
            return Embedder.coordinates(Rows.LENGTH, from, testStep);
        }

        private LinearTraining.Signal of(double[] row, long seed, String name) {
            return new LinearTraining.Signal(
                    Rows.every(row, 0, 2 * step), Rows.every(row, from, testStep), seed, name);
        }
    }

    /**
     * Fits rows.
     *
     * @param rows the rows
     * @param split which samples train
     * @param encoding the embedder for the training coordinates, over which some are scaled
     * @param rate the learning rate
     * @param iterations Adam's steps
     * @param seed draws initial weights, others for each row
     * @param device where to compute
     * @param progress hears of each step
     */
    static RowFit run(
            double[][] rows,
            Split split,
            Function<double[], Embedder> encoding,
            double rate,
            int iterations,
            long seed,
            Device device,
            Progress progress) {
        List<LinearTraining.Signal> signals = new ArrayList<>();
        for (int r = 0; r < rows.length; r++) {
            signals.add(split.of(rows[r], seed, "row" + r));
        }
        Embedder embedder = encoding.apply(split.training());
        LinearTraining training =
                new LinearTraining(rate, iterations, Math.min(AVERAGED, iterations));
        try (NDManager manager = NDManager.newBaseManager(device, "PyTorch")) {
            NDArray phi = embedder.rows(split.training(), manager);
            NDArray held = embedder.rows(split.test(), manager);
            LinearTraining.Fit fit = training.run(phi, held, signals, progress);
            return new RowFit(StableRank.of(phi), fit);
        }
    }

    /** The mean over the rows, in dB. */
    double trainPsnr() {
        return Arrays.stream(layers.trainPsnr()).average().orElseThrow();
    }

    /** The mean over the rows, in dB. */
    double testPsnr() {
        return Arrays.stream(layers.testPsnr()).average().orElseThrow();
    }
}
