package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.Encodings;
import org.posenc.kernel.Autograd;
import org.posenc.model.Generation.Continuation;
import org.posenc.model.Generation.End;
import org.posenc.testing.FreshJvm;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class GenerationTest {

    private static final List<long[]> PROMPTS =
            List.of(new long[] {1, 2, 3, 4, 5, 6, 7}, new long[] {9}, new long[] {4, 4, 8, 0, 1});

    private final NDManager manager = NDManager.newBaseManager();

    private int threads;

    @BeforeEach
    void oneThread() {
        threads = Autograd.operationThreads();
        Autograd.operationThreads(1); // thousands of tiny operations
    }

    @AfterEach
    void close() {
        Autograd.operationThreads(threads);
        manager.close();
    }

    private static Transformer model(NDManager manager, String encoding) {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(11)
                        .setEmbeddingSize(16)
                        .setLayers(2)
                        .setHeads(2)
                        .optSeed(3)
                        .build();
        Transformer model =
                new Transformer(
                        config,
                        Encodings.named(encoding).forTransformer(config.site(40), Map.of()));
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        int seed = 0; // weights of a fresh model repeat one token for ever
        for (Parameter p : model.getParameters().values()) {
            NDArray noise = Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.5);
            p.getArray().setRequiresGradient(false);
            p.getArray().addi(noise.toType(DataType.FLOAT32, false));
        }
        return model;
    }

    static List<JsonObject> greedy() {
        return Goldens.cases("generation/greedy.json");
    }

    @ParameterizedTest
    @MethodSource("greedy")
    void greedyTokensAreHuggingFaces(JsonObject golden) {
        Path folder = Path.of("test-data/goldens/checkpoints", golden.get("model").getAsString());
        Transformer model = ModelFolder.open(folder).load(manager, DataType.FLOAT32);
        double penalty = golden.get("repetition_penalty").getAsDouble();
        List<long[]> prompts = new ArrayList<>();
        for (JsonElement prompt : golden.getAsJsonArray("prompts")) {
            prompts.add(longs(prompt));
        }
        JsonArray expected = golden.getAsJsonArray("tokens");
        for (int chunk : new int[] {5, 512}) {
            List<Continuation> rows =
                    Generation.builder()
                            .setModel(model)
                            .setMostTokens(24)
                            .optSampling(Sampling.greedy().withRepetitionPenalty(penalty))
                            .optStopTokens(2)
                            .optChunk(chunk)
                            .build()
                            .generate(prompts);
            for (int i = 0; i < rows.size(); i++) {
                long[] tokens = longs(expected.get(i));
                assertThat(tokens(rows.get(i))).containsExactly(tokens);
                assertThat(rows.get(i).end())
                        .isEqualTo(
                                tokens[tokens.length - 1] == 2 ? End.STOP_TOKEN : End.MOST_TOKENS);
            }
        }
    }

    private static long[] longs(JsonElement list) {
        double[] values = Goldens.flat(list);
        long[] longs = new long[values.length];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = (long) values[i];
        }
        return longs;
    }

    private static long[] tokens(Continuation continuation) {
        return continuation.tokens().stream().mapToLong(Long::longValue).toArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope", "alibi", "sinusoidal"})
    void eachRowOfABatchIsWhatItIsAlone(String encoding) {
        Transformer model = model(manager, encoding);
        for (Sampling sampling : List.of(Sampling.greedy(), new Sampling(0.9, 8, 0.95, 1.1))) {
            for (int chunk : new int[] {3, 512}) {
                Generation.Builder builder =
                        Generation.builder()
                                .setModel(model)
                                .setMostTokens(12)
                                .optSampling(sampling)
                                .optStopTokens(5, 10)
                                .optChunk(chunk);
                List<Continuation> together = builder.optSeed(70).build().generate(PROMPTS);
                for (int i = 0; i < PROMPTS.size(); i++) {
                    List<Continuation> alone =
                            builder.optSeed(70 + i).build().generate(PROMPTS.subList(i, i + 1));
                    assertThat(alone).containsExactly(together.get(i));
                }
            }
        }
    }

    @Test
    void theSeedDecidesTheDraws() {
        Generation.Builder builder =
                Generation.builder()
                        .setModel(model(manager, "rope"))
                        .setMostTokens(20)
                        .optSampling(Sampling.ofTemperature(1.5));
        List<Continuation> first = builder.optSeed(1).build().generate(PROMPTS);
        assertThat(builder.optSeed(1).build().generate(PROMPTS)).isEqualTo(first);
        assertThat(builder.optSeed(2).build().generate(PROMPTS)).isNotEqualTo(first);
        // Rows draw independently: the same prompt twice goes two ways.
        List<Continuation> twins =
                builder.build().generate(List.of(PROMPTS.get(0), PROMPTS.get(0)));
        assertThat(twins.get(0)).isNotEqualTo(twins.get(1));
    }

    @Test
    void tokensAreToldAtOnceAndRowsEndWhenTheListenerSaysSo() {
        record Told(int row, long token) {}
        List<Told> told = new ArrayList<>();
        Generation generation =
                Generation.builder()
                        .setModel(model(manager, "rope"))
                        .setMostTokens(6)
                        .optPolicy(Policy.UNROTATED)
                        .build();
        List<Continuation> all = generation.generate(PROMPTS);
        List<Continuation> rows =
                generation.generate(
                        PROMPTS,
                        (row, token) -> {
                            told.add(new Told(row, token));
                            return row != 1 || told.size() < 4;
                        });
        assertThat(told.stream().map(Told::row))
                .containsExactly(0, 1, 2, 0, 1, 2, 0, 2, 0, 2, 0, 2, 0, 2);
        assertThat(rows.get(1).end()).isEqualTo(End.LISTENER);
        assertThat(rows.get(1).tokens()).isEqualTo(all.get(1).tokens().subList(0, 2));
        for (int i = 0; i < rows.size(); i++) {
            int row = i;
            assertThat(told.stream().filter(t -> t.row() == row).map(Told::token))
                    .containsExactlyElementsOf(rows.get(i).tokens());
        }
        assertThat(List.of(rows.get(0), rows.get(2))).isEqualTo(List.of(all.get(0), all.get(2)));
    }

    @Test
    void saysWhatIsWrong() {
        Transformer model = model(manager, "rope");
        Generation generation = Generation.builder().setModel(model).setMostTokens(2).build();
        assertThatThrownBy(() -> generation.generate(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("generation needs at least one prompt");
        assertThatThrownBy(() -> generation.generate(List.of(new long[] {1}, new long[0])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("prompt 1 is empty");
        assertThatThrownBy(() -> generation.generate(List.of(new long[] {1, 11})))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tokens must be in [0, 11), got 11 in prompt 0");
        assertThatThrownBy(() -> Generation.builder().setMostTokens(2).build())
                .hasMessage("generation needs a model with weights");
        assertThatThrownBy(() -> Generation.builder().setModel(model).build())
                .hasMessageContaining("must be at least 1, got 0");
        // A table has no place beyond its end, and says so rather than going on.
        Generation learned =
                Generation.builder().setModel(model(manager, "learned")).setMostTokens(50).build();
        assertThatThrownBy(() -> learned.generate(PROMPTS))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("length 40");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void hundredsOfStepsTakeNoMoreMemory() throws Exception {
        // 6 kB; one number left behind in each step would be 80.
        assertThat(Integer.parseInt(FreshJvm.interpret(Steps.class))).isLessThan(30_000);
    }

    /** Prints by how many bytes the process grows in 200 steps. */
    static final class Steps {

        public static void main(String[] args) throws Exception {
            Autograd.operationThreads(1);
            try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
                Transformer model = model(manager, "rope");
                Generation generation =
                        Generation.builder()
                                .setModel(model)
                                .setMostTokens(900)
                                .optSampling(Sampling.ofTemperature(1))
                                .build();
                List<Long> bytes = new ArrayList<>();
                int[] steps = new int[1];
                generation.generate(
                        List.of(new long[2]),
                        (row, token) -> {
                            steps[0]++;
                            if (steps[0] == 300 || steps[0] == 500) { // one size of the cache
                                bytes.add(FreshJvm.allocatedBytes());
                            }
                            return true;
                        });
                System.out.println(bytes.get(1) - bytes.get(0));
            }
        }
    }

    /** Tables and kernels are made by whoever is first, and parameters are shared by all. */
    @Test
    void fourThreadsWithOneModelSayWhatOneSays() throws Exception {
        ModelFolder folder = ModelFolder.open(Path.of("models", "rope-64"));
        List<List<Continuation>> alone = new ArrayList<>();
        try (NDManager own = NDManager.newBaseManager()) {
            Transformer model = folder.load(own, DataType.FLOAT32);
            for (int task = 0; task < 16; task++) {
                alone.add(sampled(model, task));
            }
        }
        Transformer shared = folder.load(manager, DataType.FLOAT32); // nothing is made yet
        ExecutorService workers = Executors.newFixedThreadPool(4);
        try {
            List<Future<List<Continuation>>> together = new ArrayList<>();
            for (int task = 0; task < 16; task++) {
                int number = task;
                together.add(
                        workers.submit(
                                () -> {
                                    Autograd.operationThreads(1);
                                    return sampled(shared, number);
                                }));
            }
            for (int task = 0; task < 16; task++) {
                assertThat(together.get(task).get()).isEqualTo(alone.get(task));
            }
        } finally {
            workers.shutdownNow();
        }
        assertThat(alone.stream().distinct()).hasSizeGreaterThan(8);
    }

    /** Prompts and lengths of all kinds, some beyond what the model was made for. */
    private static List<Continuation> sampled(Transformer model, int task) {
        List<long[]> prompts = new ArrayList<>();
        for (int row = 0; row <= task % 3; row++) {
            String text = "public static void main ".repeat(1 + task % 4).substring(task % 5 + row);
            prompts.add(text.chars().asLongStream().toArray());
        }
        return Generation.builder()
                .setModel(model)
                .setMostTokens(12 + task % 7)
                .optSampling(Sampling.ofTemperature(0.8))
                .optSeed(task)
                .build()
                .generate(prompts);
    }
}
