package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.kernel.CrossEntropy;

class PackedDocumentsTest {

    private static final long NO = CrossEntropy.IGNORED;

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    /** Documents whose tokens are all different. */
    private static List<TokenDocument> documents(int... lengths) {
        List<TokenDocument> documents = new ArrayList<>();
        int next = 1;
        for (int length : lengths) {
            documents.add(TokenDocument.of(IntStream.range(next, next + length).toArray()));
            next += length;
        }
        return documents;
    }

    @Test
    void shortDocumentsShareARowAndStartAnew() {
        // Of 4, 3 and 2 tokens: 3, 2 and 1 places in rows of 5.
        PackedDocuments packed = new PackedDocuments(documents(4, 3, 2), 5);
        assertThat(packed.rows()).isEqualTo(2);
        PackedDocuments.Rows rows = packed.rows(0, 1);
        NDList data = rows.data(manager);
        assertThat(data).hasSize(3);
        assertThat(data.get(0).getShape()).isEqualTo(new Shape(2, 5));
        assertThat(data.get(0).toLongArray()).containsExactly(1, 2, 3, 5, 6, 8, 0, 0, 0, 0);
        assertThat(rows.labels(manager).toLongArray())
                .containsExactly(2, 3, 4, 6, 7, 9, NO, NO, NO, NO);
        assertThat(data.get(1).toLongArray()).containsExactly(0, 1, 2, 0, 1, 0, 0, 0, 0, 0);
        assertThat(data.get(2).toLongArray()).containsExactly(0, 0, 0, 1, 1, 0, 1, 1, 1, 1);
        assertThat(rows.tokens()).isEqualTo(6);
        assertThat(packed.filled()).isEqualTo(0.6);
    }

    @Test
    void aLongDocumentIsCutAndEachTokenButItsFirstIsALabelOnce() {
        PackedDocuments packed = new PackedDocuments(documents(8), 3); // 7 places: 3, 3, 1
        PackedDocuments.Rows rows = packed.rows(0, 1, 2);
        assertThat(rows.data(manager).head().toLongArray())
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 0, 0);
        assertThat(rows.labels(manager).toLongArray()).containsExactly(2, 3, 4, 5, 6, 7, 8, NO, NO);
        // Each row holds one document, so that no mask is needed.
        assertThat(rows.data(manager)).hasSize(1);
    }

    @Test
    void whatIsNotToBeLearnedIsRead() {
        TokenDocument document =
                new TokenDocument(new int[] {5, 6, 7, 8}, new int[] {-100, -100, 7, 9});
        PackedDocuments.Rows rows = new PackedDocuments(List.of(document), 4).rows(0);
        assertThat(rows.data(manager).head().toLongArray()).containsExactly(5, 6, 7, 0);
        assertThat(rows.labels(manager).toLongArray()).containsExactly(NO, 7, 9, NO);
        assertThat(rows.scored()).isEqualTo(2);
        assertThat(rows.tokens()).isEqualTo(3);
    }

    @Test
    void aPieceWithNothingToLearnIsLeftOut() {
        TokenDocument question =
                new TokenDocument(new int[] {5, 6, 7, 8, 9}, new int[] {-100, -100, -100, 8, 9});
        PackedDocuments packed = new PackedDocuments(List.of(question), 2);
        assertThat(packed.rows()).isEqualTo(1);
        assertThat(packed.rows(0).data(manager).head().toLongArray()).containsExactly(7, 8);
        // The first token has none before it that could foretell it, so its label is none.
        TokenDocument mute = new TokenDocument(new int[] {5, 6, 7}, new int[] {5, -100, -100});
        assertThat(new PackedDocuments(List.of(mute, question), 2).rows()).isEqualTo(1);
    }

    @Test
    void noTokenIsLostOrTwiceAndOnlyWhatIsTooLongIsCut() {
        SplittableRandom random = new SplittableRandom(4);
        for (int trial = 0; trial < 50; trial++) {
            int length = random.nextInt(1, 40);
            int[] lengths = random.ints(random.nextInt(1, 30), 1, 100).toArray();
            if (Arrays.stream(lengths).max().orElseThrow() < 2) {
                continue;
            }
            PackedDocuments packed = new PackedDocuments(documents(lengths), length);
            PackedDocuments.Rows rows = packed.rows(IntStream.range(0, packed.rows()).toArray());
            long[] ids = rows.data(manager).head().toLongArray();
            long[] labels = rows.labels(manager).toLongArray();
            Set<Long> learned = new HashSet<>();
            int pieces = 0;
            for (int i = 0; i < ids.length; i++) {
                if (labels[i] != NO) {
                    assertThat(labels[i]).isEqualTo(ids[i] + 1); // tokens count up in a document
                    assertThat(learned.add(labels[i])).isTrue();
                    boolean begins = i % length == 0 || ids[i] != ids[i - 1] + 1;
                    pieces += begins ? 1 : 0;
                }
            }
            long expected = Arrays.stream(lengths).mapToLong(n -> n - 1).sum();
            assertThat(learned).hasSize((int) expected);
            assertThat(rows.tokens()).isEqualTo((int) expected);
            int least = Arrays.stream(lengths).map(n -> (n - 1 + length - 1) / length).sum();
            assertThat(pieces).isEqualTo(least);
            // Best fit is at most 1.7 times the best packing, which has no room to spare.
            assertThat(packed.rows()).isLessThanOrEqualTo((int) (1.7 * expected / length) + 1);
        }
    }

    @Test
    void aRoundHoldsEachRowOnceAndIsShuffledBySeedAndNumberAlone() {
        PackedDocuments packed = new PackedDocuments(documents(3, 3, 3, 3, 3, 3, 3), 2);
        PackedBatches batches = new PackedBatches(packed, 2, 7, 5);
        List<Long> firsts = new ArrayList<>();
        for (int k = 0; k < 7; k++) { // two rounds of seven rows; the fourth batch is of both
            long[] ids = batches.rows(k).data(manager).head().toLongArray();
            firsts.add(ids[0]);
            firsts.add(ids[2]);
        }
        assertThat(new HashSet<>(firsts.subList(0, 7))).hasSize(7);
        assertThat(new HashSet<>(firsts.subList(7, 14))).hasSize(7);
        assertThat(firsts.subList(7, 14)).isNotEqualTo(firsts.subList(0, 7));
        PackedBatches again = new PackedBatches(packed, 2, 7, 5);
        for (int k : new int[] {6, 0, 3}) { // in any order
            assertThat(again.rows(k).data(manager).head().toLongArray()[0])
                    .isEqualTo(firsts.get(2 * k));
        }
        assertThat(new PackedBatches(packed, 7, 1, 6).rows(0).labels(manager))
                .isNotEqualTo(new PackedBatches(packed, 7, 1, 5).rows(0).labels(manager));
        int k = 0;
        for (Batch batch : batches.getData(manager)) {
            assertThat(batch.getData().head().toLongArray()[0]).isEqualTo(firsts.get(2 * k++));
            assertThat(batch.getLabels().head().getShape()).isEqualTo(new Shape(2, 2));
            batch.close();
        }
        assertThat(k).isEqualTo(7);
    }

    @Test
    void everyOrderIsAsLikely() {
        PackedDocuments packed = new PackedDocuments(documents(2, 2, 2), 1);
        TreeMap<String, Integer> times = new TreeMap<>();
        for (int seed = 0; seed < 6000; seed++) {
            long[] ids =
                    new PackedBatches(packed, 3, 1, seed).rows(0).labels(manager).toLongArray();
            times.merge(Arrays.toString(ids), 1, Integer::sum);
        }
        assertThat(times).hasSize(6);
        assertThat(times.values()).allMatch(count -> count > 880 && count < 1120); // 4 sigma
    }

    @ParameterizedTest
    @CsvSource({
        "0, 2, 1, at least 1 place",
        "4, 1, 1, a token to learn",
        "4, 2, 0, at least 1",
    })
    void badNumbersAreRefused(int length, int tokens, int size, String sentence) {
        assertThatThrownBy(
                        () ->
                                new PackedBatches(
                                        new PackedDocuments(documents(tokens), length), size, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void documentsAreChecked() {
        assertThatThrownBy(() -> TokenDocument.of())
                .hasMessageContaining("at least one token and as many labels, got 0 and 0");
        assertThatThrownBy(() -> new TokenDocument(new int[] {1, 2}, new int[] {1}))
                .hasMessageContaining("got 2 and 1");
        assertThatThrownBy(() -> TokenDocument.of(3, -1)).hasMessageContaining("got -1");
        assertThatThrownBy(() -> new TokenDocument(new int[] {1, 2}, new int[] {1, -3}))
                .hasMessageContaining("-100, got 2 with label -3 in place 1");
        assertThat(new TokenDocument(new int[] {1, 2}, new int[] {-100, 9}).greatest())
                .isEqualTo(9);
    }
}
