package org.posenc.experiment;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.posenc.training.TextCorpus;

/**
 * Text as token ids, a part of it held out.
 *
 * @param vocabulary V: ids are in [0, V)
 * @param training what models are trained on
 * @param heldOut what they are judged by
 */
public record TokenText(int vocabulary, int[] training, int[] heldOut) {

    private static final double HELD_OUT = 0.1;

    /**
     * Reads and encodes text.
     *
     * @param paths files and folders
     * @param tokenizer a {@code tokenizer.json}
     * @param training the tokens needed to train on, at least
     * @param heldOut the held-out tokens needed, at least
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if there is no text, or not enough
     */
    public static TokenText read(List<Path> paths, Path tokenizer, int training, int heldOut)
            throws IOException {
        TextCorpus corpus = TextCorpus.read(paths);
        TextCorpus.Split split = corpus.split(HELD_OUT);
        try (HuggingFaceTokenizer encoder = TextCorpus.tokenizer(tokenizer)) {
            int[] seen = split.training().encode(encoder);
            int[] unseen = split.heldOut().encode(encoder);
            if (seen.length < training || unseen.length < heldOut) {
                throw new IllegalArgumentException(
                        "the text is too short: a tenth of it is held out, which leaves "
                                + seen.length
                                + " and "
                                + unseen.length
                                + " tokens where at least "
                                + training
                                + " and "
                                + heldOut
                                + " are needed");
            }
            return new TokenText(Sizes.vocabulary(tokenizer), seen, unseen);
        }
    }

    /** Returns a number that is equal only for equal text and vocabulary. */
    public String hash() {
        int[] all = new int[training.length + heldOut.length + 2];
        all[0] = vocabulary;
        all[1] = training.length;
        System.arraycopy(training, 0, all, 2, training.length);
        System.arraycopy(heldOut, 0, all, 2 + training.length, heldOut.length);
        return Comparison.hash(all);
    }
}
