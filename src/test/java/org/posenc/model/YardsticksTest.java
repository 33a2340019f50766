package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.HashGrid;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.experiment.Picture;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateActivation.Relu;
import org.posenc.model.CoordinateActivation.Sine;
import org.posenc.signal.Fidelity;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

/** The networks that the field compares encodings with, fitted to a small image in a few steps. */
class YardsticksTest {

    private static final int SIDE = 24;
    private static final int STEPS = 40;

    /** The same network: SIREN gains 15 dB over it, a hash grid 6. */
    @Test
    void theyFitAnImageThatReluOfCoordinatesCannot() throws Exception {
        Picture picture = Picture.read(Path.of("test-data", "images", "picos-de-europa.png"), SIDE);
        HashGrid grid = HashGrid.builder().optPositionDimension(2).optResolutions(8, SIDE).build();
        assertThat(fit(picture, new Coordinates(2), new Relu())).isBetween(14.0, 18.0);
        assertThat(fit(picture, grid, new Relu())).isGreaterThan(21);
        assertThat(fit(picture, new Coordinates(2), new Sine(60, 30))).isGreaterThan(29);
    }

    private static double fit(
            Picture picture, PositionFeatures features, CoordinateActivation activation)
            throws Exception {
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(features)
                        .optDepth(2)
                        .optWidth(48)
                        .optOutputs(3)
                        .optActivation(activation)
                        .optSeed(1)
                        .build();
        try (Model model = Model.newInstance("yardstick", Device.cpu());
                AdamW adam = AdamW.adamWithL2().optLearningRate(Tracker.fixed(5e-3f)).build()) {
            int threads = Autograd.operationThreads();
            Autograd.operationThreads(1); // thousands of small operations
            model.setBlock(network);
            NDManager manager = model.getNDManager();
            NDArray points = manager.create(picture.points(), new Shape(SIDE * SIDE, 2));
            NDArray colours = manager.create(picture.values(), new Shape(SIDE * SIDE, 3));
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(model)
                            .setLoss(new MeanSquaredError())
                            .setOptimizer(adam)
                            .build()) {
                trainer.initialize(points.getShape());
                for (Batch batch : trainer.iterateDataset(new FullBatch(points, colours, STEPS))) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    batch.close();
                }
            }
            Autograd.operationThreads(threads);
            try (Autograd.Scope off = Autograd.off()) {
                ParameterStore parameters = new ParameterStore(manager, false);
                NDArray fit = network.at(Positions.of(points), parameters, false);
                return Fidelity.psnr(fit.toFloatArray(), picture.values());
            }
        }
    }
}
