package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.Batchifier;
import ai.djl.util.Progress;
import java.util.Iterator;
import java.util.stream.IntStream;

/**
 * All samples in every step, from arrays that stay on their device: gradient descent without
 * minibatches, as small regression problems such as fitting an image want it.
 *
 * @param data the inputs (N, …)
 * @param labels what they should give (N, …)
 * @param steps steps in an epoch, at least 1
 */
public record FullBatch(NDArray data, NDArray labels, int steps) implements Dataset {

    /** Checks the values. */
    public FullBatch {
        if (data.getShape().get(0) != labels.getShape().get(0)) {
            throw new IllegalArgumentException(
                    "inputs and labels must be as many, got "
                            + data.getShape()
                            + " and "
                            + labels.getShape());
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

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(NDManager manager) {
        return () -> batches(manager);
    }

    private Iterator<Batch> batches(NDManager manager) {
        return IntStream.range(0, steps).mapToObj(step -> batch(manager, step)).iterator();
    }

    private Batch batch(NDManager manager, int step) {
        NDManager own = manager.newSubManager();
        return new Batch(
                own,
                new NDList(view(data, own)),
                new NDList(view(labels, own)),
                Math.toIntExact(data.getShape().get(0)),
                Batchifier.STACK,
                Batchifier.STACK,
                step,
                steps);
    }

    /** Results belong to their first operand's manager, so a step needs handles of its own. */
    private static NDArray view(NDArray array, NDManager owner) {
        NDArray view = array.reshape(array.getShape());
        view.attach(owner);
        return view;
    }
}
