package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class MultiSectionRopeTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private static int[] ints(JsonElement list) {
        return Arrays.stream(Goldens.flat(list)).mapToInt(x -> (int) x).toArray();
    }

    private static MultiSectionRope.Builder half(RopeParameters parameters) {
        return MultiSectionRope.builder()
                .setParameters(parameters)
                .setLayout(RotaryLayout.HALF_SPLIT)
                .setOrder(MultiSectionRope.Order.CHUNKED);
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    @Test
    void anglesAndAxesEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rope_2d.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject out = c.getAsJsonObject("outputs");
            String kind = params.get("kind").getAsString();
            if (kind.startsWith("m_rope_chunked")) {
                MultiSectionRope rope =
                        half(RopeParameters.of(
                                        params.get("head_dim").getAsInt(),
                                        params.get("base").getAsDouble(),
                                        new Default()))
                                .setSections(ints(params.get("mrope_section")))
                                .build();
                double[] p = Goldens.flat(c.getAsJsonObject("inputs").get("positions")); // (3, T)
                double[] angles = Goldens.flat(out.get("angles")); // (T, D/2)
                double[][] f = rope.frequencies();
                int pairs = f[0].length;
                int tokens = p.length / 3;
                for (int n = 0; n < angles.length; n++) {
                    double angle = 0;
                    for (int a = 0; a < 3; a++) {
                        angle += p[a * tokens + n / pairs] * f[a][n % pairs];
                    }
                    assertThat(angle).isCloseTo(angles[n], Offset.offset(1e-12));
                }
                compared++;
            } else if (kind.startsWith("m_rope_interleaved")) {
                StringBuilder axes = new StringBuilder();
                for (int a :
                        MultiSectionRope.axes(
                                MultiSectionRope.Order.INTERLEAVED,
                                ints(params.get("mrope_section")))) {
                    axes.append("THW".charAt(a));
                }
                assertThat(axes.toString())
                        .isEqualTo(out.get("axis_of_each_frequency").getAsString());
                compared++;
            }
        }
        assertThat(compared).isEqualTo(2);
    }

    @Test
    void rotationsEqualHuggingFaceWithAndWithoutYarn() {
        int compared = 0;
        for (JsonElement each : Goldens.read("rotary/mrope.json").getAsJsonArray("tables")) {
            JsonObject c = each.getAsJsonObject();
            String kind = c.get("kind").getAsString();
            RopeScaling scaling = new Default();
            if (!c.get("scaling").isJsonNull()) {
                JsonObject yarn = c.getAsJsonObject("scaling");
                scaling =
                        Yarn.of(
                                yarn.get("factor").getAsDouble(),
                                yarn.get("original_max_position_embeddings").getAsLong());
            }
            MultiSectionRope rope =
                    half(RopeParameters.of(
                                    c.get("head_dim").getAsInt(),
                                    c.get("base").getAsDouble(),
                                    scaling))
                            .setLayout(
                                    kind.equals("glm4v")
                                            ? RotaryLayout.INTERLEAVED
                                            : RotaryLayout.HALF_SPLIT)
                            .setOrder(
                                    kind.equals("interleaved")
                                            ? MultiSectionRope.Order.INTERLEAVED
                                            : MultiSectionRope.Order.CHUNKED)
                            .setSections(ints(c.get("sections")))
                            .build();
            NDArray points = array(c.get("positions"));
            NDArray y = rope.rotate(array(c.get("q")), Positions.points(points), false);
            assertThat(y.toDoubleArray())
                    .as(kind)
                    .containsExactly(Goldens.flat(c.get("rotated")), Offset.offset(1e-5));
            compared++;
        }
        assertThat(compared).isEqualTo(5);
    }

    @Test
    void positionsEqualHuggingFaces() {
        int compared = 0;
        for (JsonElement each : Goldens.read("rotary/mrope.json").getAsJsonArray("indices")) {
            JsonObject c = each.getAsJsonObject();
            int merge = c.get("merge").getAsInt();
            // Qwen2.5-VL: 2 tokens a second
            double interval =
                    c.get("seconds").isJsonNull() ? 1 : 2 * Goldens.flat(c.get("seconds"))[0];
            List<MultiSectionPositions> rows = new ArrayList<>();
            for (JsonElement row : c.getAsJsonArray("segments")) {
                MultiSectionPositions positions = new MultiSectionPositions();
                for (JsonElement segment : row.getAsJsonArray()) {
                    if (segment.isJsonPrimitive()) {
                        positions.text(segment.getAsInt());
                    } else {
                        positions.video(
                                segment.getAsJsonArray().get(1).getAsInt(),
                                segment.getAsJsonArray().get(2).getAsInt() / merge,
                                segment.getAsJsonArray().get(3).getAsInt() / merge,
                                interval);
                    }
                }
                rows.add(positions);
            }
            double[] expected = Goldens.flat(c.get("positions"));
            Positions batch = MultiSectionPositions.leftPadded(manager, rows);
            assertThat(Arrays.stream(batch.array().toLongArray()).asDoubleStream().toArray())
                    .containsExactly(expected);
            double[] deltas = Goldens.flat(c.get("deltas"));
            for (int b = 0; b < deltas.length; b++) {
                assertThat(rows.get(b).next() - rows.get(b).points().length)
                        .isEqualTo((long) deltas[b]);
            }
            compared++;
        }
        assertThat(compared).isEqualTo(3);
    }

    @Test
    void whatFollowsAVideoComesAfterAllItsFrames() {
        MultiSectionPositions positions =
                new MultiSectionPositions().text(2).video(4, 1, 2, 2.5).text(1).image(3, 1);
        assertThat(positions.points())
                .isDeepEqualTo(
                        new long[][] {
                            {0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {2, 2, 3}, {4, 2, 2}, {4, 2, 3},
                            {7, 2, 2}, {7, 2, 3}, {9, 2, 2}, {9, 2, 3}, {10, 10, 10}, {11, 11, 11},
                            {11, 12, 11}, {11, 13, 11}
                        });
        assertThat(positions.next()).isEqualTo(14);
        assertThat(positions.positions(manager).array().getShape()).isEqualTo(new Shape(14, 3));
    }

    @ParameterizedTest
    @EnumSource(MultiSectionRope.Order.class)
    void textIsPlainRope(MultiSectionRope.Order order) {
        RopeParameters parameters = RopeParameters.partial(20, 0.8, 500, new Linear(2));
        for (RotaryLayout layout : RotaryLayout.values()) {
            MultiSectionRope rope =
                    half(parameters).setLayout(layout).setOrder(order).setSections(4, 2, 2).build();
            Rope plain =
                    Rope.builder()
                            .setHeadDimension(20)
                            .setLayout(layout)
                            .optBase(500)
                            .optPartial(0.8)
                            .build();
            NDArray x = Gradients.normal(manager, 1, 2, 3, 4, 20);
            NDArray p = manager.create(new double[] {0, 7, -2.5, 100, 1, 2, 3, 4}, new Shape(2, 4));
            NDArray y = rope.rotate(x, Positions.of(p), false);
            assertThat(y.toDoubleArray())
                    .containsExactly(
                            plain.rotate(x, Positions.of(p.div(2)), false).toDoubleArray(),
                            Offset.offset(1e-13));
            NDArray same = p.expandDims(-1).broadcast(2, 4, 3).duplicate();
            assertThat(rope.rotate(x, Positions.points(same), false).toDoubleArray())
                    .containsExactly(y.toDoubleArray());
        }
    }

    @Test
    void gradientsAreRightAndTurningBackIsTheIdentity() {
        MultiSectionRope rope =
                half(RopeParameters.of(8, 100, new Default())).setSections(2, 1, 1).build();
        NDArray x = Gradients.normal(manager, 1, 1, 2, 3, 8);
        NDArray p = Gradients.normal(manager, 2, 3, 3);
        NDArray y = rope.rotate(x, Positions.points(p), false);
        assertThat(rope.rotate(y, Positions.points(p.neg()), false).toDoubleArray())
                .containsExactly(x.toDoubleArray(), Offset.offset(1e-14));
        Gradients.check(x, z -> rope.rotate(z, Positions.points(p), true));
    }

    @Test
    void saysWhatIsWrong() {
        MultiSectionRope.Builder builder = half(RopeParameters.of(16, 100, new Default()));
        assertThatThrownBy(builder::build).hasMessageContaining("sections");
        assertThatThrownBy(() -> builder.setSections(2, 3, 2).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the sections must add up to the 8 pairs that turn, got [2, 3, 2]");
        assertThatThrownBy(() -> builder.setSections(9, -1, 0).build())
                .hasMessageContaining("got -1");
        builder.setOrder(MultiSectionRope.Order.INTERLEAVED);
        assertThatThrownBy(() -> builder.setSections(1, 4, 3).build())
                .hasMessage(
                        "section 1 of [1, 4, 3] is too large to be interleaved with 8 pairs, got 4");
        MultiSectionRope.Builder dynamic =
                half(RopeParameters.of(16, 100, new DynamicNtk(2, 16))).setSections(2, 3, 3);
        assertThatThrownBy(dynamic::build).hasMessageContaining("declared length");
        assertThat(dynamic.optLength(64).build().toString()).contains(" at 64");
        assertThatThrownBy(() -> new MultiSectionPositions().text(0)).hasMessageContaining("got 0");
        assertThatThrownBy(() -> new MultiSectionPositions().video(1, 1, 1, -1))
                .hasMessageContaining("got -1");
    }
}
