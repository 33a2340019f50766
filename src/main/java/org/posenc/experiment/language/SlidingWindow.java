package org.posenc.experiment.language;

import java.util.ArrayList;
import java.util.List;

/**
 * How a text longer than a context is read: in windows that overlap, of which each scores what the
 * ones before it have not (Hugging Face's <a
 * href="https://huggingface.co/docs/transformers/perplexity">perplexity of fixed-length models</a>;
 * YaRN's tables have a stride of 256).
 *
 * @param length the tokens of a window, at least 2
 * @param stride by how many tokens the window moves on, in [1, length]; the smaller, the more
 *     context the tokens have that it scores, and the more windows there are
 */
public record SlidingWindow(int length, int stride) {

    /** Checks the values. */
    public SlidingWindow {
        if (length < 2) {
            throw new IllegalArgumentException(
                    "a window must have at least 2 tokens, got " + length);
        }
        if (stride < 1 || stride > length) {
            throw new IllegalArgumentException(
                    "the stride must be between 1 and the window of "
                            + length
                            + " tokens, got "
                            + stride);
        }
    }

    /**
     * A window of a text.
     *
     * @param begin its first token
     * @param end the token after its last
     * @param scored the first token that counts in it; at least one stands before it
     */
    public record Window(int begin, int end, int scored) {

        /**
         * Returns how many tokens count.
         *
         * @return end − scored
         */
        public int count() {
            return end - scored;
        }

        /** Whether both can be read in one batch. */
        boolean alike(Window other) {
            return end - begin == other.end - other.begin && count() == other.count();
        }
    }

    /**
     * Returns the windows of a text.
     *
     * @param tokens the tokens of the text
     * @return windows that score each token once, but for the first of the text and, where the
     *     stride is the whole window, the first of each; none of a text of fewer than 2 tokens
     */
    public List<Window> over(int tokens) {
        List<Window> windows = new ArrayList<>();
        int done = 1; // nothing stands before the first token
        for (int begin = 0; done < tokens; begin += stride) {
            int end = Math.min(begin + length, tokens);
            int scored = Math.max(done, begin + 1);
            if (scored < end) {
                windows.add(new Window(begin, end, scored));
                done = end;
            }
        }
        return windows;
    }
}
