package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.Batchifier;
import ai.djl.util.Progress;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * All samples in every step, from arrays that stay on their device: gradient descent without
 * minibatches, as small regression problems such as fitting an image want it. The samples of a grid
 * may be given by its axes.
 *
 * @param data the inputs of the model: one array (N, …), or several that together give the labels
 * @param labels what they should give: (N, …), or (N_0, …, N_{M−1}, …) for a grid
 * @param steps steps in an epoch, at least 1
 */
public record FullBatch(List<NDArray> data, NDArray labels, int steps) implements Dataset {

    /** Checks the values. */
    public FullBatch {
        data = List.copyOf(data);
        boolean rows =
                data.size() > 1
                        || data.size() == 1
                                && data.get(0).getShape().get(0) == labels.getShape().get(0);
        if (!rows) {
            throw new IllegalArgumentException(
                    "inputs and labels must be as many, got "
                            + data.stream().map(NDArray::getShape).toList()
                            + " and "
                            + labels.getShape());
        }
        if (steps < 1) {
            throw new IllegalArgumentException("steps must be at least 1, got " + steps);
        }
    }

    /**
     * All samples in every step.
     *
     * @param data the inputs (N, …)
     * @param labels what they should give (N, …)
     * @param steps steps in an epoch, at least 1
     */
    public FullBatch(NDArray data, NDArray labels, int steps) {
        this(List.of(data), labels, steps);
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
        NDList inputs = new NDList();
        data.forEach(array -> inputs.add(view(array, own)));
        return new Batch(
                own,
                inputs,
                new NDList(view(labels, own)),
                Math.toIntExact(labels.getShape().get(0)),
                Batchifier.STACK,
                Batchifier.STACK,
                step,
                steps);
    }

    /** Results belong to their first operand's manager, so a step needs handles of its own. */
    static NDArray view(NDArray array, NDManager owner) {
        NDArray view = array.reshape(array.getShape());
        view.attach(owner);
        return view;
    }
}
