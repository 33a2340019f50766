package org.posenc.testing;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.nio.DoubleBuffer;
import java.util.Random;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.posenc.kernel.Autograd;

/** Compares gradients with finite differences, in double precision. */
public final class Gradients {

    private static final double STEP = 1e-5;

    private Gradients() {}

    /** Returns reproducible standard normal numbers as float64. */
    public static NDArray normal(NDManager manager, long seed, long... shape) {
        Random random = new Random(seed);
        Shape s = new Shape(shape);
        double[] values = new double[Math.toIntExact(s.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        return manager.create(values, s);
    }

    /**
     * Checks d(Σ w·f(x))/dx, for fixed random weights w, against central differences in each
     * element of x.
     *
     * @param x float64; a leaf, or a parameter's array that f reads
     * @param f any differentiable function of x
     */
    public static void check(NDArray x, Function<NDArray, NDArray> f) {
        int threads = Autograd.operationThreads();
        Autograd.operationThreads(1); // thousands of tiny operations
        try {
            compare(x, f);
        } finally {
            Autograd.operationThreads(threads);
        }
    }

    private static void compare(NDArray x, Function<NDArray, NDArray> f) {
        NDManager manager = x.getManager();
        x.setRequiresGradient(true);
        NDArray weights;
        double[] analytic;
        try (GradientCollector collector = Autograd.collector()) {
            NDArray y = f.apply(x);
            weights = normal(manager, 99, y.getShape().getShape()).toType(y.getDataType(), false);
            collector.backward(y.mul(weights).sum());
            assertThat(x.hasGradient()).isTrue();
            analytic = x.getGradient().toType(DataType.FLOAT64, false).toDoubleArray();
            Autograd.zeroGradient(x);
        }
        x.setRequiresGradient(false);
        double[] values = x.toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            double difference =
                    (at(x, values, i, STEP, f, weights) - at(x, values, i, -STEP, f, weights))
                            / (2 * STEP);
            assertThat(analytic[i])
                    .as("gradient of element %d", i)
                    .isCloseTo(difference, Offset.offset(1e-6 * Math.max(1, Math.abs(difference))));
        }
        x.set(DoubleBuffer.wrap(values));
    }

    private static double at(
            NDArray x,
            double[] values,
            int i,
            double step,
            Function<NDArray, NDArray> f,
            NDArray weights) {
        double[] moved = values.clone();
        moved[i] += step;
        x.set(DoubleBuffer.wrap(moved));
        return f.apply(x).mul(weights).sum().toType(DataType.FLOAT64, false).getDouble();
    }
}
