package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

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

    private static final TuningMemory FULL = new TuningMemory(LLAMA, 1236_000_000, 1236_000_000);

    private static FinetunePlan plan(Tuning tuning, int batch, int recomputed) {
        return new FinetunePlan(
                Path.of("model"),
                new DataFiles(List.of(Path.of("x")), List.of(), "text", List.of(), 0.1),
                FOLDER.rope(),
                FOLDER.encoding(),
                8192,
                tuning,
                new Optimization(
                        10,
                        batch,
                        2,
                        1e-4,
                        Optimization.Schedule.LINEAR,
                        0,
                        0,
                        0.9,
                        0.99,
                        1,
                        Precision.FLOAT32,
                        recomputed),
                new FinetunePlan.Measures(0, 1, 1, 0),
                new FinetunePlan.Saving(0, Duration.ZERO, false),
                1,
                Device.cpu());
    }

    @Test
    void weightsGradientsAndMomentsAreCountedOnce() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer model = FOLDER.load(manager, DataType.FLOAT32);
            long size = FOLDER.size().parameters();
            TuningMemory full = TuningMemory.of(model);
            assertThat(full.weights()).isEqualTo(size);
            assertThat(full.trained()).isEqualTo(size);
            model.adapt(Lora.of(3, 6, "q_proj", "v_proj"));
            TuningMemory narrow = TuningMemory.of(model);
            // A (3, 32) and B (32 or 16, 3) in each of two layers.
            assertThat(narrow.trained()).isEqualTo(2 * (3 * 32 + 32 * 3 + 3 * 32 + 16 * 3));
            assertThat(narrow.weights()).isEqualTo(size + narrow.trained());
        }
    }

    /** What `posenc finetune` took with 16 rows of 256 tokens, its own 300 MB apart. */
    @Test
    void activationsAreThoseMeasured() {
        TransformerConfig measured =
                TransformerConfig.builder()
                        .setVocabulary(256)
                        .setEmbeddingSize(256)
                        .setLayers(4)
                        .setHeads(4)
                        .optFeedForwardSize(704)
                        .build();
        TuningMemory memory = new TuningMemory(measured, 3_000_000, 0);
        double growth = memory.bytes(16 * 256, 0) - memory.bytes(8 * 256, 0);
        assertThat(growth).isCloseTo(309e6, Percentage.withPercentage(20)); // of resident memory
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
        TuningMemory little = new TuningMemory(FOLDER.config(), 20_000, 20_000);
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
