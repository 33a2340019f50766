package org.posenc.experiment.reproduction;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import org.posenc.experiment.Positive;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

/**
 * Both papers' training of a network whose samples are given in any of its ways: full batches, Adam
 * with 10⁻⁸ w added to the gradient, the mean squared error of all values.
 *
 * @param rate the learning rate
 * @param iterations steps
 */
record Descent(double rate, int iterations) {

    private static final double DECAY = 1e-8;

    Descent {
        Positive.check(iterations, "iterations");
    }

    /** Looks at the network between steps; nothing it computes records a gradient. */
    @FunctionalInterface
    interface Watch {

        /**
         * Looks.
         *
         * @param done steps done, at least 1
         * @param seconds what they took, without the time of looking
         * @param parameters gives the network's parameters
         */
        void after(int done, double seconds, ParameterStore parameters);
    }

    /**
     * Trains.
     *
     * @param network new, without parameters yet
     * @param inputs what the network takes, on the device to train on
     * @param values what it should give
     * @param watch looks after every step
     * @param progress hears of each step
     */
    void run(
            CoordinateMlp network,
            List<NDArray> inputs,
            NDArray values,
            Watch watch,
            Progress progress)
            throws IOException, TranslateException {
        try (Model model = Model.newInstance("network", values.getDevice());
                AdamW adam =
                        AdamW.adamWithL2()
                                .optLearningRate(Tracker.fixed((float) rate))
                                .optDecay(DECAY)
                                .build()) {
            model.setBlock(network);
            model.setDataType(DataType.FLOAT32);
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(model)
                            .setLoss(new MeanSquaredError())
                            .setOptimizer(adam)
                            .build()) {
                trainer.initialize(inputs.stream().map(NDArray::getShape).toArray(Shape[]::new));
                ParameterStore parameters = new ParameterStore(model.getNDManager(), false);
                int done = 0;
                long spent = 0;
                long started = System.nanoTime();
                for (Batch batch :
                        trainer.iterateDataset(new FullBatch(inputs, values, iterations))) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    batch.close();
                    done++;
                    progress.advanced(1);
                    spent += System.nanoTime() - started;
                    try (Autograd.Scope off = Autograd.off()) {
                        watch.after(done, spent / 1e9, parameters);
                    }
                    started = System.nanoTime();
                }
            }
        }
    }
}
