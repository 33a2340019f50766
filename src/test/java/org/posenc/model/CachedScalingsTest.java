package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.DynamicLinear;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.DynamicYarn;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.NtkByParts;
import org.posenc.encoding.rope.NtkByPartsV1;
import org.posenc.encoding.rope.NtkFixed;
import org.posenc.encoding.rope.NtkMixed;
import org.posenc.encoding.rope.NtkOld;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.Yarn;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Gradients;

/** Decoding step by step under every scaling of RoPE, across the length it was trained for. */
class CachedScalingsTest {

    private static final int TRAINED = 8;
    private static final int LENGTH = 20;
    private static final double[] SHORT = {1, 1.05, 1.1, 1.2};
    private static final double[] LONG = {1, 1.3, 2, 4};

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

    static List<RopeScaling> scalings() {
        return List.of(
                new Default(),
                new Linear(4),
                new NtkAware(4),
                new NtkOld(4),
                new NtkFixed(4),
                new NtkMixed(4, 0.625),
                NtkByParts.of(4, TRAINED),
                NtkByParts.yarnPaper(4, TRAINED),
                NtkByPartsV1.of(4, TRAINED),
                Yarn.of(4, TRAINED),
                longRope(),
                new Llama3(8, 1, 4, TRAINED),
                new Proportional(0.5, 2),
                new DynamicLinear(TRAINED),
                new DynamicNtk(4, TRAINED),
                DynamicYarn.of(TRAINED));
    }

    static Stream<RopeScaling> thatDependOnTheLength() {
        return scalings().stream().filter(RopeScaling::dependsOnLength);
    }

    private static LongRope longRope() {
        return LongRope.of(SHORT, LONG, TRAINED, 4);
    }

    @Test
    void noScalingIsLeftOut() {
        assertThat(scalings().stream().map(Object::getClass).distinct())
                .hasSameSizeAs(RopeScaling.class.getPermittedSubclasses());
        assertThat(thatDependOnTheLength()).hasSize(4);
    }

    private Transformer model(RopeScaling scaling, ContextLength length, int layers) {
        return model(rope(scaling, length), layers);
    }

    private static Rope rope(RopeScaling scaling, ContextLength length) {
        return Rope.builder()
                .setHeadDimension(8)
                .setLayout(RotaryLayout.HALF_SPLIT)
                .optScaling(scaling)
                .optLength(length)
                .build();
    }

    private Transformer model(PositionalEncoding encoding, int layers) {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(11)
                        .setEmbeddingSize(16)
                        .setLayers(layers)
                        .setHeads(2)
                        .optSeed(3)
                        .build();
        Transformer model = new Transformer(config, encoding);
        model.initialize(manager, DataType.FLOAT64, new Shape(1, 6));
        int seed = 0;
        for (Parameter p : model.getParameters().values()) {
            p.getArray().setRequiresGradient(false);
            p.getArray().addi(Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.3));
        }
        return model;
    }

    private NDArray ids(int rows) {
        long[] values = new long[rows * LENGTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = (7L * i * i + 3L * i + 1) % 11;
        }
        return manager.create(values, new Shape(rows, LENGTH));
    }

    private NDArray full(Transformer model, NDArray ids) {
        return model.forward(parameters, new NDList(ids), false).head();
    }

    /** Reads a prompt of four tokens and then one token at a time. */
    private NDArray decode(Transformer model, NDArray ids, Policy policy) {
        NDList logits = new NDList();
        try (KeyValueCache cache = model.cache(manager, policy)) {
            for (int at = 0; at < LENGTH; at = (int) cache.length()) {
                int to = at == 0 ? 4 : at + 1;
                NDArray piece = ids.get(":, " + at + ":" + to);
                Positions places = Positions.range(manager, at, to);
                logits.add(model.logits(piece, places, null, cache, parameters));
            }
        }
        return NDArrays.concat(logits, 1);
    }

    /** Without a cache: a full pass over all tokens so far in every step. */
    private NDArray recomputed(Transformer model, NDArray ids) {
        NDList logits = new NDList(full(model, ids.get(":, :4")));
        for (int to = 5; to <= LENGTH; to++) {
            logits.add(full(model, ids.get(":, :" + to)).get(":, " + (to - 1) + ":" + to));
        }
        return NDArrays.concat(logits, 1);
    }

    private static double difference(NDArray a, NDArray b) {
        return a.sub(b).abs().max().getDouble();
    }

    @ParameterizedTest
    @MethodSource("scalings")
    void atADeclaredLengthEveryPolicyIsOneFullPass(RopeScaling scaling) {
        for (long declared : new long[] {6, LENGTH}) {
            Transformer model = model(scaling, new ContextLength.Declared(declared), 2);
            NDArray expected = full(model, ids(2));
            for (Policy policy : Policy.values()) {
                assertThat(difference(decode(model, ids(2), policy), expected))
                        .as("%s", policy)
                        .isLessThan(1e-10);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("thatDependOnTheLength")
    void inOneLayerUnrotatedAndRerotatedKeysAreOnePassAtEachLength(RopeScaling scaling) {
        Transformer model = model(scaling, new ContextLength.EachRow(), 1);
        NDArray ids = ids(2);
        NDArray expected = recomputed(model, ids);
        assertThat(difference(decode(model, ids, Policy.UNROTATED), expected)).isLessThan(1e-10);
        assertThat(difference(decode(model, ids, Policy.REROTATED), expected)).isLessThan(1e-10);
        // And the last step is the full pass at the final length.
        NDArray last = full(model, ids).get(":, -1:");
        assertThat(difference(expected.get(":, -1:"), last)).isLessThan(1e-12);
    }

    @ParameterizedTest
    @MethodSource("thatDependOnTheLength")
    void keysTurnedForALongerRowStayRightWhenItGoes(RopeScaling scaling) {
        Rope batch = rope(scaling, new ContextLength.WholeBatch());
        Rope row = rope(scaling, new ContextLength.EachRow());
        Map<PositionalEncoding, Integer> encodings =
                Map.of(batch, 1, row, 1, new LayerSchedule(List.of(batch, row)), 2);
        encodings.forEach(
                (encoding, layers) -> {
                    Transformer model = model(encoding, layers);
                    NDArray expected = shrunk(model, Policy.UNROTATED);
                    NDArray found = shrunk(model, Policy.REROTATED);
                    assertThat(difference(found, expected)).isLessThan(1e-10);
                });
        Transformer model = model(batch, 1);
        Positions ten = Positions.of(places().get(":2, :10").flip(0));
        NDArray ids = ids(3).get(":2, :10").flip(0);
        NDArray pass = model.logits(ids, ten, AttentionMask.none(), parameters, false);
        NDArray step = shrunk(model, Policy.REROTATED).get(":, :1");
        assertThat(difference(step, pass.get(":, 9:"))).isLessThan(1e-10);
    }

    /** Three rows, the last of which stands farthest out. */
    private NDArray places() {
        NDArray starts = manager.create(new long[] {4, 0, 9}, new Shape(3, 1));
        return manager.arange(0, LENGTH, 1, DataType.INT64).add(starts); // (B, T)
    }

    /** Reads three rows, leaves the second and the first, and goes on with these. */
    private NDArray shrunk(Transformer model, Policy policy) {
        try (KeyValueCache cache = model.cache(manager, policy)) {
            NDArray ids = ids(3);
            NDArray places = places();
            Positions nine = Positions.of(places.get(":, :9"));
            model.logits(ids.get(":, :9"), nine, null, cache, parameters);
            cache.select(1, 0);
            cache.select(1, 0, 0);
            cache.select(1, 0);
            NDList logits = new NDList();
            for (int at = 9; at < 12; at++) {
                String piece = ":2, " + at + ":" + (at + 1);
                Positions next = Positions.of(places.get(piece).flip(0));
                logits.add(model.logits(ids.get(piece).flip(0), next, null, cache, parameters));
            }
            return NDArrays.concat(logits, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("thatDependOnTheLength")
    void inSeveralLayersNoPolicyCanKeepThePromise(RopeScaling scaling) {
        Transformer model = model(scaling, new ContextLength.EachRow(), 2);
        NDArray ids = ids(1);
        NDArray full = full(model, ids);
        NDArray each = recomputed(model, ids);
        NDArray unrotated = decode(model, ids, Policy.UNROTATED);
        NDArray rerotated = decode(model, ids, Policy.REROTATED);
        NDArray asTheyCame = decode(model, ids, Policy.HUGGING_FACE);
        assertThat(difference(rerotated, unrotated)).isLessThan(1e-10);
        // Up to the trained length nothing changes, whatever comes later.
        String within = ":, :" + TRAINED;
        assertThat(difference(unrotated.get(within), each.get(within))).isLessThan(1e-10);
        assertThat(difference(asTheyCame.get(within), each.get(within))).isLessThan(1e-10);
        for (NDArray decoded : List.of(unrotated, asTheyCame)) {
            assertThat(difference(decoded, full)).isGreaterThan(0.01);
            assertThat(difference(decoded, each)).isGreaterThan(0.01);
        }
        assertThat(difference(unrotated, each)).isLessThan(difference(asTheyCame, each));
        assertThatThrownBy(() -> model.cache(manager, Policy.ROTATED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("UNROTATED or REROTATED, or declare the length");
    }
}
