package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.loss.Loss;

/**
 * The mean of (y − ŷ)² over all elements.
 *
 * <p>DJL's {@code Loss.l2Loss} multiplies by a weight that may be gone before backward reads it,
 * see {@link org.posenc.kernel.Scalars}.
 */
public final class MeanSquaredError extends Loss {

    /** A loss named {@code loss}. */
    public MeanSquaredError() {
        super("loss");
    }

    /**
     * Evaluates the loss.
     *
     * @param labels one array y, of any shape
     * @param predictions ŷ, of the same shape; further outputs of the model are left aside
     * @return a scalar
     * @throws IllegalArgumentException if the shapes differ
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray y = labels.head();
        NDArray predicted = predictions.head();
        if (!y.getShape().equals(predicted.getShape())) {
            throw new IllegalArgumentException(
                    "the loss needs predictions of the labels' shape "
                            + y.getShape()
                            + ", got "
                            + predicted.getShape());
        }
        return predicted.sub(y).square().mean();
    }
}
