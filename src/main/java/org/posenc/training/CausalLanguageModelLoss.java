package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.loss.Loss;
import org.posenc.kernel.CrossEntropy;

/**
 * The mean of −log p(next token) over a batch of sequences, in nats per token.
 *
 * <p>Labels are (B, T) int64, already shifted: the label of a token is the token after it, as
 * {@link TokenWindows} gives them. A label {@link CrossEntropy#IGNORED} takes no part. Logits are
 * (B, T, V).
 */
public final class CausalLanguageModelLoss extends Loss {

    /** A loss named {@code loss}. */
    public CausalLanguageModelLoss() {
        super("loss");
    }

    /**
     * Evaluates the loss.
     *
     * @param labels one array (B, T), int64
     * @param predictions logits (B, T, V); further outputs of the model are left aside
     * @return a scalar; NaN where every label is ignored
     * @throws IllegalArgumentException if the shapes do not fit together
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray logits = predictions.head();
        NDArray y = labels.head();
        Shape shape = logits.getShape();
        if (shape.dimension() != 3 || !shape.slice(0, 2).equals(y.getShape())) {
            throw new IllegalArgumentException(
                    "the loss needs logits (B, T, V) and labels (B, T), got "
                            + shape
                            + " and "
                            + y.getShape());
        }
        // A handle left open would keep the logits, which backward does not need.
        try (NDArray rows = logits.reshape(-1, shape.get(2)); // (B·T, V)
                NDArray flat = y.reshape(-1)) {
            return CrossEntropy.mean(rows, flat, true);
        }
    }
}
