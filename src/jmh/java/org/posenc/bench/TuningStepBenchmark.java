package org.posenc.bench;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.EasyTrain;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
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
import org.posenc.attention.Lora;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.experiment.finetuning.Tuning;
import org.posenc.model.Transformer;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.TokenWindows;

/**
 * A step of fine-tuning the model of a Hugging Face folder, in full or by LoRA of rank 8 on queries
 * and values: 2 rows of 256 tokens, AdamW, gradients clipped. {@code
 * src/jmh/python/hugging_face.py} makes a folder, and takes the same step with transformers and
 * peft.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 4)
@Measurement(iterations = 3, time = 6)
public class TuningStepBenchmark {

    private static final int LENGTH = 256;
    private static final int BATCH = 2;

    /** What is trained. */
    public enum Method {
        /** All weights. */
        FULL(new Tuning.Full(List.of())),
        /** Pairs beside the queries' and the values' weights. */
        LORA(new Tuning.LowRank(Lora.of(8, 16, "q_proj", "v_proj")));

        private final Tuning tuning;

        Method(Tuning tuning) {
            this.tuning = tuning;
        }
    }

    /** The folder. */
    @Param({""})
    public String folder;

    /** What is trained. */
    @Param({"FULL", "LORA"})
    public Method method;

    private Model model;
    private AdamW optimizer;
    private SingleDeviceTrainer trainer;
    private Iterator<Batch> batches;

    /** Reads the folder, makes a trainer and endless random text. */
    @Setup
    public void open() {
        model = Model.newInstance("tuned", Device.cpu());
        Transformer read =
                ModelFolder.open(Path.of(folder)).load(model.getNDManager(), DataType.FLOAT32);
        method.tuning.prepare(read);
        model.setBlock(read);
        optimizer = AdamW.builder().optLearningRate(Tracker.fixed(1e-4f)).build();
        trainer =
                SingleDeviceTrainer.builder()
                        .setModel(model)
                        .setLoss(new CausalLanguageModelLoss())
                        .setOptimizer(optimizer)
                        .optClipNorm(1)
                        .build();
        int vocabulary = read.config().vocabulary();
        int[] text = new Random(1).ints(100_000, 0, vocabulary).toArray();
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
    public void tuningStep() throws IOException {
        try (Batch batch = batches.next()) {
            EasyTrain.trainBatch(trainer, batch);
            trainer.step();
        }
    }
}
