package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.testing.Gradients;

class KroneckerLinearTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    /** The sides of a grid and the features of each side. */
    private record Case(int units, boolean bias, long[] n, int... k) {
        @Override
        public String toString() {
            return Arrays.toString(n) + " by " + Arrays.toString(k) + ", " + units;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                new Case(3, false, new long[] {5}, 4),
                new Case(1, true, new long[] {1}, 1),
                new Case(3, false, new long[] {5, 4}, 6, 3),
                new Case(2, true, new long[] {3, 7}, 5, 2), // the first axis first
                new Case(1, false, new long[] {4, 3}, 2, 6),
                new Case(2, true, new long[] {3, 4, 2}, 2, 5, 3),
                new Case(1, false, new long[] {5, 2, 4}, 3, 2, 6),
                new Case(2, false, new long[] {2, 3, 2, 3}, 3, 2, 2, 2));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aGridIsTheMaterialisedProductTimesTheWeights(Case c) {
        KroneckerLinear map = map(c, DataType.FLOAT64);
        List<NDArray> a = features(c);
        NDArray expected = materialised(map, a); // (N, U)
        NDArray grid = map.onGrid(a, parameters, false);
        assertThat(grid.getShape()).isEqualTo(new Shape(c.n).add(c.units));
        near(grid, expected, 1e-12);
        near(map.forward(parameters, new NDList(a), false).head(), expected, 1e-12);

        NDArray phi = kronecker(a);
        near(map.of(phi, parameters, false), expected, 1e-12);
    }

    /** Σ_k W_uk φ[k] + b_u with φ = A_0 ⊗ A_1 ⊗ …, a (N × K) matrix. */
    private static NDArray materialised(KroneckerLinear map, List<NDArray> a) {
        NDArray phi = kronecker(a);
        NDArray w = map.getParameters().get("weight").getArray();
        NDArray y = phi.matMul(w.reshape(w.getShape().get(0), -1).transpose());
        Parameter bias = map.getParameters().get("bias");
        return bias == null ? y : y.add(bias.getArray());
    }

    private static NDArray kronecker(List<NDArray> a) {
        NDArray product = a.get(0);
        for (NDArray next : a.subList(1, a.size())) {
            long n = product.getShape().get(0);
            long k = product.getShape().get(1);
            Shape s = next.getShape();
            product =
                    product.reshape(n, 1, k, 1)
                            .mul(next.reshape(1, s.get(0), 1, s.get(1)))
                            .reshape(n * s.get(0), k * s.get(1));
        }
        return product;
    }

    private List<NDArray> features(Case c) {
        List<NDArray> a = new ArrayList<>();
        for (int m = 0; m < c.k.length; m++) {
            a.add(Gradients.normal(manager, m, c.n[m], c.k[m]));
        }
        return a;
    }

    private KroneckerLinear map(Case c, DataType type) {
        KroneckerLinear map =
                KroneckerLinear.builder()
                        .setUnits(c.units)
                        .setFeatureDimensions(c.k)
                        .optBias(c.bias)
                        .optSeed(4)
                        .build();
        map.initialize(manager, type, new Shape(1));
        if (c.bias) {
            Gradients.normal(manager, 7, c.units)
                    .toType(type, false)
                    .copyTo(map.getParameters().get("bias").getArray());
        }
        return map;
    }

    private static void near(NDArray actual, NDArray expected, double tolerance) {
        assertThat(actual.toType(DataType.FLOAT64, true).toDoubleArray())
                .containsExactly(
                        expected.toType(DataType.FLOAT64, true).toDoubleArray(),
                        Offset.offset(tolerance));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pointsAreTheDiagonalOfTheGrid(Case c) {
        Case points = new Case(c.units, c.bias, new long[c.k.length], c.k);
        Arrays.fill(points.n, 4);
        KroneckerLinear map = map(points, DataType.FLOAT64);
        List<NDArray> a = features(points);
        NDArray grid = map.onGrid(a, parameters, false);
        long stride = 0;
        for (long n : points.n) {
            stride = stride * n + 1;
        }
        long[] diagonal = {0, stride, 2 * stride, 3 * stride};
        NDArray at = map.atPoints(a, parameters, false);
        near(at, grid.reshape(-1, c.units).get(manager.create(diagonal)), 1e-12);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradientsAreRight(Case c) {
        KroneckerLinear map = map(c, DataType.FLOAT64);
        List<NDArray> a = features(c);
        List<NDArray> leaves = new ArrayList<>(a);
        for (Parameter p : map.getParameters().values()) {
            p.getArray().setRequiresGradient(false);
            leaves.add(p.getArray());
        }
        List<NDArray> points = a.stream().map(x -> x.get(new long[] {0}).reshape(1, -1)).toList();
        for (NDArray leaf : leaves) {
            Gradients.check(leaf, x -> map.onGrid(a, parameters, true));
        }
        for (NDArray leaf : points) {
            Gradients.check(leaf, x -> map.atPoints(points, parameters, true));
        }
        Gradients.check(leaves.get(a.size()), x -> map.atPoints(points, parameters, true));
    }

    @Test
    void everyPrecisionGivesTheSame() {
        Case c = new Case(3, true, new long[] {6, 5}, 4, 7);
        List<NDArray> a = features(c);
        NDArray expected = map(c, DataType.FLOAT64).onGrid(a, parameters, false);
        for (boolean training : new boolean[] {false, true}) {
            near(map(c, DataType.FLOAT32).onGrid(a, parameters, training), expected, 1e-5);
            NDArray half = map(c, DataType.FLOAT16).onGrid(a, parameters, training);
            assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
            near(half, expected, 0.05);
        }
    }

    @Test
    void manyPointsAreTakenInParts() {
        Case c = new Case(64, false, new long[] {300, 300}, 1024, 3);
        KroneckerLinear map = map(c, DataType.FLOAT32);
        List<NDArray> a = features(c);
        NDArray all = map.atPoints(a, parameters, false); // 256 points at a time
        assertThat(all.getShape()).isEqualTo(new Shape(300, 64));
        for (int p : new int[] {0, 255, 256, 299}) {
            List<NDArray> one =
                    a.stream().map(x -> x.get(new NDIndex().addSliceDim(p, p + 1))).toList();
            near(all.get(p), map.onGrid(one, parameters, false).flatten(), 1e-3);
        }
    }

    @Test
    void saysWhatIsWrong() {
        KroneckerLinear map = map(new Case(2, false, new long[] {1, 1}, 3, 4), DataType.FLOAT32);
        NDArray three = manager.ones(new Shape(5, 3));
        NDArray four = manager.ones(new Shape(6, 4));
        assertThatThrownBy(() -> map.onGrid(List.of(four, three), parameters, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the map takes features of each axis [(N, 3), (N, 4)], got [(6, 4), (5,"
                                + " 3)]");
        assertThatThrownBy(() -> map.onGrid(List.of(three), parameters, false))
                .hasMessageContaining("got [(5, 3)]");
        assertThatThrownBy(() -> map.atPoints(List.of(three, four), parameters, false))
                .hasMessage("all axes need features of the same points, got [(5, 3), (6, 4)]");
        assertThatThrownBy(() -> map.setWeights(manager.ones(new Shape(2, 4, 3))))
                .hasMessage("the weights are (2, 3, 4), got (2, 4, 3)");
        assertThatThrownBy(() -> KroneckerLinear.builder().setUnits(2).build())
                .hasMessage("units and features of each axis must be at least 1, got 2 and []");
    }
}
