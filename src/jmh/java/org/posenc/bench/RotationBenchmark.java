package org.posenc.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.kernel.Autograd;

/** RoPE on (8, 12, 1024, 64), in both layouts, against a copy of the same array. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class RotationBenchmark {

    private static final Shape SHAPE = new Shape(8, 12, 1024, 64);

    private NDManager manager;
    private NDArray x;
    private Positions positions;
    private Rope interleaved;
    private Rope halfSplit;

    /** Makes the array and the encodings. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager();
        x = manager.randomNormal(SHAPE);
        positions = Positions.range(manager, 0, SHAPE.get(2));
        interleaved = rope(RotaryLayout.INTERLEAVED);
        halfSplit = rope(RotaryLayout.HALF_SPLIT);
    }

    private static Rope rope(RotaryLayout layout) {
        return Rope.builder().setHeadDimension((int) SHAPE.get(3)).setLayout(layout).build();
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        manager.close();
    }

    /** Copies the array. */
    @Benchmark
    public void copy() {
        x.duplicate().close();
    }

    /** Turns pairs of neighbours. */
    @Benchmark
    public void interleaved() {
        interleaved.rotate(x, positions, false).close();
    }

    /** Turns pairs that lie half a head apart. */
    @Benchmark
    public void halfSplit() {
        halfSplit.rotate(x, positions, false).close();
    }

    /** Turns pairs of neighbours, forward and backward. */
    @Benchmark
    public void interleavedWithGradient() {
        withGradient(interleaved);
    }

    /** Turns pairs that lie half a head apart, forward and backward. */
    @Benchmark
    public void halfSplitWithGradient() {
        withGradient(halfSplit);
    }

    /** Changes the sign, forward and backward: what the least operation and its gradient cost. */
    @Benchmark
    public void signWithGradient() {
        x.setRequiresGradient(true);
        try (GradientCollector collector = Autograd.collector();
                NDArray y = x.neg()) {
            collector.backward(y);
        }
        x.setRequiresGradient(false);
    }

    private void withGradient(Rope rope) {
        x.setRequiresGradient(true);
        try (GradientCollector collector = Autograd.collector();
                NDArray y = rope.rotate(x, positions, true)) {
            collector.backward(y);
        }
        x.setRequiresGradient(false);
    }
}
