package org.posenc.experiment;

/**
 * The sequence side of the comparison: a small decoder, trained at one length and read at longer
 * ones.
 *
 * <p>Heads are at least 64 wide, ALiBi has several heads and each encoding several seeds: at
 * smaller settings the order of the encodings turns over.
 *
 * @param layers the decoder's layers
 * @param embeddingSize E
 * @param heads H
 * @param headDimension D, apart from E / H
 * @param length L, the tokens of a training window
 * @param batch windows in a step
 * @param steps optimizer steps
 * @param learningRate the highest, reached after 5 % of the steps and lowered along a cosine to a
 *     tenth
 * @param targets the last tokens of a window, over which the held-out loss is taken
 * @param windows held-out windows
 */
public record SequenceTask(
        int layers,
        int embeddingSize,
        int heads,
        int headDimension,
        int length,
        int batch,
        int steps,
        double learningRate,
        int targets,
        int windows) {

    /** How many times the training length the held-out windows are. */
    public static final int[] FACTORS = {1, 2, 4, 8};

    /** Checks the values. */
    public SequenceTask {
        Positive.check(layers, "layers");
        Positive.check(embeddingSize, "embedding size");
        Positive.check(heads, "heads");
        Positive.check(headDimension, "head dimension");
        Positive.check(length, "length");
        Positive.check(batch, "batch");
        Positive.check(steps, "steps");
        Positive.check(targets, "targets");
        Positive.check(windows, "windows");
        if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
            throw new IllegalArgumentException(
                    "learning rate must be positive, got " + learningRate);
        }
        if (targets > length) {
            throw new IllegalArgumentException(
                    "the " + targets + " targets must fit into the length " + length);
        }
    }

    /**
     * Returns the task of the main job.
     *
     * @param steps optimizer steps
     * @return two layers of four heads of 64, trained at 64 tokens
     */
    public static SequenceTask standard(int steps) {
        return new SequenceTask(2, 64, 4, 64, 64, 8, steps, 4e-3, 16, 64);
    }

    /**
     * Returns the longest window.
     *
     * @return the last factor times the length
     */
    int longest() {
        return FACTORS[FACTORS.length - 1] * length;
    }
}
