package org.posenc.signal;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.posenc.signal.ArithmeticCoder.Bit;

/**
 * Whole numbers of an array in few bytes: small numbers cost less than large ones, and a number
 * costs less the better its neighbours' sizes foretell its own.
 *
 * <p>A number is its size L, the count of its binary digits, coded as L times "more" and once "no
 * more"; its sign; and the digits after the first. The probabilities of "more" are those of a
 * context: the sizes of the neighbours that were coded before, in the row, in the row above, in the
 * plane before and in the volume before. That is how image coders do it (<a
 * href="https://doi.org/10.1109/TCSVT.2003.815173">Marpe et al. 2003</a>), for arrays of any rank.
 */
final class IntegerCoder {

    /** The greatest number that is coded; float32 tells no more apart. */
    static final int GREATEST = (1 << 24) - 1;

    private static final int DIGITS = 24;
    private static final int CONTEXTS = 64;

    private final int columns;
    private final int plane;
    private final int volume;
    private final int[] values;
    private final Bit[][] more = contexts(CONTEXTS, DIGITS);
    private final Bit[][] digits = contexts(DIGITS + 1, 3);

    private IntegerCoder(int[] values, int... shape) {
        this.values = values;
        columns = shape.length == 0 ? 1 : shape[shape.length - 1];
        plane = shape.length < 2 ? values.length : columns * shape[shape.length - 2];
        volume = shape.length < 3 ? values.length : plane * shape[shape.length - 3];
    }

    private static Bit[][] contexts(int rows, int each) {
        return Stream.generate(() -> Stream.generate(Bit::new).limit(each).toArray(Bit[]::new))
                .limit(rows)
                .toArray(Bit[][]::new);
    }

    /**
     * Codes numbers.
     *
     * @param values within ±{@link #GREATEST}, in C order
     * @param shape their shape
     * @return the bytes
     * @throws IllegalArgumentException if a number is greater
     */
    static byte[] encode(int[] values, int... shape) {
        IntegerCoder coder = new IntegerCoder(values, shape);
        ArithmeticCoder.Encoder out = new ArithmeticCoder.Encoder();
        for (int n = 0; n < values.length; n++) {
            coder.put(n, out);
        }
        return out.finish();
    }

    /**
     * Reads numbers back.
     *
     * @param bytes what {@link #encode} gave
     * @param shape their shape
     * @return the numbers
     * @throws IllegalArgumentException if these bytes are not the code of so many numbers; nothing
     *     large is allocated for bytes that cannot be
     */
    static int[] decode(byte[] bytes, int... shape) {
        long count = IntStream.of(shape).asLongStream().reduce(1, Math::multiplyExact);
        if (count > (long) bytes.length * ArithmeticCoder.MOST_BITS_IN_A_BYTE) {
            throw new IllegalArgumentException(
                    bytes.length + " bytes cannot hold " + count + " numbers");
        }
        ArithmeticCoder.Decoder in = new ArithmeticCoder.Decoder(bytes);
        IntegerCoder coder = new IntegerCoder(new int[Math.toIntExact(count)], shape);
        for (int n = 0; n < coder.values.length; n++) {
            coder.get(n, in);
        }
        in.finish();
        return coder.values;
    }

    private void put(int n, ArithmeticCoder.Encoder out) {
        int magnitude = Math.abs(values[n]);
        if (magnitude < 0 || magnitude > GREATEST) {
            throw new IllegalArgumentException(
                    "numbers must be within ±" + GREATEST + ", got " + values[n]);
        }
        int size = Integer.SIZE - Integer.numberOfLeadingZeros(magnitude);
        Bit[] context = more[context(n)];
        for (int i = 0; i < size; i++) {
            out.put(context[i], true);
        }
        if (size < DIGITS) {
            out.put(context[size], false);
        }
        if (size > 0) {
            out.put(values[n] < 0 ? 1 : 0, 1);
        }
        if (size > 1) {
            boolean first = (magnitude >>> size - 2 & 1) == 1;
            out.put(digits[size][0], first);
            if (size > 2) {
                out.put(digits[size][first ? 2 : 1], (magnitude >>> size - 3 & 1) == 1);
                out.put(magnitude, size - 3);
            }
        }
    }

    private void get(int n, ArithmeticCoder.Decoder in) {
        Bit[] context = more[context(n)];
        int size = 0;
        while (size < DIGITS && in.get(context[size])) {
            size++;
        }
        if (size == 0) {
            return;
        }
        boolean negative = in.get(0, 1) == 1;
        int magnitude = 1;
        if (size > 1) {
            boolean first = in.get(digits[size][0]);
            magnitude = magnitude << 1 | (first ? 1 : 0);
            if (size > 2) {
                boolean second = in.get(digits[size][first ? 2 : 1]);
                magnitude = in.get(magnitude << 1 | (second ? 1 : 0), size - 3);
            }
        }
        values[n] = negative ? -magnitude : magnitude;
    }

    /** How large the neighbours before a number are, in half powers of two. */
    private int context(int n) {
        int column = n % columns;
        long near = 0;
        int row = n % plane / columns;
        if (column > 0) {
            near += 2L * Math.abs(values[n - 1]);
        }
        if (column > 1) {
            near += Math.abs(values[n - 2]);
        }
        if (row > 1) {
            near += Math.abs(values[n - 2 * columns]);
        }
        if (row > 0) {
            near += 2L * Math.abs(values[n - columns]);
            if (column > 0) {
                near += Math.abs(values[n - columns - 1]);
            }
            if (column < columns - 1) {
                near += Math.abs(values[n - columns + 1]);
            }
        }
        if (n % volume >= plane) {
            near += 2L * Math.abs(values[n - plane]);
        }
        if (n >= volume) {
            near += 2L * Math.abs(values[n - volume]);
        }
        near++;
        int log = Long.SIZE - 1 - Long.numberOfLeadingZeros(near);
        int half = log == 0 ? 0 : (int) (near >>> log - 1 & 1);
        return 2 * log + half;
    }
}
