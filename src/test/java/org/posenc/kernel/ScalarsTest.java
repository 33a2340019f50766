package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ScalarsTest {

    @Test
    void valuesAndGradientsAreRightWhateverIsCollectedBetween() throws InterruptedException {
        check(x -> Scalars.mul(x, 0.3), new double[] {-0.6, 1.5}, new double[] {0.3, 0.3});
        check(
                x -> Scalars.div(x, 0.7),
                new double[] {-2 / 0.7, 5 / 0.7},
                new double[] {1 / 0.7, 1 / 0.7});
        check(x -> Scalars.minimum(x, 1.5), new double[] {-2, 1.5}, new double[] {1, 0});
        check(x -> Scalars.maximum(x, 1.5), new double[] {1.5, 5}, new double[] {0, 1});
    }

    @Test
    void theTypeStays() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            for (DataType type : new DataType[] {DataType.FLOAT16, DataType.FLOAT32}) {
                for (Shape shape : new Shape[] {new Shape(2), new Shape()}) {
                    NDArray x = manager.ones(shape, type);
                    assertThat(Scalars.mul(x, 2.5).getDataType()).isEqualTo(type);
                    assertThat(Scalars.maximum(x, 2.5).getDataType()).isEqualTo(type);
                }
            }
        }
    }

    @Test
    void anArrayIsChangedInPlace() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray x = manager.create(new float[] {0, 1, -2});
            assertThat(Scalars.muli(x, -1e30)).isSameAs(x);
            assertThat(x.toFloatArray()).containsExactly(-0f, -1e30f, 2 * 1e30f);
        }
    }

    private static void check(UnaryOperator<NDArray> f, double[] values, double[] gradients)
            throws InterruptedException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                GradientCollector collector = Autograd.collector()) {
            NDArray x = manager.create(new double[] {-2, 5});
            x.setRequiresGradient(true);
            NDArray y = f.apply(x);
            assertThat(y.toDoubleArray()).containsExactly(values, Offset.offset(1e-15));
            System.gc();
            Thread.sleep(50); // for the collector to hand back the memory of dead buffers
            Random random = new Random(1);
            for (int i = 0; i < 50; i++) {
                manager.create(random.nextDouble());
            }
            collector.backward(y.sum());
            try (NDArray gradient = Autograd.gradient(x)) {
                assertThat(gradient.toDoubleArray())
                        .containsExactly(gradients, Offset.offset(1e-15));
            }
        }
    }
}
