package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class WindowedRopeTest {

    private static final int D = 8;

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private static Rope rope(int dimension, RotaryLayout layout) {
        return Rope.builder().setHeadDimension(dimension).setLayout(layout).build();
    }

    private LayerContext layer(boolean training) {
        return new LayerContext(0, null, new ParameterStore(manager, false), training);
    }

    private static ReRope reRope(Rope rope, int window, double compression) {
        return ReRope.builder().setRope(rope).setWindow(window).optCompression(compression).build();
    }

    @Test
    void distancesEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rerope.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("relative_positions")) {
                continue;
            }
            int n = params.get("n").getAsInt();
            double compression =
                    params.get("k").isJsonNull()
                            ? Double.POSITIVE_INFINITY
                            : params.get("k").getAsDouble();
            Rope rope = rope(D, RotaryLayout.INTERLEAVED);
            Positions p = Positions.range(manager, 0, n);
            double[] distances =
                    reRope(rope, params.get("w").getAsInt(), compression)
                            .distances(p, p)
                            .toDoubleArray();
            double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("relative"));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    assertThat(distances[i * n + j])
                            .isCloseTo(expected[i * n + j], Offset.offset(1e-14));
                    compared++;
                }
            }
        }
        assertThat(compared).isEqualTo(3 * 55);
    }

    @Test
    void logitsEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rerope.json")) {
            JsonObject params = c.getAsJsonObject("params");
            if (!params.get("kind").getAsString().equals("attention_logits")) {
                continue;
            }
            JsonObject in = c.getAsJsonObject("inputs");
            int d = params.get("head_dim").getAsInt();
            int n = (int) Goldens.shape(in.get("q"))[0];
            Shape shape = new Shape(1, 1, n, d);
            NDArray q = manager.create(Goldens.flat(in.get("q")), shape);
            NDArray k = manager.create(Goldens.flat(in.get("k_vectors")), shape);
            Positions p = Positions.range(manager, 0, n);
            ReRope encoding =
                    reRope(
                            rope(d, RotaryLayout.INTERLEAVED),
                            params.get("w").getAsInt(),
                            params.get("k").getAsDouble());
            double[] logits = encoding.products(q, k, p, p, layer(false)).toDoubleArray();
            double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("logits"));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    assertThat(logits[i * n + j])
                            .isCloseTo(expected[i * n + j], Offset.offset(1e-12));
                    compared++;
                }
            }
        }
        assertThat(compared).isEqualTo(28);
    }

    /** The RoPE below a window, as the formula needs it. */
    private record Below(RotaryLayout layout, double base, int rotated, RopeScaling scaling) {

        Rope rope() {
            return Rope.builder()
                    .setHeadDimension(D)
                    .setLayout(layout)
                    .optBase(base)
                    .optPartial(rotated / (double) D)
                    .optScaling(scaling)
                    .build();
        }

        RopeFrequencies frequencies() {
            return scaling.frequencies(rotated, base, 1, RopePrecision.EXACT);
        }
    }

    /** An encoding and the distance that its paper gives to a query at i and a key at j. */
    private record Method(WindowedRope encoding, Below below, DoubleBinaryOperator distance) {}

    private static Method rectified(Below below, int w) {
        return new Method(
                ReRope.builder().setRope(below.rope()).setWindow(w).build(),
                below,
                (i, j) -> Math.min(i - j, w));
    }

    private static Method leaky(Below below, int w, double k) {
        return new Method(
                reRope(below.rope(), w, k),
                below,
                (i, j) -> i - j < w ? i - j : w + (i - j - w) / k);
    }

    private static Method grouped(Below below, int w, int group) {
        return new Method(
                SelfExtend.builder().setRope(below.rope()).setWindow(w).setGroup(group).build(),
                below,
                (i, j) ->
                        i - j < w
                                ? i - j
                                : Math.floor(i / group)
                                        - Math.floor(j / group)
                                        + w
                                        - Math.floor(w / (double) group));
    }

    static Stream<Method> methods() {
        return Stream.of(RotaryLayout.values())
                .flatMap(
                        layout -> {
                            Below full = new Below(layout, 10_000, D, new Default());
                            Below partial = new Below(layout, 100, D / 2, Yarn.of(4, 16));
                            return Stream.of(
                                    rectified(full, 2),
                                    rectified(partial, 3),
                                    leaky(full, 3, 4),
                                    leaky(partial, 2, 0.25),
                                    grouped(full, 4, 2),
                                    grouped(partial, 5, 3));
                        });
    }

    @ParameterizedTest
    @MethodSource("methods")
    void rowsWithTheirOwnPositionsAndSharedKeysEqualTheFormula(Method method) {
        // A row padded on the left, and one of packed documents; then the last query of each alone.
        long[] places = {0, 0, 0, 1, 2, 3, 4, 5, 7, 11, 0, 1, 2, 3, 4, 0, 1, 2, 100, 1000};
        NDArray p = manager.create(places, new Shape(2, 10));
        NDArray q = Gradients.normal(manager, 1, 2, 4, 10, D);
        NDArray k = Gradients.normal(manager, 2, 2, 2, 10, D);
        double[] expected = direct(method, q, k, places);
        for (boolean training : new boolean[] {false, true}) {
            NDArray all =
                    method.encoding()
                            .products(q, k, Positions.of(p), Positions.of(p), layer(training));
            assertThat(all.getShape()).isEqualTo(new Shape(2, 4, 10, 10));
            assertThat(all.toDoubleArray()).containsExactly(expected, Offset.offset(1e-11));
            NDArray last =
                    method.encoding()
                            .products(
                                    q.get(":, :, 9:"),
                                    k,
                                    Positions.of(p.get(":, 9:")),
                                    Positions.of(p),
                                    layer(training));
            assertThat(last.toDoubleArray())
                    .containsExactly(all.get(":, :, 9:").toDoubleArray(), Offset.offset(1e-12));
        }
    }

    /** R(distance) q · k, one pair of components after the other. */
    private static double[] direct(Method method, NDArray queries, NDArray keys, long[] places) {
        boolean interleaved = method.below().layout() == RotaryLayout.INTERLEAVED;
        int r = method.below().rotated();
        double[] theta = method.below().frequencies().inverse();
        double scaling = method.below().frequencies().attentionScaling();
        double[] q = queries.toDoubleArray();
        double[] k = keys.toDoubleArray();
        double[] products = new double[2 * 4 * 10 * 10];
        for (int index = 0; index < products.length; index++) {
            int j = index % 10;
            int i = index / 10 % 10;
            int head = index / 100; // of both rows together
            int row = head / 4;
            int a = D * (10 * head + i);
            int b = D * (10 * (head / 2) + j); // two query heads share a key head
            double distance =
                    method.distance().applyAsDouble(places[10 * row + i], places[10 * row + j]);
            double sum = 0;
            for (int c = 0; c < r / 2; c++) {
                int x = interleaved ? 2 * c : c;
                int y = interleaved ? 2 * c + 1 : c + r / 2;
                double angle = distance * theta[c];
                double cos = scaling * scaling * Math.cos(angle);
                double sin = scaling * scaling * Math.sin(angle);
                sum += (q[a + x] * cos - q[a + y] * sin) * k[b + x];
                sum += (q[a + y] * cos + q[a + x] * sin) * k[b + y];
            }
            for (int c = r; c < D; c++) {
                sum += q[a + c] * k[b + c];
            }
            products[index] = sum;
        }
        return products;
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradientsAreRight(Method method) {
        NDArray q = Gradients.normal(manager, 1, 1, 4, 5, D);
        NDArray k = Gradients.normal(manager, 2, 1, 2, 5, D);
        Positions p = Positions.range(manager, 3, 8);
        WindowedRope encoding = method.encoding();
        Gradients.check(q, x -> encoding.products(x, k, p, p, layer(true)));
        Gradients.check(k, x -> encoding.products(q, x, p, p, layer(true)));
    }

    @Test
    void aCompressionOfOneAndAWindowThatHoldsAllAreRope() {
        Rope rope = rope(D, RotaryLayout.HALF_SPLIT);
        NDArray q = Gradients.normal(manager, 1, 1, 2, 9, D);
        NDArray k = Gradients.normal(manager, 2, 1, 2, 9, D);
        Positions p = Positions.range(manager, 0, 9);
        double[] expected =
                rope.rotate(q, p, false)
                        .matMul(rope.rotate(k, p, false).swapAxes(2, 3))
                        .toDoubleArray();
        for (ReRope same :
                new ReRope[] {
                    reRope(rope, 3, 1), ReRope.builder().setRope(rope).setWindow(9).build()
                }) {
            assertThat(same.products(q, k, p, p, layer(false)).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
        }
    }

    @Test
    void keysThatAreTurnedAloneAreRefused() {
        ReRope encoding = reRope(rope(D, RotaryLayout.INTERLEAVED), 3, 2);
        NDArray x = Gradients.normal(manager, 1, 1, 2, 4, D);
        Positions p = Positions.range(manager, 0, 4);
        assertThat(encoding.keysStayRotated()).isFalse();
        for (ThrowingCallable turning :
                new ThrowingCallable[] {
                    () -> encoding.rotateKeys(x, p, layer(false)),
                    () -> encoding.rotateQueries(x, p, layer(false)),
                    () -> encoding.rerotateKeys(x, p, p, p, layer(false))
                }) {
            assertThatThrownBy(turning)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("ReRope turns pairs")
                    .hasMessageContaining("keep keys that are not rotated");
        }
    }

    /**
     * The far side's positions are not the sequence's, so they must not be taken for its length.
     */
    @Test
    void aLengthThatIsTakenFromThePositionsIsRefused() {
        Rope.Builder dynamic =
                Rope.builder()
                        .setHeadDimension(D)
                        .setLayout(RotaryLayout.INTERLEAVED)
                        .optScaling(new DynamicNtk(2, 16));
        assertThatThrownBy(
                        () -> reRope(dynamic.optLength(new ContextLength.EachRow()).build(), 3, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("declare a length, got Rope (");
        Rope declared = dynamic.optLength(new ContextLength.Declared(64)).build();
        assertThat(reRope(declared, 3, 2).rope()).isSameAs(declared);
    }

    @Test
    void badNumbersAreNamed() {
        Rope rope = rope(D, RotaryLayout.INTERLEAVED);
        assertThatThrownBy(() -> reRope(rope, 0, 2))
                .hasMessage("the window must be at least 1, got 0");
        assertThatThrownBy(() -> reRope(rope, 1, 0))
                .hasMessage("the compression must be above 0, got 0.0");
        assertThatThrownBy(() -> reRope(rope, 1, Double.NaN))
                .hasMessage("the compression must be above 0, got NaN");
        assertThatThrownBy(() -> SelfExtend.builder().setRope(rope).setWindow(4).build())
                .hasMessage("the group must be at least 1, got 0");
        assertThatThrownBy(() -> reRope(null, 1, 2)).hasMessageContaining("RoPE");
    }
}
