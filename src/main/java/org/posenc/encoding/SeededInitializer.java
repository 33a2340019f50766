package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Slice;

/**
 * Initial values from a seed and a parameter's name alone: the same in every thread, in every order
 * of initialisation, and beside any encoding, because no global generator is asked.
 */
public final class SeededInitializer implements Initializer {

    /** How many numbers are drawn before they are narrowed and moved to the device: 8 MB. */
    private static final int AT_ONCE = 1 << 20;

    private final long seed;
    private final ToDoubleFunction<Random> draw;

    private SeededInitializer(long seed, ToDoubleFunction<Random> draw) {
        this.seed = seed;
        this.draw = draw;
    }

    /**
     * Normal numbers of mean 0.
     *
     * @param deviation their standard deviation
     * @param seed the seed of the model or the encoding
     * @param name the parameter's name in it
     * @return the initializer
     */
    public static SeededInitializer normal(double deviation, long seed, String name) {
        return new SeededInitializer(mix(seed, name), r -> deviation * r.nextGaussian());
    }

    /**
     * Uniform numbers in (−bound, bound).
     *
     * @param bound positive
     * @param seed the seed of the model or the encoding
     * @param name the parameter's name in it
     * @return the initializer
     */
    public static SeededInitializer uniform(double bound, long seed, String name) {
        return new SeededInitializer(mix(seed, name), r -> bound * (2 * r.nextDouble() - 1));
    }

    /**
     * Uniform numbers in (least, greatest).
     *
     * @param least below the greatest
     * @param greatest above the least
     * @param seed the seed of the model or the encoding
     * @param name the parameter's name in it
     * @return the initializer
     */
    public static SeededInitializer uniform(double least, double greatest, long seed, String name) {
        return new SeededInitializer(
                mix(seed, name), r -> least + (greatest - least) * r.nextDouble());
    }

    /**
     * Returns the initializer of a function of these numbers, for parameters that are kept in other
     * terms than they are drawn in.
     *
     * @param function of one number
     * @return the initializer
     */
    public SeededInitializer map(DoubleUnaryOperator function) {
        return new SeededInitializer(seed, r -> function.applyAsDouble(draw.applyAsDouble(r)));
    }

    private static long mix(long seed, String name) {
        long hash = seed;
        for (char c : name.toCharArray()) {
            hash = (hash ^ c) * 0x100000001b3L; // FNV-1a
        }
        // java.util.Random starts alike for seeds that differ in few bits.
        hash = (hash ^ hash >>> 31) * 0xbf58476d1ce4e5b9L;
        return hash ^ hash >>> 29;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray initialize(NDManager manager, Shape shape, DataType type) {
        long size = shape.size();
        if (size <= AT_ONCE) {
            return array(manager, shape, type, draw((int) size));
        }
        Random random = new Random(seed);
        NDArray all = manager.create(shape, type);
        try (NDArray flat = all.reshape(-1)) {
            for (long from = 0; from < size; from += AT_ONCE) {
                double[] values = draw(random, (int) Math.min(AT_ONCE, size - from));
                try (NDArray part = manager.create(values)) {
                    Slice.write(flat, 0, from, part);
                }
            }
        }
        return all;
    }

    double[] draw(int count) {
        return draw(new Random(seed), count);
    }

    private double[] draw(Random random, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = draw.applyAsDouble(random);
        }
        return values;
    }

    /** Returns values as an array that libtorch owns, so that it may outlive its Java handle. */
    static NDArray array(NDManager manager, Shape shape, DataType type, double[] values) {
        try (NDArray exact = manager.create(values, shape)) {
            NDArray typed = Cast.to(exact, type, false);
            return typed == exact ? exact.duplicate() : typed;
        }
    }
}
