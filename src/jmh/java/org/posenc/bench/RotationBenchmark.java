package org.posenc.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
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

/**
 * RoPE on (8, 12, 1024, 64), in both layouts, against a copy of the same array; with positions that
 * all rows share, with positions of each row, and for the one new key of a decoding step.
 */
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
    private NDArray ofRows;
    private NDArray projected;
    private NDArray step;
    private NDArray stepOfRows;

    /** Makes the array and the encodings. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager();
        x = manager.randomNormal(SHAPE);
        positions = Positions.range(manager, 0, SHAPE.get(2));
        long batch = SHAPE.get(0);
        long length = SHAPE.get(2);
        ofRows = positions.array().reshape(1, length).broadcast(batch, length).duplicate();
        projected = manager.randomNormal(new Shape(batch, length, SHAPE.get(1), SHAPE.get(3)));
        step = manager.randomNormal(new Shape(batch, SHAPE.get(1), 1, SHAPE.get(3)));
        stepOfRows = manager.full(new Shape(batch, 1), length, DataType.INT64);
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

    /** As {@link #interleaved} in a pass of its own, where each row has its positions. */
    @Benchmark
    public void interleavedWithPositionsOfRows() {
        ofRows(interleaved, x, ofRows);
    }

    /** As {@link #halfSplit} in a pass of its own, where each row has its positions. */
    @Benchmark
    public void halfSplitWithPositionsOfRows() {
        ofRows(halfSplit, x, ofRows);
    }

    /** Copies what a projection gives, (B, T, H, D) seen as (B, H, T, D). */
    @Benchmark
    public void copyOfProjection() {
        try (NDArray heads = projected.transpose(0, 2, 1, 3)) {
            heads.duplicate().close();
        }
    }

    /** Turns what a projection gives. */
    @Benchmark
    public void halfSplitOfProjection() {
        try (NDArray heads = projected.transpose(0, 2, 1, 3)) {
            halfSplit.rotate(heads, positions, false).close();
        }
    }

    /** The new key of a decoding step in a pass of its own: 1,024 keys before it change nothing. */
    @Benchmark
    public void halfSplitStep() {
        ofRows(halfSplit, step, stepOfRows);
    }

    /** As {@link #halfSplitStep}, pairs of neighbours. */
    @Benchmark
    public void interleavedStep() {
        ofRows(interleaved, step, stepOfRows);
    }

    private void ofRows(Rope rope, NDArray heads, NDArray places) {
        try (NDManager pass = manager.newSubManager()) {
            NDArray own = places.duplicate();
            own.attach(pass);
            rope.rotate(heads, Positions.of(own), false).close();
        }
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
