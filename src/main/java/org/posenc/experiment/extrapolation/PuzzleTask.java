package org.posenc.experiment.extrapolation;

import java.util.Arrays;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.Positive;

/**
 * How decoders are trained on puzzles and measured; every kind of puzzle has a decoder of its own.
 *
 * @param layers the decoder's layers
 * @param embeddingSize E
 * @param heads H
 * @param headDimension D
 * @param size n: puzzles of training have 1 … n symbols, digits or pairs
 * @param batch puzzles in a step
 * @param training steps and learning rate
 * @param factors how many times n is measured, ascending, the first 1
 * @param puzzles measured at each factor up to 2; a quarter of them beyond, where each has more
 *     symbols
 */
public record PuzzleTask(
        int layers,
        int embeddingSize,
        int heads,
        int headDimension,
        int size,
        int batch,
        DecoderTraining training,
        double[] factors,
        int puzzles) {

    /** Checks the values and copies the array. */
    public PuzzleTask {
        Positive.check(layers, "layers");
        Positive.check(embeddingSize, "embedding size");
        Positive.check(heads, "heads");
        Positive.check(headDimension, "head dimension");
        Positive.check(size, "puzzle size");
        Positive.check(batch, "batch");
        Positive.check(puzzles, "puzzles");
        factors = factors.clone();
        if (factors.length == 0 || factors[0] != 1) {
            throw new IllegalArgumentException(
                    "sizes must begin with 1, got " + Arrays.toString(factors));
        }
        for (int i = 1; i < factors.length; i++) {
            if (!(factors[i] > factors[i - 1])) {
                throw new IllegalArgumentException(
                        "sizes must ascend, got " + Arrays.toString(factors));
            }
        }
    }

    @Override
    public double[] factors() {
        return factors.clone();
    }

    int puzzles(double factor) {
        return factor <= 2 ? puzzles : Math.max(1, puzzles / 4);
    }

    @Override
    public String toString() {
        return ("%d layers of %d, %d heads of %d, %d puzzles of up to %d in each of %d steps, learning"
                        + " rate %s; measured at %s times that size, %d puzzles")
                .formatted(
                        layers,
                        embeddingSize,
                        heads,
                        headDimension,
                        batch,
                        size,
                        training.steps(),
                        training.learningRate(),
                        Arrays.toString(factors),
                        puzzles);
    }
}
