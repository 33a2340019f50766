package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class AxialRopeTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    private static int[] ints(JsonElement list) {
        return Arrays.stream(Goldens.flat(list)).mapToInt(x -> (int) x).toArray();
    }

    @Test
    void ropeVitEqualsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rope_2d.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("axial")) {
                continue;
            }
            AxialRope rope =
                    VisionRope.ROPE_VIT.rope(
                            params.get("head_dim").getAsInt(), params.get("theta").getAsDouble());
            GridPoints grid =
                    VisionRope.ROPE_VIT.grid(
                            params.get("height").getAsInt(), params.get("width").getAsInt());
            JsonObject out = c.getAsJsonObject("outputs");
            double[][] points = grid.points();
            double[] angles = Goldens.flat(out.get("angles"));
            double[][] f = rope.frequencies();
            for (int t = 0, n = 0; t < points.length; t++) {
                for (int i = 0; i < f[0].length; i++, n++) {
                    assertThat(points[t][0] * f[0][i] + points[t][1] * f[1][i])
                            .isCloseTo(angles[n], Offset.offset(1e-12));
                }
            }
            NDArray x = array(c.getAsJsonObject("inputs").get("x")).expandDims(0).expandDims(0);
            assertThat(rope.rotate(x, grid.positions(manager), false).toDoubleArray())
                    .containsExactly(Goldens.flat(out.get("rotated")), Offset.offset(1e-12));
            compared++;
        }
        assertThat(compared).isPositive();
    }

    @Test
    void lucidrainsAxesEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rotary/axial_lucidrains.json")) {
            int dim = c.get("rotary_dim_per_axis").getAsInt();
            String kind = c.get("freqs_for").getAsString();
            int[] sizes = ints(c.get("grid"));
            double most = c.has("max_freq") ? c.get("max_freq").getAsDouble() : 10;
            int count = c.has("num_freqs") ? c.get("num_freqs").getAsInt() : 0;
            AxisBlock[] blocks = blocks(kind, dim, most, count, 10_000, sizes.length);
            if (c.has("base_freqs")) {
                double[] base = Goldens.flat(c.get("base_freqs"));
                double largest = Arrays.stream(base).max().orElseThrow();
                assertThat(blocks[0].frequencies())
                        .containsExactly(base, Offset.offset(1e-7 * largest));
            }
            double[] offsets = c.has("offsets") ? Goldens.flat(c.get("offsets")) : null;
            if (offsets != null) {
                // Their cache gave the second axis the first one's angles (columns 10 and 11 where
                // 20 and 21 were asked for); without it, below, each axis has its own offset.
                offsets[1] = offsets[0];
            }
            compare(kind, blocks, sizes, offsets, c.get("t"), c.get("out"), 3e-4);
            compared++;
        }
        for (JsonElement each :
                Goldens.read("rotary/lucidrains_axes.json").getAsJsonArray("axial")) {
            JsonObject c = each.getAsJsonObject();
            int[] sizes = ints(c.get("grid"));
            AxisBlock[] blocks =
                    blocks(
                            c.get("kind").getAsString(),
                            c.get("dim").getAsInt(),
                            c.get("max_freq").getAsDouble(),
                            c.get("num_freqs").getAsInt(),
                            c.get("theta").getAsDouble(),
                            sizes.length);
            double[] offsets =
                    c.get("offsets").isJsonNull() ? null : Goldens.flat(c.get("offsets"));
            compare(
                    c.get("kind").getAsString(),
                    blocks,
                    sizes,
                    offsets,
                    c.get("t"),
                    c.get("rotated"),
                    1e-5);
            compared++;
        }
        assertThat(compared).isEqualTo(9);
    }

    private static AxisBlock[] blocks(
            String kind, int dim, double most, int count, double base, int axes) {
        return IntStream.range(0, axes)
                .mapToObj(
                        a ->
                                switch (kind) {
                                    case "lang" -> AxisBlock.language(a, dim, base);
                                    case "pixel" -> AxisBlock.pixel(a, dim, most);
                                    default -> AxisBlock.constant(a, count);
                                })
                .toArray(AxisBlock[]::new);
    }

    /** Their angles are float32, so that great frequencies lose digits. */
    private void compare(
            String kind,
            AxisBlock[] blocks,
            int[] sizes,
            double[] offsets,
            JsonElement in,
            JsonElement out,
            double tolerance) {
        GridPoints grid =
                kind.equals("pixel") ? GridPoints.spanning(sizes) : GridPoints.counted(sizes);
        grid = offsets == null ? grid : grid.shifted(offsets);
        NDArray t = array(in);
        Shape s = t.getShape();
        int d = (int) s.get(s.dimension() - 1);
        AxialRope rope =
                AxialRope.builder()
                        .setHeadDimension(d)
                        .setLayout(RotaryLayout.INTERLEAVED)
                        .setBlocks(blocks)
                        .build();
        long tokens = Arrays.stream(sizes).asLongStream().reduce(1, (a, b) -> a * b);
        NDArray x = t.reshape(1, -1, tokens, d);
        NDArray y = rope.rotate(x, grid.positions(manager), false);
        assertThat(y.toDoubleArray()).containsExactly(Goldens.flat(out), Offset.offset(tolerance));
        int r = 2 * rope.frequencies()[0].length;
        assertThat(y.get("..., " + r + ":").toDoubleArray())
                .containsExactly(x.get("..., " + r + ":").toDoubleArray());
    }

    @Test
    void visionModelsEqualHuggingFace() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rotary/vision_2d.json")) {
            VisionRope model =
                    VisionRope.valueOf(c.get("kind").getAsString().toUpperCase(Locale.ROOT));
            AxialRope rope = model.rope(c.get("head_dim").getAsInt());
            assertThat(rope.configuration())
                    .isEqualTo(
                            model.rope(c.get("head_dim").getAsInt(), c.get("base").getAsDouble())
                                    .configuration());
            GridPoints grid =
                    model.grid(c.get("height").getAsInt(), c.get("width").getAsInt())
                            .withUnturned(
                                    c.has("before") ? c.get("before").getAsInt() : 0,
                                    c.has("after") ? c.get("after").getAsInt() : 0);
            if (c.has("merge")) {
                grid = grid.inBlocks(c.get("merge").getAsInt(), c.get("merge").getAsInt());
                assertThat(Arrays.stream(grid.points()).flatMapToDouble(Arrays::stream).toArray())
                        .containsExactly(Goldens.flat(c.get("positions")));
            }
            NDArray x = array(c.get("x"));
            NDArray y = rope.rotate(x, grid.positions(manager), false);
            assertThat(y.toDoubleArray())
                    .as(model.name())
                    .containsExactly(Goldens.flat(c.get("rotated")), Offset.offset(2e-6));
            compared++;
        }
        assertThat(compared).isEqualTo(4);
    }

    private static AxialRope volume(RotaryLayout layout) {
        return AxialRope.builder()
                .setHeadDimension(10)
                .setLayout(layout)
                .setBlocks(
                        AxisBlock.language(2, 4, 100),
                        AxisBlock.pixel(0, 2, 8),
                        AxisBlock.constant(1, 1))
                .build();
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void pointsPerRowTurnBackAndGradientsAreRight(RotaryLayout layout) {
        AxialRope rope = volume(layout);
        NDArray x = Gradients.normal(manager, 1, 2, 3, 4, 10);
        NDArray p = Gradients.normal(manager, 2, 2, 4, 3).mul(5);
        NDArray y = rope.rotate(x, Positions.points(p), false);
        for (int b = 0; b < 2; b++) { // each row as if it were alone
            NDArray row = x.get(b + ":" + (b + 1));
            NDArray own = rope.rotate(row, Positions.points(p.get(b)), false);
            assertThat(own.toDoubleArray())
                    .containsExactly(y.get(b).toDoubleArray(), Offset.offset(1e-14));
        }
        NDArray back = rope.rotate(y, Positions.points(p.neg()), false);
        assertThat(back.toDoubleArray()).containsExactly(x.toDoubleArray(), Offset.offset(1e-13));
        Gradients.check(x, z -> rope.rotate(z, Positions.points(p), true));
        Gradients.check(p, q -> rope.rotate(x, Positions.points(q), true));
    }

    @Test
    void scoresDependOnDifferencesOfPointsAlone() {
        AxialRope rope = volume(RotaryLayout.INTERLEAVED);
        NDArray q = Gradients.normal(manager, 1, 1, 1, 5, 10);
        NDArray k = Gradients.normal(manager, 2, 1, 1, 5, 10);
        NDArray p = Gradients.normal(manager, 3, 5, 3);
        NDArray moved = p.add(manager.create(new double[] {3, -70, 0.5}));
        NDArray here = scores(rope, q, k, Positions.points(p));
        NDArray there = scores(rope, q, k, Positions.points(moved));
        assertThat(there.toDoubleArray())
                .containsExactly(here.toDoubleArray(), Offset.offset(1e-11));
        NDArray stretched = scores(rope, q, k, Positions.points(p.mul(2)));
        assertThat(stretched.sub(here).abs().max().getDouble()).isGreaterThan(0.1);
    }

    private static NDArray scores(AxialRope rope, NDArray q, NDArray k, Positions positions) {
        NDArray turned = rope.rotate(k, positions, false);
        return rope.rotate(q, positions, false).matMul(turned.swapAxes(2, 3));
    }

    @Test
    void onePositionIsThePointOnTheDiagonal() {
        AxialRope rope = volume(RotaryLayout.HALF_SPLIT);
        NDArray x = Gradients.normal(manager, 1, 1, 2, 3, 10);
        NDArray line = manager.create(new long[] {0, 4, 9});
        NDArray diagonal = manager.create(new long[] {0, 0, 0, 4, 4, 4, 9, 9, 9}, new Shape(3, 3));
        NDArray expected = rope.rotate(x, Positions.points(diagonal), false);
        assertThat(rope.rotate(x, Positions.of(line), false).toDoubleArray())
                .containsExactly(expected.toDoubleArray());
        ParameterStore parameters = new ParameterStore(manager, false);
        for (NDArray positions : new NDArray[] {line, diagonal, diagonal.expandDims(0)}) {
            NDArray y = rope.forward(parameters, new NDList(x, positions), false).head();
            assertThat(y.toDoubleArray()).containsExactly(expected.toDoubleArray());
        }
    }

    @Test
    void halfPrecisionKeepsItsAngles() {
        AxialRope rope = VisionRope.ROPE_VIT.rope(8);
        NDArray x = Gradients.normal(manager, 1, 1, 1, 1, 8);
        Positions far =
                Positions.points(manager.create(new long[] {4097, 70_001}, new Shape(1, 2)));
        NDArray exact = rope.rotate(x, far, false);
        NDArray half = rope.rotate(x.toType(DataType.FLOAT16, true), far, false);
        assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
        assertThat(half.toType(DataType.FLOAT64, true).toDoubleArray())
                .containsExactly(exact.toDoubleArray(), Offset.offset(3e-3));
    }

    @Test
    void gridsCountSpanCentreShiftAndReorder() {
        assertThat(GridPoints.counted(2, 3).points())
                .isDeepEqualTo(new double[][] {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}});
        assertThat(GridPoints.spanning(1, 3).points())
                .isDeepEqualTo(new double[][] {{-1, -1}, {-1, 0}, {-1, 1}});
        assertThat(GridPoints.centres(2, 1).points())
                .isDeepEqualTo(new double[][] {{-0.5, 0}, {0.5, 0}});
        assertThat(GridPoints.counted(1, 2).shifted(1, -2).withUnturned(1, 2).points())
                .isDeepEqualTo(new double[][] {{0, 0}, {1, -2}, {1, -1}, {0, 0}, {0, 0}});
        assertThat(GridPoints.counted(2, 4).inBlocks(2, 2).points())
                .isDeepEqualTo(
                        new double[][] {
                            {0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}
                        });
        assertThatThrownBy(() -> GridPoints.counted(2, 0)).hasMessageContaining("got 0");
        assertThatThrownBy(() -> GridPoints.counted()).hasMessageContaining("at least one axis");
        assertThatThrownBy(() -> GridPoints.counted(2, 3).shifted(1))
                .hasMessageContaining("2 axes")
                .hasMessageContaining("got 1");
        assertThatThrownBy(() -> GridPoints.counted(4, 3).inBlocks(2, 2))
                .hasMessageContaining("size of 3, got 2");
        assertThatThrownBy(() -> GridPoints.counted(4, 3).withUnturned(-1, 0))
                .hasMessageContaining("got -1");
    }

    @Test
    void saysWhatIsWrong() {
        AxialRope rope = volume(RotaryLayout.INTERLEAVED);
        NDArray x = Gradients.normal(manager, 1, 1, 1, 2, 10);
        assertThatThrownBy(
                        () ->
                                rope.rotate(
                                        x, Positions.points(manager.zeros(new Shape(2, 2))), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("points of 3 coordinates, got shape (2, 2)");
        assertThatThrownBy(
                        () ->
                                rope.rotate(
                                        x, Positions.points(manager.zeros(new Shape(3, 3))), false))
                .hasMessageContaining("(2, M) or (1, 2, M)");
        assertThatThrownBy(
                        () ->
                                rope.rotate(
                                        x.get("..., :8"),
                                        Positions.points(manager.zeros(new Shape(2, 3))),
                                        false))
                .hasMessageContaining("heads of 10");
        AxialRope.Builder builder =
                AxialRope.builder().setHeadDimension(4).setLayout(RotaryLayout.INTERLEAVED);
        assertThatThrownBy(builder::build).hasMessageContaining("a block for each axis");
        assertThatThrownBy(() -> builder.setBlocks(AxisBlock.language(1, 2, 10)).build())
                .hasMessageContaining("none for axis 0 of 2");
        assertThatThrownBy(
                        () ->
                                builder.setBlocks(
                                                AxisBlock.language(0, 4, 10),
                                                AxisBlock.language(1, 2, 10))
                                        .build())
                .hasMessageContaining("head dimension of 4, got 6");
        assertThatThrownBy(
                        () ->
                                AxialRope.builder()
                                        .setHeadDimension(4)
                                        .setBlocks(AxisBlock.constant(0, 1))
                                        .build())
                .hasMessageContaining("layout");
        assertThatThrownBy(() -> VisionRope.DINOV3.rope(6))
                .hasMessageContaining("multiple of 4, got 6");
        assertThatThrownBy(() -> AxisBlock.pixel(0, 4, 0)).hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> AxisBlock.constant(-1, 4)).hasMessageContaining("got -1");
        assertThatThrownBy(() -> AxisBlock.language(0, 3, 10)).hasMessageContaining("got 3");
    }
}
