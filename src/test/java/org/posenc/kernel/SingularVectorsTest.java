package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SingularVectorsTest {

    private static NDArray random(int rows, int columns, NDManager manager) {
        double[] values = new Random(7).doubles((long) rows * columns).toArray();
        return manager.create(values, new Shape(rows, columns));
    }

    private static void assertDecomposes(SingularVectors usv, NDArray x, boolean completed) {
        long m = x.getShape().get(0);
        long n = x.getShape().get(1);
        long r = Math.min(m, n);
        assertThat(usv.u().getShape()).isEqualTo(new Shape(m, r));
        assertThat(usv.vt().getShape()).isEqualTo(new Shape(completed ? n : r, n));
        NDArray back = usv.u().mul(usv.s()).matMul(usv.vt().get(":" + r));
        assertThat(back.sub(x).abs().max().getDouble()).isLessThan(1e-11);
        assertOrthonormal(usv.u().transpose());
        assertOrthonormal(usv.vt());
        double[] s = usv.s().toDoubleArray();
        for (int i = 1; i < s.length; i++) {
            assertThat(s[i]).isBetween(0.0, s[i - 1]);
        }
    }

    private static void assertOrthonormal(NDArray rows) {
        int n = (int) rows.getShape().get(0);
        NDArray unit = rows.getManager().eye(n, n, 0, DataType.FLOAT64);
        NDArray products = rows.matMul(rows.transpose());
        assertThat(products.sub(unit).abs().max().getDouble()).isLessThan(1e-12);
    }

    @ParameterizedTest
    @CsvSource({"9, 5, false", "5, 9, false", "5, 9, true", "9, 5, true", "6, 6, true"})
    void bothWaysComeToTheSame(int rows, int columns, boolean completed) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = random(rows, columns, manager);
            SingularVectors usual =
                    completed ? SingularVectors.completed(x) : SingularVectors.of(x);
            assertDecomposes(usual, x, completed);
            for (int turn = 0; turn < 3; turn++) {
                SingularVectors byQr = SingularVectors.byQr(x, completed && rows < columns, turn);
                assertDecomposes(byQr, x, completed);
                assertThat(byQr.s().sub(usual.s()).abs().max().getDouble()).isLessThan(1e-13);
            }
        }
    }

    /** What fails in one basis is tried in others: rounding errors are not the same in any two. */
    @Test
    void everyTurnTakesAnotherWay() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = random(40, 30, manager);
            List<String> found = new ArrayList<>();
            for (int turn = 0; turn <= 4; turn++) {
                NDArray s = SingularVectors.byQr(x, false, turn).s();
                found.add(Arrays.toString(s.toDoubleArray()));
            }
            assertThat(found).doesNotHaveDuplicates();
        }
    }

    /** Waves of 1 to 2^8.5 cycles at 768 points, for which LAPACK's dgesdd does not converge. */
    @Test
    void manyEqualSingularValuesAreNoObstacle() {
        int n = 768;
        try (NDManager manager = NDManager.newBaseManager()) {
            double[] values = new double[n * n];
            double step = (Math.pow(2, 8.5) - 1) / (n / 2 - 1);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n / 2; j++) {
                    double angle = 2 * Math.PI * (1 + j * step) * i / n;
                    values[i * n + j] = Math.sin(angle);
                    values[i * n + n / 2 + j] = Math.cos(angle);
                }
            }
            NDArray x = manager.create(values, new Shape(n, n));
            assertDecomposes(SingularVectors.of(x), x, false);
            assertDecomposes(SingularVectors.byQr(x, false, 1), x, false);
        }
    }

    /** Gaussians wider than their spacing, whose singular values fall to rounding errors. */
    @ParameterizedTest
    @CsvSource({"512, 1", "512, 2", "512, 3", "512, 4", "1024, 1"})
    void everyTurnIsAsExactForLargeMatricesOfLowRank(int n, int turn) {
        try (NDManager manager = NDManager.newBaseManager()) {
            double[] values = new double[n * n];
            for (int i = 0; i < n * n; i++) {
                double u = (i / n - i % n) / 3.0;
                values[i] = Math.exp(-u * u / 2);
            }
            NDArray x = manager.create(values, new Shape(n, n));
            SingularVectors turned = SingularVectors.byQr(x, false, turn);
            assertDecomposes(turned, x, false);
            double[] s = turned.s().toDoubleArray();
            assertThat(s[n - 1]).isLessThan(1e-13 * s[0]);
            assertThat(SingularVectors.of(x).s().sub(turned.s()).abs().max().getDouble())
                    .isLessThan(1e-13 * n * s[0]);
        }
    }
}
