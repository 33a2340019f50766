package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
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
                NDArray wanted = batch.getLabels().head(); // (B, T)
                NDArray said = reader.logits(ids, manager).argMax(2);
                long[] answers = said.toLongArray();
                long[] expected = wanted.toLongArray();
                int length = (int) ids.getShape().get(1);
                for (int row = 0; row < batch.getSize(); row++) {
                    boolean faultless = true;
                    for (int i = row * length; i < (row + 1) * length; i++) {
                        if (expected[i] != CrossEntropy.IGNORED) {
                            labels++;
                            right += answers[i] == expected[i] ? 1 : 0;
                            faultless &= answers[i] == expected[i];
                        }
                    }
                    whole += faultless ? 1 : 0;
                }
                batch.close();
            }
        }
        return new Answers((double) whole / sequences.size(), (double) right / labels);
    }
}
