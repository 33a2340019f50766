package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.Batchifier;
import ai.djl.util.Progress;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.posenc.kernel.Slice;

/**
 * Minibatches of random samples, from arrays that stay on their device. Each sample comes once
 * before any comes again; what is left over at the end of a round is too few for a batch and is
 * dropped.
 *
 * @param shared inputs of the model that every batch takes whole, such as the axes of a grid that
 *     samples are blended from; often none
 * @param rows its further inputs, (N, …) each
 * @param labels what they should give, (N, …)
 * @param size samples in a batch, from 1 to N
 * @param steps batches in an epoch, at least 1
 * @param seed decides the order; each epoch has another
 */
public record RandomBatches(
        List<NDArray> shared, List<NDArray> rows, NDArray labels, int size, int steps, long seed)
        implements Dataset {

    /** Checks the values. */
    public RandomBatches {
        shared = List.copyOf(shared);
        rows = List.copyOf(rows);
        long samples = labels.getShape().get(0);
        if (rows.isEmpty() || rows.stream().anyMatch(r -> r.getShape().get(0) != samples)) {
            throw new IllegalArgumentException(
                    "inputs and labels must be as many, got "
                            + rows.stream().map(NDArray::getShape).toList()
                            + " and "
                            + labels.getShape());
        }
        if (size < 1 || size > samples) {
            throw new IllegalArgumentException(
                    "a batch takes from 1 to all " + samples + " samples, got " + size);
        }
        if (steps < 1) {
            throw new IllegalArgumentException("steps must be at least 1, got " + steps);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(Progress progress) {
        // The samples are on their device already.
    }

    /**
     * {@inheritDoc}
     *
     * <p>Every call gives the same batches.
     */
    @Override
    public Iterable<Batch> getData(NDManager manager) {
        return () -> {
            Rounds rounds = new Rounds(Math.toIntExact(labels.getShape().get(0)), seed);
            return IntStream.range(0, steps)
                    .mapToObj(step -> batch(manager, rounds.next(size), step))
                    .iterator();
        };
    }

    private Batch batch(NDManager manager, long[] chosen, int step) {
        NDManager own = manager.newSubManager();
        NDArray index = own.create(chosen, new Shape(size));
        NDList inputs = new NDList();
        shared.forEach(array -> inputs.add(FullBatch.view(array, own)));
        rows.forEach(array -> inputs.add(rowsOf(array, index)));
        return new Batch(
                own,
                inputs,
                new NDList(rowsOf(labels, index)),
                size,
                Batchifier.STACK,
                Batchifier.STACK,
                step,
                steps);
    }

    private static NDArray rowsOf(NDArray array, NDArray index) {
        NDArray chosen = Slice.rows(array, index);
        chosen.attach(index.getManager());
        return chosen;
    }

    /** The samples in one random order after another. */
    private static final class Rounds {

        private final long[] order;
        private final Random random;
        private int at;

        Rounds(int samples, long seed) {
            order = LongStream.range(0, samples).toArray();
            random = new Random(seed);
            at = samples;
        }

        long[] next(int size) {
            if (at + size > order.length) {
                shuffle();
                at = 0;
            }
            at += size;
            return Arrays.copyOfRange(order, at - size, at);
        }

        /** Every order is as likely as any other (Fisher and Yates). */
        private void shuffle() {
            for (int i = order.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                long moved = order[i];
                order[i] = order[j];
                order[j] = moved;
            }
        }
    }
}
