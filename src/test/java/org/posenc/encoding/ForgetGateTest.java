package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Gradients;

class ForgetGateTest {

    private static final int E = 5;
    private static final int H = 3;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private ForgetGate initialised(DataType type) {
        ForgetGate gate = ForgetGate.builder().setEmbeddingSize(E).setHeads(H).optSeed(4).build();
        gate.initialize(manager, type, new Shape(1));
        return gate;
    }

    private static void set(ForgetGate gate, double[] weight, double[] bias) {
        gate.getParameters().get("weight").getArray().set(DoubleBuffer.wrap(weight));
        gate.getParameters().get("bias").getArray().set(DoubleBuffer.wrap(bias));
    }

    /** The bias of the last queries, as attention asks for it. */
    private NDArray bias(ForgetGate gate, NDArray hidden, long queries, boolean training) {
        LayerContext layer = new LayerContext(0, hidden, parameters, training);
        Shape x = hidden.getShape();
        Positions keys = Positions.range(manager, 0, x.get(1));
        Positions last = Positions.range(manager, x.get(1) - queries, x.get(1));
        NDArray k = manager.zeros(new Shape(x.get(0), H, x.get(1), 2), hidden.getDataType());
        NDArray q = manager.zeros(new Shape(x.get(0), H, queries, 2), hidden.getDataType());
        NDArray notes = gate.keyNotes(hidden, keys, layer);
        return gate.bias(q, k, last, keys, layer.withKeyNotes(notes));
    }

    /** The definition, Σ log σ(w·x_t + b), summed anew for every pair. */
    private static double[] expected(double[] x, int rows, int s, int t, double[] w, double[] b) {
        double[] bias = new double[rows * H * t * s];
        int at = 0;
        for (int row = 0; row < rows; row++) {
            for (int h = 0; h < H; h++) {
                for (int i = s - t; i < s; i++) {
                    for (int j = 0; j < s; j++) {
                        double sum = 0;
                        for (int token = j + 1; token <= i; token++) {
                            double z = b[h];
                            for (int e = 0; e < E; e++) {
                                z += w[h * E + e] * x[(row * s + token) * E + e];
                            }
                            sum += Math.log(1 / (1 + Math.exp(-z)));
                        }
                        bias[at++] = sum;
                    }
                }
            }
        }
        return bias;
    }

    @Test
    void isTheSumOfTheGatesBetween() {
        ForgetGate gate = initialised(DataType.FLOAT64);
        double[] w = Gradients.normal(manager, 7, H, E).toDoubleArray();
        double[] b = {5, 0, -1};
        set(gate, w, b);
        NDArray x = Gradients.normal(manager, 1, 2, 6, E);
        for (int queries : new int[] {6, 2, 1}) {
            NDArray bias = bias(gate, x, queries, false);
            assertThat(bias.getShape()).isEqualTo(new Shape(2, H, queries, 6));
            assertThat(bias.toDoubleArray())
                    .containsExactly(
                            expected(x.toDoubleArray(), 2, 6, queries, w, b), Offset.offset(1e-12));
        }
    }

    /** Gates that are the same at every token are the slopes of ALiBi. */
    @Test
    void withoutWeightsItIsAlibi() {
        ForgetGate gate = initialised(DataType.FLOAT64);
        double[] slopes = Alibi.slopes(H);
        // log σ(b) = −m where b = −ln(e^m − 1)
        double[] b = Arrays.stream(slopes).map(m -> -Math.log(Math.expm1(m))).toArray();
        set(gate, new double[H * E], b);
        Alibi alibi = Alibi.builder().setHeads(H).optCausal(true).build();
        Positions keys = Positions.range(manager, 0, 7);
        Positions queries = Positions.range(manager, 3, 7);
        assertThat(bias(gate, Gradients.normal(manager, 1, 1, 7, E), 4, false).toDoubleArray())
                .containsExactly(
                        alibi.bias(queries, keys, DataType.FLOAT64, parameters, false)
                                .toDoubleArray(),
                        Offset.offset(1e-12));
    }

    @Test
    void gradientsOfQueriesThatAreTheLastKeysAreRight() {
        ForgetGate gate = initialised(DataType.FLOAT64);
        gate.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        NDArray x = Gradients.normal(manager, 1, 2, 5, E);
        gate.getParameters()
                .values()
                .forEach(p -> Gradients.check(p.getArray(), w -> bias(gate, x, 2, true)));
        Gradients.check(x, y -> bias(gate, y, 2, true));
    }

    /** The running sum of a long sequence is large; near pairs must not lose their digits to it. */
    @Test
    void nearPairsStayExactInALongSequence() {
        int s = 20_000;
        ForgetGate gate = ForgetGate.builder().setEmbeddingSize(1).setHeads(1).build();
        gate.initialize(manager, DataType.FLOAT32, new Shape(1));
        gate.getParameters().get("bias").getArray().set(new float[] {-3});
        NDArray x = manager.zeros(new Shape(1, s, 1));
        LayerContext layer = new LayerContext(0, x, parameters, false);
        NDArray notes = gate.keyNotes(x, Positions.range(manager, 0, s), layer);
        assertThat(notes.getDataType()).isEqualTo(DataType.FLOAT32);
        NDArray q = manager.zeros(new Shape(1, 1, 1, 1));
        Positions keys = Positions.range(manager, 0, s);
        NDArray bias =
                gate.bias(
                        q,
                        manager.zeros(new Shape(1, 1, s, 1)),
                        Positions.range(manager, s - 1, s),
                        keys,
                        layer.withKeyNotes(notes));
        float[] values = bias.toFloatArray();
        double each = -3.0485873515737420589; // log σ(−3)
        assertThat((double) values[s - 2]).isCloseTo(each, Offset.offset(3e-7));
        assertThat((double) values[0]).isCloseTo((s - 1) * each, Offset.offset(1e-2));
    }

    /** Half precision: the gates stay float32, and a sum beyond its range is finite. */
    @Test
    void halfPrecisionKeepsTheGatesAndStaysFinite() {
        int s = 20_000;
        ForgetGate gate = ForgetGate.builder().setEmbeddingSize(1).setHeads(1).build();
        gate.initialize(manager, DataType.FLOAT16, new Shape(1));
        NDArray low = manager.create(new float[] {-10}).toType(DataType.FLOAT16, false);
        low.copyTo(gate.getParameters().get("bias").getArray());
        NDArray x = manager.zeros(new Shape(1, s, 1), DataType.FLOAT16);
        LayerContext layer = new LayerContext(0, x, parameters, false);
        NDArray notes = gate.keyNotes(x, Positions.range(manager, 0, s), layer);
        assertThat(notes.getDataType()).isEqualTo(DataType.FLOAT32);
        NDArray q = manager.zeros(new Shape(1, 1, 1, 1), DataType.FLOAT16);
        NDArray bias = gate.bias(q, q, null, null, layer.withKeyNotes(notes));
        assertThat(bias.getDataType()).isEqualTo(DataType.FLOAT16);
        float[] values = bias.toType(DataType.FLOAT32, false).toFloatArray();
        assertThat(values[0]).isEqualTo(-30_000f); // 20,000 · log σ(−10) is −200,001
        assertThat(values[s - 1]).isZero();
    }

    @Test
    void asABlockItAddsToScores() {
        ForgetGate gate = initialised(DataType.FLOAT64);
        NDArray x = Gradients.normal(manager, 1, 2, 4, E);
        NDArray scores = Gradients.normal(manager, 2, 2, H, 4, 4);
        NDArray out = gate.forward(parameters, new NDList(scores, x), false).singletonOrThrow();
        assertThat(out.toDoubleArray())
                .containsExactly(
                        scores.add(bias(gate, x, 4, false)).toDoubleArray(), Offset.offset(1e-15));
        assertThat(gate.getParameters().get("bias").getArray().toDoubleArray())
                .containsExactly(5, 5, 5);
    }

    @Test
    void saysWhatDoesNotFit() {
        ForgetGate gate = initialised(DataType.FLOAT32);
        NDArray x = manager.zeros(new Shape(1, 4, E));
        LayerContext layer = new LayerContext(0, x, parameters, false);
        Positions p = Positions.range(manager, 0, 4);
        NDArray q = manager.zeros(new Shape(1, H, 4, 2));
        assertThatThrownBy(() -> gate.bias(q, q, p, p, layer))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("call keyNotes first");
        LayerContext met = layer.withKeyNotes(gate.keyNotes(x, p, layer));
        NDArray two = manager.zeros(new Shape(1, 2, 4, 2));
        assertThatThrownBy(() -> gate.bias(two, two, p, p, met))
                .hasMessageContaining("made for 3 heads, got 2");
        NDArray more = manager.zeros(new Shape(1, H, 6, 2));
        assertThatThrownBy(() -> gate.bias(more, q, p, p, met))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got (1, 3, 4) and (1, 3, 6, 2)");
        NDArray wide = manager.zeros(new Shape(1, 4, E + 1));
        assertThatThrownBy(() -> gate.keyNotes(wide, p, layer))
                .hasMessageContaining("(B, S, 5), got (1, 4, 6)");
        assertThatThrownBy(() -> ForgetGate.builder().setHeads(2).build())
                .hasMessageContaining("embedding size must be at least 1, got 0");
    }
}
