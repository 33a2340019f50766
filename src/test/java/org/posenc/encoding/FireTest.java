package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class FireTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Fire initialised(int heads, double length, int hidden) {
        Fire fire =
                Fire.builder()
                        .setHeads(heads)
                        .optLength(length)
                        .optHiddenSize(hidden)
                        .optSeed(2)
                        .build();
        fire.initialize(manager, DataType.FLOAT64, new Shape(1));
        return fire;
    }

    private static void set(Fire fire, String name, double... values) {
        fire.getParameters().get(name).getArray().set(DoubleBuffer.wrap(values));
    }

    private NDArray bias(Fire fire, Positions queries, Positions keys) {
        return fire.bias(queries, keys, DataType.FLOAT64, parameters, false);
    }

    @Test
    void equalsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/fire.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject in = c.getAsJsonObject("inputs");
            Fire fire =
                    initialised(
                            params.get("heads").getAsInt(),
                            params.get("L").getAsDouble(),
                            params.get("mlp_width").getAsInt());
            set(fire, "c", params.get("c").getAsDouble());
            set(fire, "W_1", Goldens.flat(in.get("W1")));
            set(fire, "B_1", Goldens.flat(in.get("b1")));
            set(fire, "W_2", Goldens.flat(in.get("W2")));
            set(fire, "B_2", Goldens.flat(in.get("b2")));
            int n = params.get("n").getAsInt();
            double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("bias"));
            Positions all = Positions.range(manager, 0, n);
            assertThat(bias(fire, all, all).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
            // The last two queries alone, as with a cache.
            NDArray last = bias(fire, Positions.range(manager, n - 2, n), all);
            assertThat(last.toDoubleArray())
                    .containsExactly(
                            bias(fire, all, all).get(":, :, -2:").toDoubleArray(),
                            Offset.offset(1e-15));
            compared++;
        }
        assertThat(compared).isEqualTo(1);
    }

    @Test
    void startsAsTheAuthorsDo() {
        Fire fire = initialised(400, 512, 32);
        assertThat(fire.getParameters().get("c").getArray().toDoubleArray())
                .containsExactly(new double[] {0.1}, Offset.offset(1e-8));
        assertThat(fire.getParameters().get("l").getArray().toDoubleArray()).containsExactly(1.0);
        assertThat(fire.getParameters().get("W_1").getArray().getShape())
                .isEqualTo(new Shape(32, 1));
        double bound = 1 / Math.sqrt(32); // PyTorch's Linear: 1/√inputs
        double[] w2 = fire.getParameters().get("W_2").getArray().toDoubleArray();
        assertThat(Arrays.stream(w2).boxed())
                .allMatch(w -> Math.abs(w) < bound)
                .anyMatch(w -> w > 0.99 * bound);
    }

    /** A document packed behind others has the bias that it has alone. */
    @Test
    void packedDocumentsAreAsAlone() {
        Fire fire = initialised(2, 2.5, 4);
        Positions packed = Positions.of(manager.create(new long[][] {{0, 1, 2, 0, 1, 2, 3, 4}}));
        NDArray bias = bias(fire, packed, packed);
        assertThat(bias.getShape()).isEqualTo(new Shape(1, 2, 8, 8));
        Positions alone = Positions.range(manager, 0, 5);
        assertThat(bias.get(":, :, 3:, 3:").toDoubleArray())
                .containsExactly(bias(fire, alone, alone).toDoubleArray(), Offset.offset(1e-15));
        // Not so if positions ran on: the query's own position counts.
        Positions running = Positions.range(manager, 3, 8);
        assertThat(
                        Math.abs(
                                bias(fire, running, running)
                                        .sub(bias(fire, alone, alone))
                                        .min()
                                        .getDouble()))
                .isGreaterThan(1e-3);
    }

    /** Beyond L the scale is the query's position, so that L counts and c < 0 is as c > 0. */
    @Test
    void everyParameterHasItsGradientOnBothSidesOfL() {
        Fire fire = initialised(2, 2.6, 4);
        set(fire, "c", -0.4);
        fire.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        Positions six = Positions.range(manager, 0, 6);
        double[] values = bias(fire, six, six).toDoubleArray();
        set(fire, "c", 0.4);
        Positions again = Positions.range(manager, 0, 6);
        assertThat(bias(fire, again, again).toDoubleArray()).containsExactly(values);
        fire.getParameters()
                .values()
                .forEach(
                        parameter ->
                                Gradients.check(
                                        parameter.getArray(),
                                        x -> {
                                            Positions at = Positions.range(manager, 0, 6);
                                            return fire.bias(
                                                    at, at, DataType.FLOAT64, parameters, true);
                                        }));
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> Fire.builder().setHeads(2).optLength(0).build())
                .hasMessageContaining("length must be positive and finite, got 0.0");
        assertThatThrownBy(() -> Fire.builder().setHeads(2).optHiddenSize(0).build())
                .hasMessageContaining("hidden size must be at least 1, got 0");
        Fire fire = initialised(2, 8, 4);
        Positions points = Positions.points(manager.zeros(new Shape(3, 2)));
        assertThatThrownBy(() -> bias(fire, points, points))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one position each, got points of shape (3, 2)");
    }
}
