package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import java.util.Random;
import org.posenc.kernel.Cast;

/**
 * Initial values N(0, σ²) that depend on a seed alone, not on what else was drawn before.
 *
 * @param sigma σ, the standard deviation
 * @param seed draws the values
 */
record NormalDraws(double sigma, long seed) implements Initializer {

    @Override
    public NDArray initialize(NDManager manager, Shape shape, DataType type) {
        return array(manager, shape, type, draw(Math.toIntExact(shape.size())));
    }

    double[] draw(int count) {
        Random random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = sigma * random.nextGaussian();
        }
        return values;
    }

    /** Returns values as an array that libtorch owns, so that it may be trained in place. */
    static NDArray array(NDManager manager, Shape shape, DataType type, double[] values) {
        try (NDArray exact = manager.create(values, shape)) {
            NDArray typed = Cast.to(exact, type, false);
            return typed == exact ? exact.duplicate() : typed;
        }
    }
}
