package org.posenc.training;

import java.util.Arrays;
import org.posenc.kernel.CrossEntropy;

/**
 * A document as token ids, and what a model learns to say in each of its places.
 *
 * @param ids the tokens, at least one, none below 0
 * @param labels as many: the token that belongs in each place, {@link CrossEntropy#IGNORED} where
 *     it is read but not learned, such as a question before its answer
 */
public record TokenDocument(int[] ids, int[] labels) {

    /** Checks that they are as many, and that they are ids. */
    public TokenDocument {
        if (ids.length == 0 || ids.length != labels.length) {
            throw new IllegalArgumentException(
                    "a document needs at least one token and as many labels, got "
                            + ids.length
                            + " and "
                            + labels.length);
        }
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || labels[i] < 0 && labels[i] != CrossEntropy.IGNORED) {
                throw new IllegalArgumentException(
                        "token ids must be at least 0, and labels too or "
                                + CrossEntropy.IGNORED
                                + ", got "
                                + ids[i]
                                + " with label "
                                + labels[i]
                                + " in place "
                                + i);
            }
        }
    }

    /**
     * A document all of whose tokens are learned.
     *
     * @param ids the tokens
     * @return the document, whose labels are its ids
     */
    public static TokenDocument of(int... ids) {
        return new TokenDocument(ids, ids);
    }

    /**
     * Returns how many tokens there are.
     *
     * @return at least 1
     */
    public int length() {
        return ids.length;
    }

    /**
     * Returns some of the tokens.
     *
     * @param from the first
     * @param to one more than the last, above {@code from}
     * @return a document of their own
     */
    public TokenDocument part(int from, int to) {
        return new TokenDocument(
                Arrays.copyOfRange(ids, from, to), Arrays.copyOfRange(labels, from, to));
    }

    /**
     * Returns the greatest token, so that it can be compared with a vocabulary.
     *
     * @return the greatest id or label
     */
    public int greatest() {
        return Math.max(
                Arrays.stream(ids).max().orElseThrow(), Arrays.stream(labels).max().orElseThrow());
    }
}
