package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.nio.DoubleBuffer;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Sinusoidal;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Goldens;

class CoordinateMlpTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void forwardAndBackwardEqualTheReference() {
        JsonObject g = Goldens.read("shifted-basis/mlp_forward_backward.json");
        JsonArray w = g.getAsJsonArray("W");
        JsonArray b = g.getAsJsonArray("b");
        CoordinateMlp mlp = mlp(6, 2, 5);
        PairList<String, Parameter> weights = mlp.getParameters();
        assertThat(weights.size()).isEqualTo(6);
        for (int i = 0; i < 3; i++) {
            set(weights.valueAt(2 * i), Goldens.flat(w.get(i)));
            set(weights.valueAt(2 * i + 1), Goldens.flat(b.get(i)));
        }
        NDArray phi =
                manager.create(Goldens.flat(g.get("Phi")), new Shape(Goldens.shape(g.get("Phi"))));
        NDArray y = manager.create(Goldens.flat(g.get("y")), new Shape(8, 1));
        try (GradientCollector collector = Autograd.collector()) {
            NDArray output = mlp.of(phi, parameters, true);
            assertThat(output.toDoubleArray())
                    .containsExactly(Goldens.flat(g.get("output")), Offset.offset(1e-12));
            collector.backward(output.sub(y).square().mean());
        }
        for (int i = 0; i < 3; i++) {
            assertGradient(weights.valueAt(2 * i), g.getAsJsonArray("grad_W").get(i));
            assertGradient(weights.valueAt(2 * i + 1), g.getAsJsonArray("grad_b").get(i));
        }
        List<NDArray> hidden = mlp.hidden(phi, parameters, false);
        assertThat(hidden).hasSize(3);
        assertThat(hidden.get(0).toDoubleArray()).containsExactly(phi.toDoubleArray());
        assertThat(hidden.get(2).getShape()).isEqualTo(new Shape(8, 5));
    }

    private static void assertGradient(Parameter p, JsonElement expected) {
        try (NDArray gradient = p.getArray().getGradient()) {
            assertThat(gradient.toDoubleArray())
                    .containsExactly(Goldens.flat(expected), Offset.offset(1e-12));
        }
    }

    @Test
    void startsLikePyTorchsLinearLayersFromTheSeedAlone() {
        CoordinateMlp a = mlp(64, 3, 128);
        CoordinateMlp b = mlp(64, 3, 128);
        for (int i = 0; i < a.getParameters().size(); i++) {
            double[] values = a.getParameters().valueAt(i).getArray().toDoubleArray();
            assertThat(values)
                    .containsExactly(b.getParameters().valueAt(i).getArray().toDoubleArray());
        }
        double bound = 1 / Math.sqrt(64);
        NDArray first = a.getParameters().valueAt(0).getArray();
        assertThat(first.abs().max().getDouble()).isBetween(0.99 * bound, bound);
        // A uniform variable's variance is a third of its bound's square.
        assertThat(first.square().mean().getDouble())
                .isCloseTo(bound * bound / 3, Offset.offset(0.05 * bound * bound / 3));
        NDArray bias = a.getParameters().valueAt(1).getArray();
        assertThat(bias.abs().max().getDouble()).isBetween(0.8 * bound, bound);
    }

    @Test
    void savesLoadsSquashesAndSaysWhatIsWrong() throws Exception {
        CoordinateMlp mlp = mlp(8, 2, 4);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        mlp.saveParameters(new DataOutputStream(bytes));
        CoordinateMlp same =
                CoordinateMlp.builder()
                        .setFeatures(Sinusoidal.of(8))
                        .optDepth(2)
                        .optWidth(4)
                        .optOutputs(1)
                        .optSeed(2)
                        .build();
        same.loadParameters(manager, in(bytes));
        Positions p = Positions.of(manager.create(new double[] {0, 0.5, 3}));
        NDArray expected = mlp.at(p, parameters, false);
        assertThat(expected.getShape()).isEqualTo(new Shape(3, 1));
        assertThat(same.at(p, parameters, false).toDoubleArray())
                .containsExactly(expected.toDoubleArray());
        CoordinateMlp squashed =
                CoordinateMlp.builder()
                        .setFeatures(Sinusoidal.of(8))
                        .optDepth(2)
                        .optWidth(4)
                        .optSigmoid(true)
                        .optSeed(1)
                        .build();
        squashed.initialize(manager, DataType.FLOAT64, new Shape(1));
        assertThat(squashed.at(p, parameters, false).toDoubleArray())
                .containsExactly(
                        expected.neg().exp().add(1).getNDArrayInternal().rdiv(1).toDoubleArray(),
                        Offset.offset(1e-12));
        CoordinateMlp wider = CoordinateMlp.builder().setFeatures(Sinusoidal.of(8)).build();
        assertThatThrownBy(() -> wider.loadParameters(manager, in(bytes)))
                .hasMessageContaining("width 256")
                .hasMessageContaining("width 4");
        assertThatThrownBy(() -> mlp.of(manager.ones(new Shape(2, 9)), parameters, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(2, 9)");
        assertThatThrownBy(() -> CoordinateMlp.builder().build()).hasMessageContaining("features");
        assertThatThrownBy(() -> wider.initialize(manager, DataType.BFLOAT16, new Shape(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bfloat16");
    }

    private static DataInputStream in(ByteArrayOutputStream bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    private CoordinateMlp mlp(int features, int depth, int width) {
        CoordinateMlp mlp =
                CoordinateMlp.builder()
                        .setFeatures(Sinusoidal.of(features))
                        .optDepth(depth)
                        .optWidth(width)
                        .optSeed(1)
                        .build();
        mlp.initialize(manager, DataType.FLOAT64, new Shape(1));
        return mlp;
    }

    private static void set(Parameter parameter, double[] values) {
        assertThat(parameter.getShape().size()).isEqualTo(values.length);
        parameter.getArray().set(DoubleBuffer.wrap(values));
    }
}
