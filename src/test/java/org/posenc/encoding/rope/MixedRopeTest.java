package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class MixedRopeTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    private MixedRope initialized(MixedRope.Builder builder) {
        MixedRope rope = builder.build();
        rope.initialize(manager, DataType.FLOAT64, new Shape(1));
        rope.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        return rope;
    }

    private static MixedRope.Builder heads(int heads) {
        return MixedRope.builder()
                .setHeadDimension(8)
                .setHeads(heads)
                .setLayout(RotaryLayout.INTERLEAVED);
    }

    private LayerContext layer(int layer, NDArray x, boolean training) {
        return new LayerContext(layer, x, parameters, training);
    }

    @Test
    void everyLayerEqualsRopeVit() {
        JsonObject c = Goldens.read("rotary/mixed.json");
        NDArray frequencies = array(c.get("frequencies")); // (x and y, L, H, D/2)
        MixedRope rope = initialized(heads(2).optLayers(2));
        NDArray x = array(c.get("x"));
        GridPoints grid =
                VisionRope.ROPE_VIT.grid(c.get("height").getAsInt(), c.get("width").getAsInt());
        Positions positions = grid.positions(manager);
        for (int l = 0; l < 2; l++) {
            NDArray fx = frequencies.get("0:1, " + l);
            NDArray fy = frequencies.get("1:2, " + l);
            NDArray f = fy.concat(fx, 0).transpose(1, 0, 2).duplicate(); // (H, y and x, D/2)
            rope.getParameters().valueAt(l).getArray().set(DoubleBuffer.wrap(f.toDoubleArray()));
        }
        for (int l = 0; l < 2; l++) {
            JsonArray rotated = c.getAsJsonArray("rotated");
            assertThat(rope.rotateKeys(x, positions, layer(l, x, false)).toDoubleArray())
                    .containsExactly(Goldens.flat(rotated.get(l)), Offset.offset(1e-12));
        }
        assertThatThrownBy(() -> rope.rotateKeys(x, positions, layer(2, x, false)))
                .hasMessageContaining("2 layers, got layer 2");
    }

    /** Theirs draw the angle; all else follows from it. */
    @Test
    void startsAsRopeVitDoes() {
        JsonObject c = Goldens.read("rotary/mixed.json");
        double[] theirs = Goldens.flat(c.get("initial")); // (x and y, H, D/2)
        MixedRope rope = initialized(heads(2).optBase(c.get("theta").getAsDouble()));
        double[] ours = rope.getParameters().valueAt(0).getArray().toDoubleArray(); // (H, 2, D/2)
        for (int h = 0; h < 2; h++) {
            double their = Math.atan2(theirs[8 + 4 * h], theirs[4 * h]);
            double own = Math.atan2(ours[8 * h], ours[8 * h + 4]);
            for (int i = 0; i < 4; i++) {
                double x = theirs[4 * h + i];
                double y = theirs[8 + 4 * h + i];
                double turn = own - their;
                assertThat(ours[8 * h + 4 + i])
                        .isCloseTo(x * Math.cos(turn) - y * Math.sin(turn), Offset.offset(1e-6));
                assertThat(ours[8 * h + i])
                        .isCloseTo(x * Math.sin(turn) + y * Math.cos(turn), Offset.offset(1e-6));
            }
        }
        double first = Math.atan2(ours[0], ours[4]);
        assertThat(Math.atan2(ours[8], ours[12])).isNotEqualTo(first);
        MixedRope again = initialized(heads(2).optBase(c.get("theta").getAsDouble()));
        assertThat(again.getParameters().valueAt(0).getArray().toDoubleArray())
                .containsExactly(ours);
        MixedRope other = initialized(heads(2).optSeed(1));
        assertThat(other.getParameters().valueAt(0).getArray().toDoubleArray()[0])
                .isNotEqualTo(ours[0]);
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void gradientsAreRightAndTurningBackIsTheIdentity(RotaryLayout layout) {
        MixedRope rope = initialized(heads(2).setLayout(layout));
        NDArray x = Gradients.normal(manager, 1, 2, 4, 3, 8); // two query heads for each
        NDArray p = Gradients.normal(manager, 2, 2, 3, 2);
        NDArray y = rope.rotateQueries(x, Positions.points(p), layer(0, x, false));
        NDArray back = rope.rotateQueries(y, Positions.points(p.neg()), layer(0, x, false));
        assertThat(back.toDoubleArray()).containsExactly(x.toDoubleArray(), Offset.offset(1e-14));
        for (Parameter f : rope.getParameters().values()) {
            Gradients.check(
                    f.getArray(),
                    z -> rope.rotateQueries(x, Positions.points(p), layer(0, x, true)));
        }
        Gradients.check(x, z -> rope.rotateQueries(z, Positions.points(p), layer(0, z, true)));
        Gradients.check(p, q -> rope.rotateQueries(x, Positions.points(q), layer(0, x, true)));
    }

    @Test
    void queryHeadsThatShareKeysShareFrequencies() {
        MixedRope rope = initialized(heads(2));
        NDArray x = Gradients.normal(manager, 1, 1, 2, 3, 8);
        Positions p = GridPoints.counted(1, 3).shifted(2, 5).positions(manager);
        NDArray keys = rope.rotateKeys(x, p, layer(0, x, false));
        NDArray queries = rope.rotateQueries(x.repeat(1, 2), p, layer(0, x, false));
        assertThat(queries.toDoubleArray()).containsExactly(keys.repeat(1, 2).toDoubleArray());
        NDArray moved = GridPoints.counted(1, 3).shifted(-7, 40).positions(manager).array();
        NDArray elsewhere = rope.rotateKeys(x, Positions.points(moved), layer(0, x, false));
        NDArray here = keys.matMul(keys.swapAxes(2, 3));
        assertThat(elsewhere.matMul(elsewhere.swapAxes(2, 3)).toDoubleArray())
                .containsExactly(here.toDoubleArray(), Offset.offset(1e-12));
        NDArray three = Gradients.normal(manager, 1, 1, 3, 3, 8);
        assertThatThrownBy(() -> rope.rotateQueries(three, p, layer(0, three, false)))
                .hasMessageContaining("multiple of 2 heads")
                .hasMessageContaining("got 3");
        assertThat(rope.forward(parameters, new NDList(x, p.array()), false).head().toDoubleArray())
                .containsExactly(keys.toDoubleArray());
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> heads(0).build()).hasMessageContaining("heads");
        assertThatThrownBy(() -> heads(1).setHeadDimension(5).build())
                .hasMessageContaining("got 5");
        assertThatThrownBy(() -> heads(1).optBase(-1).build()).hasMessageContaining("got -1.0");
        assertThatThrownBy(() -> heads(1).optLayers(0).build()).hasMessageContaining("got 0");
        assertThatThrownBy(() -> heads(1).setLayout(null).build()).hasMessageContaining("layout");
    }
}
