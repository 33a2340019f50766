package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class KerpleTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private Kerple of(Kerple.Form form, double[] p, double[] a) {
        Kerple kerple = Kerple.builder().setHeads(p.length).optForm(form).build();
        kerple.initialize(manager, DataType.FLOAT64, new Shape(1));
        DoubleUnaryOperator free =
                form == Kerple.Form.LOG ? Math::log : value -> Math.log(value / (2 - value));
        set(kerple.getParameters().valueAt(0), Arrays.stream(p).map(free).toArray());
        set(kerple.getParameters().valueAt(1), Arrays.stream(a).map(Math::log).toArray());
        return kerple;
    }

    private static void set(Parameter parameter, double[] values) {
        parameter.getArray().set(DoubleBuffer.wrap(values));
    }

    @Test
    void equalsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/kerple_sandwich.json")) {
            if (!c.getAsJsonObject("params").get("kind").getAsString().equals("log")) {
                continue;
            }
            JsonObject in = c.getAsJsonObject("inputs");
            Kerple kerple =
                    of(Kerple.Form.LOG, Goldens.flat(in.get("p")), Goldens.flat(in.get("a")));
            Positions p = Positions.range(manager, 0, in.get("n").getAsInt());
            NDArray bias = kerple.bias(p, p, DataType.FLOAT64, parameters, false);
            assertThat(bias.toDoubleArray())
                    .containsExactly(
                            Goldens.flat(c.getAsJsonObject("outputs").get("bias")),
                            Offset.offset(1e-12));
            compared++;
        }
        assertThat(compared).isEqualTo(1);
    }

    /** −a |i − j|^p, by hand: there is no reference value of this form. */
    @Test
    void thePowerFormIsItsFormula() {
        double[] p = {0.3, 1, 1.9};
        double[] a = {0.2, 0.5, 3};
        Kerple kerple = of(Kerple.Form.POWER, p, a);
        double[] i = {4, 7.5};
        double[] j = {4, 0, 9, 7, -2};
        NDArray bias =
                kerple.bias(
                        Positions.of(manager.create(i)),
                        Positions.of(manager.create(j)),
                        DataType.FLOAT64,
                        parameters,
                        false);
        assertThat(bias.getShape()).isEqualTo(new Shape(1, 3, 2, 5));
        double[] expected = new double[30];
        for (int n = 0; n < expected.length; n++) {
            int h = n / 10;
            expected[n] = -a[h] * Math.pow(Math.abs(i[n / 5 % 2] - j[n % 5]), p[h]);
        }
        assertThat(bias.toDoubleArray()).containsExactly(expected, Offset.offset(1e-12));
    }

    /** At distance 0 the derivative of d^p to p is that of a constant, not 0 · ln 0. */
    @Test
    void thePowerFormHasGradientsAtDistanceZeroToo() {
        Kerple kerple = of(Kerple.Form.POWER, new double[] {0.3, 1.5}, new double[] {0.2, 3});
        kerple.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        for (Parameter parameter : kerple.getParameters().values()) {
            Gradients.check(
                    parameter.getArray(),
                    x -> {
                        Positions at = Positions.range(manager, 0, 4);
                        return kerple.bias(at, at, DataType.FLOAT64, parameters, true);
                    });
        }
    }

    @Test
    void startsWithinTheAuthorsRanges() {
        for (Kerple.Form form : Kerple.Form.values()) {
            Kerple kerple = Kerple.builder().setHeads(400).optForm(form).optSeed(5).build();
            kerple.initialize(manager, DataType.FLOAT64, new Shape(1));
            double[] p = kerple.getParameters().valueAt(0).getArray().toDoubleArray();
            double[] a = kerple.getParameters().valueAt(1).getArray().toDoubleArray();
            double[] values =
                    Arrays.stream(p)
                            .map(
                                    x ->
                                            form == Kerple.Form.LOG
                                                    ? Math.exp(x)
                                                    : 2 / (1 + Math.exp(-x)))
                            .toArray();
            assertThat(Arrays.stream(values).boxed()).allMatch(x -> x > 0 && x < 2);
            assertThat(Arrays.stream(values).average().orElseThrow())
                    .isCloseTo(1, Offset.offset(0.1));
            assertThat(Arrays.stream(values).max().orElseThrow()).isGreaterThan(1.9);
            double[] slopes = Arrays.stream(a).map(Math::exp).toArray();
            assertThat(Arrays.stream(slopes).boxed()).allMatch(x -> x > 0 && x < 1);
            assertThat(Arrays.stream(slopes).average().orElseThrow())
                    .isCloseTo(0.5, Offset.offset(0.05));
        }
    }

    @Test
    void aFileOfOneFormIsNotReadAsTheOther() {
        assertThat(Kerple.builder().setHeads(2).build()).hasToString("Kerple (2 heads, form log)");
        assertThatThrownBy(() -> Kerple.builder().build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("heads must be at least 1, got 0");
    }
}
