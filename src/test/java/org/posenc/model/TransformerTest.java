package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.FeatureEncoding;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.LearnedTable;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.testing.Gradients;

/** Every encoding of the registry inside the Transformer; see also CheckpointGoldensTest. */
class TransformerTest {

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

    static Stream<String> bidirectional() {
        return encodings().filter(name -> !name.equals("xpos")); // it refuses to be
    }

    private static TransformerConfig.Builder tiny() {
        return TransformerConfig.builder()
                .setVocabulary(11)
                .setEmbeddingSize(8)
                .setLayers(2)
                .setHeads(2)
                .optSeed(3);
    }

    private Transformer model(TransformerConfig config, String encoding, DataType type) {
        PositionalEncoding e =
                Encodings.named(encoding).forTransformer(config.site(6), few(encoding));
        Transformer model = new Transformer(config, e);
        model.initialize(manager, type, new Shape(1, 6));
        // Zero-initialised and tiny weights would hide what they multiply.
        int seed = 0;
        for (Parameter p : model.getParameters().values()) {
            NDArray noise = Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.3);
            p.getArray().setRequiresGradient(false);
            p.getArray().addi(noise.toType(type, false));
        }
        return model;
    }

    /** Settings with few weights, for finite differences visit every one. */
    private static Map<String, String> few(String encoding) {
        return switch (encoding) {
            case "fourier" -> Map.of("fourier", "8", "hidden", "4");
            case "axial-rope" -> Map.of("axes", "1"); // a head of two components has one pair
            default -> Map.of();
        };
    }

    private NDArray ids(long... values) {
        return manager.create(values, new Shape(1, values.length));
    }

    private NDArray logits(Transformer model, NDArray ids) {
        return model.forward(parameters, new NDList(ids), false).head();
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void scoresAtTheLastPositionsAreThoseOfAll(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        NDArray ids = manager.create(new long[] {3, 1, 4, 1, 5, 9, 2, 6}, new Shape(2, 4));
        Positions positions = Positions.range(manager, 0, 4);
        double[] all =
                model.logits(ids, positions, AttentionMask.none(), parameters, false)
                        .toDoubleArray(); // (2, 4, 11)
        for (int count = 1; count <= 4; count++) {
            NDArray last =
                    model.lastLogits(ids, positions, AttentionMask.none(), count, parameters);
            assertThat(last.getShape()).isEqualTo(new Shape(2, count, 11));
            double[] expected =
                    DoubleStream.concat(
                                    Arrays.stream(all, (4 - count) * 11, 44),
                                    Arrays.stream(all, 44 + (4 - count) * 11, 88))
                            .toArray();
            assertThat(last.toDoubleArray()).containsExactly(expected, Offset.offset(1e-12));
        }
        for (int count : new int[] {0, 5}) {
            assertThatThrownBy(
                            () ->
                                    model.lastLogits(
                                            ids,
                                            positions,
                                            AttentionMask.none(),
                                            count,
                                            parameters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("of 4 positions the last 1 to 4 have scores, got " + count);
        }
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void aDecoderSeesThePastAloneAndItsRowsAreIndependent(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        NDArray a = logits(model, ids(1, 2, 3, 4, 5, 6));
        NDArray b = logits(model, ids(1, 2, 3, 9, 8, 7));
        assertThat(b.get(":, :3").toDoubleArray())
                .containsExactly(a.get(":, :3").toDoubleArray(), Offset.offset(1e-12));
        assertThat(difference(a, b)).isGreaterThan(1e-3);
        NDArray both = logits(model, ids(1, 2, 3, 9, 8, 7).concat(ids(1, 2, 3, 4, 5, 6), 0));
        assertThat(both.get("1:2").toDoubleArray())
                .containsExactly(a.toDoubleArray(), Offset.offset(1e-12));
        NDArray one = logits(model, ids(1));
        assertThat(one.toDoubleArray())
                .containsExactly(a.get(":, :1").toDoubleArray(), Offset.offset(1e-12));
    }

    @ParameterizedTest
    @MethodSource("bidirectional")
    void anEncoderSeesTheFuture(String name) {
        Transformer model = model(tiny().optCausal(false).build(), name, DataType.FLOAT64);
        NDArray a = logits(model, ids(1, 2, 3, 4, 5, 6));
        NDArray b = logits(model, ids(1, 2, 3, 4, 5, 7));
        assertThat(difference(a.get(":, :1"), b.get(":, :1"))).isGreaterThan(1e-4);
    }

    @ParameterizedTest
    @MethodSource("bidirectional")
    void orderMattersExactlyWherePositionsAct(String name) {
        Transformer model = model(tiny().optCausal(false).build(), name, DataType.FLOAT64);
        NDArray a = logits(model, ids(1, 2, 3, 4)).get("0, 3");
        NDArray b = logits(model, ids(2, 1, 3, 4)).get("0, 3");
        if (name.equals("none")) {
            assertThat(difference(a, b)).isLessThan(1e-12);
        } else {
            assertThat(difference(a, b)).isGreaterThan(1e-4);
        }
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void positionsPaddingAndPackingAreTheSameCase(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        NDArray plain = logits(model, ids(1, 2, 3));
        NDArray rows = manager.create(new long[] {0, 1, 2}, new Shape(1, 3));
        NDArray perRow = model.forward(parameters, new NDList(ids(1, 2, 3), rows), false).head();
        assertThat(perRow.toDoubleArray())
                .containsExactly(plain.toDoubleArray(), Offset.offset(1e-12));

        NDArray padded =
                model.logits(
                        ids(0, 0, 1, 2, 3),
                        Positions.of(manager.create(new long[] {0, 0, 0, 1, 2}, new Shape(1, 5))),
                        AttentionMask.padding(ids(0, 0, 1, 1, 1)),
                        parameters,
                        false);
        assertThat(padded.get(":, 2:").toDoubleArray())
                .containsExactly(plain.toDoubleArray(), Offset.offset(1e-10));
        assertThat(padded.isNaN().any().getBoolean()).isFalse();

        NDArray packed =
                model.logits(
                        ids(7, 9, 1, 2, 3, 4),
                        Positions.of(
                                manager.create(new long[] {0, 1, 0, 1, 2, 0}, new Shape(1, 6))),
                        AttentionMask.documents(ids(4, 4, 5, 5, 5, 6)),
                        parameters,
                        false);
        assertThat(packed.get(":, 2:5").toDoubleArray())
                .containsExactly(plain.toDoubleArray(), Offset.offset(1e-10));
        NDList packedInputs =
                new NDList(ids(7, 9, 1, 2, 3, 4), ids(0, 1, 0, 1, 2, 0), ids(4, 4, 5, 5, 5, 6));
        assertThat(model.forward(parameters, packedInputs, false).head()).isEqualTo(packed);
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void everyGradientEqualsFiniteDifferences(String name) {
        TransformerConfig config =
                tiny().setVocabulary(5)
                        .setEmbeddingSize(4)
                        .setLayers(1)
                        .optFeedForwardSize(3)
                        .optActivation(TransformerConfig.Activation.SWIGLU)
                        .optNorm(TransformerConfig.Norm.RMS_NORM, 1e-5)
                        .optQueryKeyNorm(true)
                        .optKeyValueHeads(1)
                        .build();
        Transformer model = model(config, name, DataType.FLOAT64);
        NDArray ids = ids(1, 2, 4, 3);
        for (Parameter parameter : model.getParameters().values()) {
            // An encoding's large matrices are checked beside the encoding.
            if (parameter.getShape().size() <= 64) {
                Gradients.check(
                        parameter.getArray(),
                        ignored -> model.forward(parameters, new NDList(ids), true).head());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void savedAndLoadedItIsTheSame(String name) throws Exception {
        Transformer model = model(tiny().optTiedOutput(false).build(), name, DataType.FLOAT32);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        model.saveParameters(new DataOutputStream(bytes));
        TransformerConfig config = tiny().optTiedOutput(false).optSeed(9).build();
        Transformer other =
                new Transformer(
                        config, Encodings.named(name).forTransformer(config.site(6), few(name)));
        other.loadParameters(manager, in(bytes));
        NDArray ids = ids(1, 2, 3, 4, 5);
        assertThat(logits(other, ids).toFloatArray())
                .containsExactly(logits(model, ids).toFloatArray());
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void halfPrecisionIsCloseToSingle(String name) {
        TransformerConfig config = tiny().optNorm(TransformerConfig.Norm.RMS_NORM, 1e-5).build();
        NDArray ids = ids(1, 2, 3, 4, 5, 6);
        NDArray single = logits(model(config, name, DataType.FLOAT32), ids);
        NDArray half = logits(model(config, name, DataType.FLOAT16), ids);
        assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
        assertThat(difference(half.toType(DataType.FLOAT32, true), single)).isLessThan(0.05);
    }

    @Test
    void weightsDependOnTheSeedAloneNeitherOnTheEncodingNorOnTheThread() throws Exception {
        TransformerConfig config = tiny().build();
        Transformer a = new Transformer(config, new NoEncoding());
        Transformer b =
                new Transformer(
                        config, Encodings.named("rope").forTransformer(config.site(6), Map.of()));
        a.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        Thread thread = new Thread(() -> b.initialize(manager, DataType.FLOAT32, new Shape(1, 6)));
        manager.getEngine().setRandomSeed(77);
        thread.start();
        thread.join();
        for (int i = 0; i < a.getParameters().size(); i++) {
            assertThat(b.getParameters().valueAt(i).getArray().toFloatArray())
                    .containsExactly(a.getParameters().valueAt(i).getArray().toFloatArray());
        }
        TransformerConfig wide = tiny().setEmbeddingSize(64).setLayers(8).build();
        Transformer c = new Transformer(wide, new NoEncoding());
        c.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        assertThat(deviation(c, "02layer0_02attention_01query_weight"))
                .isCloseTo(0.02, Offset.offset(0.001));
        assertThat(deviation(c, "02layer0_02attention_04output_weight"))
                .isCloseTo(0.005, Offset.offset(0.0002));
        assertThat(deviation(c, "09layer7_04feedForward_02down_weight"))
                .isCloseTo(0.005, Offset.offset(0.0002));
    }

    private static double deviation(Transformer model, String name) {
        return model.getParameters().get(name).getArray().square().mean().sqrt().getFloat();
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void noEncodingTakesATypeThatWouldAbortTheJvm(String name) {
        PositionalEncoding encoding =
                Encodings.named(name).forTransformer(tiny().build().site(6), Map.of());
        Shape x = new Shape(1, 1, 8);
        assertThatThrownBy(() -> encoding.initialize(manager, DataType.BFLOAT16, x, new Shape(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bfloat16");
    }

    @Test
    void hiddenIsTheResidualStream() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT64);
        NDArray ids = ids(1, 2, 3);
        Positions positions = Positions.range(manager, 0, 3);
        List<NDArray> hidden =
                model.hidden(ids, positions, AttentionMask.none(), parameters, false);
        assertThat(hidden).hasSize(3);
        NDArray table = model.getParameters().get("tokens").getArray();
        assertThat(hidden.get(0).toDoubleArray())
                .containsExactly(table.get(ids.flatten()).toDoubleArray());
        NDArray last = hidden.get(2);
        NDArray centred = last.sub(last.mean(new int[] {2}, true));
        NDArray normed =
                centred.div(centred.square().mean(new int[] {2}, true).add(1e-5f).sqrt())
                        .mul(model.getParameters().get("04norm_gamma").getArray())
                        .add(model.getParameters().get("04norm_beta").getArray());
        assertThat(logits(model, ids).toDoubleArray())
                .containsExactly(
                        normed.reshape(3, 8).matMul(table.transpose()).toDoubleArray(),
                        Offset.offset(1e-6));
    }

    private static PositionalEncoding rope(TransformerConfig config, String layout) {
        return Encodings.named("rope").forTransformer(config.site(6), Map.of("layout", layout));
    }

    @Test
    void pairsOfAnotherLayoutThanTheWeightsAreRefused() {
        TransformerConfig config = tiny().build();
        Transformer halves = new Transformer(config, rope(config, "half-split"));
        PositionalEncoding pairs = rope(config, "interleaved");
        assertThatThrownBy(() -> halves.withEncoding(pairs))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the queries and keys of layer 0 were made for pairs that are half-split,"
                                + " and those of the other encoding are interleaved: make it with the"
                                + " first layout, or load the folder with it");
        // What was once there is not forgotten, in any layer.
        Transformer none = halves.withEncoding(new NoEncoding());
        assertThat(none.rotaryPart(1)).isEqualTo(halves.rotaryPart(1));
        assertThatThrownBy(
                        () ->
                                none.withEncoding(
                                        new LayerSchedule(List.of(new NoEncoding(), pairs))))
                .hasMessageContaining("layer 1 were made for pairs that are half-split");
        assertThat(none.withEncoding(rope(config, "half-split")).rotaryPart(0)).isPresent();
        // Weights that no pairs were made for take any.
        Transformer free = new Transformer(config, new NoEncoding());
        assertThat(free.rotaryPart(0)).isEmpty();
        assertThat(free.withEncoding(pairs).rotaryPart(0)).isEqualTo(pairs.rotaryPart(0));
        assertThatThrownBy(() -> free.withEncoding(pairs).withEncoding(rope(config, "half-split")))
                .hasMessageContaining("made for pairs that are interleaved");
    }

    @Test
    void anotherEncodingActsOnTheSameWeightsAndIsSavedWithThem() throws Exception {
        TransformerConfig config = tiny().build();
        Transformer none = model(config, "none", DataType.FLOAT64);
        Transformer rope = model(config, "rope", DataType.FLOAT64);
        Transformer swapped =
                none.withEncoding(Encodings.named("rope").forTransformer(config.site(6), Map.of()));
        NDArray ids = ids(1, 2, 3, 4, 5, 6);
        double[] expected = logits(rope, ids).toDoubleArray(); // of the same seed and noise
        assertThat(logits(swapped, ids).toDoubleArray()).containsExactly(expected);
        assertThat(difference(logits(none, ids), logits(rope, ids))).isGreaterThan(1e-3);

        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        swapped.saveParameters(new DataOutputStream(bytes));
        Transformer loaded =
                new Transformer(
                        config, Encodings.named("rope").forTransformer(config.site(6), Map.of()));
        loaded.loadParameters(manager, in(bytes));
        assertThat(logits(loaded, ids).toDoubleArray()).containsExactly(expected);

        // A new encoding's own parameters are made; training one model trains the other.
        Transformer learned =
                none.withEncoding(
                        Encodings.named("learned").forTransformer(config.site(6), Map.of()));
        assertThat(difference(logits(learned, ids), logits(none, ids))).isGreaterThan(1e-3);
        swapped.getParameters().get("tokens").getArray().stopGradient().addi(1);
        assertThat(none.getParameters().get("tokens").getArray())
                .isSameAs(swapped.getParameters().get("tokens").getArray());
        assertThat(difference(logits(rope, ids), logits(swapped, ids))).isGreaterThan(1e-3);

        Transformer fresh = new Transformer(config, new NoEncoding());
        Transformer both = fresh.withEncoding(new NoEncoding());
        both.initialize(manager, DataType.FLOAT64, new Shape(1, 6));
        assertThat(logits(fresh, ids).toDoubleArray())
                .containsExactly(logits(both, ids).toDoubleArray());
    }

    @Test
    void aLearnedTableIsStretchedToALongerContext() throws Exception {
        TransformerConfig config = tiny().build();
        Transformer model = model(config, "learned", DataType.FLOAT32);
        NDArray long11 = ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0);
        assertThatThrownBy(() -> logits(model, long11)).hasMessageContaining("length 6");
        LearnedTable table = (LearnedTable) ((FeatureEncoding) model.encoding()).features();
        Transformer longer = model.withEncoding(table.resized(11, manager).added());
        NDArray y = logits(longer, long11);
        // Every second row is a row of the old table.
        NDArray even = manager.create(new long[] {0, 2, 4, 6, 8, 10});
        NDArray six = ids(1, 2, 3, 4, 5, 6);
        NDArray placed = longer.forward(parameters, new NDList(six, even), false).head();
        assertThat(placed.toFloatArray())
                .containsExactly(logits(model, six).toFloatArray(), Offset.offset(1e-5f));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        longer.saveParameters(new DataOutputStream(bytes));
        Transformer loaded =
                new Transformer(
                        config,
                        Encodings.named("learned").forTransformer(config.site(11), Map.of()));
        loaded.loadParameters(manager, in(bytes));
        assertThat(logits(loaded, long11).toFloatArray()).containsExactly(y.toFloatArray());
    }

    @Test
    void scaledEmbeddingsAreTheTableTimesTheScaleAndStartWithDeviationOne() {
        TransformerConfig config =
                tiny().setVocabulary(2000).optEmbeddingScale(Math.sqrt(8)).build();
        Transformer model = new Transformer(config, new NoEncoding());
        model.initialize(manager, DataType.FLOAT64, new Shape(1, 6));
        NDArray ids = ids(7, 2, 9);
        NDArray table = model.getParameters().get("tokens").getArray();
        NDArray first =
                model.hidden(
                                ids,
                                Positions.range(manager, 0, 3),
                                AttentionMask.none(),
                                parameters,
                                false)
                        .get(0);
        double[] rows = table.get(ids.flatten()).toDoubleArray();
        double[] scaled = Arrays.stream(rows).map(v -> v * Math.sqrt(8)).toArray();
        assertThat(first.toDoubleArray()).containsExactly(scaled, Offset.offset(1e-15));
        double squares = Arrays.stream(table.toDoubleArray()).map(v -> v * v * 8).sum();
        assertThat(Math.sqrt(squares / table.size())).isCloseTo(1, Offset.offset(0.02));
        assertThatThrownBy(() -> tiny().optEmbeddingScale(0).build())
                .hasMessageContaining("embedding scale must be positive and finite, got 0.0");
    }

    @Test
    void aTrainingStepLeavesNothingButItsResult() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        model.getParameters().values().forEach(p -> p.freeze(false));
        NDArray labels = manager.create(new long[] {2, 3, 4, 5, 6, 7});
        int before = -1;
        int kept = 0;
        for (int step = 0; step < 3; step++) {
            try (NDManager batch = manager.newSubManager();
                    GradientCollector collector = Autograd.collector()) {
                NDArray ids = batch.create(new long[] {1, 2, 3, 4, 5, 6}, new Shape(1, 6));
                NDArray logits = model.forward(parameters, new NDList(ids), true).head();
                int made = batch.getManagedArrays().size();
                collector.backward(CrossEntropy.mean(logits.reshape(6, 11), labels, true));
                if (step > 0) {
                    assertThat(made).isEqualTo(before);
                    assertThat(manager.getManagedArrays()).hasSize(kept);
                }
                before = made;
                kept = manager.getManagedArrays().size();
                // ids, positions and what was derived of them, logits and the last norm's input
                assertThat(made).isLessThan(12);
            }
        }
        for (Parameter p : model.getParameters().values()) {
            assertThat(p.getArray().hasGradient()).as(p.getName()).isTrue();
        }
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        assertThatThrownBy(() -> tiny().setHeads(3).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("8")
                .hasMessageContaining("3 heads");
        assertThatThrownBy(() -> tiny().setHeads(4).optKeyValueHeads(3).build())
                .hasMessageContaining("multiple");
        assertThatThrownBy(() -> tiny().setVocabulary(0).build())
                .hasMessageContaining("vocabulary must be at least 1, got 0");
        assertThatThrownBy(() -> tiny().optDropout(0, 1, 0).build())
                .hasMessageContaining("residual dropout");
        Transformer model = model(tiny().build(), "none", DataType.FLOAT32);
        assertThatThrownBy(() -> logits(model, manager.ones(new Shape(1, 3))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("int64");
        Positions two = Positions.range(manager, 0, 2);
        assertThatThrownBy(
                        () ->
                                model.logits(
                                        ids(1, 2, 3), two, AttentionMask.none(), parameters, false))
                .hasMessage("positions must be (3) or (1, 3) for as many tokens, got shape (2)");
        Transformer fresh = new Transformer(tiny().build(), new NoEncoding());
        assertThatThrownBy(() -> fresh.initialize(manager, DataType.BFLOAT16, new Shape(1, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bfloat16");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        model.saveParameters(new DataOutputStream(bytes));
        Transformer deeper = new Transformer(tiny().setLayers(3).build(), new NoEncoding());
        Transformer parallel =
                new Transformer(tiny().optParallelResidual(true).build(), new NoEncoding());
        assertThatThrownBy(() -> parallel.loadParameters(manager, in(bytes)))
                .hasMessageContaining("parallel residual false");
        assertThatThrownBy(() -> deeper.loadParameters(manager, in(bytes)))
                .hasMessageContaining("layers 3")
                .hasMessageContaining("layers 2");
    }

    private static DataInputStream in(ByteArrayOutputStream bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    private static double difference(NDArray a, NDArray b) {
        return a.sub(b).abs().max().toType(DataType.FLOAT64, false).getDouble();
    }
}
