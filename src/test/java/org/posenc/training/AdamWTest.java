package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.tracker.Tracker;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Goldens;

/** Against runs of torch.optim (test-data/scripts/adam.py). */
class AdamWTest {

    private static final JsonObject GOLDEN = Goldens.read("training/adam.json");
    private static final Tracker RISING = update -> (float) (0.02 * (update + 1) / 50);

    @Test
    void decaysInGroupsAsPyTorchsAdamW() {
        AdamW.Builder adamW = AdamW.builder().optBetas(0.9, 0.95).optEpsilon(1e-3).optDecay(0.1);
        check("adamw", adamW, null);
    }

    @Test
    void couplesDecayAsPyTorchsAdam() {
        check("adam", AdamW.adamWithL2().optDecay(0.1), null);
    }

    @Test
    void clipsTheCommonNormAsPyTorch() {
        AdamW.Builder adamW = AdamW.builder().optBetas(0.9, 0.95).optEpsilon(1e-3).optDecay(0.1);
        check("clipped", adamW, new GradientClipping(0.3));
    }

    private static void check(String run, AdamW.Builder builder, GradientClipping clipping) {
        JsonObject expected = GOLDEN.getAsJsonObject(run);
        List<Double> losses = new ArrayList<>();
        List<Double> norms = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager();
                AdamW adamW = builder.optLearningRate(RISING).build()) {
            NDArray x = array(manager, "x");
            NDArray y = array(manager, "y");
            List<Parameter> parameters =
                    List.of(parameter(manager, "weight"), parameter(manager, "bias"));
            NDArray w = parameters.get(0).getArray();
            NDArray b = parameters.get(1).getArray();
            for (int t = 0; t < 50; t++) {
                try (GradientCollector collector = Autograd.collector()) {
                    NDArray loss = x.dot(w).add(b).sub(y).square().mean();
                    collector.backward(loss);
                    losses.add((double) loss.getFloat());
                }
                if (clipping != null) {
                    norms.add((double) clipping.apply(parameters).getFloat());
                }
                adamW.update(parameters);
                assertThat(Autograd.gradient(w).abs().max().getFloat()).isZero();
            }
            near(w, expected, "weight");
            near(b, expected, "bias");
        }
        near(losses, expected, "losses");
        near(norms, expected, "norms");
    }

    /** A linear layer over a Gaussian encoding, in the authors' setting: float64, decay 1e-8. */
    @Test
    void fitsALinearLayerStepByStepAsTheReference() {
        JsonObject g = Goldens.read("shifted-basis/adam_linear_1d.json");
        try (NDManager manager = NDManager.newBaseManager();
                AdamW adam = AdamW.adamWithL2().optLearningRate(1e-2).optDecay(1e-8).build()) {
            NDArray phi = manager.create(Goldens.flat(g.get("Phi")), new Shape(8, 6));
            NDArray y = manager.create(Goldens.flat(g.get("y")));
            List<Parameter> parameters =
                    List.of(
                            leaf(manager, Goldens.flat(g.get("w0"))),
                            leaf(manager, g.get("b0").getAsDouble()));
            NDArray w = parameters.get(0).getArray();
            NDArray b = parameters.get(1).getArray();
            JsonObject losses = g.getAsJsonObject("loss_at_steps");
            int compared = 0;
            for (int t = 1; t <= 200; t++) {
                try (GradientCollector collector = Autograd.collector()) {
                    NDArray loss = phi.matMul(w).add(b).sub(y).square().mean();
                    collector.backward(loss);
                    if (losses.has(Integer.toString(t))) {
                        assertThat(loss.getDouble())
                                .isCloseTo(
                                        losses.get(Integer.toString(t)).getAsDouble(),
                                        Offset.offset(1e-13));
                        compared++;
                    }
                }
                adam.update(parameters);
                for (JsonElement row : g.getAsJsonArray("theta_after_step")) {
                    double[] theta = Goldens.flat(row); // the step, then w and b
                    if (theta[0] == t) {
                        assertThat(w.concat(b).toDoubleArray())
                                .containsExactly(
                                        Arrays.copyOfRange(theta, 1, theta.length),
                                        Offset.offset(1e-12));
                        compared++;
                    }
                }
            }
            assertThat(compared)
                    .isEqualTo(losses.size() + g.getAsJsonArray("theta_after_step").size());
        }
    }

    private static Parameter leaf(NDManager manager, double... values) {
        Parameter parameter =
                Parameter.builder().setName("p").setType(Parameter.Type.OTHER).build();
        NDArray array = manager.create(values);
        array.setRequiresGradient(true);
        parameter.setArray(array);
        return parameter;
    }

    @Test
    void worksThroughDjlsInterfaceToo() {
        try (NDManager manager = NDManager.newBaseManager();
                AdamW one = AdamW.builder().optDecays(p -> true).build();
                AdamW all = AdamW.builder().optDecays(p -> true).build()) {
            Parameter a = parameter(manager, "weight");
            Parameter b = parameter(manager, "weight");
            for (int t = 0; t < 3; t++) {
                for (Parameter p : List.of(a, b)) {
                    try (GradientCollector collector = Autograd.collector()) {
                        collector.backward(p.getArray().square().sum());
                    }
                }
                one.update("a", a.getArray(), Autograd.gradient(a.getArray()).duplicate());
                assertThat(Autograd.gradient(a.getArray()).abs().max().getFloat()).isZero();
                all.update(List.of(b));
            }
            assertThat(a.getArray().toFloatArray()).isEqualTo(b.getArray().toFloatArray());
        }
    }

    @Test
    void refusesWhatItWouldGetWrong() {
        assertThatThrownBy(() -> AdamW.builder().optClipGrad(1).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("optClipNorm");
        assertThatThrownBy(() -> AdamW.builder().optBetas(0.9, 1).build())
                .hasMessage("beta2 must be in [0, 1), got 1.0");
        assertThatThrownBy(() -> AdamW.builder().optDecay(-1))
                .hasMessage("decay must be finite and at least 0, got -1.0");
        assertThatThrownBy(() -> AdamW.builder().optLearningRate(0.0))
                .hasMessage("a learning rate must be positive and finite, got 0.0");
        assertThatThrownBy(() -> new GradientClipping(0)).hasMessageContaining("got 0.0");
    }

    @Test
    void theRateRisesAndFalls() {
        WarmupCosine rate = new WarmupCosine(1, 4, 12, 0.2);
        double[] values = new double[14];
        for (int t = 0; t < values.length; t++) {
            values[t] = rate.getNewValue(t);
        }
        double quarter = 0.2 + 0.8 * (1 + Math.sqrt(0.5)) / 2;
        assertThat(new double[] {values[0], values[3], values[4], values[6], values[8]})
                .containsExactly(new double[] {0.25, 1, 1, quarter, 0.6}, Offset.offset(1e-6));
        assertThat(new double[] {values[12], values[13]})
                .containsExactly(new double[] {0.2, 0.2}, Offset.offset(1e-6));
        assertThatThrownBy(() -> new WarmupCosine(1, 5, 5, 0))
                .hasMessageContaining("got warmup 5 and steps 5");
    }

    private static NDArray array(NDManager manager, String name) {
        double[] values = Goldens.flat(GOLDEN.get(name));
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return manager.create(narrow, new Shape(Goldens.shape(GOLDEN.get(name))));
    }

    private static Parameter parameter(NDManager manager, String name) {
        Parameter parameter =
                Parameter.builder()
                        .setName(name)
                        .setType(name.equals("bias") ? Parameter.Type.BIAS : Parameter.Type.WEIGHT)
                        .build();
        NDArray array = array(manager, name);
        parameter.setArray(array);
        array.setRequiresGradient(true);
        return parameter;
    }

    private static void near(NDArray actual, JsonObject expected, String key) {
        assertThat(actual.toType(DataType.FLOAT64, false).toDoubleArray())
                .containsExactly(Goldens.flat(expected.get(key)), Offset.offset(1e-6));
    }

    private static void near(List<Double> actual, JsonObject expected, String key) {
        assertThat(actual.stream().mapToDouble(d -> d).toArray())
                .containsExactly(Goldens.flat(expected.get(key)), Offset.offset(5e-6));
    }
}
