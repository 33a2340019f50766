package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.function.LongFunction;
import org.posenc.experiment.DecoderTraining;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

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

    /** Returns the batches of a training, at L. */
    Dataset batches(long seed);

    /**
     * Returns the batches of a training at a longer length, with about as many tokens in a step.
     *
     * @param steps how many
     */
    Dataset batches(long seed, double factor, int steps);

    /**
     * Measures a decoder at every length.
     *
     * @param readers gives the decoder that reads n tokens
     * @param manager owns what the measurement needs
     */
    Measured measure(LongFunction<Transformer> readers, NDManager manager)
            throws IOException, TranslateException;

    /** Returns everything that its numbers depend on, in words. */
    String identity();
}
