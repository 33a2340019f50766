package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Gradients;

class WeightedRowsTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final NDArray x = Gradients.normal(manager, 1, 5, 3);
    private final NDArray rows = manager.create(new long[] {4, 0, 2, 2, 0, 1}, new Shape(2, 3));
    private final NDArray weights = Gradients.normal(manager, 2, 2, 3);

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void isTheSumOfEachPointsRows() {
        double[] expected = new double[6];
        double[] values = x.toDoubleArray();
        double[] w = weights.toDoubleArray();
        long[] r = rows.toLongArray();
        for (int i = 0; i < 6; i++) {
            for (int u = 0; u < 3; u++) {
                expected[i / 3 * 3 + u] += w[i] * values[(int) r[i] * 3 + u];
            }
        }
        assertThat(WeightedRows.of(x, rows, weights, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-14));
        NDArray columns = x.transpose().duplicate().transpose(); // not contiguous
        assertThat(WeightedRows.of(columns, rows, weights, true).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-14));
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT16}) {
            NDArray narrow =
                    WeightedRows.of(
                            x.toType(type, false), rows, weights.toType(type, false), false);
            assertThat(narrow.getDataType()).isEqualTo(type);
            assertThat(narrow.toType(DataType.FLOAT64, false).toDoubleArray())
                    .containsExactly(
                            expected, Offset.offset(type == DataType.FLOAT32 ? 1e-6 : 0.02));
        }
    }

    @Test
    void gradientsAreRight() {
        Gradients.check(x, leaf -> WeightedRows.of(leaf, rows, weights, true));
        Gradients.check(weights, leaf -> WeightedRows.of(x, rows, leaf, true));
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> WeightedRows.of(x, rows, x, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got (5, 3), (2, 3) and (5, 3)");
    }
}
