package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.ForgetGate;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.ReRope;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.testing.Gradients;

/** Encodings that differ from layer to layer, inside a Transformer. */
class LayerScheduleTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private static TransformerConfig.Builder tiny() {
        return TransformerConfig.builder()
                .setVocabulary(11)
                .setEmbeddingSize(8)
                .setLayers(3)
                .setHeads(2)
                .optSeed(3);
    }

    private Transformer model(PositionalEncoding encoding) {
        return model(tiny().build(), encoding);
    }

    private Transformer model(TransformerConfig config, PositionalEncoding encoding) {
        Transformer model = new Transformer(config, encoding);
        model.initialize(manager, DataType.FLOAT64, new Shape(1, 6));
        int seed = 0;
        for (Parameter p : model.getParameters().values()) {
            p.getArray().addi(Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.3));
        }
        return model;
    }

    private static PositionalEncoding named(String name) {
        return Encodings.named(name).forTransformer(tiny().build().site(16), Map.of());
    }

    private static Rope rope(double base) {
        return Rope.builder()
                .setHeadDimension(4)
                .setLayout(RotaryLayout.HALF_SPLIT)
                .optBase(base)
                .build();
    }

    private List<NDArray> hidden(Transformer model, long... ids) {
        return model.hidden(
                manager.create(ids, new Shape(1, ids.length)),
                Positions.range(manager, 0, ids.length),
                AttentionMask.none(),
                parameters,
                false);
    }

    private NDArray logits(Transformer model, long... ids) {
        NDArray array = manager.create(ids, new Shape(1, ids.length));
        return model.forward(parameters, new NDList(array), false).head();
    }

    private static double difference(NDArray a, NDArray b) {
        return a.sub(b).abs().max().getDouble();
    }

    @Test
    void eachLayerHasItsOwnEncoding() {
        List<PositionalEncoding> encodings = List.of(rope(100), new NoEncoding(), rope(1e6));
        Transformer model = model(new LayerSchedule(encodings));
        List<NDArray> stream = hidden(model, 1, 2, 3, 4, 5);
        for (int i = 0; i < 3; i++) {
            TransformerLayer layer = (TransformerLayer) model.getChildren().valueAt(1 + i);
            NDArray alone =
                    layer.forward(
                            stream.get(i),
                            Positions.range(manager, 0, 5),
                            encodings.get(i),
                            AttentionMask.none(),
                            null,
                            parameters,
                            false);
            assertThat(alone.toDoubleArray()).containsExactly(stream.get(i + 1).toDoubleArray());
        }
        for (PositionalEncoding everywhere : encodings) {
            NDArray other = hidden(model.withEncoding(everywhere), 1, 2, 3, 4, 5).get(3);
            assertThat(difference(other, stream.get(3))).isGreaterThan(1e-6);
        }
    }

    @Test
    void layersWithoutEncodingAreBlindToPositions() {
        TransformerConfig encoder = tiny().optCausal(false).build();
        Transformer model =
                model(
                        encoder,
                        new LayerSchedule(
                                List.of(new NoEncoding(), new NoEncoding(), rope(10_000))));
        List<NDArray> a = hidden(model, 1, 2, 3, 4);
        List<NDArray> b = hidden(model, 2, 1, 3, 4);
        assertThat(difference(a.get(2).get("0, 3"), b.get(2).get("0, 3"))).isLessThan(1e-12);
        assertThat(difference(a.get(3).get("0, 3"), b.get(3).get("0, 3"))).isGreaterThan(1e-6);
    }

    @Test
    void aPeriodIsRepeatedAndWhatIsSharedIsThereOnce() {
        PositionalEncoding t5 = named("t5");
        PositionalEncoding none = new NoEncoding();
        LayerSchedule schedule = LayerSchedule.repeating(5, t5, none);
        assertThat(schedule.layers()).containsExactly(t5, none, t5, none, t5);
        assertThat(schedule.getChildren().values()).containsExactly(t5, none);
        assertThat(schedule.getParameters()).hasSize(1);
    }

    @Test
    void theEmbedSeamIsThatOfEachEncodingOnce() {
        PositionalEncoding sinusoidal = named("sinusoidal");
        PositionalEncoding learned = named("learned");
        Transformer model = model(new LayerSchedule(List.of(learned, sinusoidal, learned)));
        NDArray plain = hidden(model.withEncoding(new NoEncoding()), 1, 2, 3).get(0);
        Positions p = Positions.range(manager, 0, 3);
        NDArray placed =
                sinusoidal.embed(learned.embed(plain, p, parameters, false), p, parameters, false);
        assertThat(hidden(model, 1, 2, 3).get(0).toDoubleArray())
                .containsExactly(placed.toDoubleArray());
    }

    @Test
    void gradientsOfASharedEncodingAddUp() {
        PositionalEncoding t5 = named("t5");
        Transformer model = model(new LayerSchedule(List.of(t5, rope(100), t5)));
        NDArray ids = manager.create(new long[] {1, 4, 2}, new Shape(1, 3));
        model.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        Gradients.check(
                t5.getParameters().valueAt(0).getArray(),
                ignored -> model.forward(parameters, new NDList(ids), true).head());
    }

    @Test
    void itIsSavedWithItsEncodingsAndTheirOrder() throws Exception {
        Transformer model = model(new LayerSchedule(List.of(named("t5"), rope(100), rope(200))));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        model.saveParameters(new DataOutputStream(bytes));
        Transformer loaded =
                new Transformer(
                        tiny().build(),
                        new LayerSchedule(List.of(named("t5"), rope(100), rope(200))));
        loaded.loadParameters(manager, in(bytes));
        assertThat(logits(loaded, 1, 2, 3).toDoubleArray())
                .containsExactly(logits(model, 1, 2, 3).toDoubleArray());
        PositionalEncoding t5 = named("t5");
        for (LayerSchedule other :
                List.of(
                        new LayerSchedule(List.of(t5, rope(200), rope(100))),
                        LayerSchedule.repeating(3, t5, rope(100)))) {
            Transformer wrong = new Transformer(tiny().build(), other);
            assertThatThrownBy(() -> wrong.loadParameters(manager, in(bytes)))
                    .isInstanceOf(MalformedModelException.class);
        }
    }

    private static DataInputStream in(ByteArrayOutputStream bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    /** Biases, gates, turned keys and turned pairs, each in a layer of its own. */
    @Test
    void layersOfEveryKindDecodeAsInOneFullPass() {
        ReRope reRope = ReRope.builder().setRope(rope(10_000)).setWindow(3).build();
        TransformerConfig five = tiny().setLayers(5).build();
        List<PositionalEncoding> kinds =
                List.of(named("alibi"), named("fox"), rope(500), reRope, new NoEncoding());
        Transformer model = model(five, new LayerSchedule(kinds));
        NDArray all = logits(model, 1, 2, 3, 4, 5, 6, 7, 8);
        try (KeyValueCache cache = model.cache(manager, Policy.UNROTATED)) {
            for (int t = 0; t < 8; t++) {
                NDArray id = manager.create(new long[] {t + 1}, new Shape(1, 1));
                Positions p = Positions.range(manager, t, t + 1);
                NDArray step = model.logits(id, p, null, cache, parameters);
                assertThat(difference(step, all.get(":, " + t + ":" + (t + 1)))).isLessThan(1e-10);
            }
        }
        assertThatThrownBy(() -> model.cache(manager, Policy.ROTATED))
                .hasMessageContaining("UNROTATED");
        assertThat(new LayerSchedule(kinds.subList(0, 3)).keysStayRotated()).isTrue();
    }

    @Test
    void oneLayerWhoseKeysMustBeTurnedOnDecidesForAll() {
        Rope dynamic =
                Rope.builder()
                        .setHeadDimension(4)
                        .setLayout(RotaryLayout.HALF_SPLIT)
                        .optScaling(new DynamicNtk(2, 4))
                        .build();
        LayerSchedule schedule = LayerSchedule.repeating(2, rope(100), dynamic);
        assertThat(schedule.keysStayRotated()).isFalse();
        assertThat(schedule.canRerotateKeys()).isTrue();
        NDArray x = Gradients.normal(manager, 1, 1, 2, 3, 4);
        Positions p = Positions.range(manager, 0, 3);
        Positions before = Positions.range(manager, 0, 5);
        Positions now = Positions.range(manager, 0, 9);
        LayerContext first = new LayerContext(0, x, parameters, false);
        LayerContext second = new LayerContext(1, x, parameters, false);
        assertThat(schedule.rerotateKeys(x, p, before, now, first)).isSameAs(x);
        assertThat(schedule.rerotateKeys(x, p, before, now, second).toDoubleArray())
                .containsExactly(dynamic.rerotateKeys(x, p, before, now, second).toDoubleArray())
                .isNotEqualTo(x.toDoubleArray());
    }

    /** The authors' form of gates, made by name: each layer learns its own from its own numbers. */
    @Test
    void gatesMadeByNameAreOfEachLayer() {
        TransformerConfig config = tiny().build();
        LayerSchedule own =
                (LayerSchedule) Encodings.named("fox").forTransformer(config.site(8), Map.of());
        assertThat(own.layers())
                .hasSize(3)
                .doesNotHaveDuplicates()
                .allMatch(ForgetGate.class::isInstance);
        own.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        List<float[]> weights =
                own.layers().stream()
                        .map(gate -> gate.getParameters().get("weight").getArray().toFloatArray())
                        .toList();
        assertThat(weights.get(0)).isNotEqualTo(weights.get(1));
        assertThat(weights.get(1)).isNotEqualTo(weights.get(2));
        PositionalEncoding shared =
                Encodings.named("fox").forTransformer(config.site(8), Map.of("layers", "shared"));
        shared.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        assertThat(((ForgetGate) shared).getParameters().get("weight").getArray().toFloatArray())
                .isEqualTo(weights.get(0));
        assertThat(Encodings.named("cope").forTransformer(config.site(8), Map.of()))
                .isInstanceOf(LayerSchedule.class);
    }

    @Test
    void ropeMadeByNameIsLeftOutOfEveryNthLayer() {
        Site site = tiny().build().site(8);
        LayerSchedule schedule =
                (LayerSchedule)
                        Encodings.named("rope").forTransformer(site, Map.of("nope-every", "3"));
        assertThat(schedule.layers()).hasSize(3);
        assertThat(schedule.layers().get(0))
                .isInstanceOf(Rope.class)
                .isSameAs(schedule.layers().get(1));
        assertThat(schedule.layers().get(2)).isInstanceOf(NoEncoding.class);
        for (String wrong : new String[] {"1", "4", "-2"}) {
            assertThatThrownBy(
                            () ->
                                    Encodings.named("rope")
                                            .forTransformer(site, Map.of("nope-every", wrong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "rope's nope-every must be 0, or from 2 to the number of layers, 3, got"
                                    + " \""
                                    + wrong
                                    + "\"");
        }
    }

    @Test
    void saysWhatIsMissing() {
        assertThatThrownBy(() -> new LayerSchedule(List.of()))
                .hasMessage("a schedule needs at least one layer");
        assertThatThrownBy(() -> LayerSchedule.repeating(4))
                .hasMessage("the period must be at least 1, got 0");
        Transformer model = model(new LayerSchedule(List.of(rope(100), rope(200))));
        assertThatThrownBy(() -> logits(model, 1, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("this schedule is made for 2 layers, got layer 2, counted from 0");
    }
}
