package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LearnedTableTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private LearnedTable table(int length, int dimension) {
        LearnedTable table =
                LearnedTable.builder().setLength(length).setDimension(dimension).build();
        table.initialize(manager, DataType.FLOAT64, new Shape(1));
        return table;
    }

    private double[] rows(LearnedTable table, Positions positions) {
        return table.features(positions, parameters, false).toDoubleArray();
    }

    @Test
    void startsAsNormalNumbersOfItsSeed() {
        double[] values = rows(table(500, 40), Positions.range(manager, 0, 500));
        double squares = 0;
        for (double value : values) {
            squares += value * value;
        }
        assertThat(Math.sqrt(squares / values.length)).isCloseTo(0.02, Offset.offset(4e-4));
        assertThat(rows(table(500, 40), Positions.range(manager, 0, 500))).isEqualTo(values);
    }

    /** torch.nn.functional.interpolate(mode="linear", align_corners=True), torch 2.13. */
    @ParameterizedTest
    @CsvSource({
        "7, '0.3 -1 1.15 -0.25 2 0.5 0.65 2.25 -0.7 4 0.2 2 1.1 0'",
        "3, '0.3 -1 0.65 2.25 1.1 0'",
        "1, '0.3 -1'",
        "4, '0.3 -1 2 0.5 -0.7 4 1.1 0'"
    })
    void resizesAsPyTorchDoes(int length, String expected) {
        LearnedTable table = table(4, 2);
        double[] values = {0.3, -1, 2, 0.5, -0.7, 4, 1.1, 0};
        table.getParameters().valueAt(0).getArray().set(DoubleBuffer.wrap(values));
        LearnedTable resized = table.resized(length, manager);
        assertThat(resized.isInitialized()).isTrue();
        assertThat(resized.length()).isEqualTo(length);
        double[] wanted =
                Arrays.stream(expected.split(" ")).mapToDouble(Double::parseDouble).toArray();
        assertThat(rows(resized, Positions.range(manager, 0, length)))
                .containsExactly(wanted, Offset.offset(1e-15));
        table.getParameters().valueAt(0).getArray().subi(1); // the copy is its own
        assertThat(rows(resized, Positions.range(manager, 0, 1))[0]).isEqualTo(0.3);
    }

    @Test
    void outsideTheTableIsRefused() {
        LearnedTable table = table(128, 2);
        Positions[] beyond = {
            Positions.range(manager, 100, 131), Positions.of(manager.create(new int[] {3, 130, 5}))
        };
        for (Positions positions : beyond) {
            assertThatThrownBy(() -> rows(table, positions))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("position 130")
                    .hasMessageContaining("length 128")
                    .hasMessageContaining("resized(131");
        }
        assertThatThrownBy(() -> rows(table, Positions.of(manager.create(new long[] {4, -1}))))
                .hasMessageContaining("no position -1, only 0 to 127");
        assertThatThrownBy(() -> rows(table, Positions.of(manager.create(new double[] {0, 1}))))
                .hasMessageContaining("whole-number positions")
                .hasMessageContaining("float64");
        assertThatThrownBy(
                        () ->
                                LearnedTable.builder()
                                        .setLength(2)
                                        .setDimension(2)
                                        .build()
                                        .resized(3, manager))
                .hasMessageContaining("initialised");
    }

    @Test
    void boundsAreReadOnceAndKnownForARange() {
        NDArray array = manager.create(new long[][] {{4, 2}, {9, 3}});
        Positions positions = Positions.of(array);
        assertThat(positions.bounds())
                .isEqualTo(new Positions.Bounds(2, 9))
                .isSameAs(positions.bounds());
        Positions range = Positions.range(manager, 3, 7);
        range.array().close(); // nothing is asked of the device
        assertThat(range.bounds()).isEqualTo(new Positions.Bounds(3, 6));
    }
}
