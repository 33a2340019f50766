package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenWindowsTest {

    private static final int[] SQUARES = IntStream.range(0, 40).map(i -> i * i).toArray();

    @Test
    void aRandomWindowIsFollowedByItsLabels() {
        TokenWindows windows = TokenWindows.random(SQUARES, 5, 3, 4, 1);
        List<long[]> first = read(windows);
        List<long[]> second = read(windows);
        assertThat(first).hasSize(8);
        for (int i = 0; i < first.size(); i += 2) {
            long[] ids = first.get(i);
            long[] labels = first.get(i + 1);
            assertThat(ids).hasSize(15);
            for (int j = 0; j < 15; j++) {
                long root = Math.round(Math.sqrt(ids[j]));
                assertThat(labels[j]).isEqualTo((root + 1) * (root + 1));
            }
        }
        assertThat(second.get(0)).isNotEqualTo(first.get(0));
        List<long[]> again = read(TokenWindows.random(SQUARES, 5, 3, 4, 1));
        assertThat(again.toArray(long[][]::new)).isDeepEqualTo(first.toArray(long[][]::new));
    }

    @Test
    void everyPlaceIsDrawn() {
        List<long[]> batches = read(TokenWindows.random(SQUARES, 38, 1, 100, 7));
        assertThat(batches.stream().mapToLong(b -> b[0]).filter(v -> v <= 1).distinct().count())
                .isEqualTo(2);
    }

    @Test
    void consecutiveWindowsScoreEachTokenOnce() {
        List<long[]> batches = read(TokenWindows.consecutive(SQUARES, 6, 4));
        List<Long> labels = new ArrayList<>();
        for (int i = 1; i < batches.size(); i += 2) {
            for (long label : batches.get(i)) {
                labels.add(label);
            }
        }
        assertThat(labels).hasSize(36);
        for (int i = 0; i < 36; i++) {
            assertThat(labels.get(i)).isEqualTo((i + 1) * (i + 1));
        }
    }

    @Test
    void theSameTokensCanBePredictedFromLongerContexts() {
        List<long[]> near = read(TokenWindows.endingAt(SQUARES, 4, 2, 8, 30, 39));
        List<long[]> far = read(TokenWindows.endingAt(SQUARES, 20, 2, 8, 30, 39));
        assertThat(near.get(1)).containsExactly(-100, -100, 841, 900, -100, -100, 1444, 1521);
        assertThat(near.get(0)).containsExactly(676, 729, 784, 841, 1225, 1296, 1369, 1444);
        assertThat(Arrays.stream(far.get(1)).filter(l -> l != -100))
                .containsExactly(841L, 900L, 1444L, 1521L);
        assertThat(far.get(0)[19]).isEqualTo(841);
    }

    @Test
    void badNumbersAreNamed() {
        assertThatThrownBy(() -> TokenWindows.random(SQUARES, 40, 1, 1, 0))
                .hasMessage("a window of 40 tokens and the next one need 41 tokens, got 40");
        assertThatThrownBy(() -> TokenWindows.consecutive(SQUARES, 0, 1))
                .hasMessage("the window's length must be at least 1, got 0");
        assertThatThrownBy(() -> TokenWindows.endingAt(SQUARES, 8, 9, 1, 20))
                .hasMessage("scored labels must be in [1, 8], got 9");
        assertThatThrownBy(() -> TokenWindows.endingAt(SQUARES, 8, 8, 1, 7))
                .hasMessage("a window's end must be in [8, 40), got 7");
    }

    /** Ids and labels of each batch in turn. */
    private static List<long[]> read(TokenWindows windows) {
        List<long[]> arrays = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : windows.getData(manager)) {
                Shape shape = batch.getData().head().getShape();
                assertThat(batch.getLabels().head().getShape()).isEqualTo(shape);
                assertThat(batch.getSize()).isEqualTo((int) shape.get(0));
                arrays.add(batch.getData().head().toLongArray());
                arrays.add(batch.getLabels().head().toLongArray());
                batch.close();
            }
        }
        return arrays;
    }
}
