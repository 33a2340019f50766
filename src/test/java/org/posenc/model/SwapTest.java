package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.SwappedAttention;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Site;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Gradients;

/** Blocks that take the place of DJL's own, against DJL's own. */
class SwapTest {

    private static final int E = 16;
    private static final int HEADS = 4;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    /** The stock blocks' first weights come from the engine's own generator. */
    @BeforeEach
    void seed() {
        Engine.getEngine("PyTorch").setRandomSeed(7);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray normal(long seed, long... shape) {
        return Gradients.normal(manager, seed, shape).toType(DataType.FLOAT32, true);
    }

    private NDArray run(Block block, boolean training, NDArray... inputs) {
        return block.forward(parameters, new NDList(inputs), training).head();
    }

    /** Equal to a few of float32's last bits of the largest value. */
    private static void assertEqual(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        float largest = Math.max(1, expected.abs().max().getFloat());
        assertThat(actual.sub(expected).abs().max().getFloat()).isLessThan(4e-6f * largest);
    }

    private static PositionalEncoding encoding(String name) {
        return Encodings.named(name)
                .forTransformer(new Site(E, HEADS, E / HEADS, 12, false, 1), Map.of());
    }

    /** Gives every parameter a value of its own, as training would. */
    private <B extends Block> B trained(B block, Shape... shapes) {
        block.initialize(manager, DataType.FLOAT32, shapes);
        int seed = 10;
        for (Parameter p : block.getParameters().values()) {
            NDArray noise = normal(seed++, p.getShape().getShape()).mul(0.1);
            boolean variance = p.getType() == Parameter.Type.RUNNING_VAR;
            p.getArray().setRequiresGradient(false);
            p.getArray().addi(variance ? noise.abs() : noise);
            p.getArray().setRequiresGradient(p.requiresGradient());
        }
        return block;
    }

    private ScaledDotProductAttentionBlock attention() {
        return trained(
                ScaledDotProductAttentionBlock.builder()
                        .setEmbeddingSize(E)
                        .setHeadCount(HEADS)
                        .optAttentionProbsDropoutProb(0)
                        .build(),
                new Shape(1, 5, E));
    }

    @Test
    void attentionWithTheOldEncodingEqualsTheStockBlockForEveryKindOfInput() {
        ScaledDotProductAttentionBlock stock = attention();
        SwappedAttention swapped = SwappedAttention.of(stock, HEADS, new NoEncoding());
        NDArray x = normal(1, 2, 5, E);
        NDArray q = normal(2, 2, 3, E);
        NDArray v = normal(3, 2, 5, E);
        NDArray mask =
                manager.create(new float[] {1, 1, 1, 0, 0, 1, 0, 1, 1, 1}, new Shape(2, 1, 5))
                        .broadcast(2, 5, 5);
        NDArray bias = normal(4, 1, HEADS, 5, 5);
        NDArray[][] inputs = {{x}, {x, mask}, {x, bias}, {x, q, v}, {x, q, v, mask.get(":, :3")}};
        for (NDArray[] input : inputs) {
            assertEqual(run(swapped, false, input), run(stock, false, input));
        }
        assertThat(ids(swapped)).isEqualTo(ids(stock));
    }

    @Test
    void gradientsReachTheSharedParametersAsInTheStockBlock() {
        ScaledDotProductAttentionBlock stock = attention();
        SwappedAttention swapped = SwappedAttention.of(stock, HEADS, new NoEncoding());
        NDArray x = normal(1, 2, 5, E);
        Map<Parameter, float[]> expected = new LinkedHashMap<>();
        float largest = 0;
        for (Parameter p : stock.getParameters().values()) {
            expected.put(p, gradient(stock, p, x));
            for (float value : expected.get(p)) {
                largest = Math.max(largest, Math.abs(value));
            }
        }
        // Not of each parameter's own largest: that of a bias of keys is 0 but for rounding.
        Offset<Float> bits = Offset.offset(4e-6f * largest);
        expected.forEach(
                (p, values) -> assertThat(gradient(swapped, p, x)).containsExactly(values, bits));
    }

    private float[] gradient(Block block, Parameter parameter, NDArray x) {
        try (GradientCollector collector = Autograd.collector()) {
            collector.backward(run(block, true, x).square().sum());
        }
        try (NDArray gradient = parameter.getArray().getGradient()) {
            return gradient.toFloatArray();
        } finally {
            for (Parameter p : block.getParameters().values()) {
                if (p.getArray().hasGradient()) {
                    Autograd.zeroGradient(p.getArray());
                }
            }
        }
    }

    private static Set<String> ids(Block block) {
        return block.getParameters().values().stream()
                .map(Parameter::getId)
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope", "alibi", "t5"})
    void anotherEncodingTellsOrderApartAndSurvivesSaving(String name) throws Exception {
        ScaledDotProductAttentionBlock stock = attention();
        SwappedAttention swapped = SwappedAttention.of(stock, HEADS, encoding(name));
        swapped.getParameters().values().stream()
                .filter(p -> !ids(stock).contains(p.getId()))
                .forEach(p -> p.getArray().set(normal(9, p.getShape().getShape()).toByteBuffer()));
        NDArray x = normal(1, 1, 5, E);
        NDArray reversed = x.get(":, :4").flip(1).concat(x.get(":, 4:"), 1);
        NDArray a = run(swapped, false, x);
        NDArray b = run(swapped, false, reversed);
        assertThat(a.get(":, 4").sub(b.get(":, 4")).abs().max().getFloat()).isGreaterThan(1e-3f);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        swapped.saveParameters(new DataOutputStream(bytes));
        SwappedAttention same = SwappedAttention.of(attention(), HEADS, encoding(name));
        same.loadParameters(
                manager, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        assertThat(run(same, false, x).toFloatArray()).containsExactly(a.toFloatArray());
    }

    @Test
    void anEncoderWithTheOldEncodingEqualsTheStockBlock() {
        TransformerEncoderBlock stock =
                trained(
                        new TransformerEncoderBlock(E, HEADS, 32, 0, Activation::gelu),
                        new Shape(1, 5, E));
        SwappedEncoder swapped = SwappedEncoder.of(stock, HEADS, 0, new NoEncoding());
        NDArray x = normal(1, 2, 5, E);
        assertEqual(run(swapped, false, x), run(stock, false, x));
        NDArray bias = normal(4, 1, HEADS, 5, 5);
        assertEqual(run(swapped, false, x, bias), run(stock, false, x, bias));
        assertThat(run(swapped, true, x).toFloatArray())
                .containsExactly(run(stock, true, x).toFloatArray(), Offset.offset(1e-5f));
        assertThat(ids(swapped)).isEqualTo(ids(stock));
        SwappedEncoder turned = SwappedEncoder.of(stock, HEADS, 0, encoding("rope"));
        NDArray moved = run(turned, false, x).sub(run(stock, false, x));
        assertThat(moved.abs().max().getFloat()).isGreaterThan(1e-3f);
    }

    @Test
    void bertWithItsOwnTableEqualsTheStockBlockAndReadsShorterTexts() {
        BertBlock stock = bert();
        NDArray ids =
                manager.create(new long[] {1, 5, 9, 3, 2, 8, 4, 4, 1, 0, 0, 0}, new Shape(2, 6));
        NDArray types = manager.create(new long[] {0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0});
        NDArray both = types.reshape(2, 6);
        NDArray mask =
                manager.create(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0}, new Shape(2, 6));
        SwappedBert own = SwappedBert.of(stock, HEADS, SwappedBert.table(stock).added());
        NDList y = own.forward(parameters, new NDList(ids, both, mask), false);
        NDList expected =
                stock.forward(
                        parameters,
                        new NDList(ids.duplicate(), both.duplicate(), mask.duplicate()),
                        false);
        assertEqual(y.get(0), expected.get(0));
        assertEqual(y.get(1), expected.get(1));

        // Padding is the same as being shorter, which the stock block cannot be.
        NDList three =
                own.forward(
                        parameters,
                        new NDList(ids.get("1:, :3"), both.get("1:, :3"), mask.get("1:, :3")),
                        false);
        assertThat(three.get(0).toFloatArray())
                .containsExactly(y.get(0).get("1:, :3").toFloatArray(), Offset.offset(1e-5f));
        NDArray one = ids.get(":, :1");
        assertThatThrownBy(() -> own.forward(parameters, new NDList(one, one.mul(0), one), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("optPooledToken");
        SwappedBert first =
                SwappedBert.of(stock, HEADS, SwappedBert.table(stock).added()).optPooledToken(0);
        assertThat(
                        first.forward(
                                        parameters,
                                        new NDList(one, one.mul(0), one.onesLike()),
                                        false)
                                .get(1)
                                .getShape())
                .isEqualTo(new Shape(2, E));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope", "alibi", "sinusoidal"})
    void bertReadsLongerTextsWithAnotherEncoding(String name) {
        SwappedBert swapped = SwappedBert.of(bert(), HEADS, encoding(name));
        NDArray ids = manager.ones(new Shape(1, 11), DataType.INT64);
        NDList y = swapped.forward(parameters, new NDList(ids, ids.mul(0), ids), false);
        assertThat(y.get(0).getShape()).isEqualTo(new Shape(1, 11, E));
        assertThat(y.get(1).getShape()).isEqualTo(new Shape(1, E));
        assertThat(y.get(0).isNaN().any().getBoolean()).isFalse();
        for (Parameter p : swapped.getParameters().values()) {
            assertThat(p.getName()).isNotEqualTo("positionEmbedding");
        }
    }

    private BertBlock bert() {
        return trained(
                BertBlock.builder()
                        .setTokenDictionarySize(10)
                        .optTypeDictionarySize(2)
                        .optEmbeddingSize(E)
                        .optTransformerBlockCount(2)
                        .optAttentionHeadCount(HEADS)
                        .optHiddenSize(24)
                        .optMaxSequenceLength(6)
                        .build(),
                new Shape(1, 6),
                new Shape(1, 6),
                new Shape(1, 6));
    }

    @Test
    void saysWhatIsWrong() {
        ScaledDotProductAttentionBlock fresh =
                ScaledDotProductAttentionBlock.builder()
                        .setEmbeddingSize(E)
                        .setHeadCount(HEADS)
                        .build();
        assertThatThrownBy(() -> SwappedAttention.of(fresh, HEADS, new NoEncoding()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("initialise or load");
        assertThatThrownBy(() -> SwappedAttention.of(attention(), 3, new NoEncoding()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 heads");
    }
}
