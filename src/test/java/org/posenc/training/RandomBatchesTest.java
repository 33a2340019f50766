package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RandomBatchesTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private List<List<Long>> read(RandomBatches batches) {
        List<List<Long>> read = new ArrayList<>();
        for (Batch batch : batches.getData(manager)) {
            try (batch) {
                NDArray rows = batch.getData().get(1);
                assertThat(batch.getData().get(0).toFloatArray()).containsExactly(7, 8, 9);
                assertThat(rows.getShape()).isEqualTo(new Shape(batch.getSize(), 2));
                // Inputs and labels stay together.
                assertThat(batch.getLabels().head().toLongArray())
                        .isEqualTo(rows.get(":, 1").toLongArray());
                List<Long> samples = new ArrayList<>();
                for (long sample : rows.get(":, 0").toLongArray()) {
                    samples.add(sample);
                }
                read.add(samples);
            }
        }
        return read;
    }

    private RandomBatches batches(int samples, int size, int steps, long seed) {
        NDArray ids = manager.arange(samples).toType(DataType.INT64, false);
        NDArray labels = ids.add(100);
        NDArray rows = ids.expandDims(1).concat(labels.expandDims(1), 1);
        NDArray shared = manager.create(new float[] {7, 8, 9});
        return new RandomBatches(List.of(shared), List.of(rows), labels, size, steps, seed);
    }

    @Test
    void eachSampleComesOnceInARound() {
        List<List<Long>> read = read(batches(10, 3, 8, 5));
        assertThat(read).hasSize(8);
        List<List<Long>> firsts = new ArrayList<>();
        for (int round = 0; round < 8; round += 3) { // 3 batches of 3, one is left over
            List<Long> seen = new ArrayList<>();
            read.subList(round, Math.min(8, round + 3)).forEach(seen::addAll);
            assertThat(seen).doesNotHaveDuplicates().allMatch(s -> s >= 0 && s < 10);
            firsts.add(read.get(round));
        }
        assertThat(new HashSet<>(firsts)).hasSize(3);
        assertThat(read(batches(10, 3, 8, 5))).isEqualTo(read);
        assertThat(read(batches(10, 3, 8, 6))).isNotEqualTo(read);
    }

    @Test
    void everyOrderIsAsLikelyAsAnother() {
        int[] firsts = new int[4];
        int fixed = 0;
        for (List<Long> order : read(batches(4, 4, 2000, 1))) {
            firsts[order.get(0).intValue()]++;
            fixed += order.get(1) == 1 ? 1 : 0;
        }
        for (int count : firsts) {
            assertThat(count).isBetween(400, 600); // 500 ± 5 deviations of 19
        }
        assertThat(fixed).isBetween(400, 600);
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> batches(4, 5, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a batch takes from 1 to all 4 samples, got 5");
        assertThatThrownBy(() -> batches(4, 1, 0, 0)).hasMessage("steps must be at least 1, got 0");
        NDArray three = manager.zeros(new Shape(3, 2));
        NDArray four = manager.zeros(new Shape(4));
        assertThatThrownBy(() -> new RandomBatches(List.of(), List.of(three), four, 1, 1, 0))
                .hasMessage("inputs and labels must be as many, got [(3, 2)] and (4)");
        assertThatThrownBy(() -> new FullBatch(three, four, 1))
                .hasMessage("inputs and labels must be as many, got [(3, 2)] and (4)");
    }
}
