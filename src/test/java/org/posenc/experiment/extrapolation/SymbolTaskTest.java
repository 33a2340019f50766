package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.kernel.CrossEntropy;
import org.posenc.training.SequenceBatches.Sequence;

class SymbolTaskTest {

    /** What stands before and after the sign of equality, without the end. */
    private record Puzzle(List<Integer> question, List<Integer> answer) {

        static Puzzle of(SymbolTask task, int n, long seed) {
            Sequence s = task.sequence(new SplittableRandom(seed), n);
            List<Integer> ids = Arrays.stream(s.ids()).boxed().toList();
            int equals = ids.indexOf(SymbolTask.EQUALS);
            List<Integer> answer =
                    Arrays.stream(s.labels())
                            .filter(label -> label != CrossEntropy.IGNORED)
                            .mapToObj(label -> (int) label)
                            .toList();
            assertThat(answer.get(answer.size() - 1)).isEqualTo(SymbolTask.END);
            // The labels begin where the answer begins, and are the ids one step later.
            assertThat(s.labels()[equals]).isEqualTo((long) answer.get(0));
            assertThat(ids.subList(equals + 1, ids.size()))
                    .isEqualTo(answer.subList(0, answer.size() - 1));
            assertThat(Arrays.stream(s.labels()).limit(equals)).containsOnly(CrossEntropy.IGNORED);
            assertThat(ids).allMatch(id -> id >= 0 && id < SymbolTask.VOCABULARY);
            assertThat(ids).hasSize(task.length(n));
            return new Puzzle(ids.subList(0, equals), answer.subList(0, answer.size() - 1));
        }
    }

    @Test
    void sortsCopiesAndReverses() {
        for (int n = 1; n < 40; n++) {
            Puzzle sort = Puzzle.of(SymbolTask.SORT, n, n);
            assertThat(sort.answer()).isEqualTo(sort.question().stream().sorted().toList());
            Puzzle copy = Puzzle.of(SymbolTask.COPY, n, n);
            assertThat(copy.answer()).isEqualTo(copy.question());
            Puzzle reverse = Puzzle.of(SymbolTask.REVERSE, n, n);
            for (int i = 0; i < n; i++) {
                assertThat(reverse.answer().get(i)).isEqualTo(reverse.question().get(n - 1 - i));
            }
        }
    }

    @Test
    void addsAsIntegersDo() {
        for (int n = 1; n < 40; n++) {
            Puzzle puzzle = Puzzle.of(SymbolTask.ADDITION, n, n);
            int plus = puzzle.question().indexOf(SymbolTask.PLUS);
            BigInteger a = number(puzzle.question().subList(0, plus));
            BigInteger b = number(puzzle.question().subList(plus + 1, puzzle.question().size()));
            assertThat(number(puzzle.answer())).isEqualTo(a.add(b));
            assertThat(puzzle.answer()).hasSize(n + 1);
        }
    }

    private static BigInteger number(List<Integer> lowestFirst) {
        StringBuilder digits = new StringBuilder();
        lowestFirst.forEach(id -> digits.append(id - SymbolTask.FIRST));
        return new BigInteger(digits.reverse().toString());
    }

    @Test
    void recallsTheValueOfTheKeyThatIsAskedFor() {
        for (int n = 1; n <= SymbolTask.KEYS; n++) {
            Puzzle puzzle = Puzzle.of(SymbolTask.RECALL, n, n);
            List<Integer> q = puzzle.question();
            assertThat(q).hasSize(2 * n + 1);
            int asked = q.get(2 * n);
            int at = q.indexOf(asked);
            assertThat(at).isLessThan(2 * n).isEven();
            assertThat(puzzle.answer()).containsExactly(q.get(at + 1));
            assertThat(q.stream().filter(id -> id == asked)).hasSize(2);
        }
        assertThatThrownBy(
                        () ->
                                SymbolTask.RECALL.sequence(
                                        new SplittableRandom(1), SymbolTask.KEYS + 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 160");
    }

    @ParameterizedTest
    @EnumSource
    void theSameSeedGivesTheSamePuzzle(SymbolTask task) {
        assertThat(Puzzle.of(task, 9, 4)).isEqualTo(Puzzle.of(task, 9, 4));
        assertThat(Puzzle.of(task, 9, 5)).isNotEqualTo(Puzzle.of(task, 9, 4));
        assertThatThrownBy(() -> task.sequence(new SplittableRandom(1), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1");
    }
}
