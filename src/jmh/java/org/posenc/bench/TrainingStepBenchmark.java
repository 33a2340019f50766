package org.posenc.bench;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.util.Iterator;
import java.util.Random;
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
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.TokenWindows;

/**
 * A training step of a decoder: 4 layers of 256 with 4 heads, RoPE, 1,024 tokens, AdamW, 8 rows of
 * 256 tokens. {@code src/jmh/python/pytorch.py} has the same in PyTorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class TrainingStepBenchmark {

    private static final int VOCABULARY = 1024;
    private static final int LENGTH = 256;
    private static final int BATCH = 8;

    private Model model;
    private AdamW optimizer;
    private SingleDeviceTrainer trainer;
    private Iterator<Batch> batches;

    /** Makes the model, its trainer and endless random text. */
    @Setup
    public void open() {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(VOCABULARY)
                        .setEmbeddingSize(256)
                        .setLayers(4)
                        .setHeads(4)
                        .optFeedForwardSize(1024)
                        .build();
        Rope rope =
                Rope.builder()
                        .setHeadDimension(config.headDimension())
                        .setLayout(RotaryLayout.INTERLEAVED)
                        .build();
        model = Model.newInstance("decoder", Device.cpu());
        model.setBlock(new Transformer(config, rope));
        optimizer = AdamW.builder().optLearningRate(Tracker.fixed(1e-4f)).build();
        trainer =
                SingleDeviceTrainer.builder()
                        .setModel(model)
                        .setLoss(new CausalLanguageModelLoss())
                        .setOptimizer(optimizer)
                        .build();
        trainer.initialize(new Shape(BATCH, LENGTH));
        int[] text = new Random(1).ints(100_000, 0, VOCABULARY).toArray();
        batches =
                TokenWindows.random(text, LENGTH, BATCH, 1_000_000, 1)
                        .getData(trainer.getManager())
                        .iterator();
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        trainer.close();
        optimizer.close();
        model.close();
    }

    /**
     * Trains on one batch.
     *
     * @throws IOException never
     */
    @Benchmark
    public void posenc() throws IOException {
        try (Batch batch = batches.next()) {
            EasyTrain.trainBatch(trainer, batch);
            trainer.step();
        }
    }
}
