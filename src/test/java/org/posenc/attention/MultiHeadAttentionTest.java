package org.posenc.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.testing.Gradients;

/** What CheckpointGoldensTest does not see: caches, other sequences, masks, use as a block. */
class MultiHeadAttentionTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private static MultiHeadAttention.Builder tiny() {
        return MultiHeadAttention.builder().setEmbeddingSize(8).setHeads(4).optHeadDimension(6);
    }

    private MultiHeadAttention initialized(MultiHeadAttention.Builder builder, DataType type) {
        MultiHeadAttention attention = builder.build();
        attention.initialize(manager, type, new Shape(1, 1, 8));
        return attention;
    }

    private PositionalEncoding encoding(String name, boolean causal) {
        PositionalEncoding encoding =
                Encodings.named(name)
                        .forTransformer(
                                new Site(8, 4, 2, 6, 16, causal, 1),
                                name.endsWith("rerope") || name.equals("self-extend")
                                        ? Map.of("window", "2")
                                        : Map.of());
        encoding.initialize(manager, DataType.FLOAT64, new Shape(1, 1, 8), new Shape(1));
        return encoding;
    }

    private LayerContext layer(NDArray x) {
        return new LayerContext(0, x, parameters, false);
    }

    @ParameterizedTest
    @MethodSource("org.posenc.encoding.Encodings#names")
    void tokenByTokenOverKeptKeysIsTheSameAsAllAtOnce(String name) {
        PositionalEncoding encoding = encoding(name, true);
        MultiHeadAttention attention =
                initialized(
                        tiny().optKeyValueHeads(2).optCausal(true).optQueryKeyNorm(1e-6),
                        DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 5, 8);
        Positions all = Positions.range(manager, 0, 5);
        NDArray expected = attention.attend(layer(x), all, encoding, AttentionMask.none());
        KeyValues kept = null;
        for (int t = 0; t < 5; t += t == 0 ? 2 : 1) { // two tokens first, then one by one
            int to = t == 0 ? 2 : t + 1;
            NDArray now = x.get(":, " + t + ":" + to);
            Positions positions = Positions.range(manager, t, to);
            KeyValues fresh = attention.keyValues(now, positions, encoding, layer(now));
            kept =
                    kept == null
                            ? fresh
                            : new KeyValues(
                                    kept.keys().concat(fresh.keys(), 2),
                                    kept.values().concat(fresh.values(), 2),
                                    fresh.notes() == null
                                            ? null
                                            : kept.notes().concat(fresh.notes(), 2),
                                    Positions.range(manager, 0, to),
                                    false);
            NDArray y =
                    attention.attend(layer(now), positions, kept, encoding, AttentionMask.none());
            assertThat(y.toDoubleArray())
                    .containsExactly(
                            expected.get(":, " + t + ":" + to).toDoubleArray(),
                            Offset.offset(1e-12));
        }
    }

    /** RoPE, but its products are taken in the encoding, where others look at pairs. */
    private static final class ProductsOfPairs extends EncodingBlock {

        private final PositionalEncoding rope;

        ProductsOfPairs(PositionalEncoding rope) {
            super((byte) 1);
            this.rope = rope;
        }

        @Override
        public NDArray products(
                NDArray queries,
                NDArray keys,
                Positions queryPositions,
                Positions keyPositions,
                LayerContext context) {
            NDArray k = rope.rotateKeys(keys, keyPositions, context).repeat(1, 2);
            return rope.rotateQueries(queries, queryPositions, context).matMul(k.swapAxes(2, 3));
        }

        @Override
        public NDArray keyNotes(NDArray hidden, Positions positions, LayerContext context) {
            return hidden.swapAxes(1, 2);
        }

        @Override
        public NDArray bias(
                NDArray queries,
                NDArray keys,
                Positions queryPositions,
                Positions keyPositions,
                LayerContext context) {
            // (B, 1, 1, S): nothing, unless the notes of the keys are not what they were.
            return context.keyNotes()
                    .sum(new int[] {1})
                    .sub(context.hidden().sum(new int[] {2}))
                    .expandDims(1)
                    .expandDims(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void productsOfAnEncodingsOwnStandInForRotatedQueriesAndKeys(boolean causal) {
        PositionalEncoding rope = encoding("rope", causal);
        MultiHeadAttention attention =
                initialized(tiny().optKeyValueHeads(2).optCausal(causal), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 5, 8);
        Positions all = Positions.range(manager, 0, 5);
        NDArray real = manager.create(new long[] {0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, new Shape(2, 5));
        for (AttentionMask mask : List.of(AttentionMask.none(), AttentionMask.padding(real))) {
            NDArray expected = attention.attend(layer(x), all, rope, mask);
            NDArray pairs = attention.attend(layer(x), all, new ProductsOfPairs(rope), mask);
            assertThat(pairs.toDoubleArray())
                    .containsExactly(expected.toDoubleArray(), Offset.offset(1e-12));
        }
    }

    /** Weights times values, put through the output projection, are what attention returns. */
    @ParameterizedTest
    @ValueSource(strings = {"none", "rope", "alibi", "rerope", "pope"})
    void itsWeightsAreThoseItAttendsWith(String name) {
        PositionalEncoding encoding = encoding(name, true);
        MultiHeadAttention attention =
                initialized(tiny().optKeyValueHeads(2).optCausal(true), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 5, 8);
        Positions all = Positions.range(manager, 0, 5);
        NDArray real = manager.create(new long[] {0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, new Shape(2, 5));
        for (AttentionMask mask : List.of(AttentionMask.none(), AttentionMask.padding(real))) {
            NDArray w = attention.weights(layer(x), all, encoding, mask); // (B, H, T, T)
            assertThat(w.sum(new int[] {3}).sub(1).abs().max().getDouble()).isLessThan(1e-12);
            NDArray v = attention.keyValues(x, all, encoding, layer(x)).values().repeat(1, 2);
            NDArray joined = w.matMul(v).transpose(0, 2, 1, 3).reshape(2, 5, -1);
            NDArray output =
                    attention
                            .getChildren()
                            .get("04output")
                            .getParameters()
                            .valueAt(0)
                            .getArray(); // (E, H D)
            assertThat(joined.matMul(output.transpose()).toDoubleArray())
                    .containsExactly(
                            attention.attend(layer(x), all, encoding, mask).toDoubleArray(),
                            Offset.offset(1e-12));
        }
    }

    @Test
    void attendsToAnotherSequenceOfAnotherLength() {
        MultiHeadAttention attention = initialized(tiny().optBiases(true, true), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 3, 8);
        NDArray other = Gradients.normal(manager, 2, 2, 7, 8);
        KeyValues memory =
                attention.keyValues(
                        other, Positions.range(manager, 0, 7), new NoEncoding(), layer(other));
        NDArray real =
                manager.create(
                        new long[] {1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1}, new Shape(2, 7));
        NDArray y =
                attention.attend(
                        layer(x),
                        Positions.range(manager, 0, 3),
                        memory,
                        new NoEncoding(),
                        AttentionMask.padding(real));
        assertThat(y.getShape()).isEqualTo(new Shape(2, 3, 8));
        KeyValues four =
                attention.keyValues(
                        other.get("0:1, :4"),
                        Positions.range(manager, 0, 4),
                        new NoEncoding(),
                        layer(other));
        NDArray cut =
                attention.attend(
                        layer(x.get("0:1")),
                        Positions.range(manager, 0, 3),
                        four,
                        new NoEncoding(),
                        AttentionMask.none());
        assertThat(y.get("0:1").toDoubleArray())
                .containsExactly(cut.toDoubleArray(), Offset.offset(1e-12));
        assertThatThrownBy(
                        () ->
                                new KeyValues(
                                        four.keys(),
                                        four.values(),
                                        null,
                                        Positions.range(manager, 0, 3),
                                        false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 keys");
    }

    @Test
    void masksOfEveryKindAgree() {
        MultiHeadAttention attention = initialized(tiny().optCausal(true), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 1, 4, 8);
        Positions p = Positions.range(manager, 0, 4);
        NDArray documents = manager.create(new long[] {3, 3, 8, 8}, new Shape(1, 4));
        double no = -1e30;
        NDArray same =
                manager.create(
                        new double[] {0, 0, no, no, 0, 0, no, no, no, no, 0, 0, no, no, 0, 0},
                        new Shape(4, 4));
        PositionalEncoding alibi = encoding("alibi", true);
        double[] byDocument =
                attention
                        .attend(layer(x), p, alibi, AttentionMask.documents(documents))
                        .toDoubleArray();
        assertThat(
                        attention
                                .attend(layer(x), p, alibi, AttentionMask.additive(same))
                                .toDoubleArray())
                .containsExactly(byDocument, Offset.offset(1e-12));
        NDArray everything = manager.ones(new Shape(1, 4), DataType.BOOLEAN);
        assertThat(
                        attention
                                .attend(layer(x), p, alibi, AttentionMask.padding(everything))
                                .toDoubleArray())
                .containsExactly(
                        attention.attend(layer(x), p, alibi, AttentionMask.none()).toDoubleArray(),
                        Offset.offset(1e-12));
        assertThatThrownBy(
                        () ->
                                attention.attend(
                                        layer(x.get(":, :3")),
                                        Positions.range(manager, 0, 3),
                                        alibi,
                                        AttentionMask.documents(documents)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 keys");
        assertThatThrownBy(() -> AttentionMask.padding(manager.ones(new Shape(3))))
                .hasMessageContaining("(3)");
    }

    /** A gate's sum across a document's border belongs to pairs that the mask hides. */
    @ParameterizedTest
    @ValueSource(strings = {"fire", "fox", "cope"})
    void packedDocumentsAreAsAlone(String name) {
        PositionalEncoding encoding = encoding(name, true);
        MultiHeadAttention attention =
                initialized(tiny().optKeyValueHeads(2).optCausal(true), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 1, 7, 8);
        Positions restarting =
                Positions.of(manager.create(new long[] {0, 1, 0, 1, 2, 0, 1}, new Shape(1, 7)));
        NDArray documents = manager.create(new long[] {5, 5, 6, 6, 6, 9, 9}, new Shape(1, 7));
        NDArray packed =
                attention.attend(
                        layer(x), restarting, encoding, AttentionMask.documents(documents));
        for (int[] part : new int[][] {{0, 2}, {2, 5}, {5, 7}}) {
            NDArray own = x.get(":, " + part[0] + ":" + part[1]);
            NDArray alone =
                    attention.attend(
                            layer(own),
                            Positions.range(manager, 0, part[1] - part[0]),
                            encoding,
                            AttentionMask.none());
            assertThat(packed.get(":, " + part[0] + ":" + part[1]).toDoubleArray())
                    .containsExactly(alone.toDoubleArray(), Offset.offset(1e-12));
        }
    }

    /**
     * Rows padded on the left are as alone: what stands before a sequence reaches no pair of it.
     */
    @ParameterizedTest
    @ValueSource(strings = {"fire", "fox", "cope"})
    void rowsPaddedOnTheLeftAreAsAlone(String name) {
        PositionalEncoding encoding = encoding(name, true);
        MultiHeadAttention attention =
                initialized(tiny().optKeyValueHeads(2).optCausal(true), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 5, 8);
        NDArray real = manager.create(new long[] {0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, new Shape(2, 5));
        Positions rows =
                Positions.of(manager.create(new long[][] {{0, 0, 0, 1, 2}, {0, 1, 2, 3, 4}}));
        NDArray y = attention.attend(layer(x), rows, encoding, AttentionMask.padding(real));
        NDArray short3 = x.get("0:1, 2:");
        NDArray alone =
                attention.attend(
                        layer(short3),
                        Positions.range(manager, 0, 3),
                        encoding,
                        AttentionMask.none());
        assertThat(y.get("0:1, 2:").toDoubleArray())
                .containsExactly(alone.toDoubleArray(), Offset.offset(1e-12));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "alibi", "kerple", "fire", "sandwich", "fox", "cope"})
    void aTokenThatSeesNothingIsFiniteInHalfPrecision(String name) {
        MultiHeadAttention attention = initialized(tiny().optCausal(true), DataType.FLOAT16);
        NDArray x = Gradients.normal(manager, 1, 1, 64, 8).toType(DataType.FLOAT16, true);
        NDArray nothing = manager.zeros(new Shape(1, 64), DataType.INT64);
        NDArray y =
                attention.attend(
                        layer(x),
                        Positions.range(manager, 0, 64),
                        encoding(name, true),
                        AttentionMask.padding(nothing));
        assertThat(y.toType(DataType.FLOAT32, true).isNaN().any().getBoolean()).isFalse();
        assertThat(y.toType(DataType.FLOAT32, true).isInfinite().any().getBoolean()).isFalse();
    }

    @Test
    void aloneItIsABlockWithItsOwnEncoding() throws Exception {
        MultiHeadAttention attention =
                initialized(tiny().optEncoding(encoding("rope", false)), DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 5, 8);
        NDArray y = attention.forward(parameters, new NDList(x), false).head();
        NDArray far = manager.create(new long[] {100, 101, 102, 103, 104});
        assertThat(attention.forward(parameters, new NDList(x, far), false).head().toDoubleArray())
                .containsExactly(y.toDoubleArray(), Offset.offset(1e-10));
        NDArray apart = manager.create(new long[] {0, 7, 9, 30, 31});
        NDArray other = attention.forward(parameters, new NDList(x, apart), false).head();
        assertThat(other.sub(y).abs().max().getDouble()).isGreaterThan(1e-3);
        Gradients.check(x, z -> attention.forward(parameters, new NDList(z), true).head());

        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        attention.saveParameters(new DataOutputStream(bytes));
        MultiHeadAttention same = tiny().optEncoding(encoding("rope", false)).build();
        same.loadParameters(manager, in(bytes));
        assertThat(same.forward(parameters, new NDList(x), false).head().toDoubleArray())
                .containsExactly(y.toDoubleArray());
        MultiHeadAttention other2 = tiny().optKeyValueHeads(2).build();
        assertThatThrownBy(() -> other2.loadParameters(manager, in(bytes)))
                .hasMessageContaining("2 key/value heads")
                .hasMessageContaining("4 key/value heads");
    }

    private static DataInputStream in(ByteArrayOutputStream bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> MultiHeadAttention.builder().setHeads(2).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tiny().optKeyValueHeads(3).build()).hasMessageContaining("3");
        assertThatThrownBy(
                        () -> MultiHeadAttention.builder().setEmbeddingSize(8).setHeads(3).build())
                .hasMessageContaining("embedding size 8");
        assertThatThrownBy(
                        () -> tiny().build().initialize(manager, DataType.BFLOAT16, new Shape(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bfloat16");
        assertThatThrownBy(() -> new RmsNorm(4, 0)).hasMessageContaining("0.0");
    }
}
