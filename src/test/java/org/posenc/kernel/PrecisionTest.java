package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.testing.Gradients;

/** What kernels compute in narrower types; see also checkpoint.AutocastTest. */
class PrecisionTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray normal(long seed, long... shape) {
        return Gradients.normal(manager, seed, shape).toType(DataType.FLOAT32, false);
    }

    /** Rounds to the nearest number of so many bits of precision, ties to even. */
    private static DoubleUnaryOperator rounding(Precision precision) {
        int bits = precision == Precision.BFLOAT16 ? 8 : 11;
        return x -> {
            double unit = Math.scalb(1.0, Math.getExponent(x) - bits + 1);
            return Math.rint(x / unit) * unit;
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "FLOAT16"})
    void aProductIsThatOfRoundedFactorsRounded(Precision precision) {
        NDArray x = normal(1, 5, 64);
        NDArray w = normal(2, 7, 64);
        NDArray y;
        try (Autograd.Scope narrow = precision.use()) {
            y = new LinearMap(w, null, null).apply(x, false);
        }
        assertThat(y.getDataType()).isEqualTo(DataType.FLOAT32);
        DoubleUnaryOperator round = rounding(precision);
        double[] a = doubles(x, round);
        double[] b = doubles(w, round);
        float[] products = y.toFloatArray();
        double ulp = precision == Precision.BFLOAT16 ? 1 / 128.0 : 1 / 1024.0;
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 7; j++) {
                double exact = 0;
                for (int k = 0; k < 64; k++) {
                    exact += a[64 * i + k] * b[64 * j + k];
                }
                double found = products[7 * i + j];
                assertThat(found).isEqualTo(round.applyAsDouble(found));
                // Summed in float32, then rounded once.
                assertThat(found)
                        .isCloseTo(exact, Offset.offset(0.51 * ulp * Math.abs(exact) + 1e-5));
            }
        }
    }

    private static double[] doubles(NDArray x, DoubleUnaryOperator round) {
        double[] values = x.toType(DataType.FLOAT64, false).toDoubleArray();
        return Arrays.stream(values).map(round).toArray();
    }

    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "FLOAT16"})
    void attentionIsCloseAndItsGradientsAreFloat32(Precision precision) {
        double tolerance = precision == Precision.BFLOAT16 ? 0.03 : 0.004;
        for (boolean causal : new boolean[] {false, true}) {
            for (boolean biased : new boolean[] {false, true}) {
                NDArray bias = biased ? normal(6, 9, 9) : null;
                NDArray[] wide = attend(Precision.FLOAT32, causal, bias);
                NDArray[] narrow = attend(precision, causal, bias);
                for (int i = 0; i < wide.length; i++) {
                    assertThat(narrow[i].getDataType()).isEqualTo(DataType.FLOAT32);
                    float difference = narrow[i].sub(wide[i]).abs().max().getFloat();
                    assertThat(difference).isBetween(1e-6f, (float) tolerance);
                }
            }
        }
    }

    /** The result and the gradients of its sum's square. */
    private NDArray[] attend(Precision precision, boolean causal, NDArray bias) {
        NDArray q = normal(3, 1, 4, 9, 8);
        NDArray k = normal(4, 1, 2, 9, 8);
        NDArray v = normal(5, 1, 2, 9, 8);
        for (NDArray leaf : new NDArray[] {q, k, v}) {
            leaf.setRequiresGradient(true);
        }
        try (GradientCollector collector = Autograd.collector()) {
            NDArray y;
            try (Autograd.Scope narrow = precision.use()) {
                y = new ScaledDotProduct(causal).attend(q, k, v, bias, true);
            }
            collector.backward(y.mul(normal(7, 1, 4, 9, 8)).sum());
            return new NDArray[] {
                y.stopGradient(), Autograd.gradient(q), Autograd.gradient(k), Autograd.gradient(v)
            };
        }
    }

    /** A row that may see nothing is no NaN in float16 either. */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void aRowThatIsMaskedWholeStaysFinite(Precision precision) {
        NDArray q = normal(3, 1, 1, 3, 8);
        float lowest = (float) ScaledDotProduct.lowest(DataType.FLOAT32);
        NDArray masked = manager.full(new Shape(3, 3), lowest);
        try (Autograd.Scope narrow = precision.use()) {
            for (boolean causal : new boolean[] {false, true}) {
                NDArray y = new ScaledDotProduct(causal).attend(q, q, q, masked, false);
                assertThat(y.isNaN().any().getBoolean()).isFalse();
            }
        }
    }

    @Test
    void aScopeEndsAndIsItsThreadsOwn() throws InterruptedException {
        Precision[] other = new Precision[1];
        try (Autograd.Scope outer = Precision.BFLOAT16.use()) {
            try (Autograd.Scope inner = Precision.FLOAT16.use()) {
                assertThat(Precision.current()).isEqualTo(Precision.FLOAT16);
            }
            assertThat(Precision.current()).isEqualTo(Precision.BFLOAT16);
            Thread thread = new Thread(() -> other[0] = Precision.current());
            thread.start();
            thread.join();
        }
        assertThat(other[0]).isEqualTo(Precision.FLOAT32);
        assertThat(Precision.current()).isEqualTo(Precision.FLOAT32);
    }

    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "FLOAT16"})
    void weightsAreNarrowedOnceForInferenceAndGiveTheSameBits(Precision precision) {
        NDArray x = normal(1, 3, 8);
        NDArray w = normal(2, 6, 8);
        LinearMap map = new LinearMap(w, normal(3, 6), null);
        LinearMap.Pair pair = new LinearMap.Pair(normal(4, 2, 8), normal(5, 6, 2), 0.5, 0.9);
        LinearMap adapted = new LinearMap(w, null, pair);
        float[] wide = map.apply(x, false).toFloatArray();
        float[] expected;
        float[] expectedOfPair;
        try (Autograd.Scope each = precision.use()) {
            expected = map.apply(x, false).toFloatArray();
            expectedOfPair = adapted.apply(x, false).toFloatArray();
        }
        try (Autograd.Scope once = precision.useForInference()) {
            assertThat(map.apply(x, false).toFloatArray()).isEqualTo(expected).isNotEqualTo(wide);
            assertThat(adapted.apply(x, false).toFloatArray()).isEqualTo(expectedOfPair);
            NDArray first = map.apply(x.get("0:1"), false);
            assertThat(first.toFloatArray())
                    .containsExactly(Arrays.copyOf(expected, 6), Offset.offset(0.04f));
            try (GradientCollector collector = Autograd.collector()) {
                w.setRequiresGradient(true);
                collector.backward(map.apply(x, true).sum());
                assertThat(Autograd.gradient(w).abs().min().getFloat()).isPositive();
                w.setRequiresGradient(false);
            }
            w.addi(1);
            assertThat(map.apply(x, false).toFloatArray()).isEqualTo(expected);
        }
        try (Autograd.Scope once = precision.useForInference()) {
            assertThat(map.apply(x, false).toFloatArray()).isNotEqualTo(expected);
        }
        assertThat(Precision.current()).isEqualTo(Precision.FLOAT32);
    }

    @Test
    void otherTypesAreLeftAsTheyAre() {
        NDArray x = Gradients.normal(manager, 1, 3, 4);
        NDArray w = Gradients.normal(manager, 2, 5, 4);
        double[] wide = new LinearMap(w, null, null).apply(x, false).toDoubleArray();
        try (Autograd.Scope narrow = Precision.BFLOAT16.use()) {
            assertThat(new LinearMap(w, null, null).apply(x, false).toDoubleArray())
                    .isEqualTo(wide);
        }
    }
}
