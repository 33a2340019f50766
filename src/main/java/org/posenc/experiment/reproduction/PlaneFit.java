package org.posenc.experiment.reproduction;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.experiment.Picture;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Autograd;

/**
 * A network fitted to every second pixel of an image in both directions, then asked for all.
 *
 * @param side n, pixels along each side
 * @param fitted (n, n, 3), row by row
 * @param colours the image, (n, n, 3)
 * @param stableRank of the features of the training pixels
 */
record PlaneFit(int side, float[] fitted, double[] colours, double stableRank) {

    private static final int CHUNK = 16_384; // points whose features are made at once

    /**
     * Trains and asks.
     *
     * @param features fixed features of (row, column)
     * @param colours the image, (n, n, 3)
     * @param side n
     * @param training how
     * @param seed draws the initial weights
     * @param device where
     * @param progress hears of each step
     * @return the fit
     */
    static PlaneFit run(
            PositionFeatures features,
            double[] colours,
            int side,
            NetworkTraining training,
            long seed,
            Device device,
            Progress progress)
            throws IOException, TranslateException {
        try (NDManager manager = NDManager.newBaseManager(device, "PyTorch")) {
            features.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
            NDArray phi = embedded(features, side, 2, manager); // (N, d)
            NDArray y = trained(colours, side, manager); // (N, 3)
            float[] fitted = new float[colours.length];
            training.run(
                    phi,
                    y,
                    seed,
                    (done, network, parameters) -> {
                        if (done < training.iterations()) {
                            return;
                        }
                        int rows = Math.max(1, CHUNK / side);
                        for (int top = 0; top < side; top += rows) {
                            try (NDManager scope = manager.newSubManager()) {
                                int bottom = Math.min(side, top + rows);
                                NDArray own = computed(features, side, top, bottom, 1, scope);
                                float[] part = network.of(own, parameters, false).toFloatArray();
                                System.arraycopy(part, 0, fitted, 3 * top * side, part.length);
                            }
                        }
                    },
                    progress);
            return new PlaneFit(side, fitted, colours, StableRank.of(phi));
        }
    }

    /** Features of every so many pixels of every so many rows, (points, d). */
    private static NDArray embedded(
            PositionFeatures features, int side, int step, NDManager manager) {
        int rows = Math.max(step, CHUNK / side / step * step);
        NDList parts = new NDList();
        for (int top = 0; top < side; top += rows) {
            parts.add(computed(features, side, top, Math.min(side, top + rows), step, manager));
        }
        return parts.size() == 1 ? parts.head() : NDArrays.concat(parts, 0);
    }

    private static NDArray computed(
            PositionFeatures features, int side, int top, int bottom, int step, NDManager manager) {
        int across = (side + step - 1) / step;
        int down = (bottom - top + step - 1) / step;
        float[] points = new float[2 * across * down];
        for (int i = 0; i < down; i++) {
            for (int j = 0; j < across; j++) {
                points[2 * (i * across + j)] = (float) (top + i * step) / side;
                points[2 * (i * across + j) + 1] = (float) (j * step) / side;
            }
        }
        try (NDManager scope = manager.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            NDArray at = scope.create(points, new Shape(across * down, 2));
            NDArray phi =
                    features.features(Positions.of(at), new ParameterStore(scope, false), false);
            phi.attach(manager);
            return phi;
        }
    }

    private static NDArray trained(double[] colours, int side, NDManager manager) {
        int across = (side + 1) / 2;
        float[] values = new float[3 * across * across];
        for (int i = 0; i < across; i++) {
            for (int c = 0; c < 3 * across; c++) {
                values[3 * across * i + c] =
                        (float) colours[3 * (2 * i * side + 2 * (c / 3)) + c % 3];
            }
        }
        return manager.create(values, new Shape(across * across, 3));
    }

    /** Returns the PSNR over the pixels of every second row and column from one on, in dB. */
    double psnr(int from, int step) {
        double sum = 0;
        long count = 0;
        for (int i = from; i < side; i += step) {
            for (int j = from; j < side; j += step) {
                for (int c = 0; c < 3; c++) {
                    int at = 3 * (i * side + j) + c;
                    double error = fitted[at] - colours[at];
                    sum += error * error;
                    count++;
                }
            }
        }
        return -10 * Math.log10(sum / count);
    }

    /** Returns the fitted image, for a picture. */
    Picture picture() {
        return new Picture(side, side, fitted);
    }
}
