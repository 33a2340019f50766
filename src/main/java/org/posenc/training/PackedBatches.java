package org.posenc.training;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.Batchifier;
import ai.djl.util.Progress;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Batches of packed rows in random order: each row once before any comes again, in another order
 * each time. The k-th batch depends on the seed and k alone, so that a training can go on from any
 * step.
 *
 * <p>A batch's data are what {@link PackedDocuments.Rows#data} says.
 */
public final class PackedBatches implements Dataset {

    private static final long ODD = 0xD1342543DE82EF95L; // keeps the rounds of all seeds apart

    private final PackedDocuments documents;
    private final int size;
    private final int batches;
    private final long seed;
    private long round = -1;
    private int[] order;

    /**
     * Batches of rows.
     *
     * @param documents the rows
     * @param size B, rows of a batch, at least 1; it may be more than there are, some then twice
     * @param batches how many an epoch of DJL's has, at least 1
     * @param seed decides the order
     * @throws IllegalArgumentException if a number is smaller
     */
    public PackedBatches(PackedDocuments documents, int size, int batches, long seed) {
        if (size < 1 || batches < 1) {
            throw new IllegalArgumentException(
                    "batches and their rows must be at least 1, got "
                            + batches
                            + " batches of "
                            + size);
        }
        this.documents = documents;
        this.size = size;
        this.batches = batches;
        this.seed = seed;
    }

    /**
     * Returns a batch.
     *
     * @param k its number, at least 0
     * @return its rows
     */
    public PackedDocuments.Rows rows(long k) {
        return documents.rows(IntStream.range(0, size).map(i -> ordered(k * size + i)).toArray());
    }

    /** The i-th row of all rounds. */
    private int ordered(long i) {
        long asked = i / documents.rows();
        if (asked != round) {
            order = shuffled(asked);
            round = asked;
        }
        return order[(int) (i % documents.rows())];
    }

    /** Every order is as likely as any other (Fisher and Yates). */
    private int[] shuffled(long number) {
        // Split, as generators whose seeds are a step of their sequence apart give the same
        // numbers.
        SplittableRandom random = new SplittableRandom(seed * ODD + number).split();
        int[] shuffled = IntStream.range(0, documents.rows()).toArray();
        for (int i = shuffled.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int moved = shuffled[i];
            shuffled[i] = shuffled[j];
            shuffled[j] = moved;
        }
        return shuffled;
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(Progress progress) {
        // The documents are in memory already.
    }

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(NDManager manager) {
        return () -> IntStream.range(0, batches).mapToObj(k -> batch(manager, k)).iterator();
    }

    private Batch batch(NDManager manager, int k) {
        NDManager own = manager.newSubManager();
        PackedDocuments.Rows rows = rows(k);
        return new Batch(
                own,
                rows.data(own),
                new NDList(rows.labels(own)),
                size,
                Batchifier.STACK,
                Batchifier.STACK,
                k,
                batches);
    }
}
