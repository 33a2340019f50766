package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.function.LongFunction;
import org.posenc.experiment.DecoderTraining;
import org.posenc.model.TransformerConfig;
import org.posenc.training.SequenceBatches;

/** What a decoder is trained on at one length, and how it is measured at longer ones. */
sealed interface Workload permits TextWorkload, PuzzleWorkload {

    /** Returns its name, in lower case. */
    String name();

    /** Returns the decoder. */
    TransformerConfig config(long seed);

    /** Returns L, the positions seen in training. */
    int length();

    /** Returns how many times L it is measured at, ascending, the first 1. */
    double[] factors();

    /** Returns how many positions it takes at a factor. */
    int lengthAt(double factor);

    /** Returns how it is trained. */
    DecoderTraining training();

    /** Returns the positions of the longest context that is measured. */
    default int range() {
        double[] factors = factors();
        return lengthAt(factors[factors.length - 1]);
    }

    /**
     * Returns the batches of a training at L or at a longer length, with about as many tokens in a
     * step.
     *
     * @param factor how many times L
     * @param steps how many
     */
    SequenceBatches batches(long seed, double factor, int steps);

    /** Returns what can be read at a longer length before it is measured, never the same. */
    SequenceBatches practice(long seed, double factor);

    /**
     * Measures a decoder at every length.
     *
     * @param readers gives the decoder that reads n tokens
     * @param manager owns what the measurement needs
     */
    Measured measure(LongFunction<Reader> readers, NDManager manager)
            throws IOException, TranslateException;

    /** Returns everything that its numbers depend on, in words. */
    String identity();
}
