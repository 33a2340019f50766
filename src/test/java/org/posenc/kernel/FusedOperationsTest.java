package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Gradients;

/** The kernels beside attention, against their formulas and a few numbers of PyTorch 2.13. */
class FusedOperationsTest {

    private static final Offset<Double> EXACT = Offset.offset(1e-12);

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void rotationTurnsPairsOfEitherLayout() {
        NDArray x = Gradients.normal(manager, 1, 2, 3, 4, 6);
        NDArray angles = Gradients.normal(manager, 2, 4, 3);
        NDArray c = angles.cos();
        NDArray s = angles.sin();
        NDArray table = NDArrays.stack(new NDList(c, s), -1);
        NDArray a = x.get("..., 0:3");
        NDArray b = x.get("..., 3:6");
        NDArray half = a.mul(c).sub(b.mul(s)).concat(b.mul(c).add(a.mul(s)), -1);
        assertThat(Rotation.halfSplit(x, table, false).toDoubleArray())
                .containsExactly(half.toDoubleArray(), EXACT);
        NDArray pairs = x.reshape(2, 3, 4, 3, 2);
        NDArray even = pairs.get("..., 0");
        NDArray odd = pairs.get("..., 1");
        NDArray turned =
                NDArrays.stack(
                        new NDList(even.mul(c).sub(odd.mul(s)), odd.mul(c).add(even.mul(s))), -1);
        assertThat(Rotation.interleaved(x, table, true).toDoubleArray())
                .containsExactly(turned.toDoubleArray(), EXACT);
        Gradients.check(x, y -> Rotation.halfSplit(y, table, true));
        Gradients.check(x, y -> Rotation.interleaved(y, table, true));
        Gradients.check(table, y -> Rotation.interleaved(x, y, true));
        Gradients.check(table, y -> Rotation.halfSplit(x, y, true));
        assertThatThrownBy(() -> Rotation.interleaved(x, table.get("..., 0"), false))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Rotation.halfSplit(x, table.toType(DataType.FLOAT32, true), false))
                .hasMessageContaining("float64")
                .hasMessageContaining("float32");
    }

    @Test
    void singularValuesAreDescendingAndTheirSquaresAddUpToTheFrobeniusNorm() {
        NDArray known = manager.create(new double[] {1, 2, 3, 4, 5, 6}, new Shape(3, 2));
        assertThat(SingularValues.of(known, false).toDoubleArray())
                .containsExactly(new double[] {9.525518091565107, 0.514300580658644}, EXACT);
        NDArray x = Gradients.normal(manager, 3, 2, 5, 4);
        NDArray s = SingularValues.of(x, false);
        assertThat(s.getShape()).isEqualTo(new Shape(2, 4));
        assertThat(s.square().sum().getDouble())
                .isCloseTo(x.square().sum().getDouble(), Offset.offset(1e-10));
        Gradients.check(x, y -> SingularValues.of(y, true));
        NDArray half = x.toType(DataType.FLOAT16, true);
        assertThatThrownBy(() -> SingularValues.of(half, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("float16");
        assertThatThrownBy(() -> SingularValues.of(manager.ones(new Shape(3)), false))
                .hasMessageContaining("(3)");
    }

    @Test
    void crossEntropyLeavesIgnoredLabelsOut() {
        NDArray z = manager.create(new double[] {1, 2, -1, 0.5, 0, 3, 9, 9, 9}, new Shape(3, 3));
        NDArray y = manager.create(new long[] {1, 0, CrossEntropy.IGNORED});
        assertThat(CrossEntropy.each(z, y, false).toDoubleArray())
                .containsExactly(new double[] {0.34901221676818633, 2.6238729583693674, 0}, EXACT);
        assertThat(CrossEntropy.mean(z, y, false).getDouble())
                .isCloseTo((0.34901221676818633 + 2.6238729583693674) / 2, EXACT);
        Gradients.check(z, x -> CrossEntropy.mean(x, y, true));
        NDArray none = manager.create(new long[] {-100, -100, -100});
        assertThat(CrossEntropy.mean(z, none, false).getDouble()).isNaN();
        assertThatThrownBy(() -> CrossEntropy.mean(z, y.toType(DataType.INT32, true), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("int32");
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void rootMeanSquareNormalisation(DataType type) {
        NDArray x = manager.create(new double[] {1, -2, 3}, new Shape(1, 3)).toType(type, true);
        NDArray g = manager.create(new double[] {1, 2, 0.5}).toType(type, true);
        double tolerance =
                type == DataType.FLOAT16 ? 1e-3 : type == DataType.FLOAT32 ? 1e-6 : 1e-12;
        NDArray y = Normalization.rootMeanSquare(x, g, 1e-3, false);
        assertThat(y.getDataType()).isEqualTo(type);
        assertThat(y.toType(DataType.FLOAT64, true).toDoubleArray())
                .containsExactly(
                        new double[] {0.4628604603505353, -1.8514418414021412, 0.694290690525803},
                        Offset.offset(tolerance));
        // Squares that float16 cannot hold are none of its business.
        NDArray large = manager.create(new float[] {1000, -1000}).toType(DataType.FLOAT16, true);
        NDArray one = manager.ones(new Shape(2), DataType.FLOAT16);
        NDArray unit = Normalization.rootMeanSquare(large, one, 1e-5, false);
        assertThat(unit.toType(DataType.FLOAT32, true).toFloatArray()).containsExactly(1, -1);
    }

    @Test
    void normsAndGatesHaveTheRightGradients() {
        NDArray x = Gradients.normal(manager, 1, 2, 3, 4);
        NDArray g = Gradients.normal(manager, 2, 4);
        Gradients.check(x, y -> Normalization.rootMeanSquare(y, g, 1e-2, true));
        Gradients.check(g, y -> Normalization.rootMeanSquare(x, y, 1e-2, true));
        assertThatThrownBy(() -> Normalization.rootMeanSquare(g, x, 1e-2, true))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3})
    void perceptronsAreThePlainFormulas(long length) {
        NDArray x = Gradients.normal(manager, 1, 1, length, 4);
        LinearMap gate = map(2, 5, 4);
        LinearMap up = map(3, 5, 4);
        LinearMap down = map(4, 4, 5);
        NDArray g = plain(x, gate);
        NDArray u = plain(x, up);
        NDArray sigmoid = g.neg().exp().add(1).getNDArrayInternal().rdiv(1);
        same(Perceptron.swiglu(x, gate, up, down, false), plain(g.mul(sigmoid).mul(u), down));
        NDArray normal = u.div(Math.sqrt(2)).erf().add(1).div(2);
        same(Perceptron.gelu(x, up, down, false), plain(u.mul(normal), down));
        Gradients.check(x, y -> Perceptron.swiglu(y, gate, up, down, true));
        Gradients.check(x, y -> Perceptron.gelu(y, up, down, true));
        for (LinearMap map : new LinearMap[] {gate, up, down}) {
            for (NDArray weight : new NDArray[] {map.weight(), map.bias()}) {
                Gradients.check(
                        weight,
                        y ->
                                Perceptron.swiglu(
                                        x,
                                        with(gate, weight, y),
                                        with(up, weight, y),
                                        with(down, weight, y),
                                        true));
            }
        }
        assertThatThrownBy(() -> Perceptron.swiglu(x, down, up, down, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(4, 5) does not fit");
    }

    @Test
    void aVectorIsMappedAsARowOfAMatrix() {
        NDArray rows = Gradients.normal(manager, 1, 3, 4);
        LinearMap biased = map(2, 5, 4);
        LinearMap.Pair pair =
                new LinearMap.Pair(
                        Gradients.normal(manager, 5, 2, 4),
                        Gradients.normal(manager, 6, 5, 2),
                        0.5,
                        0);
        for (LinearMap each :
                new LinearMap[] {
                    biased,
                    new LinearMap(biased.weight(), null, null),
                    new LinearMap(biased.weight(), biased.bias(), pair)
                }) {
            NDArray all = each.apply(rows, false);
            NDArray one = rows.get("1:2").reshape(1, 1, 4);
            NDArray y = each.apply(one, true);
            assertThat(y.getShape()).isEqualTo(new Shape(1, 1, 5));
            same(y.flatten(), all.get(1));
            Gradients.check(one, x -> each.apply(x, true));
        }
    }

    private LinearMap map(long seed, long outputs, long inputs) {
        NDArray weight = Gradients.normal(manager, seed, outputs, inputs);
        return new LinearMap(weight, Gradients.normal(manager, seed + 10, outputs), null);
    }

    private static LinearMap with(LinearMap map, NDArray old, NDArray other) {
        return new LinearMap(
                map.weight() == old ? other : map.weight(),
                map.bias() == old ? other : map.bias(),
                null);
    }

    private static NDArray plain(NDArray x, LinearMap map) {
        return x.matMul(map.weight().transpose()).add(map.bias());
    }

    private static void same(NDArray found, NDArray expected) {
        assertThat(found.toDoubleArray()).containsExactly(expected.toDoubleArray(), EXACT);
    }

    @Test
    void aCastLetsGradientsThroughWhereDjlsCutsThem() {
        NDArray x = Gradients.normal(manager, 1, 3);
        Gradients.check(x, y -> y.mul(2).add(Cast.to(y.square(), DataType.FLOAT64, true)));
        x.setRequiresGradient(true);
        try (GradientCollector collector = Autograd.collector()) {
            NDArray narrow = Cast.to(x, DataType.FLOAT32, true);
            assertThat(narrow.getDataType()).isEqualTo(DataType.FLOAT32);
            collector.backward(narrow.mul(3).sum());
        }
        assertThat(x.getGradient().toDoubleArray()).containsExactly(3, 3, 3);
        assertThat(Cast.to(x, DataType.FLOAT64, true)).isSameAs(x);
    }

    /** DJL would abort the JVM on each of these. */
    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "INT16", "UINT16", "UINT32", "UINT64", "COMPLEX64"})
    void typesThatWouldAbortTheJvmAreRefused(DataType type) {
        NDArray x = manager.ones(new Shape(2));
        assertThatThrownBy(() -> Cast.to(x, type, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(type.name().toLowerCase());
    }

    @Test
    void insideAScopeNothingIsRecordedAndInferenceCanEnterLaterTraining() {
        NDArray x = manager.ones(new Shape(2, 2), DataType.FLOAT64);
        x.setRequiresGradient(true);
        NDArray before = SingularValues.of(x.mul(2), false);
        try (Autograd.Scope off = Autograd.off()) {
            NDArray y = x.mul(x);
            assertThatThrownBy(() -> backward(y.sum())).isInstanceOf(RuntimeException.class);
        }
        try (GradientCollector collector = Autograd.collector()) {
            collector.backward(x.mul(before.sum()).sum());
        }
        assertThat(x.getGradient().toDoubleArray())
                .containsExactly(new double[] {4, 4, 4, 4}, Offset.offset(1e-9));
        x.getGradient().muli(Double.NaN);
        Autograd.zeroGradient(x);
        assertThat(x.getGradient().toDoubleArray()).containsExactly(0, 0, 0, 0);
    }

    @Test
    void eachThreadHasACollectorAndItsOwnSwitch() {
        try (GradientCollector here = Autograd.collector();
                NDManager own = manager.newSubManager()) {
            double there =
                    CompletableFuture.supplyAsync(
                                    () -> {
                                        try (NDManager m = NDManager.newBaseManager()) {
                                            NDArray x = m.ones(new Shape(1));
                                            x.setRequiresGradient(true);
                                            backward(x.mul(5));
                                            return (double) x.getGradient().getFloat();
                                        }
                                    })
                            .join();
            assertThat(there).isEqualTo(5);
            NDArray x = own.ones(new Shape(1));
            x.setRequiresGradient(true);
            here.backward(x.mul(7));
            assertThat(x.getGradient().getFloat()).isEqualTo(7);
        }
    }

    private static void backward(NDArray y) {
        try (GradientCollector collector = Autograd.collector()) {
            collector.backward(y);
        }
    }

    @Test
    void namesOfInputsMeanNothing() {
        NDArray x = manager.create(new double[] {3, 0, 0, 4}, new Shape(2, 2));
        x.setName("module_method:other");
        int before = manager.getManagedArrays().size();
        assertThat(SingularValues.of(x, false).toDoubleArray())
                .containsExactly(new double[] {4, 3}, EXACT);
        assertThat(manager.getManagedArrays()).hasSize(before + 1);
    }

    @Test
    void threadsOfOperationsCanBeSet() {
        int before = Autograd.operationThreads();
        Autograd.operationThreads(1);
        assertThat(Autograd.operationThreads()).isEqualTo(1);
        Autograd.operationThreads(before);
        assertThatThrownBy(() -> Autograd.operationThreads(0)).hasMessageContaining("0");
    }
}
