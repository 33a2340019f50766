package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Autograd;
import org.posenc.testing.FreshJvm;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

class ComplexFitMemoryTest {

    private static final Path STATUS = Path.of("/proc/self/status");

    /** Of the whole process, with the JVM and the engine. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "1"})
    void anImageOf512TakesLessThanAGigabyte(String depth) throws Exception {
        assumeTrue(Files.exists(STATUS), "the system does not tell a process' memory");
        long kilobytes = Long.parseLong(FreshJvm.run(Fit.class, depth));
        assertThat(kilobytes).isLessThan(1_000_000);
    }

    /** Fits 256² of the pixels with 256 Gaussians an axis, then computes all 512². */
    static final class Fit {

        public static void main(String[] args) throws Exception {
            try (Model model = Model.newInstance("image", Device.cpu());
                    AdamW adam = AdamW.adamWithL2().optLearningRate(0.1).build()) {
                NDManager manager = model.getNDManager();
                ShiftedBasis gaussians =
                        ShiftedBasis.builder()
                                .setBasis(new BasisFunction.Gaussian(0.004))
                                .setDimension(256)
                                .build();
                CoordinateMlp network =
                        CoordinateMlp.builder()
                                .setFeatures(Kronecker.of(gaussians, 2))
                                .optDepth(Integer.parseInt(args[0]))
                                .optOutputs(3)
                                .build();
                model.setBlock(network);
                NDArray trained = axis(manager, 256);
                NDArray image = manager.ones(new Shape(256, 256, 3));
                try (SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new MeanSquaredError())
                                .setOptimizer(adam)
                                .build()) {
                    trainer.initialize(trained.getShape(), trained.getShape());
                    FullBatch pixels = new FullBatch(List.of(trained, trained), image, 2);
                    for (Batch batch : trainer.iterateDataset(pixels)) {
                        EasyTrain.trainBatch(trainer, batch);
                        trainer.step();
                        batch.close();
                    }
                }
                Positions all = Positions.of(axis(manager, 512));
                try (Autograd.Scope off = Autograd.off()) {
                    network.onGrid(List.of(all, all), new ParameterStore(manager, false), false)
                            .toFloatArray();
                }
            }
            Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .forEach(line -> System.out.println(line.replaceAll("\\D", "")));
        }

        private static NDArray axis(NDManager manager, int samples) {
            return manager.arange(0f, samples).div(manager.create((float) samples));
        }
    }
}
