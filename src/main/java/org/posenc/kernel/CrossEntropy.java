package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;

/** Cross entropy of class logits, fused; labels may be masked out. */
public final class CrossEntropy {

    /** The label that takes no part in the loss. */
    public static final long IGNORED = -100;

    private CrossEntropy() {}

    /**
     * Returns the mean over labels y ≠ {@link #IGNORED} of −log softmax(z)_y.
     *
     * @param logits z: (N, V)
     * @param labels y: (N), int64, each in [0, V) or {@link #IGNORED}
     * @param training whether gradients are to flow
     * @return a scalar in the logits' type; NaN where every label is ignored
     * @throws IllegalArgumentException if the shapes or the labels' type are others
     */
    public static NDArray mean(NDArray logits, NDArray labels, boolean training) {
        return loss(logits, labels, training, 1);
    }

    /**
     * Returns −log softmax(z)_y for each label, 0 where it is {@link #IGNORED}.
     *
     * @param logits z: (N, V)
     * @param labels y: (N), int64, each in [0, V) or {@link #IGNORED}
     * @param training whether gradients are to flow
     * @return (N), in the logits' type
     * @throws IllegalArgumentException if the shapes or the labels' type are others
     */
    public static NDArray each(NDArray logits, NDArray labels, boolean training) {
        return loss(logits, labels, training, 0);
    }

    private static NDArray loss(NDArray logits, NDArray labels, boolean training, int reduction) {
        boolean shapes =
                logits.getShape().dimension() == 2
                        && labels.getShape().dimension() == 1
                        && logits.getShape().get(0) == labels.getShape().get(0);
        if (!shapes || labels.getDataType() != DataType.INT64) {
            throw new IllegalArgumentException(
                    "cross entropy needs logits (N, V) and int64 labels (N), got "
                            + logits.getShape()
                            + " and "
                            + labels.getDataType()
                            + " "
                            + labels.getShape());
        }
        Map<String, Long> constants = Map.of("reduction", (long) reduction, "ignored", IGNORED);
        return TorchScript.load("cross_entropy", constants).call(training, logits, labels);
    }
}
