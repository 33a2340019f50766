package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateActivation.Finer;
import org.posenc.model.CoordinateActivation.Gaussian;
import org.posenc.model.CoordinateActivation.Relu;
import org.posenc.model.CoordinateActivation.Sine;
import org.posenc.model.CoordinateActivation.Wire;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

/** Activations of coordinate networks against reference values and finite differences. */
class CoordinateActivationTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    static List<CoordinateActivation> activations() {
        return List.of(
                new Relu(),
                new Sine(3, 2),
                new Gaussian(0.7),
                new Finer(1.5, 2, 1),
                new Wire(3, 2, 0.8));
    }

    @Test
    void valuesEqualTheReference() {
        JsonObject c = Goldens.cases("encodings/inr_activations.json").get(0);
        JsonObject p = c.getAsJsonObject("params");
        JsonObject out = c.getAsJsonObject("outputs");
        NDArray u = array(out.get("u"));
        double omega = p.get("omega_0").getAsDouble();
        double scale = p.get("gauss_scale").getAsDouble();
        for (int layer = 0; layer < 2; layer++) {
            assertValues(Sine.of(omega).apply(u, layer), out.get("siren"));
            assertValues(new Finer(omega, omega, 1).apply(u, layer), out.get("finer"));
            assertValues(Gaussian.ofScale(scale).apply(u, layer), out.get("gauss"));
            assertValues(new Gaussian(0.05).apply(u, layer), out.get("gauss_sigma_005"));
        }
        assertValues(new Sine(omega, 1).apply(u, 0), out.get("siren"));
        assertValues(new Sine(1, omega).apply(u, 1), out.get("siren"));
        assertValues(new Finer(omega, 1, 1).apply(u, 0), out.get("finer"));
        assertValues(new Finer(1, omega, 1).apply(u, 1), out.get("finer"));

        double wave = p.get("wire_omega_0").getAsDouble();
        double s = p.get("wire_scale").getAsDouble();
        NDArray complex = u.concat(u.zerosLike(), 1);
        for (NDArray wire :
                List.of(new Wire(wave, 1, s).apply(u, 0), new Wire(1, wave, s).apply(complex, 1))) {
            assertValues(wire.get(":, :4"), out.get("wire_real"));
            assertValues(wire.get(":, 4:"), out.get("wire_imag"));
        }
    }

    /** Each loss tells whether all gradients of the step before were right. */
    @Test
    void trainingEqualsPyTorchs() {
        for (JsonObject c : Goldens.cases("training/coordinate_networks.json")) {
            JsonObject p = c.getAsJsonObject("params");
            CoordinateMlp mlp = mlp(activation(p), 3, 6);
            JsonArray initial = c.getAsJsonArray("parameters");
            List<NDArray> weights =
                    mlp.getParameters().values().stream().map(Parameter::getArray).toList();
            for (int i = 0; i < weights.size(); i++) {
                weights.get(i).set(DoubleBuffer.wrap(initial(p, initial.get(i), i)));
            }
            NDArray x = array(c.get("x"));
            NDArray target = array(c.get("target"));
            for (double expected : Goldens.flat(c.get("losses"))) {
                try (GradientCollector collector = Autograd.collector()) {
                    NDArray y = mlp.at(Positions.of(x), parameters, true);
                    NDArray loss = y.sub(target).square().mean();
                    assertThat(loss.getDouble()).as("%s", p).isCloseTo(expected, within(1e-12));
                    collector.backward(loss);
                }
                for (NDArray weight : weights) {
                    try (Autograd.Scope off = Autograd.off()) {
                        weight.subi(weight.getGradient().mul(p.get("rate").getAsDouble()));
                    }
                    Autograd.zeroGradient(weight);
                }
            }
        }
    }

    private static CoordinateActivation activation(JsonObject p) {
        double first = p.has("first_omega") ? p.get("first_omega").getAsDouble() : Double.NaN;
        double omega = p.has("omega") ? p.get("omega").getAsDouble() : Double.NaN;
        return switch (p.get("activation").getAsString()) {
            case "relu" -> new Relu();
            case "sine" -> new Sine(first, omega);
            case "gaussian" -> new Gaussian(p.get("sigma").getAsDouble());
            case "finer" -> new Finer(first, omega, 1);
            case "wire" -> new Wire(first, omega, p.get("scale").getAsDouble());
            default -> throw new AssertionError("no activation for " + p);
        };
    }

    /** The last map of WIRE gives real parts: its weights are those of a real one, [A, −B]. */
    private static double[] initial(JsonObject p, JsonElement values, int i) {
        double[] all = Goldens.flat(values);
        if (!p.get("activation").getAsString().equals("wire") || i < 6) {
            return all;
        }
        int half = all.length / 2;
        if (i == 7) {
            return Arrays.copyOf(all, half);
        }
        double[] real = new double[all.length];
        for (int row = 0; row < 2; row++) {
            for (int k = 0; k < 6; k++) {
                real[row * 12 + k] = all[row * 6 + k];
                real[row * 12 + 6 + k] = -all[half + row * 6 + k];
            }
        }
        return real;
    }

    @ParameterizedTest
    @MethodSource("activations")
    void gradientsOfANetworkAreRight(CoordinateActivation activation) {
        CoordinateMlp mlp = mlp(activation, 2, 3);
        NDArray x = Gradients.normal(manager, 1, 4, 2);
        mlp.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        for (Parameter p : mlp.getParameters().values()) {
            Gradients.check(p.getArray(), w -> mlp.at(Positions.of(x), parameters, true));
        }
        Gradients.check(x, points -> mlp.at(Positions.of(points), parameters, true));
    }

    /** Sitzmann et al.'s initialisation, and FINER's bias: the greatest number and the variance. */
    @Test
    void sinesStartAsInTheirPapers() {
        double omega = 20;
        CoordinateMlp siren = mlp(new Sine(60, omega), 2, 200);
        double hidden = Math.sqrt(6.0 / 200) / omega;
        assertUniform(weight(siren, 0), 0.5);
        assertUniform(weight(siren, 2), hidden);
        assertUniform(weight(siren, 4), hidden);
        assertUniform(weight(siren, 1), 1 / Math.sqrt(2));
        assertUniform(weight(siren, 3), 1 / Math.sqrt(200));
        CoordinateMlp finer = mlp(new Finer(60, omega, 3), 2, 200);
        assertUniform(weight(finer, 0), 0.5);
        assertUniform(weight(finer, 2), hidden);
        assertUniform(weight(finer, 1), 3);
        assertUniform(weight(finer, 3), 1 / Math.sqrt(200));
        CoordinateMlp wire = mlp(new Wire(20, 20, 10), 2, 200);
        assertUniform(weight(wire, 0), 1 / Math.sqrt(2));
        assertUniform(weight(wire, 2), 1 / Math.sqrt(200));
        assertThat(weight(wire, 2).getShape()).isEqualTo(new Shape(2, 200, 200));
        assertUniform(weight(wire, 4), 1 / Math.sqrt(200));
        CoordinateMlp gaussian = mlp(new Gaussian(0.1), 2, 200);
        assertUniform(weight(gaussian, 0), 1 / Math.sqrt(2));
        assertUniform(weight(gaussian, 2), 1 / Math.sqrt(200));
    }

    /** Theorem 1.8 of Sitzmann et al.: ω u of a hidden layer is standard normal at the start. */
    @Test
    void phasesOfHiddenLayersAreStandardNormal() {
        CoordinateMlp siren = mlp(Sine.of(30), 4, 256);
        NDArray x = manager.create(points(1000), new Shape(1000, 2));
        List<NDArray> hidden = siren.hidden(x, parameters, false);
        for (int i = 1; i < 4; i++) {
            NDArray u = hidden.get(i).matMul(weight(siren, 2 * i).transpose()); // without the bias
            assertThat(30 * Math.sqrt(u.square().mean().getDouble()))
                    .isCloseTo(1, Offset.offset(0.15));
        }
    }

    @Test
    void aSingleMapStartsAsOneHoweverItsLayersWouldBe() {
        CoordinateMlp linear =
                CoordinateMlp.builder()
                        .setFeatures(new Coordinates(200))
                        .optDepth(0)
                        .optActivation(Sine.of(30))
                        .build();
        linear.initialize(manager, DataType.FLOAT64, new Shape(1, 200));
        assertThat(weight(linear, 0).abs().max().getDouble())
                .isBetween(0.9 / Math.sqrt(200), 1 / Math.sqrt(200));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void numbersThatAreNotPositiveAreRefused(double value) {
        List<Runnable> made =
                List.of(
                        () -> new Sine(value, 30),
                        () -> new Sine(30, value),
                        () -> new Gaussian(value),
                        () -> new Finer(value, 30, 1),
                        () -> new Finer(30, value, 1),
                        () -> new Finer(30, 30, value),
                        () -> new Wire(value, 20, 10),
                        () -> new Wire(20, value, 10),
                        () -> new Wire(20, 20, value));
        for (Runnable one : made) {
            assertThatThrownBy(one::run)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageEndingWith("must be positive and finite, got " + value);
        }
    }

    private static double[] points(int count) {
        return new Random(5).doubles(2L * count, -1, 1).toArray();
    }

    private static void assertUniform(NDArray values, double bound) {
        assertThat(values.abs().max().getDouble()).isBetween(0.95 * bound, bound);
        // A uniform variable's variance is a third of its bound's square.
        assertThat(values.square().mean().getDouble())
                .isCloseTo(bound * bound / 3, Offset.offset(0.15 * bound * bound / 3));
    }

    private static NDArray weight(CoordinateMlp mlp, int i) {
        return mlp.getParameters().valueAt(i).getArray();
    }

    private CoordinateMlp mlp(CoordinateActivation activation, int depth, int width) {
        CoordinateMlp mlp =
                CoordinateMlp.builder()
                        .setFeatures(new Coordinates(2))
                        .optDepth(depth)
                        .optWidth(width)
                        .optOutputs(2)
                        .optActivation(activation)
                        .optSeed(3)
                        .build();
        mlp.initialize(manager, DataType.FLOAT64, new Shape(1, 2));
        return mlp;
    }

    private NDArray array(JsonElement values) {
        return manager.create(Goldens.flat(values), new Shape(Goldens.shape(values)));
    }

    private static void assertValues(NDArray actual, JsonElement expected) {
        assertThat(actual.toDoubleArray())
                .containsExactly(Goldens.flat(expected), Offset.offset(1e-12));
    }
}
