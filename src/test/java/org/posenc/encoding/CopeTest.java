package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class CopeTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Cope of(Cope.Builder builder, double[] embedding, DataType type) {
        Cope cope = builder.build();
        cope.initialize(manager, type, new Shape(1));
        NDArray e = cope.getParameters().get("embedding").getArray();
        assertThat(e.toType(DataType.FLOAT64, true).toDoubleArray()).containsOnly(0);
        NDArray values = manager.create(embedding, e.getShape());
        values.toType(type, false).copyTo(e);
        return cope;
    }

    /** H = 4 heads over G = 2 groups of keys, D = 3, P = 4. */
    private Cope random(boolean shared, DataType type) {
        double[] e = Gradients.normal(manager, 5, shared ? 1 : 4, 4, 3).toDoubleArray();
        return of(
                Cope.builder().setHeads(4).setHeadDimension(3).optPositions(4).optShared(shared),
                e,
                type);
    }

    private NDArray bias(Cope cope, NDArray q, NDArray k, boolean training) {
        LayerContext layer = new LayerContext(0, null, parameters, training);
        long s = k.getShape().get(2);
        Positions keys = Positions.range(manager, 0, s);
        Positions queries = Positions.range(manager, s - q.getShape().get(2), s);
        return cope.bias(q, k, queries, keys, layer);
    }

    @Test
    void equalsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/content_dependent.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("cope")) {
                continue;
            }
            JsonObject in = c.getAsJsonObject("inputs");
            JsonObject out = c.getAsJsonObject("outputs");
            int n = params.get("n").getAsInt();
            int d = params.get("d").getAsInt();
            Cope cope =
                    of(
                            Cope.builder()
                                    .setHeads(1)
                                    .setHeadDimension(d)
                                    .optPositions(params.get("max_positions").getAsInt()),
                            Goldens.flat(in.get("pos_embedding")),
                            DataType.FLOAT64);
            NDArray q = manager.create(Goldens.flat(in.get("q")), new Shape(1, 1, n, d));
            NDArray k = manager.create(Goldens.flat(in.get("k")), new Shape(1, 1, n, d));
            double[] expected = Goldens.flat(out.get("bias"));
            double[] bias = bias(cope, q, k, false).toDoubleArray();
            assertThat(bias).containsExactly(expected, Offset.offset(1e-12));
            double[] last = bias(cope, q.get(":, :, -2:"), k, false).toDoubleArray();
            for (int i = 0; i < last.length; i++) { // the last two queries, as with a cache
                assertThat(last[i]).isCloseTo(expected[(n - 2) * n + i], Offset.offset(1e-12));
            }
            compared++;
        }
        assertThat(compared).isEqualTo(1);
    }

    /** The definition, pair by pair, with heads that share keys. */
    @Test
    void everyHeadCountsForItself() {
        NDArray q = Gradients.normal(manager, 1, 2, 4, 3, 3);
        NDArray k = Gradients.normal(manager, 2, 2, 2, 5, 3);
        for (boolean shared : new boolean[] {false, true}) {
            Cope cope = random(shared, DataType.FLOAT64);
            NDArray e = cope.getParameters().get("embedding").getArray();
            NDArray bias = bias(cope, q, k, false);
            assertThat(bias.getShape()).isEqualTo(new Shape(2, 4, 3, 5));
            for (int b = 0; b < 2; b++) {
                for (int h = 0; h < 4; h++) {
                    double[] queries = q.get(b, h).toDoubleArray();
                    double[] keys = k.get(b, h / 2).toDoubleArray();
                    double[] embedding = e.get(shared ? 0 : h).toDoubleArray();
                    assertThat(bias.get(b, h).toDoubleArray())
                            .containsExactly(
                                    expected(queries, keys, embedding, 3, 5), Offset.offset(1e-12));
                }
            }
        }
    }

    private static double[] expected(double[] q, double[] k, double[] e, int t, int s) {
        double[] bias = new double[t * s];
        for (int i = 0; i < t; i++) {
            for (int j = 0; j <= s - t + i; j++) {
                double p = 0;
                for (int token = j; token <= s - t + i; token++) {
                    p += 1 / (1 + Math.exp(-dot(q, i, k, token) / Math.sqrt(3)));
                }
                p = Math.min(p, 3);
                int below = (int) Math.floor(p);
                int above = (int) Math.ceil(p);
                bias[i * s + j] =
                        (p - below) * dot(q, i, e, above) + (1 - p + below) * dot(q, i, e, below);
            }
        }
        return bias;
    }

    private static double dot(double[] a, int i, double[] b, int j) {
        double sum = 0;
        for (int d = 0; d < 3; d++) {
            sum += a[3 * i + d] * b[3 * j + d];
        }
        return sum;
    }

    @Test
    void gradientsAreRight() {
        for (boolean shared : new boolean[] {false, true}) {
            Cope cope = random(shared, DataType.FLOAT64);
            NDArray e = cope.getParameters().get("embedding").getArray();
            e.setRequiresGradient(false);
            NDArray q = Gradients.normal(manager, 1, 1, 4, 2, 3);
            NDArray k = Gradients.normal(manager, 2, 1, 2, 5, 3);
            Gradients.check(e, x -> bias(cope, q, k, true));
            Gradients.check(q, x -> bias(cope, x, k, true));
            Gradients.check(k, x -> bias(cope, q, x, true));
        }
    }

    @Test
    void halfPrecisionIsComputedInSingle() {
        NDArray q = Gradients.normal(manager, 1, 1, 4, 40, 3).toType(DataType.FLOAT16, false);
        NDArray k = Gradients.normal(manager, 2, 1, 2, 40, 3).toType(DataType.FLOAT16, false);
        NDArray half = bias(random(false, DataType.FLOAT16), q, k, false);
        assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
        Cope exact = random(false, DataType.FLOAT64);
        double[] expected =
                bias(
                                exact,
                                q.toType(DataType.FLOAT64, false),
                                k.toType(DataType.FLOAT64, false),
                                false)
                        .toDoubleArray();
        assertThat(half.toType(DataType.FLOAT64, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(0.01));
    }

    @Test
    void savedAndLoadedItIsTheSame() throws Exception {
        Cope cope = random(false, DataType.FLOAT32);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        cope.saveParameters(new DataOutputStream(bytes));
        Cope loaded = Cope.builder().setHeads(4).setHeadDimension(3).optPositions(4).build();
        loaded.loadParameters(
                manager, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        NDArray q = Gradients.normal(manager, 1, 1, 4, 5, 3).toType(DataType.FLOAT32, false);
        NDArray k = Gradients.normal(manager, 2, 1, 4, 5, 3).toType(DataType.FLOAT32, false);
        float[] bias = bias(cope, q, k, false).toFloatArray();
        assertThat(bias(loaded, q, k, false).toFloatArray()).containsExactly(bias);
        NDArray scores = manager.ones(new Shape(1, 4, 5, 5));
        assertThat(
                        loaded.forward(parameters, new NDList(scores, q, k), false)
                                .head()
                                .toFloatArray())
                .containsExactly(
                        scores.add(manager.create(bias, scores.getShape())).toFloatArray());
    }

    /** With all gates open and a key's own counted, positions are distances + 1: a plain table. */
    @Test
    void openGatesCountTokens() {
        Cope cope =
                of(
                        Cope.builder().setHeads(1).setHeadDimension(2).optPositions(4).optScale(50),
                        new double[] {9, 0, 1, 0, 2, 0, 3, 0},
                        DataType.FLOAT64);
        NDArray q = manager.ones(new Shape(1, 1, 1, 2), DataType.FLOAT64);
        NDArray k = manager.ones(new Shape(1, 1, 5, 2), DataType.FLOAT64);
        assertThat(bias(cope, q, k, false).toDoubleArray())
                .containsExactly(new double[] {3, 3, 3, 2, 1}, Offset.offset(1e-12));
    }

    @Test
    void saysWhatDoesNotFit() {
        Cope cope = random(false, DataType.FLOAT64);
        NDArray two = manager.zeros(new Shape(1, 2, 3, 3), DataType.FLOAT64);
        assertThatThrownBy(() -> bias(cope, two, two, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 heads of 3, got queries (1, 2, 3, 3)");
        NDArray three = manager.zeros(new Shape(1, 4, 3, 3), DataType.FLOAT64);
        LayerContext layer = new LayerContext(0, null, parameters, false);
        assertThatThrownBy(() -> cope.bias(three, three.get(":, :, :2"), null, null, layer))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got (1, 4, 3, 3), (1, 4, 2, 3)");
        assertThatThrownBy(() -> Cope.builder().setHeads(2).build())
                .hasMessageContaining("head dimension must be at least 1, got 0");
        assertThatThrownBy(
                        () ->
                                Cope.builder()
                                        .setHeads(2)
                                        .setHeadDimension(2)
                                        .optPositions(1)
                                        .build())
                .hasMessageContaining("positions must be at least 2, got 1");
    }
}
