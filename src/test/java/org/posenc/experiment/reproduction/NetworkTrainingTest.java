package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.posenc.experiment.Progress;

class NetworkTrainingTest {

    /** Gradients by DJL and in closed form, two optimizers: one linear layer's fit is the same. */
    @Test
    void withoutHiddenLayersItIsTheLinearTraining() throws Exception {
        Random random = new Random(2);
        double[] values = random.doubles(10).toArray();
        double[] phi = random.doubles(10 * 6, -1, 1).toArray();
        AtomicLong steps = new AtomicLong();
        Progress progress =
                new Progress() {
                    @Override
                    public void started(long all, long done) {}

                    @Override
                    public void advanced(long more) {
                        steps.addAndGet(more);
                    }

                    @Override
                    public void finished(String trial) {}
                };
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray rows = manager.create(phi, new Shape(10, 6));
            LinearTraining.Signal signal =
                    new LinearTraining.Signal(values, values, 9, "map0"); // as the network names it
            double[] expected =
                    new LinearTraining(1e-2, 60, 1)
                            .run(rows, rows, List.of(signal), progress)
                            .predictions()[0];
            NDArray single = rows.toType(DataType.FLOAT32, false);
            NDArray targets =
                    manager.create(values, new Shape(10, 1)).toType(DataType.FLOAT32, false);
            float[][] fitted = new float[1][];
            new NetworkTraining(0, 1, false, 1e-2, 60)
                    .run(
                            single,
                            targets,
                            9,
                            (done, network, parameters) -> {
                                if (done == 60) {
                                    fitted[0] =
                                            network.of(single, parameters, false).toFloatArray();
                                }
                            },
                            progress);
            for (int i = 0; i < 10; i++) {
                assertThat((double) fitted[0][i]).isCloseTo(expected[i], within(1e-5));
            }
            assertThat(steps).hasValue(120);
        }
    }
}
