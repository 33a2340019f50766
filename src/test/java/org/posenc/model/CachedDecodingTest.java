package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Gradients;

/** Decoding step by step against one full pass over the same tokens. */
class CachedDecodingTest {

    private static final int LENGTH = 40;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

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

    static Stream<String> encodings() {
        return Encodings.names().stream();
    }

    private static TransformerConfig.Builder tiny() {
        return TransformerConfig.builder()
                .setVocabulary(11)
                .setEmbeddingSize(16)
                .setLayers(2)
                .setHeads(2)
                .optKeyValueHeads(1)
                .optSeed(3);
    }

    private Transformer model(TransformerConfig config, PositionalEncoding e, DataType type) {
        Transformer model = new Transformer(config, e);
        model.initialize(manager, type, new Shape(1, 6));
        int seed = 0;
        for (Parameter p : model.getParameters().values()) {
            NDArray noise = Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.3);
            p.getArray().setRequiresGradient(false);
            p.getArray().addi(noise.toType(type, false));
        }
        return model;
    }

    private Transformer model(TransformerConfig config, String encoding, DataType type) {
        PositionalEncoding made =
                Encodings.named(encoding).forTransformer(config.site(LENGTH), Map.of());
        return model(config, made, type);
    }

    /** Reproducible token ids (rows, length). */
    private NDArray ids(int rows, int length) {
        long[] values = new long[rows * length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (7L * i * i + 3L * i + 1) % 11;
        }
        return manager.create(values, new Shape(rows, length));
    }

    private NDArray full(Transformer model, NDArray ids) {
        return model.forward(parameters, new NDList(ids), false).head();
    }

    /** Reads ids in pieces of these sizes, then one at a time. */
    private NDArray decode(Transformer model, NDArray ids, KeyValueCache cache, int... pieces) {
        NDList logits = new NDList();
        long length = ids.getShape().get(1);
        long at = cache.length();
        for (int i = 0; at < length; i++) {
            long to = i < pieces.length ? at + pieces[i] : at + 1;
            Positions positions = Positions.range(manager, at, to);
            logits.add(
                    model.logits(
                            ids.get(":, " + at + ":" + to), positions, null, cache, parameters));
            at = to;
        }
        return NDArrays.concat(logits, 1);
    }

    private static double difference(NDArray a, NDArray b) {
        assertThat(a.getShape()).isEqualTo(b.getShape());
        return a.sub(b).abs().max().toType(DataType.FLOAT64, false).getDouble();
    }

    /** One layer sees 4 tokens, one all; pieces are shorter, as long and longer than the window. */
    @ParameterizedTest
    @ValueSource(strings = {"rope", "alibi", "fox", "cope"})
    void layersWithAWindowDecodeAsInOneFullPass(String name) {
        for (DataType type : List.of(DataType.FLOAT64, DataType.FLOAT32)) {
            Transformer model =
                    model(tiny().setLayers(3).optWindows(List.of(4, 0, 1)).build(), name, type);
            Transformer wide = model(tiny().setLayers(3).build(), name, type);
            NDArray ids = ids(2, 30);
            NDArray expected = full(model, ids);
            assertThat(difference(expected, full(wide, ids))).isGreaterThan(0.01);
            for (Policy policy : Policy.values()) {
                if (allows(policy, model)) {
                    try (KeyValueCache cache = model.cache(manager, policy)) {
                        assertThat(difference(decode(model, ids, cache, 3, 9, 1, 4), expected))
                                .as("%s %s", type, policy)
                                .isLessThan(type == DataType.FLOAT64 ? 1e-10 : 1e-4);
                    }
                }
            }
        }
    }

    /** What counts is the place in the cache: padding on the left of a row fills its window. */
    @Test
    void paddingCountsInAWindow() {
        Transformer model =
                model(tiny().optWindows(List.of(4, 4)).build(), "rope", DataType.FLOAT64);
        NDArray ids = ids(2, 20);
        long[] real = new long[40];
        Arrays.setAll(real, i -> i >= 20 && i < 26 ? 0 : 1);
        NDArray tokens = manager.create(real, new Shape(2, 20));
        Positions all = Positions.range(manager, 0, 20);
        NDArray expected = model.logits(ids, all, AttentionMask.padding(tokens), parameters, false);
        // The row without its padding, at the same positions.
        NDArray alone =
                model.logits(
                        ids.get("1:, 6:"),
                        Positions.range(manager, 6, 20),
                        AttentionMask.none(),
                        parameters,
                        false);
        assertThat(difference(expected.get("1:, 6:"), alone)).isLessThan(1e-12);
        NDList logits = new NDList();
        try (KeyValueCache cache = model.cache(manager, Policy.ROTATED)) {
            for (int at = 0; at < 20; at = (int) cache.length()) {
                int to = at == 0 ? 8 : at + 1;
                logits.add(
                        model.logits(
                                ids.get(":, " + at + ":" + to),
                                Positions.range(manager, at, to),
                                tokens.get(":, " + at + ":" + to),
                                cache,
                                parameters));
            }
        }
        NDArray decoded = NDArrays.concat(logits, 1);
        assertThat(difference(decoded.get(":1"), expected.get(":1"))).isLessThan(1e-10);
        assertThat(difference(decoded.get("1:, 6:"), expected.get("1:, 6:"))).isLessThan(1e-10);
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void everyEncodingDecodesAsInOneFullPass(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        NDArray ids = ids(2, 20);
        NDArray expected = full(model, ids);
        for (Policy policy : Policy.values()) {
            if (!allows(policy, model)) {
                assertThatThrownBy(() -> model.cache(manager, policy))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("UNROTATED");
                continue;
            }
            try (KeyValueCache cache = model.cache(manager, policy)) {
                assertThat(difference(decode(model, ids, cache, 3, 9, 1, 2), expected))
                        .as("%s", policy)
                        .isLessThan(1e-10);
            }
        }
        Transformer single = model(tiny().build(), name, DataType.FLOAT32);
        Policy policy = allows(Policy.ROTATED, single) ? Policy.ROTATED : Policy.UNROTATED;
        try (KeyValueCache cache = single.cache(manager, policy)) {
            assertThat(difference(decode(single, ids, cache, 10), full(single, ids)))
                    .isLessThan(1e-4);
        }
    }

    private static boolean allows(Policy policy, Transformer model) {
        return switch (policy) {
            case UNROTATED -> true;
            case ROTATED -> model.encoding().keysStayRotated();
            case REROTATED, HUGGING_FACE -> model.encoding().canRerotateKeys();
        };
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void rowsOfDifferentLengthsDecodeAsEachAlone(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        NDArray longer = ids(1, 12);
        NDArray shorter = longer.get(":, 2:").add(1).mod(11); // 10 tokens, after 2 of padding
        NDArray padded = manager.zeros(new Shape(1, 2), DataType.INT64).concat(shorter, 1);
        NDArray ids = longer.concat(padded, 0);
        NDArray real = manager.ones(new Shape(2, 12), DataType.INT64);
        real.set(new NDIndex("1, :2"), 0);
        long[] places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        NDArray positions = manager.create(places, new Shape(2, 12));
        NDArray alone = full(model, shorter);
        NDArray other = full(model, longer);
        for (Policy policy : List.of(Policy.UNROTATED, Policy.ROTATED)) {
            if (!allows(policy, model)) {
                continue;
            }
            try (KeyValueCache cache = model.cache(manager, policy)) {
                NDList logits = new NDList();
                // The first piece is padding alone in the second row; later ones have no mask.
                int[] pieces = {0, 2, 5, 6, 7, 8, 9, 10, 11, 12};
                for (int i = 1; i < pieces.length; i++) {
                    String piece = ":, " + pieces[i - 1] + ":" + pieces[i];
                    logits.add(
                            model.logits(
                                    ids.get(piece),
                                    Positions.of(positions.get(piece)),
                                    i < 3 ? real.get(piece) : null,
                                    cache,
                                    parameters));
                }
                NDArray y = NDArrays.concat(logits, 1);
                assertThat(difference(y.get("0:1"), other)).as("%s", policy).isLessThan(1e-10);
                assertThat(difference(y.get("1:, 2:"), alone)).as("%s", policy).isLessThan(1e-10);
                assertThat(y.isNaN().any().getBoolean()).isFalse();
            }
        }
    }

    @Test
    void layersWithoutEncodingKeepTheirKeysToo() {
        Site site = tiny().build().site(LENGTH);
        PositionalEncoding rope = Encodings.named("rope").forTransformer(site, Map.of());
        LayerSchedule schedule = new LayerSchedule(List.of(rope, new NoEncoding()));
        Transformer model = model(tiny().build(), schedule, DataType.FLOAT64);
        NDArray ids = ids(1, 12);
        for (Policy policy : Policy.values()) {
            try (KeyValueCache cache = model.cache(manager, policy)) {
                assertThat(difference(decode(model, ids, cache, 5), full(model, ids)))
                        .isLessThan(1e-10);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void rewoundItGoesOnDifferently(Policy policy) {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT64);
        NDArray ids = ids(2, 24);
        NDArray other = ids.get(":, :7").concat(ids.get(":, 7:20").add(3).mod(11), 1);
        try (KeyValueCache cache = model.cache(manager, policy)) {
            decode(model, ids, cache, 10);
            cache.truncate(7);
            assertThat(cache.length()).isEqualTo(7);
            assertThat(difference(decode(model, other, cache, 2), full(model, other).get(":, 7:")))
                    .isLessThan(1e-10);
            cache.truncate(0);
            assertThat(difference(decode(model, ids, cache, 24), full(model, ids)))
                    .isLessThan(1e-10);
        }
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void rowsAreChosenRepeatedAndReordered(Policy policy) {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT64);
        NDArray ids = ids(3, 9);
        NDArray chosen = ids.get("2:3").concat(ids.get("0:1"), 0).concat(ids.get("2:3"), 0);
        NDArray rest = ids(3, 16).get(":, 9:");
        NDArray expected = full(model, chosen.concat(rest, 1)).get(":, 9:");
        for (boolean perRow : new boolean[] {false, true}) {
            try (KeyValueCache cache = model.cache(manager, policy)) {
                NDArray at = manager.create(new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8});
                Positions positions = Positions.of(perRow ? at.expandDims(0).repeat(0, 3) : at);
                model.logits(ids, positions, null, cache, parameters);
                cache.select(2, 0, 2);
                assertThat(cache.rows()).isEqualTo(3);
                NDArray y = decode(model, chosen.concat(rest, 1), cache, 1);
                assertThat(difference(y, expected)).isLessThan(1e-10);
                cache.select(1);
                cache.truncate(9);
                NDArray one = decode(model, chosen.concat(rest, 1).get("1:2"), cache, 2);
                assertThat(difference(one, expected.get("1:2"))).isLessThan(1e-10);
            }
        }
        try (KeyValueCache cache = model.cache(manager, policy)) {
            decode(model, ids.get("1:2"), cache, 9);
            cache.select(0, 0); // one row becomes two that go on differently
            NDArray twins = ids.get("1:2").repeat(0, 2).concat(rest.get(":2"), 1);
            assertThat(difference(decode(model, twins, cache), full(model, twins).get(":, 9:")))
                    .isLessThan(1e-10);
        }
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void tokensStandAtPoints(Policy policy) {
        Transformer model = model(tiny().build(), "mrope", DataType.FLOAT64);
        NDArray ids = ids(2, 9);
        // A word, an image of two rows and three columns, two words: time, height and width.
        long[] places = {
            0, 0, 0, 1, 1, 1, 1, 1, 2, 1, 1, 3, 1, 2, 1, 1, 2, 2, 1, 2, 3, 4, 4, 4, 5, 5, 5
        };
        NDArray shared = manager.create(places, new Shape(9, 3));
        NDArray rows = NDArrays.stack(new NDList(shared, shared.add(2)));
        NDArray line = full(model, ids);
        for (NDArray points : List.of(shared, rows)) {
            NDArray expected =
                    model.logits(
                            ids, Positions.points(points), AttentionMask.none(), parameters, false);
            assertThat(difference(expected, line)).isGreaterThan(1e-3);
            try (KeyValueCache cache = model.cache(manager, policy)) {
                NDList logits = new NDList();
                int[] pieces = {0, 1, 7, 8, 9};
                for (int i = 1; i < pieces.length; i++) {
                    String piece = pieces[i - 1] + ":" + pieces[i];
                    String of = points == shared ? piece : ":, " + piece;
                    logits.add(
                            model.logits(
                                    ids.get(":, " + piece),
                                    Positions.points(points.get(of)),
                                    null,
                                    cache,
                                    parameters));
                }
                assertThat(difference(NDArrays.concat(logits, 1), expected)).isLessThan(1e-10);
            }
        }
    }

    @Test
    void theLastPositionAloneIsTheLastOfAll() {
        Transformer model = model(tiny().build(), "alibi", DataType.FLOAT64);
        NDArray ids = ids(2, 9);
        try (KeyValueCache cache = model.cache(manager, Policy.ROTATED)) {
            Positions positions = Positions.range(manager, 0, 9);
            NDArray next = model.nextLogits(ids, positions, null, cache, parameters);
            assertThat(next.getShape()).isEqualTo(new Shape(2, 11));
            assertThat(difference(next, full(model, ids).get(":, 8"))).isLessThan(1e-12);
        }
    }

    @Test
    void stepsLeaveNothingAndMemoryDoubles() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        for (Policy policy : Policy.values()) {
            KeyValueCache cache = model.cache(manager, policy);
            int kept = -1;
            long bytes = 0;
            for (int step = 0; step < 70; step++) {
                try (NDManager each = manager.newSubManager()) {
                    NDArray id = each.create(new long[] {step % 11}, new Shape(1, 1));
                    Positions at = Positions.range(each, step, step + 1);
                    model.nextLogits(id, at, null, cache, parameters);
                }
                if (step > 0) {
                    assertThat(manager.getManagedArrays()).hasSize(kept);
                    assertThat(cache.bytes())
                            .isEqualTo(bytes * (step == 16 || step == 32 || step == 64 ? 2 : 1));
                }
                kept = manager.getManagedArrays().size();
                bytes = cache.bytes();
            }
            // 2 layers, keys and values of one head of 8 floats, and positions, for 128 tokens
            int positions = policy == Policy.REROTATED ? 2 : 1;
            assertThat(bytes).isEqualTo(128 * (2 * 2 * 8 * 4 + 8 * positions));
            cache.close();
        }
    }

    @Test
    void saysWhatDoesNotFit() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        Positions five = Positions.range(manager, 0, 5);
        try (KeyValueCache cache = model.cache(manager, Policy.ROTATED)) {
            model.logits(ids(2, 8).get(":, :5"), five, null, cache, parameters);
            assertThatThrownBy(() -> model.logits(ids(3, 5), five, null, cache, parameters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("this cache holds 2 rows, got a batch of 3");
            NDArray mask = manager.ones(new Shape(2, 4));
            assertThatThrownBy(() -> model.logits(ids(2, 5), five, mask, cache, parameters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a mask of new tokens must be (2, 5), got shape (2, 4)");
            Positions real = Positions.of(manager.create(new float[] {5}));
            assertThatThrownBy(() -> model.logits(ids(2, 1), real, null, cache, parameters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("float32");
            assertThatThrownBy(() -> cache.truncate(6))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a cache of 5 tokens cannot be cut to 6");
            assertThatThrownBy(() -> cache.select(0, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a cache of 2 rows has no row 2");
            assertThatThrownBy(cache::select).hasMessageContaining("without rows");
            Transformer other = model(tiny().build(), "alibi", DataType.FLOAT32);
            assertThatThrownBy(() -> other.logits(ids(2, 5), five, null, cache, parameters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another encoding");
            // What was refused has left no trace.
            assertThat(cache.length()).isEqualTo(5);
            NDArray next = decode(model, ids(2, 8), cache);
            assertThat(difference(next, full(model, ids(2, 8)).get(":, 5:"))).isLessThan(1e-4);
        }
        Transformer encoder = model(tiny().optCausal(false).build(), "rope", DataType.FLOAT32);
        assertThatThrownBy(() -> encoder.cache(manager, Policy.ROTATED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("causal");
        assertThatThrownBy(() -> new KeyValueCache(manager, model.encoding(), 0, Policy.ROTATED))
                .hasMessage("layers must be at least 1, got 0");
    }
}
