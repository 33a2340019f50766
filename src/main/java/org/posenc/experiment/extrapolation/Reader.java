package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.model.Transformer;

/**
 * A decoder, and where the tokens that it reads stand.
 *
 * @param decoder the decoder
 * @param trained where they stood in its training
 * @param range the longest context, over which those of training were spread
 */
record Reader(Transformer decoder, TrainedPositions trained, int range) {

    /** A decoder whose tokens stand one after the other. */
    static Reader of(Transformer decoder) {
        return new Reader(decoder, TrainedPositions.CONSECUTIVE, 1);
    }

    Positions positions(NDManager manager, int length) {
        return trained.read(manager, length, range);
    }

    /** (B, T) → (B, T, V) */
    NDArray logits(NDArray ids, NDManager manager) {
        return lastLogits(ids, ids.getShape().get(1), manager);
    }

    /** (B, T) → (B, S, V), at the last S positions */
    NDArray lastLogits(NDArray ids, long count, NDManager manager) {
        Positions positions = positions(ids.getManager(), (int) ids.getShape().get(1));
        ParameterStore parameters = new ParameterStore(manager, false);
        return decoder.lastLogits(ids, positions, AttentionMask.none(), count, parameters);
    }
}
