package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SliceTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64", "INT64", "BOOLEAN"})
    void aPartIsWrittenInPlaceAndSeenInEarlierViews(DataType type) {
        NDArray buffer = manager.zeros(new Shape(2, 3, 4), type);
        NDArray view = Slice.first(manager, buffer, 1, 2);
        int arrays = manager.getManagedArrays().size();
        try (NDArray part = manager.ones(new Shape(2, 1, 4), type)) {
            Slice.write(buffer, 1, 1, part);
        }
        assertThat(manager.getManagedArrays()).hasSize(arrays);
        assertThat(view.getShape()).isEqualTo(new Shape(2, 2, 4));
        double[] expected = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1};
        assertThat(view.toType(DataType.FLOAT64, true).toDoubleArray()).containsExactly(expected);
        assertThat(buffer.toType(DataType.FLOAT64, true).sum().getDouble()).isEqualTo(8);
    }

    @Test
    void rowsAreRepeatedAndReordered() {
        NDArray x = manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(3, 2));
        NDArray rows = Slice.rows(x, manager.create(new long[] {2, 0, 2, 1}));
        assertThat(rows.toFloatArray()).containsExactly(5, 6, 1, 2, 5, 6, 3, 4);
    }

    @Test
    void aPartThatDoesNotFitIsAnExceptionNotACrash() {
        NDArray buffer = manager.zeros(new Shape(2));
        NDArray matrix = manager.ones(new Shape(1, 3));
        assertThatThrownBy(() -> Slice.write(buffer, 0, 0, matrix)).isInstanceOf(Exception.class);
        NDArray three = manager.ones(new Shape(3));
        assertThatThrownBy(() -> Slice.write(buffer, 0, 0, three)).isInstanceOf(Exception.class);
        assertThat(buffer.toFloatArray()).containsExactly(0, 0);
    }
}
