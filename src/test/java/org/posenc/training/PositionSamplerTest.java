package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.Positions;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.testing.Goldens;

class PositionSamplerTest {

    private static final int[] FIVE = {1, 2, 3, 4, 5};

    private static JsonObject golden(String kind) {
        return Goldens.cases("encodings/position_samplers.json").stream()
                .filter(c -> c.getAsJsonObject("params").get("kind").getAsString().equals(kind))
                .findFirst()
                .orElseThrow();
    }

    private static int[] integers(double[] values) {
        return Arrays.stream(values).mapToInt(v -> (int) v).toArray();
    }

    @Test
    void digitPlacesEqualTheReference() {
        JsonObject c = golden("abacus");
        JsonObject params = c.getAsJsonObject("params");
        Set<Integer> digits =
                Arrays.stream(integers(Goldens.flat(params.get("digit_tokens"))))
                        .boxed()
                        .collect(Collectors.toSet());
        int offset = params.get("offset").getAsInt();
        RandomGenerator greatest = new Greatest();
        for (int row = 0; row < 2; row++) {
            int[] ids =
                    integers(
                            Goldens.flat(
                                    c.getAsJsonObject("inputs").getAsJsonArray("ids").get(row)));
            double[] expected =
                    Goldens.flat(c.getAsJsonObject("outputs").getAsJsonArray("positions").get(row));
            assertThat(new PositionSampler.DigitPlaces(digits, offset).positions(ids, greatest))
                    .containsExactly(Arrays.stream(expected).mapToLong(v -> (long) v).toArray());
        }
    }

    /** Draws the greatest number it may. */
    private static final class Greatest implements RandomGenerator {

        @Override
        public long nextLong() {
            throw new AssertionError("a bound is always given");
        }

        @Override
        public int nextInt(int bound) {
            return bound - 1;
        }

        @Override
        public long nextLong(long bound) {
            return bound - 1;
        }
    }

    @Test
    void packedDocumentsRestartAsInTheReference() {
        JsonObject c = golden("packed_documents");
        int[] lengths = integers(Goldens.flat(c.getAsJsonObject("inputs").get("document_lengths")));
        int[] tokens = new int[Arrays.stream(lengths).sum()];
        Arrays.fill(tokens, 1);
        int end = 0;
        for (int length : lengths) {
            end += length;
            tokens[end - 1] = 7;
        }
        double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("positions"));
        assertThat(new PositionSampler.Packed(7).positions(tokens, new SplittableRandom(1)))
                .containsExactly(Arrays.stream(expected).mapToLong(v -> (long) v).toArray());
    }

    @Test
    void everySortedSampleIsEquallyLikely() {
        PositionSampler randomized = new PositionSampler.Randomized(7);
        SplittableRandom random = new SplittableRandom(5);
        int rounds = 35 * 400;
        int[] three = {1, 1, 1};
        Map<String, Long> counts =
                IntStream.range(0, rounds)
                        .mapToObj(i -> randomized.positions(three, random))
                        .peek(p -> assertThat(p).isSorted().doesNotHaveDuplicates())
                        .collect(Collectors.groupingBy(Arrays::toString, Collectors.counting()));
        assertThat(counts).hasSize(35); // 7 over 3
        assertThat(counts.values())
                .allSatisfy(n -> assertThat(n.doubleValue()).isCloseTo(400, Offset.offset(100.0)));
        assertThat(new PositionSampler.Randomized(5).positions(FIVE, random))
                .containsExactly(0, 1, 2, 3, 4);
        assertThat(new PositionSampler.Randomized(1L << 40).positions(FIVE, random))
                .isSorted()
                .satisfies(p -> assertThat(p[4]).isLessThan(1L << 40));
    }

    @Test
    void chunksAreConsecutiveAndReachEveryPositionAndDistance() {
        for (int chunks : new int[] {2, 3}) {
            PositionSampler skipping = new PositionSampler.SkipWise(12, chunks);
            SplittableRandom random = new SplittableRandom(3);
            Set<Long> seen = new HashSet<>();
            Set<Long> distances = new HashSet<>();
            for (int round = 0; round < 3000; round++) {
                long[] p = skipping.positions(FIVE, random);
                assertThat(p).isSorted().doesNotHaveDuplicates().hasSize(5);
                assertThat(p[0]).isZero();
                assertThat(p[4]).isLessThan(12);
                int skips = 0;
                for (int i = 0; i < 5; i++) {
                    seen.add(p[i]);
                    skips += i > 0 && p[i] != p[i - 1] + 1 ? 1 : 0;
                    for (int j = 0; j < i; j++) {
                        distances.add(p[i] - p[j]);
                    }
                }
                assertThat(skips).isLessThan(chunks);
            }
            assertThat(seen).hasSize(12);
            assertThat(distances).hasSize(11);
        }
        assertThat(new PositionSampler.SkipWise(5, 5).positions(FIVE, new SplittableRandom(1)))
                .containsExactly(0, 1, 2, 3, 4);
        // One token a chunk, the greatest skip first.
        assertThat(new PositionSampler.SkipWise(9, 5).positions(FIVE, new Greatest()))
                .containsExactly(0, 5, 6, 7, 8);
    }

    @Test
    void offsetsOfDigitsAreDrawnFromAllAndSharedByTheNumbersOfARow() {
        PositionSampler places = new PositionSampler.DigitPlaces(Set.of(2, 3), 4);
        SplittableRandom random = new SplittableRandom(3);
        Set<Long> offsets = new HashSet<>();
        for (int round = 0; round < 200; round++) {
            long[] p = places.positions(new int[] {1, 2, 3, 9, 3, 2, 2}, random);
            long k = p[1] - 1;
            assertThat(p).containsExactly(0, k + 1, k + 2, 0, k + 1, k + 2, k + 3);
            offsets.add(k);
        }
        assertThat(offsets).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void windowsDeliverThemToATransformerReproducibly() {
        int[] stream = IntStream.range(0, 200).map(i -> i * i % 11).toArray();
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(11)
                        .setEmbeddingSize(8)
                        .setLayers(1)
                        .setHeads(2)
                        .build();
        Transformer model =
                new Transformer(
                        config, Encodings.named("rope").forTransformer(config.site(64), Map.of()));
        try (NDManager manager = NDManager.newBaseManager()) {
            model.initialize(manager, DataType.FLOAT64, new Shape(1, 6));
            ParameterStore parameters = new ParameterStore(manager, false);
            List<long[]> drawn = new ArrayList<>();
            for (long seed : new long[] {4, 4, 5}) {
                TokenWindows windows =
                        TokenWindows.random(stream, 6, 3, 2, 1)
                                .withPositions(new PositionSampler.Randomized(64), seed);
                for (Batch batch : windows.getData(manager)) {
                    NDList data = batch.getData();
                    assertThat(data.get(1).getShape()).isEqualTo(new Shape(3, 6));
                    NDArray logits = model.forward(parameters, data, false).head();
                    NDArray expected =
                            model.logits(
                                    data.get(0),
                                    Positions.of(data.get(1)),
                                    AttentionMask.none(),
                                    parameters,
                                    false);
                    assertThat(logits.toDoubleArray()).containsExactly(expected.toDoubleArray());
                    drawn.add(data.get(1).toLongArray());
                    batch.close();
                }
            }
            assertThat(drawn.get(2)).containsExactly(drawn.get(0));
            assertThat(drawn.get(3)).containsExactly(drawn.get(1)).isNotEqualTo(drawn.get(0));
            assertThat(drawn.get(4)).isNotEqualTo(drawn.get(0));
        }
    }

    @Test
    void badNumbersAreNamed() {
        SplittableRandom random = new SplittableRandom(1);
        assertThatThrownBy(() -> new PositionSampler.Randomized(4).positions(FIVE, random))
                .hasMessage("a row of 5 tokens has no room in 0 … 3");
        assertThatThrownBy(() -> new PositionSampler.Randomized(0))
                .hasMessage("the range must be at least 1, got 0");
        assertThatThrownBy(() -> new PositionSampler.SkipWise(9, 1))
                .hasMessage("chunks must be at least 2, got 1");
        assertThatThrownBy(() -> new PositionSampler.SkipWise(9, 6).positions(FIVE, random))
                .hasMessage("a row of 5 tokens cannot be cut into 6 chunks");
        assertThatThrownBy(() -> new PositionSampler.DigitPlaces(Set.of(), 1))
                .hasMessage("the number of digits must be at least 1, got 0");
        assertThatThrownBy(() -> new PositionSampler.DigitPlaces(Set.of(1), -1))
                .hasMessage("the greatest offset must be at least 0, got -1");
    }
}
