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
import java.util.NoSuchElementException;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.posenc.kernel.CrossEntropy;

/**
 * Windows of one long stream of tokens, with the next token as each token's label.
 *
 * <p>A batch holds ids (B, T) and labels (B, T), both int64, and is filled in Java and handed over
 * in one piece: DJL's record-wise datasets make an array for each record.
 */
public final class TokenWindows implements Dataset {

    private final int[] tokens;
    private final int length;
    private final int scored;
    private final int batches;
    private final IntFunction<int[]> starts;
    private final PositionSampler sampler; // null where positions are 0 … T − 1
    private final SplittableRandom chances;
    private int next;

    private TokenWindows(
            int[] tokens, int length, int scored, int batches, IntFunction<int[]> starts) {
        this(tokens, length, scored, batches, starts, null, 0);
    }

    private TokenWindows(
            int[] tokens,
            int length,
            int scored,
            int batches,
            IntFunction<int[]> starts,
            PositionSampler sampler,
            long seed) {
        this.sampler = sampler;
        chances = new SplittableRandom(seed);
        this.tokens = tokens;
        this.length = length;
        this.scored = scored;
        this.batches = batches;
        this.starts = starts;
    }

    /**
     * Windows at random places, drawn anew in each epoch: the k-th batch since this object was made
     * depends on the seed and k alone.
     *
     * @param tokens the stream; not copied
     * @param length T, at least 1
     * @param batchSize B, at least 1
     * @param steps batches in an epoch, at least 1
     * @param seed decides the places
     * @return the dataset, to be read by one thread
     * @throws IllegalArgumentException if a number is smaller, or the stream is not longer than a
     *     window
     */
    public static TokenWindows random(
            int[] tokens, int length, int batchSize, int steps, long seed) {
        check(tokens, length, batchSize);
        atLeastOne(steps, "steps");
        SplittableRandom seeds = new SplittableRandom(seed);
        int places = tokens.length - length;
        return new TokenWindows(
                tokens,
                length,
                length,
                steps,
                batch -> seeds.split().ints(batchSize, 0, places).toArray());
    }

    /**
     * The same windows each time, side by side from the first token on: each token but the first is
     * a label once, save a rest shorter than a window.
     *
     * @param tokens the stream; not copied
     * @param length T, at least 1
     * @param batchSize B, at least 1; the last batch may be smaller
     * @return the dataset
     * @throws IllegalArgumentException if a number is smaller, or the stream is not longer than a
     *     window
     */
    public static TokenWindows consecutive(int[] tokens, int length, int batchSize) {
        check(tokens, length, batchSize);
        int[] ends = new int[(tokens.length - 1) / length];
        Arrays.setAll(ends, i -> (i + 1) * length);
        return endingAt(tokens, length, length, batchSize, ends);
    }

    /**
     * The same windows each time, by their last labels, so that the same tokens can be predicted
     * from contexts of different lengths.
     *
     * @param tokens the stream; not copied
     * @param length T, at least 1
     * @param scored how many labels at the end of each window count, in [1, T]; the labels before
     *     are {@link CrossEntropy#IGNORED}
     * @param batchSize B, at least 1; the last batch may be smaller
     * @param ends for each window, the index in the stream of its last label, in [T, tokens)
     * @return the dataset
     * @throws IllegalArgumentException if a number is outside its range
     */
    public static TokenWindows endingAt(
            int[] tokens, int length, int scored, int batchSize, int... ends) {
        check(tokens, length, batchSize);
        if (scored < 1 || scored > length) {
            throw new IllegalArgumentException(
                    "scored labels must be in [1, " + length + "], got " + scored);
        }
        atLeastOne(ends.length, "the number of windows");
        int[] starts = new int[ends.length];
        for (int i = 0; i < ends.length; i++) {
            if (ends[i] < length || ends[i] >= tokens.length) {
                throw new IllegalArgumentException(
                        "a window's end must be in ["
                                + length
                                + ", "
                                + tokens.length
                                + "), got "
                                + ends[i]);
            }
            starts[i] = ends[i] - length;
        }
        int batches = (starts.length + batchSize - 1) / batchSize;
        return new TokenWindows(
                tokens,
                length,
                scored,
                batches,
                batch -> {
                    int from = batch % batches * batchSize;
                    return Arrays.copyOfRange(
                            starts, from, Math.min(starts.length, from + batchSize));
                });
    }

    /**
     * Returns the same windows with positions: a batch's data are then ids (B, T) and positions (B,
     * T), int64, as a Transformer takes them.
     *
     * @param sampler draws the positions of each window
     * @param seed decides what it draws, with the number of windows before
     * @return the dataset, to be read instead of this one
     */
    public TokenWindows withPositions(PositionSampler sampler, long seed) {
        return new TokenWindows(tokens, length, scored, batches, starts, sampler, seed);
    }

    /**
     * Returns the number of batches in an epoch.
     *
     * @return at least 1
     */
    public int batches() {
        return batches;
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(Progress progress) {
        // The stream is in memory already.
    }

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(NDManager manager) {
        return () -> new Epoch(manager);
    }

    private Batch batch(NDManager manager, int index) {
        int[] from = starts.apply(next++);
        long[] ids = new long[from.length * length];
        long[] labels = new long[ids.length];
        for (int row = 0; row < from.length; row++) {
            for (int i = 0; i < length; i++) {
                ids[row * length + i] = tokens[from[row] + i];
                labels[row * length + i] =
                        i < length - scored ? CrossEntropy.IGNORED : tokens[from[row] + i + 1];
            }
        }
        Shape shape = new Shape(from.length, length);
        NDManager own = manager.newSubManager();
        NDList data = new NDList(own.create(ids, shape));
        if (sampler != null) {
            data.add(own.create(positions(from), shape));
        }
        return new Batch(
                own,
                data,
                new NDList(own.create(labels, shape)),
                from.length,
                Batchifier.STACK,
                Batchifier.STACK,
                index,
                batches);
    }

    private long[] positions(int[] from) {
        long[] positions = new long[from.length * length];
        for (int row = 0; row < from.length; row++) {
            int[] window = Arrays.copyOfRange(tokens, from[row], from[row] + length);
            long[] drawn = sampler.positions(window, chances.split());
            System.arraycopy(drawn, 0, positions, row * length, length);
        }
        return positions;
    }

    private static void check(int[] tokens, int length, int batchSize) {
        atLeastOne(length, "the window's length");
        atLeastOne(batchSize, "the batch size");
        if (tokens.length <= length) {
            throw new IllegalArgumentException(
                    "a window of "
                            + length
                            + " tokens and the next one need "
                            + (length + 1L)
                            + " tokens, got "
                            + tokens.length);
        }
    }

    private static void atLeastOne(int value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }

    private final class Epoch implements Iterator<Batch> {

        private final NDManager manager;
        private int index;

        Epoch(NDManager manager) {
            this.manager = manager;
        }

        @Override
        public boolean hasNext() {
            return index < batches;
        }

        @Override
        public Batch next() {
            if (!hasNext()) {
                throw new NoSuchElementException("the epoch has " + batches + " batches");
            }
            return batch(manager, index++);
        }
    }
}
