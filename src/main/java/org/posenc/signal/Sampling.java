package org.posenc.signal;

import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which samples of a signal train; the others are held out. */
public sealed interface Sampling {

    /** Every second sample along each axis, as in Zheng et al. 2021. */
    Sampling EVERY_SECOND = new Every(2);

    /**
     * Every so many samples along each axis, the first among them: a grid.
     *
     * @param step at least 1, which holds out nothing
     */
    record Every(int step) implements Sampling {

        /** Checks the value. */
        public Every {
            if (step < 1) {
                throw new IllegalArgumentException(
                        "sampling must take every sample, every second or rarer, got every "
                                + step);
            }
        }

        /**
         * Returns the sampled indices of an axis.
         *
         * @param side N, at least 1
         * @return 0, step, 2·step, … below N
         */
        public int[] indices(int side) {
            int[] indices = new int[(side + step - 1) / step];
            Arrays.setAll(indices, i -> i * step);
            return indices;
        }

        @Override
        public boolean[] trains(int... sides) {
            boolean[] trains = {true};
            for (int side : sides) {
                boolean[] wider = new boolean[Math.multiplyExact(trains.length, side)];
                for (int i = 0; i < trains.length; i++) {
                    for (int j = 0; trains[i] && j < side; j += step) {
                        wider[i * side + j] = true;
                    }
                }
                trains = wider;
            }
            return trains;
        }

        @Override
        public String toString() {
            return "every-" + step;
        }
    }

    /**
     * A fraction of the samples, drawn anywhere on the grid without replacement.
     *
     * @param fraction above 0, at most 1
     * @param seed decides the draw
     */
    record RandomFraction(double fraction, long seed) implements Sampling {

        /** Checks the value. */
        public RandomFraction {
            if (!(fraction > 0 && fraction <= 1)) {
                throw new IllegalArgumentException(
                        "a random fraction of samples must be above 0 and at most 1, got "
                                + fraction);
            }
        }

        @Override
        public boolean[] trains(int... sides) {
            int samples = Math.toIntExact(Signal.count(sides, 1));
            int wanted = (int) Math.max(1, Math.round(fraction * samples));
            boolean[] trains = new boolean[samples];
            SplittableRandom random = new SplittableRandom(seed);
            // Each sample is taken with the chance that leaves exactly the wanted number at the
            // end.
            for (int i = 0, left = wanted; i < samples; i++) {
                if (random.nextInt(samples - i) < left) {
                    trains[i] = true;
                    left--;
                }
            }
            return trains;
        }

        @Override
        public String toString() {
            return "random-" + fraction;
        }
    }

    /**
     * Returns which samples train.
     *
     * @param sides (N_0, …, N_{M−1})
     * @return one value a sample, row-major
     */
    boolean[] trains(int... sides);

    /**
     * Reads a sampling as people write it.
     *
     * @param text {@code every-2} or {@code random-0.25}; a space does for the hyphen
     * @param seed decides a random draw
     * @return the sampling
     * @throws IllegalArgumentException if it is neither
     */
    static Sampling parse(String text, long seed) {
        Matcher matcher =
                Pattern.compile("(every|random)[- ](\\d+|\\d*\\.\\d+)")
                        .matcher(text.strip().toLowerCase(Locale.ROOT));
        try {
            if (matcher.matches()) {
                return matcher.group(1).equals("every")
                        ? new Every(Integer.parseInt(matcher.group(2)))
                        : new RandomFraction(Double.parseDouble(matcher.group(2)), seed);
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException(
                "sampling must be every-N (such as every-2) or random-FRACTION (such as"
                        + " random-0.25), got \""
                        + text
                        + "\"");
    }
}
