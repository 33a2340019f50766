package org.posenc.kernel;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.function.BiFunction;

/**
 * Activation checkpointing (<a href="https://arxiv.org/abs/1604.06174">Chen et al. 2016</a>): in
 * training, a model cut into segments keeps what goes into each of them alone, and computes a
 * segment again when backward comes to it. Memory is that of all inputs and of one segment's
 * activations, time about a third more. Gradients are what they would be otherwise.
 *
 * <p>TorchScript has no such function. A segment's output is the end of the graph; {@link
 * Autograd#collector}'s backward goes on from its gradient, segment by segment. Positions get no
 * gradient. On a CPU, glibc hands what is freed back to the system only where the environment
 * variable {@code MALLOC_MMAP_THRESHOLD_} is small, such as 65536.
 *
 * <pre>{@code
 * try (GradientCollector collector = Autograd.collector()) {
 *     NDArray logits;
 *     try (Autograd.Scope again = Recomputation.ofLayers(1)) {
 *         logits = model.logits(ids, positions, mask, parameters, true);
 *     }
 *     collector.backward(loss(logits));
 * }
 * }</pre>
 */
public final class Recomputation {

    private static final long NONE = -1;

    private static final ThreadLocal<Integer> LAYERS = ThreadLocal.withInitial(() -> 0);

    private Recomputation() {}

    /**
     * Has models that train on the calling thread compute their layers again, until the scope is
     * closed.
     *
     * @param layers how many layers are a segment; 0 for none, which keeps all activations
     * @return the scope
     * @throws IllegalArgumentException if it is negative
     */
    public static Autograd.Scope ofLayers(int layers) {
        if (layers < 0) {
            throw new IllegalArgumentException(
                    "a segment that is computed again has at least 1 layer, got " + layers);
        }
        int before = LAYERS.get();
        LAYERS.set(layers);
        return () -> LAYERS.set(before);
    }

    /**
     * Returns how many layers are a segment on the calling thread.
     *
     * @return 0 where all activations are kept, or no gradients are recorded at all
     */
    public static int layers() {
        return JniUtils.isGradMode() ? LAYERS.get() : 0;
    }

    /**
     * Runs a segment without a graph, and again, with one, in backward.
     *
     * @param x what goes in; its memory is kept until backward
     * @param trained whether the segment has parameters that require gradients
     * @param random whether the segment draws random numbers; libtorch's generators, which are
     *     those of the whole process, are then seeded before both runs, so that they draw the same:
     *     no other thread may draw meanwhile
     * @param segment makes the output of x; other arrays may be given to the manager, which closes
     *     them when they are not needed any more
     * @return the output; where it requires a gradient, the collector closes it
     * @throws IllegalStateException if the calling thread has no collector that runs the rest of
     *     backward
     */
    public static NDArray segment(
            NDArray x,
            boolean trained,
            boolean random,
            BiFunction<NDArray, NDManager, NDArray> segment) {
        NDArray input = x.reshape(x.getShape()); // a handle of our own, in x's graph
        NDScope.unregister(input);
        Segment kept = new Segment(input, random ? drawSeed() : NONE, segment);
        boolean differentiable = trained || JniUtils.requiresGrad((PtNDArray) x);
        NDArray y;
        try (Autograd.Scope off = Autograd.off();
                NDManager memory = x.getManager().newSubManager()) {
            y = kept.run(memory);
        }
        if (differentiable) {
            y.setRequiresGradient(true);
            kept.output = y;
            Autograd.add(kept);
        } else {
            input.close();
            NDScope.register(y); // with the scope of the caller, if he has one
        }
        return y;
    }

    /** From libtorch's generator of the CPU, so that what seeded it decides, on a GPU too. */
    private static long drawSeed() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            return manager.randomInteger(0, Integer.MAX_VALUE, new Shape(1), DataType.INT64)
                    .getLong();
        }
    }

    private static final class Segment implements Autograd.Remainder {

        private final NDArray input;
        private final long seed;
        private final BiFunction<NDArray, NDManager, NDArray> function;
        private final Precision precision = Precision.current();
        private NDArray output;

        Segment(NDArray input, long seed, BiFunction<NDArray, NDManager, NDArray> function) {
            this.input = input;
            this.seed = seed;
            this.function = function;
        }

        /** The caller's temporaries end with this run, but not its result. */
        NDArray run(NDManager memory) {
            if (seed != NONE) {
                Engine.getEngine("PyTorch").setRandomSeed((int) seed);
            }
            try (NDScope temporaries = new NDScope();
                    Autograd.Scope narrow = precision.use()) {
                NDArray y = function.apply(input, memory);
                NDScope.unregister(y);
                return y;
            }
        }

        @Override
        public boolean backward() {
            try (NDArray gradient = Autograd.gradient(output)) {
                if (gradient == null) {
                    return false;
                }
                try (NDManager memory = input.getManager().newSubManager();
                        NDArray again = run(memory)) {
                    JniUtils.backward((PtNDArray) again, (PtNDArray) gradient, false, false);
                }
                return true;
            }
        }

        @Override
        public void close() {
            input.close();
            if (output != null) {
                output.close();
            }
        }
    }
}
