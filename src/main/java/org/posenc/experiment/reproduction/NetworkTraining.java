package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import org.posenc.encoding.Coordinates;
import org.posenc.experiment.Positive;
import org.posenc.experiment.Progress;
import org.posenc.model.CoordinateMlp;

/**
 * The notebooks' training of a network on features that were computed before: full batches, Adam
 * with betas 0.9 and 0.999, ε 10⁻⁸ and 10⁻⁸ w added to the gradient, the mean squared error of all
 * values.
 *
 * @param depth hidden layers
 * @param width their units
 * @param sigmoid whether outputs are squeezed into (0, 1)
 * @param rate the learning rate
 * @param iterations steps
 */
record NetworkTraining(int depth, int width, boolean sigmoid, double rate, int iterations) {

    NetworkTraining {
        Positive.check(iterations, "iterations");
    }

    /** Looks at the network between steps; nothing it computes records a gradient. */
    @FunctionalInterface
    interface Watch {

        /**
         * Looks.
         *
         * @param done steps done, at least 1
         * @param network what they made of it
         * @param parameters gives its parameters
         */
        void after(int done, CoordinateMlp network, ParameterStore parameters);
    }

    /**
     * Trains.
     *
     * @param phi φ of the training points (N, d), on the device to train on
     * @param values what they should give (N, outputs)
     * @param seed draws the initial weights
     * @param watch looks after every step
     * @param progress hears of each step
     */
    void run(NDArray phi, NDArray values, long seed, Watch watch, Progress progress)
            throws IOException, TranslateException {
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(new Coordinates((int) phi.getShape().get(1)))
                        .optDepth(depth)
                        .optWidth(width)
                        .optOutputs((int) values.getShape().get(1))
                        .optSigmoid(sigmoid)
                        .optSeed(seed)
                        .build();
        // A network of one coordinate takes it without an axis.
        NDArray points = phi.getShape().get(1) == 1 ? phi.squeeze(1) : phi; // (N) or (N, d)
        new Descent(rate, iterations)
                .run(
                        network,
                        List.of(points),
                        values,
                        (done, seconds, parameters) -> watch.after(done, network, parameters),
                        progress);
    }
}
