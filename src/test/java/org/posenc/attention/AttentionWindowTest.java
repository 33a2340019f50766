package org.posenc.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.AttentionWindow.Block;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.kernel.Autograd;
import org.posenc.testing.FreshJvm;
import org.posenc.testing.Gradients;

/** Attention in a window against the formula that scores every pair and masks. */
class AttentionWindowTest {

    private static final int HEADS = 4;
    private static final int SHARED = 2;
    private static final int SIZE = 6;
    private static final int EMBEDDING = 8;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    /** Which of its row's keys a query may see, beside the window. */
    private enum Kind {
        NONE,
        PADDING,
        DOCUMENTS,
        VISIBLE,
        ADDITIVE
    }

    private static MultiHeadAttention.Builder builder(int window) {
        return MultiHeadAttention.builder()
                .setEmbeddingSize(EMBEDDING)
                .setHeads(HEADS)
                .optKeyValueHeads(SHARED)
                .optHeadDimension(SIZE)
                .optCausal(true)
                .optWindow(window);
    }

    private MultiHeadAttention attention(MultiHeadAttention.Builder builder) {
        MultiHeadAttention attention = builder.build();
        attention.initialize(manager, DataType.FLOAT64, new Shape(1, 1, EMBEDDING));
        return attention;
    }

    private PositionalEncoding encoding(String name, int heads, int shared, int size) {
        PositionalEncoding encoding =
                Encodings.named(name)
                        .forTransformer(
                                new Site(EMBEDDING, heads, shared, size, 2, 1000, true, 1),
                                name.equals("rerope") ? Map.of("window", "3") : Map.of());
        encoding.initialize(manager, DataType.FLOAT64, new Shape(1, 1, EMBEDDING), new Shape(1));
        return encoding;
    }

    private LayerContext layer(NDArray x, boolean training) {
        return new LayerContext(0, x, parameters, training);
    }

    private static NDArray weight(MultiHeadAttention attention, String name) {
        return attention.getParameters().stream()
                .filter(entry -> entry.getKey().matches("\\d*" + name + "_weight"))
                .findFirst()
                .orElseThrow()
                .getValue()
                .getArray();
    }

    /** softmax(scale Q Kᵀ + A + mask) V for all tokens x (B, S, E), with every pair's score. */
    private NDArray plain(
            MultiHeadAttention attention, PositionalEncoding encoding, NDArray x, NDArray penalty) {
        long length = x.getShape().get(1);
        Positions all = Positions.range(manager, 0, length);
        LayerContext plain = layer(x, true);
        LayerContext context = plain.withKeyNotes(encoding.keyNotes(x, all, plain));
        NDArray q = heads(x, weight(attention, "query"), HEADS);
        NDArray k = heads(x, weight(attention, "key"), SHARED);
        NDArray v = heads(x, weight(attention, "value"), SHARED).repeat(1, HEADS / SHARED);
        NDArray bias = encoding.bias(q, k, all, all, context);
        NDArray products = encoding.products(q, k, all, all, context);
        if (products == null) {
            NDArray keys = encoding.rotateKeys(k, all, context).repeat(1, HEADS / SHARED);
            products = encoding.rotateQueries(q, all, context).matMul(keys.swapAxes(2, 3));
        }
        NDArray scores = products.div(manager.create(Math.sqrt(SIZE))).add(penalty);
        NDArray seen = bias == null ? scores : scores.add(bias);
        NDArray y = seen.softmax(-1).matMul(v); // (B, H, S, D)
        return y.transpose(0, 2, 1, 3)
                .reshape(x.getShape().get(0), length, HEADS * SIZE)
                .matMul(weight(attention, "output").transpose());
    }

    private static NDArray heads(NDArray x, NDArray weight, int count) {
        NDArray y = x.matMul(weight.transpose());
        return y.reshape(x.getShape().get(0), x.getShape().get(1), count, SIZE)
                .transpose(0, 2, 1, 3);
    }

    /** Whether row b's query i sees its key j by the kind alone. */
    private static boolean allows(Kind kind, int b, int i, int j) {
        return switch (kind) {
            case NONE, ADDITIVE -> true;
            case PADDING -> j >= 11 * b; // on the left of the second row
            case DOCUMENTS -> document(b, i) == document(b, j);
            case VISIBLE -> (i * 3 + j * 5 + b) % 7 != 0 || i == j;
        };
    }

    private static int document(int b, int i) {
        return (i + 50 * b) / 130;
    }

    private NDArray penalty(Kind kind, int length, int window) {
        double[] values = new double[2 * length * length];
        for (int n = 0; n < values.length; n++) {
            int b = n / length / length;
            int i = n / length % length;
            int j = n % length;
            boolean seen = j <= i && j > i - window && allows(kind, b, i, j);
            values[n] = seen ? added(kind, i, j) : -1e30;
        }
        return manager.create(values, new Shape(2, 1, length, length));
    }

    private static double added(Kind kind, int i, int j) {
        return kind == Kind.ADDITIVE ? Math.sin(i + 2 * j) : 0;
    }

    private AttentionMask mask(Kind kind, int length, int queries) {
        int first = length - queries;
        long[] pads = new long[2 * length];
        long[] documents = new long[2 * length];
        for (int n = 0; n < pads.length; n++) {
            pads[n] = allows(Kind.PADDING, n / length, 0, n % length) ? 1 : 0;
            documents[n] = document(n / length, n % length);
        }
        NDArray all = manager.create(documents, new Shape(2, length));
        return switch (kind) {
            case NONE -> AttentionMask.none();
            case PADDING -> AttentionMask.padding(manager.create(pads, new Shape(2, length)));
            case DOCUMENTS -> AttentionMask.documents(all.get(":, " + first + ":"), all);
            case VISIBLE, ADDITIVE -> {
                double[] values = new double[2 * queries * length];
                for (int n = 0; n < values.length; n++) {
                    int i = first + n / length % queries;
                    values[n] =
                            kind == Kind.ADDITIVE
                                    ? added(kind, i, n % length)
                                    : allows(kind, n / length / queries, i, n % length) ? 1 : 0;
                }
                NDArray matrix = manager.create(values, new Shape(2, queries, length));
                yield kind == Kind.VISIBLE
                        ? AttentionMask.visible(matrix)
                        : AttentionMask.additive(matrix.get("0"));
            }
        };
    }

    static Stream<Arguments> passes() {
        return Stream.of(
                        // tokens, queries among them, window
                        Arguments.of("rope", 620, 620, 7),
                        Arguments.of("rope", 620, 560, 9),
                        Arguments.of("rope", 620, 30, 300),
                        Arguments.of("rope", 41, 40, 40),
                        Arguments.of("rope", 41, 1, 1),
                        Arguments.of("rope", 41, 41, 41),
                        Arguments.of("alibi", 620, 620, 7),
                        Arguments.of("t5", 60, 20, 5),
                        Arguments.of("cope", 60, 50, 5),
                        Arguments.of("fox", 60, 20, 50),
                        Arguments.of("rerope", 60, 50, 5))
                .flatMap(
                        pass ->
                                Stream.of(Kind.values())
                                        .map(
                                                kind -> {
                                                    Object[] a = pass.get();
                                                    return Arguments.of(
                                                            a[0], a[1], a[2], a[3], kind);
                                                }));
    }

    @ParameterizedTest
    @MethodSource("passes")
    void aQuerySeesTheLastKeysOnly(String name, int length, int queries, int window, Kind kind) {
        PositionalEncoding encoding = encoding(name, HEADS, SHARED, SIZE);
        MultiHeadAttention attention = attention(builder(window));
        NDArray x = Gradients.normal(manager, 4, 2, length, EMBEDDING);
        NDArray expected = plain(attention, encoding, x, penalty(kind, length, window));
        int first = length - queries;
        Positions keysAt = Positions.range(manager, 0, length);
        NDArray now = x.get(":, " + first + ":");
        KeyValues memory = attention.keyValues(x, keysAt, encoding, layer(x, false));
        NDArray y =
                attention.attend(
                        layer(now, false),
                        Positions.range(manager, first, length),
                        memory,
                        encoding,
                        mask(kind, length, queries));
        // A token of padding may see nothing but padding; what it gives is nobody's.
        int from = Math.max(kind == Kind.PADDING ? 11 : 0, first);
        NDArray difference =
                y.get(":, " + (from - first) + ":").sub(expected.get(":, " + from + ":"));
        assertThat(difference.abs().max().getDouble()).isLessThan(1e-12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope", "alibi"})
    void gradientsAreThoseOfTheWholeMatrix(String name) {
        PositionalEncoding encoding = encoding(name, HEADS, SHARED, SIZE);
        MultiHeadAttention attention = attention(builder(7));
        int length = 620;
        NDArray penalty = penalty(Kind.DOCUMENTS, length, 7);
        NDArray given = Gradients.normal(manager, 4, 2, length, EMBEDDING);
        NDArray weights = Gradients.normal(manager, 5, 2, length, EMBEDDING);
        Function<Function<NDArray, NDArray>, NDArray> gradient =
                attended -> {
                    NDArray x = given.duplicate();
                    x.setRequiresGradient(true);
                    try (GradientCollector collector = Autograd.collector()) {
                        collector.backward(attended.apply(x).mul(weights).sum());
                    }
                    return x.getGradient();
                };
        NDArray ours =
                gradient.apply(
                        x ->
                                attention.attend(
                                        layer(x, true),
                                        Positions.range(manager, 0, length),
                                        encoding,
                                        mask(Kind.DOCUMENTS, length, length)));
        NDArray theirs = gradient.apply(x -> plain(attention, encoding, x, penalty));
        assertThat(theirs.abs().max().getDouble()).isGreaterThan(0.1);
        assertThat(ours.sub(theirs).abs().max().getDouble()).isLessThan(1e-11);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope", "t5"})
    void gradientsAreFiniteDifferences(String name) {
        PositionalEncoding encoding = encoding(name, 1, 1, 2);
        MultiHeadAttention attention =
                attention(
                        MultiHeadAttention.builder()
                                .setEmbeddingSize(EMBEDDING)
                                .setHeads(1)
                                .optHeadDimension(2)
                                .optCausal(true)
                                .optWindow(5));
        NDArray x = Gradients.normal(manager, 4, 1, 540, EMBEDDING);
        Positions positions = Positions.range(manager, 0, 540);
        Function<NDArray, NDArray> attended =
                any ->
                        attention.attend(
                                layer(x, true),
                                positions.again(manager),
                                encoding,
                                AttentionMask.none());
        List<NDArray> trained = new ArrayList<>();
        trained.add(weight(attention, "key"));
        trained.add(weight(attention, "value"));
        encoding.getParameters().values().forEach(p -> trained.add(p.getArray()));
        attention.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        trained.forEach(array -> array.setRequiresGradient(false));
        trained.forEach(array -> Gradients.check(array, attended));
    }

    @Test
    void weightsThatAreLookedAtAreThoseOfTheWindow() {
        PositionalEncoding encoding = encoding("rope", HEADS, SHARED, SIZE);
        MultiHeadAttention attention = attention(builder(3));
        NDArray x = Gradients.normal(manager, 4, 1, 9, EMBEDDING);
        NDArray weights =
                attention.weights(
                        layer(x, false),
                        Positions.range(manager, 0, 9),
                        encoding,
                        AttentionMask.none());
        assertThat(weights.getShape()).isEqualTo(new Shape(1, HEADS, 9, 9));
        for (int i = 0; i < 9; i++) {
            double[] row = weights.get("0, 2, " + i).toDoubleArray();
            double sum = 0;
            for (int j = 0; j < 9; j++) {
                boolean seen = j <= i && j > i - 3;
                assertThat(row[j] > 1e-9).as("%d sees %d", i, j).isEqualTo(seen);
                sum += row[j];
            }
            assertThat(sum).isBetween(1 - 1e-12, 1 + 1e-12);
        }
    }

    @Test
    void blocksHoldEachQueryOnceWithItsKeysAndFewOthers() {
        for (int[] c : new int[][] {{1, 5, 3}, {5000, 5000, 1}, {900, 9000, 4096}, {7, 8, 7}}) {
            AttentionWindow window = new AttentionWindow(c[2]);
            long next = 0;
            for (Block block : window.blocks(c[0], c[1])) {
                assertThat(block.firstQuery()).isEqualTo(next);
                next += block.queries();
                long before = c[1] - c[0];
                long own = before + block.firstQuery();
                assertThat(block.firstKey()).isEqualTo(Math.max(0, own - c[2] + 1));
                assertThat(block.firstKey() + block.keys()).isEqualTo(before + next);
                assertThat(block.keys()).isLessThan(c[2] + Math.max(512, c[2] / 4) + 1L);
            }
            assertThat(next).isEqualTo(c[0]);
        }
        assertThat(new AttentionWindow(4).cuts(4)).isFalse();
        assertThat(new AttentionWindow(4).cuts(5)).isTrue();
        assertThat(new AttentionWindow(0).cuts(5)).isFalse();
    }

    @Test
    void aWindowIsOfACausalAttention() {
        assertThatThrownBy(() -> builder(4).optCausal(false).build())
                .hasMessage("a window of 4 keys needs attention that is causal");
        assertThatThrownBy(() -> builder(-1).build()).hasMessageContaining("got -1");
        assertThat(attention(builder(4)).toString()).isNotEqualTo(attention(builder(5)).toString());
    }

    /** A matrix of all scores would be 1.6 GB, and their gradients as much again. */
    @Test
    void memoryGrowsWithTheWindow() throws IOException, InterruptedException {
        long megabytes = Long.parseLong(FreshJvm.run(LongPass.class).strip());
        assertThat(megabytes).isLessThan(700);
    }

    /** Attends forth and back with and without documents, and prints how memory peaked. */
    static final class LongPass {

        private static final int LENGTH = 20_000;

        public static void main(String... arguments) throws IOException {
            try (NDManager manager = NDManager.newBaseManager()) {
                MultiHeadAttention attention =
                        MultiHeadAttention.builder()
                                .setEmbeddingSize(4)
                                .setHeads(1)
                                .optCausal(true)
                                .optWindow(64)
                                .build();
                attention.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 4));
                NDArray x = manager.randomNormal(new Shape(1, LENGTH, 4));
                NDArray documents = manager.arange(LENGTH).div(900).floor().reshape(1, LENGTH);
                PositionalEncoding none = new NoEncoding();
                long before = peak();
                for (AttentionMask mask :
                        List.of(AttentionMask.none(), AttentionMask.documents(documents))) {
                    try (GradientCollector collector = Autograd.collector()) {
                        LayerContext layer =
                                new LayerContext(0, x, new ParameterStore(manager, false), true);
                        Positions positions = Positions.range(manager, 0, LENGTH);
                        collector.backward(
                                attention.attend(layer, positions, none, mask).square().sum());
                    }
                }
                System.out.println((peak() - before) / 1024);
            }
        }

        private static long peak() throws IOException {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmHWM"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
