package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;

class SandwichTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void equalsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/kerple_sandwich.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("sandwich")) {
                continue;
            }
            Sandwich sandwich =
                    Sandwich.builder()
                            .setHeads(params.get("heads").getAsInt())
                            .optDimension(params.get("d_bar").getAsInt())
                            .build();
            Positions p = Positions.range(manager, 0, 6);
            double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("bias"));
            assertThat(sandwich.bias(p, p, DataType.FLOAT64, parameters, false).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
            // The distance alone counts, a million tokens later too.
            Positions far = Positions.range(manager, 1_000_000, 1_000_006);
            assertThat(
                            sandwich.bias(far, far, DataType.FLOAT32, parameters, false)
                                    .toType(DataType.FLOAT64, false)
                                    .toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-6));
            compared++;
        }
        assertThat(compared).isEqualTo(1);
    }

    @Test
    void rowsAndLengthsDiffer() {
        Sandwich sandwich = Sandwich.builder().setHeads(2).build();
        Positions keys = Positions.of(manager.create(new long[][] {{0, 1, 2}, {4, 0, 9}}));
        Positions query = Positions.of(manager.create(new long[] {2}));
        NDArray bias = sandwich.bias(query, keys, DataType.FLOAT64, parameters, false);
        double[] distances = {2, 1, 0, -2, 2, -7};
        double[] expected = new double[12]; // (2, 2, 1, 3)
        for (int b = 0; b < 2; b++) {
            for (int h = 0; h < 2; h++) {
                for (int s = 0; s < 3; s++) {
                    double sum = 0;
                    for (int t = 0; t < 64; t++) {
                        sum += Math.cos(distances[3 * b + s] * Math.pow(10000, -t / 64.0));
                    }
                    expected[6 * b + 3 * h + s] = sum * 2 / (8 * (h + 1));
                }
            }
        }
        assertThat(bias.toDoubleArray()).containsExactly(expected, Offset.offset(1e-12));
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> Sandwich.builder().setHeads(2).optDimension(7).build())
                .hasMessageContaining("even")
                .hasMessageContaining("7");
    }
}
