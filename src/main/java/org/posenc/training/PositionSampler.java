package org.posenc.training;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Where the tokens of a training row stand, when they do not stand at 0, 1, 2, …: positions that a
 * longer context will have, or that say more than the order.
 *
 * <p>{@link TokenWindows#withPositions} puts them beside the ids; a Transformer takes both.
 */
public sealed interface PositionSampler {

    /**
     * Draws the positions of one row.
     *
     * @param tokens the row's ids (T), at least one
     * @param random decides whatever is left to chance
     * @return T positions, none below 0
     * @throws IllegalArgumentException if the row does not fit
     */
    long[] positions(int[] tokens, RandomGenerator random);

    /**
     * Randomized positions (<a href="https://arxiv.org/abs/2305.16843">Ruoss et al. 2023</a>, §3):
     * a sorted sample without replacement of 0 … L − 1, so that a model has seen every position of
     * the longer context.
     *
     * @param range L, at least the length of each row
     */
    record Randomized(long range) implements PositionSampler {

        /** Checks the range. */
        public Randomized {
            atLeastOne(range, "the range");
        }

        /** {@inheritDoc} */
        @Override
        public long[] positions(int[] tokens, RandomGenerator random) {
            checkFits(tokens, range);
            return sample(tokens.length, range, random);
        }
    }

    /**
     * Positional skip-wise training, PoSE (<a href="https://arxiv.org/abs/2309.10400">Zhu et al.
     * 2023</a>, §3.2): a row is cut into N chunks at random places; positions are consecutive in
     * each, and before each chunk but the first they skip a random number, so that all distances of
     * the longer context occur.
     *
     * <p>Chunk n is moved by u_n, uniform in u_{n−1} … L − T, u_0 = 0. The text itself is not cut.
     *
     * @param range L, the longer context, at least the length of each row
     * @param chunks N, at least 2 and at most the length of each row
     */
    record SkipWise(long range, int chunks) implements PositionSampler {

        /** Checks the numbers. */
        public SkipWise {
            atLeastOne(range, "the range");
            if (chunks < 2) {
                throw new IllegalArgumentException("chunks must be at least 2, got " + chunks);
            }
        }

        /** {@inheritDoc} */
        @Override
        public long[] positions(int[] tokens, RandomGenerator random) {
            checkFits(tokens, range);
            int length = tokens.length;
            if (length < chunks) {
                throw new IllegalArgumentException(
                        "a row of " + length + " tokens cannot be cut into " + chunks + " chunks");
            }
            long[] cuts = sample(chunks - 1, length - 1, random); // chunk n + 1 starts at cut + 1
            long[] positions = new long[length];
            long skipped = 0;
            int chunk = 0;
            for (int i = 0; i < length; i++) {
                if (chunk < cuts.length && i == cuts[chunk] + 1) {
                    skipped += random.nextLong(range - length - skipped + 1);
                    chunk++;
                }
                positions[i] = i + skipped;
            }
            return positions;
        }
    }

    /**
     * Positions of digits in their numbers, Abacus (<a
     * href="https://arxiv.org/abs/2405.17399">McLeish et al. 2024</a>, §3), which couples digits of
     * the same place: 1, 2, 3, … + k within each run of digits, 0 for all other tokens; k is drawn
     * once for each row from 0 … K. Numbers are to be written with their units first.
     *
     * @param digits the ids of the digits, at least one
     * @param greatestOffset K, at least 0; 0 to evaluate
     */
    record DigitPlaces(Set<Integer> digits, int greatestOffset) implements PositionSampler {

        /** Checks the values. */
        public DigitPlaces {
            digits = Set.copyOf(digits);
            atLeastOne(digits.size(), "the number of digits");
            if (greatestOffset < 0) {
                throw new IllegalArgumentException(
                        "the greatest offset must be at least 0, got " + greatestOffset);
            }
        }

        /** {@inheritDoc} */
        @Override
        public long[] positions(int[] tokens, RandomGenerator random) {
            long offset = random.nextLong(greatestOffset + 1L);
            long[] positions = new long[tokens.length];
            long place = 0;
            for (int i = 0; i < tokens.length; i++) {
                place = digits.contains(tokens[i]) ? place + 1 : 0;
                positions[i] = place == 0 ? 0 : place + offset;
            }
            return positions;
        }
    }

    /**
     * Positions that restart with each document of a packed row. The row's tokens still see those
     * of the documents before, unless a mask keeps them apart.
     *
     * @param separator the id that ends a document, as its last token
     */
    record Packed(int separator) implements PositionSampler {

        /** {@inheritDoc} */
        @Override
        public long[] positions(int[] tokens, RandomGenerator random) {
            long[] positions = new long[tokens.length];
            for (int i = 1; i < tokens.length; i++) {
                positions[i] = tokens[i - 1] == separator ? 0 : positions[i - 1] + 1;
            }
            return positions;
        }
    }

    /**
     * A sorted sample without replacement of 0 … n − 1, each as likely as any other (Floyd's
     * algorithm, <a href="https://doi.org/10.1145/30401.315746">Bentley and Floyd 1987</a>).
     */
    private static long[] sample(int count, long n, RandomGenerator random) {
        Set<Long> drawn = new HashSet<>();
        for (long last = n - count; last < n; last++) {
            long candidate = random.nextLong(last + 1);
            drawn.add(drawn.contains(candidate) ? last : candidate);
        }
        long[] sorted = drawn.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return sorted;
    }

    private static void checkFits(int[] tokens, long range) {
        if (tokens.length > range) {
            throw new IllegalArgumentException(
                    "a row of " + tokens.length + " tokens has no room in 0 … " + (range - 1));
        }
    }

    private static void atLeastOne(long value, String what) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, got " + value);
        }
    }
}
