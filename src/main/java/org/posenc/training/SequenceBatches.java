package org.posenc.training;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.Batchifier;
import ai.djl.util.Progress;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.posenc.kernel.CrossEntropy;

/**
 * Batches of sequences that are made when they are asked for: puzzles drawn at random, or windows
 * of several sources by turns.
 *
 * <p>A batch holds ids (B, T) and labels (B, T), both int64, T that of its longest sequence.
 * Shorter ones are filled up on the right, where a causal model does not look, with labels {@link
 * CrossEntropy#IGNORED}.
 *
 * @param made makes the k-th batch, at least one sequence; it should depend on k alone, so that an
 *     epoch can be read again
 * @param batches how many, at least 1
 * @param sampler draws the positions of each row, or {@code null} where they are 0 … T − 1
 * @param seed decides what it draws, with the batch's number alone
 */
public record SequenceBatches(
        IntFunction<List<Sequence>> made, int batches, PositionSampler sampler, long seed)
        implements Dataset {

    private static final long ODD = 0xD1342543DE82EF95L; // keeps the batches of all seeds apart

    /** Checks the number. */
    public SequenceBatches {
        if (batches < 1) {
            throw new IllegalArgumentException("batches must be at least 1, got " + batches);
        }
    }

    /**
     * Batches whose tokens stand at 0 … T − 1.
     *
     * @param made makes the k-th batch
     * @param batches how many, at least 1
     */
    public SequenceBatches(IntFunction<List<Sequence>> made, int batches) {
        this(made, batches, null, 0);
    }

    /**
     * Returns the same batches with positions: a batch's data are then ids (B, T) and positions (B,
     * T), int64, as a Transformer takes them. What is filled up stands where its row ends.
     *
     * @param sampler draws the positions of each row
     * @param seed decides what it draws, with the batch's number
     * @return the dataset, to be read instead of this one
     */
    public SequenceBatches withPositions(PositionSampler sampler, long seed) {
        return new SequenceBatches(made, batches, sampler, seed);
    }

    /**
     * Token ids and the label of each.
     *
     * @param ids in [0, V)
     * @param labels as many: the next id, or {@link CrossEntropy#IGNORED}
     */
    public record Sequence(int[] ids, long[] labels) {

        /** Checks that they are as many. */
        public Sequence {
            if (ids.length == 0 || ids.length != labels.length) {
                throw new IllegalArgumentException(
                        "a sequence needs at least one id and as many labels, got "
                                + ids.length
                                + " and "
                                + labels.length);
            }
        }

        /**
         * A sequence each of whose tokens is the label of the one before it.
         *
         * @param tokens at least two
         * @param scored the index of the first token that counts as a label, from 1 on
         * @return ids and labels, one fewer than tokens
         */
        public static Sequence of(int[] tokens, int scored) {
            long[] labels = new long[tokens.length - 1];
            for (int i = 0; i < labels.length; i++) {
                labels[i] = i + 1 < scored ? CrossEntropy.IGNORED : tokens[i + 1];
            }
            return new Sequence(Arrays.copyOf(tokens, labels.length), labels);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(Progress progress) {
        // Each batch is made when it is asked for.
    }

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(NDManager manager) {
        return () -> all(manager);
    }

    private Iterator<Batch> all(NDManager manager) {
        return IntStream.range(0, batches).mapToObj(k -> batch(manager, k)).iterator();
    }

    private Batch batch(NDManager manager, int index) {
        List<Sequence> rows = made.apply(index);
        int length = rows.stream().mapToInt(row -> row.ids().length).max().orElseThrow();
        long[] ids = new long[rows.size() * length];
        long[] labels = new long[ids.length];
        Arrays.fill(labels, CrossEntropy.IGNORED);
        for (int row = 0; row < rows.size(); row++) {
            Sequence sequence = rows.get(row);
            for (int i = 0; i < sequence.ids().length; i++) {
                ids[row * length + i] = sequence.ids()[i];
                labels[row * length + i] = sequence.labels()[i];
            }
        }
        Shape shape = new Shape(rows.size(), length);
        NDManager own = manager.newSubManager();
        NDList data = new NDList(own.create(ids, shape));
        if (sampler != null) {
            data.add(own.create(positions(rows, length, index), shape));
        }
        return new Batch(
                own,
                data,
                new NDList(own.create(labels, shape)),
                rows.size(),
                Batchifier.STACK,
                Batchifier.STACK,
                index,
                batches);
    }

    private long[] positions(List<Sequence> rows, int length, int index) {
        // Split, as generators whose seeds are a step of their sequence apart give the same
        // numbers.
        SplittableRandom random = new SplittableRandom(seed * ODD + index).split();
        long[] positions = new long[rows.size() * length];
        for (int row = 0; row < rows.size(); row++) {
            long[] drawn = sampler.positions(rows.get(row).ids(), random);
            int from = row * length;
            System.arraycopy(drawn, 0, positions, from, drawn.length);
            Arrays.fill(positions, from + drawn.length, from + length, drawn[drawn.length - 1]);
        }
        return positions;
    }
}
