package org.posenc.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.posenc.attention.MultiHeadAttention;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.kernel.ScaledDotProduct;

/**
 * Causal attention forward and backward against DJL's {@link ScaledDotProductAttentionBlock}:
 * twelve heads of 64, batch of one. {@code Block} is with the four projections, {@code Core}
 * without. DJL gets its mask ready to add, which is the fastest it takes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 2)
public class AttentionBenchmark {

    private static final int HEADS = 12;
    private static final int HEAD = 64;

    /** The length of the sequence, T. */
    @Param({"256", "1024", "4096"})
    public int length;

    private NDManager manager;
    private ParameterStore parameters;
    private NDArray x;
    private NDArray q;
    private NDArray k;
    private NDArray v;
    private NDArray future; // (1, 1, T, T), what DJL adds to the scores
    private MultiHeadAttention ours;
    private ScaledDotProductAttentionBlock djl;

    /** Makes the inputs and the blocks. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager();
        parameters = new ParameterStore(manager, false);
        Shape tokens = new Shape(1, length, HEADS * HEAD);
        Shape split = new Shape(1, HEADS, length, HEAD);
        x = manager.randomNormal(tokens);
        q = manager.randomNormal(split);
        k = manager.randomNormal(split);
        v = manager.randomNormal(split);
        NDArray place = manager.arange(length);
        future =
                place.expandDims(0)
                        .gt(place.expandDims(1))
                        .toType(DataType.FLOAT32, true)
                        .mul(-100_000)
                        .reshape(1, 1, length, length);
        ours =
                MultiHeadAttention.builder()
                        .setEmbeddingSize(HEADS * HEAD)
                        .setHeads(HEADS)
                        .optBiases(true, true)
                        .optCausal(true)
                        .build();
        djl =
                ScaledDotProductAttentionBlock.builder()
                        .setEmbeddingSize(HEADS * HEAD)
                        .setHeadCount(HEADS)
                        .optAttentionProbsDropoutProb(0)
                        .build();
        for (AbstractBlock block : new AbstractBlock[] {ours, djl}) {
            block.initialize(manager, DataType.FLOAT32, tokens);
            block.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(true));
        }
        for (NDArray input : new NDArray[] {x, q, k, v}) {
            input.setRequiresGradient(true);
        }
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        manager.close();
    }

    /** Runs {@link MultiHeadAttention}. */
    @Benchmark
    public void posencBlock() {
        block(ours, new NDList(x));
    }

    /** Runs {@link MultiHeadAttention} with its products in bfloat16. */
    @Benchmark
    public void posencBlockBfloat16() {
        try (Autograd.Scope narrow = Precision.BFLOAT16.use()) {
            block(ours, new NDList(x));
        }
    }

    /** Runs DJL's block. */
    @Benchmark
    public void djlBlock() {
        block(djl, new NDList(x, future));
    }

    private void block(AbstractBlock block, NDList inputs) {
        try (NDManager step = manager.newSubManager();
                GradientCollector collector = Autograd.collector()) {
            x.attach(step);
            NDArray y = block.forward(parameters, inputs, true).head();
            collector.backward(y);
            x.attach(manager);
        }
    }

    /** Runs {@link ScaledDotProduct}. */
    @Benchmark
    public void posencCore() {
        core(new ScaledDotProduct(true)::attend);
    }

    /** Runs {@link ScaledDotProduct} in bfloat16. */
    @Benchmark
    public void posencCoreBfloat16() {
        try (Autograd.Scope narrow = Precision.BFLOAT16.use()) {
            core(new ScaledDotProduct(true)::attend);
        }
    }

    /** Runs the lines of DJL's block between its projections. */
    @Benchmark
    public void djlCore() {
        core(
                (a, b, c, bias, training) -> {
                    NDArray scores = a.matMul(b.transpose(0, 1, 3, 2));
                    NDArray scale = scores.getManager().create(1f / (float) Math.sqrt(HEAD));
                    return scores.mul(scale).add(future).softmax(3).matMul(c);
                });
    }

    private interface Core {
        NDArray attend(NDArray q, NDArray k, NDArray v, NDArray bias, boolean training);
    }

    private void core(Core core) {
        try (NDManager step = manager.newSubManager();
                GradientCollector collector = Autograd.collector()) {
            q.attach(step);
            NDArray y = core.attend(q, k, v, null, true);
            collector.backward(y);
            q.attach(manager);
        }
    }
}
