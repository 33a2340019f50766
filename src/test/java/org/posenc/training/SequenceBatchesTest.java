package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.posenc.kernel.CrossEntropy;
import org.posenc.training.SequenceBatches.Sequence;

class SequenceBatchesTest {

    private static final long NO = CrossEntropy.IGNORED;

    @Test
    void fillsShorterSequencesUpOnTheRightAndGivesEveryBatchInOrder() {
        SequenceBatches batches =
                new SequenceBatches(
                        k ->
                                List.of(
                                        Sequence.of(new int[] {5, 6, 7 + k}, 1),
                                        Sequence.of(new int[] {8, 9}, 1)),
                        2);
        try (NDManager manager = NDManager.newBaseManager()) {
            for (int epoch = 0; epoch < 2; epoch++) { // an epoch can be read again
                List<long[]> labels = new ArrayList<>();
                for (Batch batch : batches.getData(manager)) {
                    assertThat(batch.getSize()).isEqualTo(2);
                    assertThat(batch.getData().head().getShape()).isEqualTo(new Shape(2, 2));
                    assertThat(batch.getData().head().getDataType()).isEqualTo(DataType.INT64);
                    assertThat(batch.getData().head().toLongArray()).containsExactly(5, 6, 8, 0);
                    labels.add(batch.getLabels().head().toLongArray());
                    batch.close();
                }
                assertThat(labels)
                        .containsExactly(new long[] {6, 7, 9, NO}, new long[] {6, 8, 9, NO});
            }
        }
    }

    @Test
    void positionsDependOnTheSeedAndTheNumberOfTheBatchAlone() {
        SequenceBatches plain =
                new SequenceBatches(
                        k ->
                                List.of(
                                        Sequence.of(new int[] {5, 6, 7, 8, 9}, 1),
                                        Sequence.of(new int[] {8, 9, 1}, 1)),
                        2);
        SequenceBatches placed = plain.withPositions(new PositionSampler.Randomized(1000), 3);
        try (NDManager manager = NDManager.newBaseManager()) {
            List<long[]> first = positions(placed, manager);
            assertThat(first.get(0)).isNotEqualTo(first.get(1));
            for (long[] batch : first) {
                assertThat(batch).hasSize(8);
                assertThat(Arrays.copyOf(batch, 4)).isSorted().doesNotHaveDuplicates();
                assertThat(batch[5]).isGreaterThan(batch[4]);
                // Filled up at the right, where the row ends.
                assertThat(batch[6]).isEqualTo(batch[5]);
                assertThat(batch[7]).isEqualTo(batch[5]);
            }
            List<long[]> again = positions(placed, manager);
            List<long[]> other =
                    positions(
                            plain.withPositions(new PositionSampler.Randomized(1000), 4), manager);
            for (int i = 0; i < 2; i++) {
                assertThat(again.get(i)).isEqualTo(first.get(i));
                assertThat(other.get(i)).isNotEqualTo(first.get(i));
            }
        }
    }

    private static List<long[]> positions(SequenceBatches batches, NDManager manager) {
        List<long[]> positions = new ArrayList<>();
        for (Batch batch : batches.getData(manager)) {
            positions.add(batch.getData().get(1).toLongArray());
            batch.close();
        }
        return positions;
    }

    @Test
    void labelsBeforeTheFirstThatCountsAreIgnored() {
        Sequence sequence = Sequence.of(new int[] {1, 2, 3, 4}, 2);
        assertThat(sequence.ids()).containsExactly(1, 2, 3);
        assertThat(sequence.labels()).containsExactly(NO, 3, 4);
    }

    @Test
    void refusesWhatIsNoSequenceOrNoEpoch() {
        assertThatThrownBy(() -> new Sequence(new int[] {1, 2}, new long[] {1}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 and 1");
        assertThatThrownBy(() -> new SequenceBatches(k -> List.of(), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1, got 0");
    }
}
