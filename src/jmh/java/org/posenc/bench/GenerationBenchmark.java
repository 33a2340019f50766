package org.posenc.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
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
import org.posenc.checkpoint.ModelFolder;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.model.Generation;
import org.posenc.model.Transformer;

/**
 * Greedy generation of 700 tokens after a prompt of 64, by the model of a Hugging Face folder.
 * {@code src/jmh/python/hugging_face.py} makes a folder, and generates the same with transformers.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1)
@Measurement(iterations = 3)
public class GenerationBenchmark {

    private static final int PROMPT = 64;
    private static final int TOKENS = 700;

    /** The folder. */
    @Param({""})
    public String folder;

    /** What products are taken in. */
    @Param({"FLOAT32", "BFLOAT16"})
    public Precision precision;

    private NDManager manager;
    private Autograd.Scope scope;
    private Generation generation;
    private long[] prompt;

    /** Reads the folder. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        Transformer model = ModelFolder.open(Path.of(folder)).load(manager, DataType.FLOAT32);
        generation = Generation.builder().setModel(model).setMostTokens(TOKENS).build();
        prompt = LongStream.rangeClosed(1, PROMPT).toArray();
        scope = precision.useForInference();
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        scope.close();
        manager.close();
    }

    /**
     * Generates.
     *
     * @return what it generated
     */
    @Benchmark
    public List<Generation.Continuation> generation() {
        return generation.generate(List.of(prompt));
    }
}
