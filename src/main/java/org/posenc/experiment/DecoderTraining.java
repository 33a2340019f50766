package org.posenc.experiment;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.WarmupCosine;

/**
 * How the experiments train a decoder: AdamW, the gradient's norm clipped to 1, the learning rate
 * raised over the first twentieth of the steps and lowered along a cosine to a tenth.
 *
 * @param steps optimizer steps
 * @param learningRate the highest
 */
public record DecoderTraining(int steps, double learningRate) {

    /** Checks the values. */
    public DecoderTraining {
        Positive.check(steps, "steps");
        if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
            throw new IllegalArgumentException(
                    "learning rate must be positive, got " + learningRate);
        }
    }

    /**
     * Trains.
     *
     * @param model holds the decoder, on its device; what is initialised already stays as it is
     * @param batches as many as there are steps
     * @param progress hears of each step
     * @return the mean loss over the last tenth of the steps
     * @throws IOException if the batches cannot be read
     * @throws TranslateException if the batches cannot be made
     */
    public double run(Model model, Dataset batches, Progress progress)
            throws IOException, TranslateException {
        try (AdamW optimizer =
                        AdamW.builder()
                                .optBetas(0.9, 0.99)
                                .optLearningRate(
                                        new WarmupCosine(
                                                learningRate, steps / 20, steps, learningRate / 10))
                                .build();
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new CausalLanguageModelLoss())
                                .setOptimizer(optimizer)
                                .optClipNorm(1)
                                .build()) {
            trainer.initialize(new Shape(1, 1));
            int lastTenth = steps - (steps + 9) / 10;
            int step = 0;
            for (Batch batch : trainer.iterateDataset(batches)) {
                if (step++ == lastTenth) {
                    trainer.takeMeanLoss(); // only the last tenth is to be reported
                }
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
                batch.close();
                progress.advanced(1);
            }
            return trainer.takeMeanLoss();
        }
    }
}
