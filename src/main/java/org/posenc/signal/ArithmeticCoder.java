package org.posenc.signal;

import java.io.ByteArrayOutputStream;

/**
 * Binary arithmetic coding with probabilities that are learned on the way (<a
 * href="https://doi.org/10.1147/rd.232.0149">Rissanen and Langdon 1979</a>).
 *
 * <p>An interval [low, high] of 32-bit numbers is divided for each bit in proportion to the
 * probability p of a 1, and the part of the bit that came is kept; bytes in which both ends agree
 * are written. A bit then costs −log₂ p, or −log₂(1 − p), bits. All is whole numbers, so that every
 * machine reads what any other wrote.
 */
final class ArithmeticCoder {

    /**
     * No bit costs less than log₂(64/63) bits, so that a byte never stands for more bits than this:
     * what bounds the memory that a small file can ask for.
     */
    static final int MOST_BITS_IN_A_BYTE = 512;

    private static final int ONE = 1 << 16; // probabilities are in 1/65536
    private static final int LEAST = ONE / 64;
    private static final long MASK = 0xffffffffL;
    private static final long TOP_BYTE = 0xff000000L;
    private static final int TAIL = 4;

    private ArithmeticCoder() {}

    /** The probability of a 1 in one context: the mean of a quick and a slow average. */
    static final class Bit {

        private static final int QUICK = 4;
        private static final int SLOW = 7;

        private int quick = ONE / 2;
        private int slow = ONE / 2;
        private int seen;

        private int probability() {
            return Math.min(ONE - LEAST, Math.max(LEAST, quick + slow >>> 1));
        }

        /** The first bits of a context count for more, as in a plain average. */
        private void learn(boolean one) {
            int start = seen + 1;
            int quickly = Math.min(QUICK, start);
            int slowly = Math.min(SLOW, start);
            quick += one ? ONE - quick >> quickly : -(quick >> quickly);
            slow += one ? ONE - slow >> slowly : -(slow >> slowly);
            seen = Math.min(SLOW, start);
        }
    }

    private static long middle(long low, long high, int probability) {
        return low + ((high - low) * probability >>> 16);
    }

    /** Writes bits. */
    static final class Encoder {

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private long low;
        private long high = MASK;

        /** Writes a bit at its context's probability, which learns it. */
        void put(Bit context, boolean one) {
            put(context.probability(), one);
            context.learn(one);
        }

        /** Writes the lowest bits of a number, the highest of them first, at even odds. */
        void put(int value, int bits) {
            for (int i = bits - 1; i >= 0; i--) {
                put(ONE / 2, (value >>> i & 1) == 1);
            }
        }

        private void put(int probability, boolean one) {
            long middle = middle(low, high, probability);
            if (one) {
                high = middle;
            } else {
                low = middle + 1;
            }
            while (((low ^ high) & TOP_BYTE) == 0) {
                out.write((int) (high >>> 24));
                low = low << 8 & MASK;
                high = high << 8 & MASK | 0xff;
            }
        }

        /** Returns all that was written; nothing may follow. */
        byte[] finish() {
            for (int i = TAIL - 1; i >= 0; i--) {
                out.write((int) (low >>> 8 * i));
            }
            return out.toByteArray();
        }
    }

    /** Reads what {@link Encoder} wrote, given the same contexts in the same order. */
    static final class Decoder {

        private final byte[] bytes;
        private int next;
        private long low;
        private long high = MASK;
        private long value;

        /**
         * Begins to read.
         *
         * @throws IllegalArgumentException if there are too few bytes for anything
         */
        Decoder(byte[] bytes) {
            this.bytes = bytes;
            for (int i = 0; i < TAIL; i++) {
                value = value << 8 | nextByte();
            }
        }

        /**
         * Reads a bit at its context's probability, which learns it.
         *
         * @throws IllegalArgumentException if the bytes are at their end
         */
        boolean get(Bit context) {
            boolean one = get(context.probability());
            context.learn(one);
            return one;
        }

        /**
         * Reads the lowest bits of a number, given those above them.
         *
         * @throws IllegalArgumentException if the bytes are at their end
         */
        int get(int above, int bits) {
            int value = above;
            for (int i = 0; i < bits; i++) {
                value = value << 1 | (get(ONE / 2) ? 1 : 0);
            }
            return value;
        }

        private boolean get(int probability) {
            long middle = middle(low, high, probability);
            boolean one = value <= middle;
            if (one) {
                high = middle;
            } else {
                low = middle + 1;
            }
            while (((low ^ high) & TOP_BYTE) == 0) {
                low = low << 8 & MASK;
                high = high << 8 & MASK | 0xff;
                value = value << 8 & MASK | nextByte();
            }
            return one;
        }

        private int nextByte() {
            if (next == bytes.length) {
                throw new IllegalArgumentException("the coded numbers end too early");
            }
            return bytes[next++] & 0xff;
        }

        /**
         * Makes sure that what was read is all that was written.
         *
         * @throws IllegalArgumentException if bytes are left, or the last are not an encoder's
         */
        void finish() {
            if (next != bytes.length || value != low) {
                throw new IllegalArgumentException(
                        "the coded numbers do not end where they should");
            }
        }
    }
}
