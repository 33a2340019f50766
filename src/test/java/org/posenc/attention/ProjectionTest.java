package org.posenc.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Gradients;

class ProjectionTest {

    private static final Lora LORA = new Lora(3, 5, 0, false, Lora.of(1, 1, "q_proj").targets(), 7);

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Projection projection(int inputs, int units, boolean bias) {
        Projection projection = new Projection(units, bias);
        projection.initialize(manager, DataType.FLOAT64, new Shape(1, inputs));
        fill(projection);
        return projection;
    }

    private void fill(Block block) {
        int seed = 1;
        for (Parameter p : block.getParameters().values()) {
            NDArray noise = Gradients.normal(manager, seed++, p.getArray().getShape().getShape());
            p.getArray().setRequiresGradient(false);
            p.getArray().subi(p.getArray()).addi(noise);
        }
    }

    private static NDArray array(Projection projection, String name) {
        return projection.getParameters().get(name).getArray();
    }

    private static void attach(Projection projection, Lora lora) {
        projection.attach(lora, projection.down(lora, "name"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isThePlainFormula(boolean bias) {
        Projection projection = projection(6, 4, bias);
        NDArray x = Gradients.normal(manager, 9, 2, 5, 6);
        NDArray plain = x.matMul(array(projection, "weight").transpose());
        NDArray base = bias ? plain.add(array(projection, "bias")) : plain;
        same(projection.map(x, parameters, false), base);
        attach(projection, LORA);
        same(projection.map(x, parameters, true), base); // B = 0
        fill(projection);
        NDArray a = array(projection, "loraA");
        NDArray b = array(projection, "loraB");
        plain = x.matMul(array(projection, "weight").transpose());
        base = bias ? plain.add(array(projection, "bias")) : plain;
        NDArray low = x.matMul(a.transpose()).matMul(b.transpose()).mul(5.0 / 3);
        same(projection.map(x, parameters, false), base.add(low));
        same(projection.map(x, parameters, true), base.add(low));
        // Merged it is the same map, and a plain one.
        projection.merge();
        same(projection.map(x, parameters, false), base.add(low));
        projection.detach();
        assertThat(projection.getParameters().keys()).doesNotContain("loraA", "loraB");
        same(projection.map(x, parameters, false), base.add(low));
    }

    private static void same(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        assertThat(actual.toDoubleArray())
                .containsExactly(expected.toDoubleArray(), Offset.offset(1e-12));
    }

    @Test
    void gradientsAreThoseOfFiniteDifferences() {
        Projection projection = projection(5, 4, true);
        attach(projection, LORA);
        fill(projection);
        NDArray x = Gradients.normal(manager, 9, 2, 3, 5);
        for (NDArray leaf :
                Arrays.asList(x, array(projection, "loraA"), array(projection, "loraB"))) {
            Gradients.check(leaf, changed -> projection.map(x, parameters, true));
        }
        Gradients.check(
                array(projection, "weight"), changed -> projection.map(x, parameters, true));
        Gradients.check(array(projection, "bias"), changed -> projection.map(x, parameters, true));
    }

    @Test
    void dropoutActsOnWhatAReadsAndInTrainingAlone() {
        int size = 200;
        Projection projection = projection(size, size, false);
        Lora lora = new Lora(size, size, 0.25, false, LORA.targets(), 0);
        attach(projection, lora);
        for (String name : new String[] {"loraA", "loraB"}) { // B A is the identity
            NDArray array = array(projection, name).stopGradient();
            array.subi(array).addi(manager.eye(size, size, 0, DataType.FLOAT64));
        }
        NDArray x = manager.ones(new Shape(50, size), DataType.FLOAT64);
        NDArray base = x.matMul(array(projection, "weight").transpose());
        same(projection.map(x, parameters, false).sub(base), x);
        double[] dropped = projection.map(x, parameters, true).sub(base).toDoubleArray();
        long zeros = Arrays.stream(dropped).filter(d -> Math.abs(d) < 1e-9).count();
        long rest = Arrays.stream(dropped).filter(d -> Math.abs(d - 1 / 0.75) < 1e-9).count();
        assertThat(zeros + rest).isEqualTo(dropped.length);
        assertThat((double) zeros / dropped.length).isCloseTo(0.25, Offset.offset(0.03));
    }

    @Test
    void isSavedAsALinearOfDjlIs() throws IOException {
        Projection projection = projection(3, 2, true);
        byte[] saved = saved(projection);
        Linear stock = Linear.builder().setUnits(2).build();
        load(stock, saved);
        assertThat(stock.getParameters().get("weight").getArray())
                .isEqualTo(array(projection, "weight"));
        assertThat(saved(stock)).isEqualTo(saved);
        Projection again = new Projection(2, true);
        load(again, saved);
        assertThat(array(again, "bias")).isEqualTo(array(projection, "bias"));
        attach(projection, LORA);
        assertThatThrownBy(() -> saved(projection))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("merge or detach the LoRA pairs before the model is saved");
    }

    private static byte[] saved(Block block) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        block.saveParameters(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private void load(Block block, byte[] saved) {
        try {
            block.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aStartsAsPyTorchsLinearDoes() {
        Projection projection = projection(400, 10, false);
        double[] a = projection.down(LORA, "a").getArray().toDoubleArray();
        double bound = 1 / Math.sqrt(400);
        assertThat(Arrays.stream(a).map(Math::abs).max().getAsDouble())
                .isBetween(0.99 * bound, bound);
        double variance = Arrays.stream(a).map(v -> v * v).average().getAsDouble();
        assertThat(variance).isCloseTo(bound * bound / 3, Offset.offset(0.05 * bound * bound));
        assertThat(projection.down(LORA, "a").getArray().toDoubleArray()).isEqualTo(a);
        assertThat(projection.down(LORA, "b").getArray().toDoubleArray()).isNotEqualTo(a);
    }

    @Test
    void badPairsAreRefused() {
        Projection projection = new Projection(2, false);
        assertThatThrownBy(() -> projection.down(LORA, "a"))
                .hasMessage("initialise or load a model before it is adapted");
        projection.initialize(manager, DataType.FLOAT32, new Shape(1, 3));
        attach(projection, LORA);
        assertThatThrownBy(() -> attach(projection, LORA))
                .hasMessage("a projection takes one LoRA pair; merge or detach the one it has");
        assertThatThrownBy(() -> Lora.of(0, 1, "q_proj"))
                .hasMessage("LoRA's rank must be at least 1, got 0");
        assertThatThrownBy(() -> Lora.of(1, Double.NaN, "q_proj"))
                .hasMessage("LoRA's alpha must be positive and finite, got NaN");
        assertThatThrownBy(() -> new Lora(1, 1, 1, false, LORA.targets(), 0))
                .hasMessage("LoRA's dropout must be in [0, 1), got 1.0");
        assertThatThrownBy(() -> Lora.of(1, 1)).hasMessageStartingWith("LoRA needs target modules");
        assertThatThrownBy(() -> Lora.of(1, 1, "query"))
                .hasMessageStartingWith(
                        "LoRA knows no target module \"query\"; those it knows are q_proj, k_proj");
    }

    @Test
    void theScaleIsAlphaOverTheRankOrItsRoot() {
        assertThat(Lora.of(16, 32, "q_proj").scale()).isEqualTo(2);
        assertThat(new Lora(16, 32, 0, true, LORA.targets(), 0).scale()).isEqualTo(8);
    }
}
