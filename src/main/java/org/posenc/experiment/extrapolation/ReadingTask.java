package org.posenc.experiment.extrapolation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.experiment.Positive;

/**
 * How a trained decoder's reading of text is measured.
 *
 * @param factors how many times the training length, ascending, the first 1
 * @param targets the last tokens of a window, over which the loss is taken
 * @param windows held-out windows at each length
 * @param depths depths of a passkey, evenly from the beginning to the question
 * @param passkeys passkeys at each depth and length
 */
public record ReadingTask(int[] factors, int targets, int windows, int depths, int passkeys) {

    private static final int TOKENS = 8192; // of a batch: what a small model reads at its best

    /** Checks and copies the values. */
    public ReadingTask {
        factors = factors.clone();
        boolean ascending = factors.length > 0 && factors[0] == 1;
        for (int i = 1; i < factors.length; i++) {
            ascending &= factors[i] > factors[i - 1];
        }
        if (!ascending) {
            throw new IllegalArgumentException(
                    "lengths must begin with 1 and ascend, got " + Arrays.toString(factors));
        }
        Positive.check(targets, "targets");
        Positive.check(windows, "windows");
        Positive.check(depths, "depths");
        Positive.check(passkeys, "passkeys");
    }

    /** Returns how many times the training length, ascending. */
    @Override
    public int[] factors() {
        return factors.clone();
    }

    /** Returns the ends of the ranges of positions over which losses are averaged. */
    List<Integer> positionsUpTo(int trainedLength) {
        List<Integer> ends = new ArrayList<>();
        int longest = factors[factors.length - 1] * trainedLength;
        for (int end = Math.max(1, trainedLength / 8); end < longest; end *= 2) {
            ends.add(end);
        }
        ends.add(longest);
        return ends;
    }

    /** Returns at how many times the length attention is looked at: 8, or the most below. */
    int watched() {
        return Arrays.stream(factors).filter(factor -> factor <= 8).max().orElseThrow();
    }

    int rows(int length) {
        return Math.max(1, TOKENS / length);
    }

    @Override
    public String toString() {
        return "factors %s, %d targets, %d windows, %d depths, %d passkeys"
                .formatted(Arrays.toString(factors), targets, windows, depths, passkeys);
    }
}
