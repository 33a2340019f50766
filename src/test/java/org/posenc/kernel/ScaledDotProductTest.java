package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.testing.Gradients;

class ScaledDotProductTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    /** softmax(Q Kᵀ scale + bias − ∞ · future) V, as it is written. */
    private NDArray plain(
            NDArray q, NDArray k, NDArray v, NDArray bias, boolean causal, double scale) {
        long share = q.getShape().get(1) / k.getShape().get(1);
        NDArray keys = k.repeat(1, share);
        NDArray scores = q.matMul(keys.transpose(0, 1, 3, 2)).mul(scale);
        if (bias != null) {
            scores = scores.add(bias);
        }
        if (causal) {
            int queries = (int) q.getShape().get(2);
            int length = (int) k.getShape().get(2);
            double[] future = new double[queries * length];
            for (int t = 0; t < queries; t++) {
                for (int s = 0; s < length; s++) {
                    future[t * length + s] = s > t + length - queries ? -1e300 : 0;
                }
            }
            scores = scores.add(manager.create(future, new Shape(queries, length)));
        }
        return scores.softmax(-1).matMul(v.repeat(1, share));
    }

    @ParameterizedTest
    @CsvSource({
        // causal, bias, T, S, G
        "false, false, 5, 5, 4",
        "true,  false, 5, 5, 4",
        "true,  false, 3, 5, 4",
        "true,  false, 1, 5, 4",
        "false, false, 3, 5, 2",
        "true,  false, 5, 5, 2",
        "true,  true,  5, 5, 4",
        "true,  true,  3, 5, 1",
        "false, true,  3, 5, 2",
        "true,  true,  1, 5, 4",
        "true,  false, 1, 5, 2",
        "true,  true,  1, 5, 2",
        "false, false, 5, 5, 1",
    })
    void equalsThePlainFormulaInValueAndGradient(
            boolean causal, boolean biased, int queries, int keys, int groups) {
        NDArray q = Gradients.normal(manager, 1, 2, 4, queries, 3);
        NDArray k = Gradients.normal(manager, 2, 2, groups, keys, 3);
        NDArray v = Gradients.normal(manager, 3, 2, groups, keys, 6);
        NDArray bias = biased ? Gradients.normal(manager, 4, 4, queries, keys) : null;
        ScaledDotProduct attention = new ScaledDotProduct(causal, 0.7, 0);
        double[] expected = plain(q, k, v, bias, causal, 0.7).toDoubleArray();
        assertThat(attention.attend(q, k, v, bias, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-12));
        assertThat(attention.attend(q, k, v, bias, true).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-12));
        Gradients.check(q, x -> attention.attend(x, k, v, bias, true));
        Gradients.check(k, x -> attention.attend(q, x, v, bias, true));
        Gradients.check(v, x -> attention.attend(q, k, x, bias, true));
        if (biased) {
            Gradients.check(bias, x -> attention.attend(q, k, v, x, true));
        }
    }

    @ParameterizedTest
    @CsvSource({
        // causal, bias, T, S, G
        "false, false, 3, 5, 4",
        "true,  false, 3, 5, 2",
        "true,  true,  5, 5, 1",
        "false, true,  1, 5, 4",
    })
    void productsTakenElsewhereGiveTheSame(
            boolean causal, boolean biased, int queries, int keys, int groups) {
        NDArray q = Gradients.normal(manager, 1, 2, 4, queries, 3);
        NDArray k = Gradients.normal(manager, 2, 2, groups, keys, 3);
        NDArray v = Gradients.normal(manager, 3, 2, groups, keys, 6);
        NDArray bias = biased ? Gradients.normal(manager, 4, 4, queries, keys) : null;
        NDArray products = q.matMul(k.repeat(1, 4 / groups).transpose(0, 1, 3, 2));
        ScaledDotProduct attention = new ScaledDotProduct(causal, 0.7, 0);
        assertThat(attention.weigh(products, v, bias, false).toDoubleArray())
                .containsExactly(
                        plain(q, k, v, bias, causal, 0.7).toDoubleArray(), Offset.offset(1e-12));
        Gradients.check(products, x -> attention.weigh(x, v, bias, true));
        Gradients.check(v, x -> attention.weigh(products, x, bias, true));
        if (biased) {
            Gradients.check(bias, x -> attention.weigh(products, v, x, true));
        }
        assertThatThrownBy(() -> new ScaledDotProduct(causal).weigh(products, v, bias, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a scale");
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 5", "2, 1, 1, 5", "1, 4, 1, 5", "2, 4, 1, 5"})
    void aBiasBroadcastsOverHeadsThatShareKeys(int b, int h, int t, int s) {
        NDArray q = Gradients.normal(manager, 1, 2, 4, 1, 3);
        NDArray k = Gradients.normal(manager, 2, 2, 2, 5, 3);
        NDArray bias = Gradients.normal(manager, 4, b, h, t, s);
        ScaledDotProduct attention = new ScaledDotProduct(true, 0.7, 0);
        double[] expected = plain(q, k, k, bias, false, 0.7).toDoubleArray();
        assertThat(attention.attend(q, k, k, bias, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-12));
        if (b == 1) {
            NDArray threeAxes = bias.squeeze(0);
            assertThat(attention.attend(q, k, k, threeAxes, false).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
        }
    }

    @Test
    void equalsPyTorch() {
        NDArray q = manager.create(new double[] {0.5, -1, 2, 0.25}, new Shape(1, 1, 2, 2));
        NDArray k = manager.create(new double[] {1, 0, 0.5, 0.5, -1, 2}, new Shape(1, 1, 3, 2));
        NDArray v = manager.create(new double[] {1, 2, 3, 5, 7, 11}, new Shape(1, 1, 3, 2));
        // torch.nn.functional.scaled_dot_product_attention(q, k, v, ones(2, 3).tril(1)), 2.13
        assertThat(new ScaledDotProduct(true).attend(q, k, v, null, false).toDoubleArray())
                .containsExactly(
                        new double[] {
                            1.740879808060717,
                            3.111319712091076,
                            1.9750447237266024,
                            3.462567085589904
                        },
                        Offset.offset(1e-14));
    }

    @ParameterizedTest
    @CsvSource({"FLOAT32, 1e-5", "FLOAT16, 5e-3"})
    void narrowTypesStayThemselves(DataType type, double tolerance) {
        NDArray q = Gradients.normal(manager, 1, 1, 4, 6, 8);
        NDArray k = Gradients.normal(manager, 2, 1, 2, 6, 8);
        double[] expected = plain(q, k, k, null, true, 1 / Math.sqrt(8)).toDoubleArray();
        NDArray narrow = k.toType(type, true);
        NDArray y =
                new ScaledDotProduct(true)
                        .attend(q.toType(type, true), narrow, narrow, null, false);
        assertThat(y.getDataType()).isEqualTo(type);
        assertThat(y.toType(DataType.FLOAT64, true).toDoubleArray())
                .containsExactly(expected, Offset.offset(tolerance));
    }

    @ParameterizedTest
    @CsvSource({"FLOAT16", "FLOAT32", "FLOAT64"})
    void aRowThatSeesNothingIsFinite(DataType type) {
        NDArray q = Gradients.normal(manager, 1, 1, 1, 2, 4).toType(type, true);
        NDArray blocked = manager.ones(new Shape(2, 2), type).mul(ScaledDotProduct.lowest(type));
        for (boolean causal : new boolean[] {false, true}) {
            NDArray y = new ScaledDotProduct(causal).attend(q, q, q, blocked, false);
            assertThat(y.isNaN().any().getBoolean()).isFalse();
        }
    }

    @Test
    void dropoutDropsInTrainingAlone() {
        NDArray q = Gradients.normal(manager, 1, 1, 1, 4, 4);
        NDArray v = manager.ones(new Shape(1, 1, 4, 4), DataType.FLOAT64);
        ScaledDotProduct half = new ScaledDotProduct(false, Double.NaN, 0.5);
        double[] ones = v.toDoubleArray();
        assertThat(half.attend(q, q, v, null, false).toDoubleArray())
                .containsExactly(ones, Offset.offset(1e-12));
        assertThat(half.attend(q, q, v, null, true).sub(1).abs().max().getDouble())
                .isGreaterThan(0.01);
    }

    @Test
    void fourThreadsAtOnceTrainAndInfer() throws Exception {
        ScaledDotProduct attention = new ScaledDotProduct(true);
        Callable<double[]> work =
                () -> {
                    try (NDManager own = NDManager.newBaseManager()) {
                        NDArray q = Gradients.normal(own, 5, 1, 2, 16, 8);
                        q.setRequiresGradient(true);
                        double[] last = null;
                        for (int i = 0; i < 50; i++) {
                            try (GradientCollector collector = Autograd.collector()) {
                                NDArray y = attention.attend(q, q, q, null, true);
                                attention.attend(q, q, q, null, false).close();
                                collector.backward(y.sum());
                            }
                            try (NDArray gradient = q.getGradient()) {
                                last = gradient.toDoubleArray();
                            }
                            Autograd.zeroGradient(q);
                        }
                        return last;
                    }
                };
        double[] alone = work.call();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<double[]>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(pool.submit(work));
            }
            for (Future<double[]> one : all) {
                assertThat(one.get()).containsExactly(alone, Offset.offset(1e-12));
            }
        } finally {
            pool.shutdown();
        }
    }

    /** A 4096 × 4096 matrix of scores is 64 MB a head, 512 MB for eight heads. */
    @ParameterizedTest
    @CsvSource({"FLOAT32, 8", "FLOAT32, 2", "FLOAT16, 2"})
    void memoryIsLinearInTheLength(DataType type, int groups) throws IOException {
        Path peak = Path.of("/proc/self/clear_refs");
        Assumptions.assumeTrue(Files.isWritable(peak), "needs Linux");
        NDArray q = manager.ones(new Shape(1, 8, 4096, 16), type);
        NDArray k = manager.ones(new Shape(1, groups, 4096, 16), type);
        q.setRequiresGradient(true);
        Files.writeString(peak, "5"); // the peak starts again from what is in use now
        long before = peakMegabytes();
        try (GradientCollector collector = Autograd.collector()) {
            collector.backward(new ScaledDotProduct(true).attend(q, k, k, null, true).sum());
        }
        assertThat(peakMegabytes() - before).isLessThan(200);
    }

    private static long peakMegabytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void saysWhatIsWrong() {
        NDArray q = manager.ones(new Shape(1, 4, 2, 8));
        NDArray k = manager.ones(new Shape(1, 3, 2, 8));
        assertThatThrownBy(() -> new ScaledDotProduct(true).attend(q, k, k, null, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(1, 4, 2, 8)")
                .hasMessageContaining("(1, 3, 2, 8)");
        assertThatThrownBy(() -> new ScaledDotProduct(true, 1, 1)).hasMessageContaining("1.0");
    }
}
