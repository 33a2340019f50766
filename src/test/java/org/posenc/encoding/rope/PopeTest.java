package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.ScaledDotProduct;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class PopeTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Pope initialized(Pope.Builder builder) {
        Pope pope = builder.build();
        pope.initialize(manager, DataType.FLOAT64, new Shape(1));
        pope.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        return pope;
    }

    private LayerContext layer(int layer, NDArray x, boolean training) {
        return new LayerContext(layer, x, parameters, training);
    }

    private NDArray scores(Pope pope, NDArray q, NDArray k, Positions p) {
        NDArray queries = pope.rotateQueries(q, p, layer(0, q, false));
        return queries.matMul(pope.rotateKeys(k, p, layer(0, k, false)).swapAxes(2, 3));
    }

    @Test
    void scoresEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/content_dependent.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("pope")) {
                continue;
            }
            JsonObject in = c.getAsJsonObject("inputs");
            JsonObject out = c.getAsJsonObject("outputs");
            int d = params.get("d").getAsInt();
            Pope pope =
                    initialized(
                            Pope.builder()
                                    .setHeadDimension(d)
                                    .setHeads(1)
                                    .optBase(params.get("base").getAsDouble()));
            pope.getParameters()
                    .valueAt(0)
                    .getArray()
                    .set(DoubleBuffer.wrap(Goldens.flat(in.get("delta_raw"))));
            NDArray q = head(in.get("q"));
            NDArray k = head(in.get("k"));
            Positions p = Positions.range(manager, 0, q.getShape().get(2));
            assertThat(scores(pope, q, k, p).toDoubleArray())
                    .containsExactly(Goldens.flat(out.get("logits")), Offset.offset(1e-12));
            compared++;
        }
        assertThat(compared).isPositive();
    }

    private NDArray head(JsonElement rows) {
        long[] shape = Goldens.shape(rows);
        return manager.create(Goldens.flat(rows), new Shape(1, 1, shape[0], shape[1]));
    }

    /** The formula, term by term, for query heads that share keys. */
    @Test
    void queryHeadsThatShareKeysHaveTheirOwnPhases() {
        int d = 3;
        Pope pope =
                initialized(
                        Pope.builder()
                                .setHeadDimension(d)
                                .setHeads(4)
                                .optUniformPhases(true)
                                .optBase(50)
                                .optLayers(2)
                                .optSeed(7));
        NDArray q = Gradients.normal(manager, 1, 2, 4, 5, d);
        NDArray k = Gradients.normal(manager, 2, 2, 2, 5, d);
        NDArray v = Gradients.normal(manager, 3, 2, 2, 5, d);
        double[] places = {0, 1, 2, 3, 4, 10, 12.5, 11, -3, 400};
        NDArray rows = manager.create(places, new Shape(2, 5));
        for (int l = 0; l < 2; l++) {
            Positions p = Positions.of(rows);
            NDArray queries = pope.rotateQueries(q, p, layer(l, q, false));
            NDArray keys = pope.rotateKeys(k, p, layer(l, k, false));
            assertThat(queries.getShape()).isEqualTo(new Shape(2, 4, 5, 2 * d));
            assertThat(keys.getShape()).isEqualTo(new Shape(2, 2, 5, 2 * d));
            double[] delta = pope.getParameters().valueAt(l).getArray().toDoubleArray();
            assertThat(Arrays.stream(delta)).allMatch(x -> x > -2 * Math.PI && x < 0);
            double[] weights = new double[2 * 4 * 5 * 5];
            for (int n = 0; n < weights.length; n++) {
                int j = n % 5;
                int i = n / 5 % 5;
                int h = n / 25 % 4;
                int b = n / 100;
                for (int c = 0; c < d; c++) {
                    double theta = Math.pow(50, -(double) c / d);
                    weights[n] +=
                            Math.log1p(Math.exp(q.getDouble(b, h, i, c)))
                                    * Math.log1p(Math.exp(k.getDouble(b, h / 2, j, c)))
                                    * Math.cos(
                                            (places[5 * b + j] - places[5 * b + i]) * theta
                                                    + delta[d * h + c]);
                }
            }
            NDArray expected =
                    manager.create(weights, new Shape(2, 4, 5, 5))
                            .div(Math.sqrt(d))
                            .softmax(-1)
                            .matMul(v.repeat(1, 2));
            NDArray y =
                    new ScaledDotProduct(false, 1 / Math.sqrt(d), 0)
                            .attend(queries, keys, v, null, false);
            assertThat(y.toDoubleArray())
                    .containsExactly(expected.toDoubleArray(), Offset.offset(1e-12));
        }
        assertThat(pope.getParameters().valueAt(0).getArray().toDoubleArray()[0])
                .isNotEqualTo(pope.getParameters().valueAt(1).getArray().toDoubleArray()[0]);
    }

    @Test
    void gradientsAreRight() {
        Pope pope =
                initialized(Pope.builder().setHeadDimension(3).setHeads(2).optUniformPhases(true));
        NDArray x = Gradients.normal(manager, 1, 2, 2, 3, 3);
        NDArray p = manager.create(new double[] {0, 1, 2, 7.5, -3, 4}, new Shape(2, 3));
        Gradients.check(x, y -> pope.rotateQueries(y, Positions.of(p), layer(0, y, true)));
        Gradients.check(x, y -> pope.rotateKeys(y, Positions.of(p), layer(0, y, true)));
        Gradients.check(p, y -> pope.rotateKeys(x, Positions.of(y), layer(0, x, true)));
        NDArray delta = pope.getParameters().valueAt(0).getArray();
        Gradients.check(
                delta, ignored -> pope.rotateQueries(x, Positions.of(p), layer(0, x, true)));
        delta.set(DoubleBuffer.wrap(new double[] {-1, 0.5, -7, -6.2, -0.1, 3}));
        Gradients.check(
                delta, ignored -> pope.rotateQueries(x, Positions.of(p), layer(0, x, true)));
    }

    @Test
    void phasesThatStartAtZeroHaveTheWholeGradient() {
        Pope pope = initialized(Pope.builder().setHeadDimension(3).setHeads(2));
        NDArray delta = pope.getParameters().valueAt(0).getArray();
        delta.setRequiresGradient(true);
        NDArray x = Gradients.normal(manager, 1, 2, 2, 3, 3);
        NDArray weights = Gradients.normal(manager, 2, 2, 2, 3, 6);
        List<double[]> gradients = new ArrayList<>();
        for (double start : new double[] {0, -1e-9}) {
            delta.set(DoubleBuffer.wrap(new double[] {start, start, start, start, start, start}));
            try (GradientCollector collector = Autograd.collector()) {
                NDArray y =
                        pope.rotateQueries(x, Positions.range(manager, 0, 3), layer(0, x, true));
                collector.backward(y.mul(weights).sum());
                gradients.add(delta.getGradient().toDoubleArray());
                Autograd.zeroGradient(delta);
            }
        }
        assertThat(gradients.get(0)).containsExactly(gradients.get(1), Offset.offset(1e-7));
        assertThat(gradients.get(0)).doesNotContain(0.0);
    }

    @Test
    void saysWhatIsWrong() {
        Pope pope = initialized(Pope.builder().setHeadDimension(3).setHeads(2));
        assertThat(pope.getParameters().valueAt(0).getArray().toDoubleArray()).containsOnly(0);
        NDArray x = Gradients.normal(manager, 1, 1, 3, 2, 3);
        Positions p = Positions.range(manager, 0, 2);
        assertThatThrownBy(() -> pope.rotateQueries(x, p, layer(0, x, false)))
                .hasMessageContaining("2 query heads, got 3");
        assertThatThrownBy(() -> pope.rotateKeys(x.get("..., :2"), p, layer(0, x, false)))
                .hasMessageContaining("heads of 3");
        assertThat(pope.getOutputShapes(new Shape[] {x.getShape()})[0])
                .isEqualTo(
                        pope.forward(parameters, new NDList(x, p.array()), false)
                                .head()
                                .getShape());
        assertThatThrownBy(() -> Pope.builder().setHeadDimension(3).build())
                .hasMessageContaining("heads must be at least 1, got 0");
        assertThatThrownBy(() -> Pope.builder().setHeads(3).build())
                .hasMessageContaining("head dimension");
    }
}
