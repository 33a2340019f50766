package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.Encodings;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.model.TransformerConfig.Norm;
import org.posenc.testing.FreshJvm;
import org.posenc.training.PackedDocuments;
import org.posenc.training.TokenDocument;

class TuningMemoryTest {

    private static final ModelFolder FOLDER =
            ModelFolder.open(Path.of("test-data", "goldens", "checkpoints", "llama_default"));

    /** Llama 3.2 1B, whose output is tied. */
    private static final TransformerConfig LLAMA =
            TransformerConfig.builder()
                    .setVocabulary(128256)
                    .setEmbeddingSize(2048)
                    .setLayers(16)
                    .setHeads(32)
                    .optFeedForwardSize(8192)
                    .build();

    private static final TuningMemory FULL =
            new TuningMemory(LLAMA, 1236_000_000, 1236_000_000, false, false);

    private static FinetunePlan plan(Tuning tuning, int batch, int recomputed) {
        return new FinetunePlan(
                Path.of("model"),
                new DataFiles(List.of(Path.of("x")), List.of(), "text", List.of(), 0.1),
                FOLDER.rope(),
                FOLDER.encoding(),
                8192,
                tuning,
                optimization(batch, 2, Precision.FLOAT32, recomputed),
                new FinetunePlan.Measures(0, 1, 1, 0),
                new FinetunePlan.Saving(0, Duration.ZERO, false),
                1,
                Device.cpu());
    }

    private static Optimization optimization(
            int batch, int accumulation, Precision precision, int recomputed) {
        return new Optimization(
                10,
                batch,
                accumulation,
                1e-4,
                Optimization.Schedule.LINEAR,
                0,
                0,
                0.9,
                0.99,
                1,
                precision,
                recomputed);
    }

    @Test
    void weightsGradientsAndMomentsAreCountedOnce() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer model = FOLDER.load(manager, DataType.FLOAT32);
            long size = FOLDER.size().parameters();
            TuningMemory full = TuningMemory.of(model, rows(16, 16));
            assertThat(full.weights()).isEqualTo(size);
            assertThat(full.trained()).isEqualTo(size);
            assertThat(full.adapted()).isFalse();
            assertThat(full.shared()).isFalse();
            model.adapt(Lora.of(3, 6, "q_proj", "v_proj"));
            TuningMemory narrow = TuningMemory.of(model, rows(16, 8));
            // A (3, 32) and B (32 or 16, 3) in each of two layers.
            assertThat(narrow.trained()).isEqualTo(2 * (3 * 32 + 32 * 3 + 3 * 32 + 16 * 3));
            assertThat(narrow.weights()).isEqualTo(size + narrow.trained());
            assertThat(narrow.adapted()).isTrue();
            assertThat(narrow.shared()).isTrue();
        }
    }

    /** Rows that documents of so many places fill. */
    private static PackedDocuments rows(int length, int places) {
        SplittableRandom random = new SplittableRandom(1);
        return new PackedDocuments(
                Stream.generate(() -> TokenDocument.of(random.ints(places + 1, 0, 64).toArray()))
                        .limit(64)
                        .toList(),
                length);
    }

    /** V, E, layers, heads, those of keys, F, rows, T, places of a document, and how. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "100 128 2 2 2 344 4 2048 2048 SWIGLU full 0 FLOAT32",
                "16000 256 4 4 2 1024 2 512 512 SWIGLU lora 1 BFLOAT16",
            })
    @EnabledOnOs(OS.LINUX)
    void theEstimateIsThatOfAMeasuredPeak(String what) throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/clear_refs")), "the system tells no peak");
        String[] said = FreshJvm.run(Training.class, what.split(" ")).split(" ");
        double peak = Double.parseDouble(said[0]);
        double estimate = Double.parseDouble(said[1]);
        assertThat(estimate / peak).as("%s of %s bytes", said[1], said[0]).isBetween(0.8, 1.25);
    }

    /** Each part of the estimate is the largest in some of these. */
    @ParameterizedTest
    @Tag("slow")
    @ValueSource(
            strings = {
                "256 256 4 4 4 704 16 256 256 SWIGLU full 0 FLOAT32",
                "256 256 4 4 4 704 16 256 256 SWIGLU full 1 FLOAT32",
                "256 256 4 4 4 704 16 256 256 SWIGLU full 0 BFLOAT16",
                "256 256 4 4 4 704 16 256 256 SWIGLU full 2 BFLOAT16",
                "256 256 4 4 4 704 16 256 256 SWIGLU lora 0 FLOAT32",
                "256 256 4 4 4 704 16 256 256 SWIGLU lora 0 BFLOAT16",
                "256 256 4 4 4 1024 16 256 256 GELU full 0 FLOAT32",
                "256 256 4 4 4 1024 16 256 256 GELU lora 1 FLOAT32",
                "8000 512 3 8 2 1376 4 512 512 SWIGLU full 0 FLOAT32",
                "8000 512 3 8 2 1376 4 512 512 SWIGLU full 0 BFLOAT16",
                "8000 512 3 8 2 1376 4 512 512 SWIGLU full 1 FLOAT32",
                "8000 512 3 8 2 1376 4 512 512 SWIGLU lora 0 FLOAT32",
                "32000 256 8 4 4 1024 2 512 512 SWIGLU full 0 FLOAT32",
                "32000 256 8 4 4 1024 2 512 512 SWIGLU lora 1 FLOAT32",
                "100 128 4 2 2 344 2 4096 2048 SWIGLU full 0 FLOAT32",
                "100 128 4 2 2 344 2 4096 2048 SWIGLU full 0 BFLOAT16",
                "100 128 4 2 2 344 2 4096 2048 SWIGLU full 1 FLOAT32",
                "100 128 4 2 2 344 2 4096 2048 SWIGLU full 1 BFLOAT16",
            })
    @EnabledOnOs(OS.LINUX)
    void theEstimateIsThatOfManyPeaks(String what) throws Exception {
        theEstimateIsThatOfAMeasuredPeak(what);
    }

    /** Prints the peak of two steps and the estimate of it, in bytes, libtorch and Java apart. */
    static final class Training {

        private static TuningMemory memory;

        public static void main(String[] what) throws Exception {
            int[] n = Stream.of(what).limit(9).mapToInt(Integer::parseInt).toArray();
            int recomputed = Integer.parseInt(what[11]);
            Precision precision = Precision.valueOf(what[12]);
            Activation activation = Activation.valueOf(what[9]);
            boolean adapted = what[10].equals("lora");
            int[] tiny = {100, 32, 1, 2, 2, 64, 1, 16, 16};
            train(tiny, activation, adapted, recomputed, precision); // loads what any needs
            long peak =
                    1024
                            * FreshJvm.peakKilobytes(
                                    () -> train(n, activation, adapted, recomputed, precision));
            TuningMemory.Load load = new TuningMemory.Load(n[6], n[7], recomputed, precision);
            System.out.println(peak + " " + (memory.bytes(load) - TuningMemory.PROGRAM));
        }

        private static void train(
                int[] n,
                Activation activation,
                boolean adapted,
                int recomputed,
                Precision precision) {
            Norm norm = activation == Activation.SWIGLU ? Norm.RMS_NORM : Norm.LAYER_NORM;
            TransformerConfig config =
                    TransformerConfig.builder()
                            .setVocabulary(n[0])
                            .setEmbeddingSize(n[1])
                            .setLayers(n[2])
                            .setHeads(n[3])
                            .optKeyValueHeads(n[4])
                            .optFeedForwardSize(n[5])
                            .optActivation(activation)
                            .optNorm(norm, 1e-5)
                            .build();
            try (NDManager manager = NDManager.newBaseManager()) {
                Transformer model =
                        new Transformer(
                                config,
                                Encodings.named("rope")
                                        .forTransformer(config.site(n[7]), Map.of()));
                model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
                if (adapted) {
                    model.adapt(Lora.of(8, 16, "q_proj", "k_proj", "v_proj", "o_proj"));
                }
                PackedDocuments rows = rows(n[7], n[8]);
                memory = TuningMemory.of(model, rows);
                Optimization how = optimization(n[6], 1, precision, recomputed);
                try (TrainingLoop loop = new TrainingLoop(model, rows, how, 1, manager)) {
                    loop.take(0);
                    loop.take(1); // which has the moments from the start
                }
            }
        }
    }

    @Test
    void weightsTakeFourBytesAndTrainedOnesSixteen() {
        TuningMemory.Load load = new TuningMemory.Load(1, 8, 0, Precision.FLOAT32);
        long none = new TuningMemory(LLAMA, 0, 0, false, false).bytes(load);
        assertThat(new TuningMemory(LLAMA, 1000, 0, false, false).bytes(load) - none)
                .isEqualTo(4000);
        assertThat(new TuningMemory(LLAMA, 1000, 1000, false, false).bytes(load) - none)
                .isEqualTo(16_000);
    }

    @Test
    void whatCannotFitIsRefusedWithWhatWould() {
        assertThatThrownBy(() -> FULL.check(plan(new Tuning.Full(List.of()), 512, 0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(
                        "the memory of cpu\\(\\) does not suffice: about \\d+\\.\\d GB are needed for"
                                + " 512 rows of 8,192 tokens and \\d+\\.\\d GB are free; --batch 1"
                                + " --accumulation 1024 takes about .* GB, --recompute with one"
                                + " row .* GB, --method lora too .* GB, half the --length as well"
                                + " .* GB");
        TuningMemory little = new TuningMemory(FOLDER.config(), 20_000, 20_000, false, false);
        assertThatCode(() -> little.check(plan(new Tuning.Full(List.of()), 1, 0)))
                .doesNotThrowAnyException();
    }

    @Test
    void aFailureForMemoryIsExplainedAndAnotherIsNot() {
        FinetunePlan plan = plan(new Tuning.LowRank(Lora.of(2, 4, "q_proj")), 1, 1);
        EngineException memory =
                new EngineException("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has …");
        assertThat(FULL.explained(memory, plan))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("half the --length as well")
                .hasMessageNotContaining("--batch")
                .hasCause(memory);
        EngineException other = new EngineException("shapes do not match");
        assertThat(FULL.explained(other, plan)).isSameAs(other);
    }
}
