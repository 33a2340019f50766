package org.posenc.kernel;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

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
     * A part of backward that the graph has no way through, such as a segment whose activations
     * were not kept.
     */
    interface Remainder extends AutoCloseable {

        /**
         * Runs backward from where the graph ended.
         *
         * @return false where no gradient has come so far yet
         */
        boolean backward();

        /** Frees what it kept. */
        @Override
        void close();
    }

    /**
     * Has a remainder run after the graph's own part of backward, those that were added later
     * first.
     *
     * @throws IllegalStateException if the calling thread has no {@link #collector}
     */
    static void add(Remainder remainder) {
        ThreadCollector collector = ThreadCollector.CURRENT.get();
        if (collector == null) {
            remainder.close();
            throw new IllegalStateException(
                    "activations that are to be computed again need a collector of this library's"
                            + " trainer, or of Autograd, on the thread that runs the model");
        }
        collector.remainders.push(remainder);
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

        static final ThreadLocal<ThreadCollector> CURRENT = new ThreadLocal<>();

        private final boolean before = JniUtils.isGradMode();
        private final ThreadCollector outer = CURRENT.get();
        private final Deque<Remainder> remainders = new ArrayDeque<>(); // the latest first

        ThreadCollector() {
            JniUtils.setGradMode(true);
            CURRENT.set(this);
        }

        @Override
        public void backward(NDArray target) {
            try (NDArray one = target.onesLike()) {
                JniUtils.backward((PtNDArray) target, (PtNDArray) one, false, false);
            }
            for (Iterator<Remainder> left = remainders.iterator(); left.hasNext(); ) {
                Remainder remainder = left.next();
                if (remainder.backward()) {
                    left.remove();
                    remainder.close();
                }
            }
        }

        @Override
        public void zeroGradients() {
            // Gradients are zeroed by the optimizer, array by array.
        }

        @Override
        public void close() {
            remainders.forEach(Remainder::close);
            remainders.clear();
            CURRENT.set(outer);
            JniUtils.setGradMode(before);
        }
    }
}
