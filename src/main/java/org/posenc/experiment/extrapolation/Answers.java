package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.kernel.CrossEntropy;
import org.posenc.training.SequenceBatches;
import org.posenc.training.SequenceBatches.Sequence;

/**
 * How many answers a decoder gets right when it always says the likeliest token. To look at each
 * label with the right answer before it is the same as to let it write: the first mistake counts.
 *
 * @param exact the share of sequences whose labels are all right
 * @param token the share of labels that are
 */
record Answers(double exact, double token) {

    static Answers of(Reader reader, List<Sequence> sequences, int rows, NDManager parent)
            throws IOException, TranslateException {
        long whole = 0;
        long right = 0;
        long labels = 0;
        try (NDManager manager = parent.newSubManager()) {
            int batches = (sequences.size() + rows - 1) / rows;
            SequenceBatches all =
                    new SequenceBatches(
                            k ->
                                    sequences.subList(
                                            k * rows, Math.min(sequences.size(), (k + 1) * rows)),
                            batches);
            for (Batch batch : all.getData(manager)) {
                NDArray ids = batch.getData().head();
                long[] wanted = batch.getLabels().head().toLongArray(); // (B, T)
                int length = (int) ids.getShape().get(1);
                int first = first(wanted, length);
                // Over a large vocabulary the scores of a whole context would fill the memory.
                NDArray scores = reader.lastLogits(ids, length - first, manager); // (B, S, V)
                long[] said = scores.argMax(2).toLongArray();
                int at = 0;
                for (int row = 0; row < batch.getSize(); row++) {
                    boolean faultless = true;
                    for (int i = first; i < length; i++) {
                        long label = wanted[row * length + i];
                        boolean hit = said[at++] == label;
                        if (label != CrossEntropy.IGNORED) {
                            labels++;
                            right += hit ? 1 : 0;
                            faultless &= hit;
                        }
                    }
                    whole += faultless ? 1 : 0;
                }
                batch.close();
            }
        }
        return new Answers((double) whole / sequences.size(), (double) right / labels);
    }

    /** The first column of (B, T) in which there is a label. */
    private static int first(long[] labels, int length) {
        return IntStream.range(0, labels.length)
                .filter(i -> labels[i] != CrossEntropy.IGNORED)
                .map(i -> i % length)
                .min()
                .orElseThrow();
    }
}
