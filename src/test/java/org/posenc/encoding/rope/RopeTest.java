package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class RopeTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void bothLayoutsEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rope_apply.json")) {
            JsonObject in = c.getAsJsonObject("inputs");
            JsonObject out = c.getAsJsonObject("outputs");
            int d = c.getAsJsonObject("params").get("head_dim").getAsInt();
            double base = c.getAsJsonObject("params").get("base").getAsDouble();
            Positions positions = Positions.of(manager.create(Goldens.flat(in.get("positions"))));
            NDArray q =
                    manager.create(
                            Goldens.flat(in.get("q")), new Shape(Goldens.shape(in.get("q"))));
            for (RotaryLayout layout : RotaryLayout.values()) {
                Rope rope =
                        Rope.builder().setHeadDimension(d).setLayout(layout).optBase(base).build();
                String key = layout == RotaryLayout.INTERLEAVED ? "q_interleaved" : "q_half_split";
                assertThat(rope.rotate(q, positions, false).toDoubleArray())
                        .containsExactly(Goldens.flat(out.get(key)), Offset.offset(1e-12));
                compared++;
            }
        }
        assertThat(compared).isPositive();
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void turningBackIsTheIdentityAndGradientsAreRight(RotaryLayout layout) {
        Rope rope = Rope.builder().setHeadDimension(8).setLayout(layout).optPartial(0.5).build();
        NDArray x = Gradients.normal(manager, 1, 2, 3, 4, 8);
        NDArray p = manager.create(new double[] {0, 7, -2.5, 100, 1, 2, 3, 4}, new Shape(2, 4));
        NDArray turned = rope.rotate(x, Positions.of(p), false);
        NDArray back = rope.rotate(turned, Positions.of(p.neg()), false);
        assertThat(back.toDoubleArray()).containsExactly(x.toDoubleArray(), Offset.offset(1e-12));
        assertThat(turned.get("..., 4:").toDoubleArray())
                .containsExactly(x.get("..., 4:").toDoubleArray());
        Gradients.check(x, y -> rope.rotate(y, Positions.of(p), true));
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void longRowsOfManyHeadsTurnAlikeWithAndWithoutGradients(RotaryLayout layout) {
        Rope rope = Rope.builder().setHeadDimension(6).setLayout(layout).optPartial(0.7).build();
        NDArray x = Gradients.normal(manager, 5, 2, 300, 512, 6).transpose(0, 2, 1, 3);
        NDArray p = Gradients.normal(manager, 6, 2, 300).mul(1000);
        NDArray y = rope.rotate(x, Positions.of(p), false);
        NDArray traced = rope.rotate(x, Positions.of(p), true);
        assertThat(y.sub(traced).abs().max().getDouble()).isLessThan(1e-12);
        double[] turned = y.toDoubleArray();
        double[] values = x.toDoubleArray();
        double[] places = p.toDoubleArray();
        int r = 4;
        double error = 0;
        for (int row = 0; row < values.length / 6; row++) {
            double place = places[row / (300 * 512) * 300 + row % 300];
            for (int i = 0; i < r / 2; i++) {
                double angle = place * Math.pow(10_000, -2.0 * i / r);
                int first = 6 * row + (layout == RotaryLayout.INTERLEAVED ? 2 * i : i);
                int second = first + (layout == RotaryLayout.INTERLEAVED ? 1 : r / 2);
                double a = values[first];
                double b = values[second];
                double c = Math.cos(angle);
                double d = Math.sin(angle);
                error = Math.max(error, Math.abs(turned[first] - (a * c - b * d)));
                error = Math.max(error, Math.abs(turned[second] - (b * c + a * d)));
            }
        }
        assertThat(error).isLessThan(1e-10);
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void halfPrecisionKeepsExactAnglesAtAPositionItCannotHold(RotaryLayout layout) {
        Rope rope = Rope.builder().setHeadDimension(2).setLayout(layout).build();
        NDArray x = manager.create(new float[] {1, 0}, new Shape(1, 1, 1, 2));
        Positions far = Positions.of(manager.create(new long[] {16_777_217}));
        NDArray half = rope.rotate(x.toType(DataType.FLOAT16, true), far, false);
        assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
        float[] turned = half.toType(DataType.FLOAT32, true).toFloatArray();
        assertThat(turned[0]).isCloseTo((float) Math.cos(16_777_217d), Offset.offset(1e-3f));
        assertThat(turned[1]).isCloseTo((float) Math.sin(16_777_217d), Offset.offset(1e-3f));
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> Rope.builder().setHeadDimension(8).build())
                .hasMessageContaining("layout");
        assertThatThrownBy(
                        () ->
                                Rope.builder()
                                        .setHeadDimension(7)
                                        .setLayout(RotaryLayout.INTERLEAVED)
                                        .build())
                .hasMessageContaining("even")
                .hasMessageContaining("7");
    }
}
