package org.posenc.experiment.extrapolation;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.posenc.training.SequenceBatches.Sequence;

/**
 * Puzzles on symbols whose answer hangs on positions, the field's standard set for length
 * generalisation (<a href="https://arxiv.org/abs/2305.19466">Kazemnejad et al. 2023</a>; recall: <a
 * href="https://arxiv.org/abs/2312.04927">Arora et al. 2023</a>).
 *
 * <p>A sequence is question, {@link #EQUALS}, answer, {@link #END}; only the answer and the end
 * count as labels. Symbols are the ids from {@link #FIRST} on.
 */
public enum SymbolTask {
    /** n symbols of 20, in ascending order. */
    SORT {
        @Override
        void fill(SplittableRandom random, int n, Writer out) {
            int[] x = random.ints(n, 0, SYMBOLS).toArray();
            out.symbols(x);
            out.equalSign();
            Arrays.sort(x);
            out.symbols(x);
        }
    },
    /** n symbols of 20, once more. */
    COPY {
        @Override
        void fill(SplittableRandom random, int n, Writer out) {
            int[] x = random.ints(n, 0, SYMBOLS).toArray();
            out.symbols(x);
            out.equalSign();
            out.symbols(x);
        }
    },
    /** n symbols of 20, from the last to the first. */
    REVERSE {
        @Override
        void fill(SplittableRandom random, int n, Writer out) {
            int[] x = random.ints(n, 0, SYMBOLS).toArray();
            out.symbols(x);
            out.equalSign();
            out.symbols(IntStream.range(0, n).map(i -> x[n - 1 - i]).toArray());
        }
    },
    /** The sum of two numbers of n digits; all three from the lowest digit to the highest. */
    ADDITION {
        @Override
        void fill(SplittableRandom random, int n, Writer out) {
            int[] a = random.ints(n, 0, 10).toArray();
            int[] b = random.ints(n, 0, 10).toArray();
            int[] sum = new int[n + 1];
            for (int i = 0; i < n; i++) {
                int digits = a[i] + b[i] + sum[i];
                sum[i] = digits % 10;
                sum[i + 1] = digits / 10;
            }
            out.symbols(a);
            out.plus();
            out.symbols(b);
            out.equalSign();
            out.symbols(sum);
        }
    },
    /** n pairs of a key, each another one of 160, and a value of 20; then one key: which value? */
    RECALL {
        @Override
        void fill(SplittableRandom random, int n, Writer out) {
            int[] keys = distinct(random, n, KEYS);
            int[] values = random.ints(n, 0, SYMBOLS).toArray();
            for (int i = 0; i < n; i++) {
                out.symbols(SYMBOLS + keys[i], values[i]);
            }
            int asked = random.nextInt(n);
            out.symbols(SYMBOLS + keys[asked]);
            out.equalSign();
            out.symbols(values[asked]);
        }
    };

    /** The id between question and answer. */
    public static final int EQUALS = 0;

    /** The id after the answer. */
    public static final int END = 1;

    /** The id between two numbers. */
    public static final int PLUS = 2;

    /** The id of the first symbol. */
    public static final int FIRST = 3;

    /** How many symbols, digits and values there are. */
    public static final int SYMBOLS = 20;

    /** How many keys of {@link #RECALL}, and so the most pairs it can have. */
    public static final int KEYS = 160;

    /** V: ids are below it. */
    public static final int VOCABULARY = FIRST + SYMBOLS + KEYS;

    /**
     * Makes one puzzle.
     *
     * @param random draws it
     * @param n its size: symbols, digits or pairs, at least 1
     * @return ids and labels
     * @throws IllegalArgumentException if there are no puzzles of this size
     */
    public Sequence sequence(SplittableRandom random, int n) {
        if (n < 1 || this == RECALL && n > KEYS) {
            throw new IllegalArgumentException(
                    "the size of "
                            + this
                            + " must be at least 1"
                            + (this == RECALL ? " and at most " + KEYS : "")
                            + ", got "
                            + n);
        }
        Writer out = new Writer();
        fill(random, n, out);
        out.add(END);
        return Sequence.of(Arrays.copyOf(out.ids, out.length), out.answer);
    }

    /**
     * Returns how many ids a puzzle has, and so how many positions it takes.
     *
     * @param n its size
     * @return the length of {@link #sequence}
     */
    public int length(int n) {
        return sequence(new SplittableRandom(0), n).ids().length;
    }

    abstract void fill(SplittableRandom random, int n, Writer out);

    private static int[] distinct(SplittableRandom random, int n, int below) {
        int[] all = IntStream.range(0, below).toArray();
        for (int i = 0; i < n; i++) {
            int j = i + random.nextInt(below - i);
            int kept = all[i];
            all[i] = all[j];
            all[j] = kept;
        }
        return Arrays.copyOf(all, n);
    }

    /** Takes down ids. */
    static final class Writer {

        private int[] ids = new int[64];
        private int length;
        private int answer;

        void symbols(int... symbols) {
            for (int symbol : symbols) {
                add(FIRST + symbol);
            }
        }

        void plus() {
            add(PLUS);
        }

        void equalSign() {
            add(EQUALS);
            answer = length;
        }

        private void add(int id) {
            if (length == ids.length) {
                ids = Arrays.copyOf(ids, 2 * length);
            }
            ids[length++] = id;
        }
    }
}
