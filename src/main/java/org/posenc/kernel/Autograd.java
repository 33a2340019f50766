package org.posenc.kernel;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;

/**
 * Whether the calling thread records gradients, and how it runs backward.
 *
 * <p>libtorch keeps this switch for each thread, on by default, so that inference on a worker
 * thread records a graph unless it is told not to; and DJL's own collector exists once in a
 * process. Both are mended here.
 */
public final class Autograd {

    private Autograd() {}

    /**
     * A stretch of code under one setting of the switch; closing it restores the setting before.
     */
    public interface Scope extends AutoCloseable {

        /** Restores the switch. */
        @Override
        void close();
    }

    /**
     * Records nothing on this thread until the scope is closed.
     *
     * @return the scope
     */
    public static Scope off() {
        boolean before = JniUtils.isGradMode();
        JniUtils.setGradMode(false);
        return () -> JniUtils.setGradMode(before);
    }

    /**
     * Records gradients on this thread until the collector is closed; unlike DJL's collector, any
     * number of threads may hold one.
     *
     * @return the collector; gradients add up over backward calls until they are zeroed
     */
    public static GradientCollector collector() {
        return new ThreadCollector();
    }

    /**
     * Returns an array's gradient.
     *
     * @param weight an array that requires a gradient
     * @return a new handle of it, to be closed; {@code null} before the first backward
     */
    public static NDArray gradient(NDArray weight) {
        return JniUtils.getGradient((PtNDArray) weight);
    }

    /**
     * Sets an array's gradient to zero, NaN included.
     *
     * @param weight an array that requires a gradient
     */
    public static void zeroGradient(NDArray weight) {
        JniUtils.zeroGrad((PtNDArray) weight);
    }

    /**
     * Sets how many threads an operation called from this thread may use.
     *
     * @param threads at least 1
     * @throws IllegalArgumentException if the number is smaller
     */
    public static void operationThreads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, got " + threads);
        }
        Engine.getEngine("PyTorch"); // which sets the number itself when it starts
        JniUtils.setNumThreads(threads);
    }

    /**
     * Returns how many threads an operation called from this thread may use.
     *
     * @return the number of threads
     */
    public static int operationThreads() {
        return JniUtils.getNumThreads();
    }

    private static final class ThreadCollector implements GradientCollector {

        private final boolean before = JniUtils.isGradMode();

        ThreadCollector() {
            JniUtils.setGradMode(true);
        }

        @Override
        public void backward(NDArray target) {
            try (NDArray one = target.onesLike()) {
                JniUtils.backward((PtNDArray) target, (PtNDArray) one, false, false);
            }
        }

        @Override
        public void zeroGradients() {
            // Gradients are zeroed by the optimizer, array by array.
        }

        @Override
        public void close() {
            JniUtils.setGradMode(before);
        }
    }
}
