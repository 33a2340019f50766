package org.posenc.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * An array of numbers as NumPy's {@code .npy} files hold it (<a
 * href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">format</a>): a text
 * header, then the values in C order, little-endian.
 */
public final class Npy {

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    // The header of version 1.0: magic, two bytes of version, two of length.
    private static final int PREFIX = MAGIC.length + 4;
    private static final Pattern HEADER =
            Pattern.compile(
                    "\\{\\s*'descr':\\s*'([^']+)',\\s*'fortran_order':\\s*(True|False),"
                            + "\\s*'shape':\\s*\\(([^)]*)\\),?\\s*\\}\\s*");

    private final String type;
    private final int[] shape;
    private final double[] values;

    private Npy(String type, int[] shape, double[] values) {
        long size = Arrays.stream(shape).asLongStream().reduce(1, Math::multiplyExact);
        if (Arrays.stream(shape).anyMatch(extent -> extent < 0) || size != values.length) {
            throw new IllegalArgumentException(
                    "a shape of "
                            + Arrays.toString(shape)
                            + " takes "
                            + size
                            + " values, got "
                            + values.length);
        }
        this.type = type;
        this.shape = shape.clone();
        this.values = values;
    }

    /**
     * Makes an array of 64-bit numbers.
     *
     * @param values the values in C order, the last index fastest
     * @param shape the extents; none for a single number
     * @return the array
     */
    public static Npy of(double[] values, int... shape) {
        return new Npy("<f8", shape, values.clone());
    }

    /**
     * Makes an array of 32-bit numbers.
     *
     * @param values the values in C order, the last index fastest
     * @param shape the extents; none for a single number
     * @return the array
     */
    public static Npy of(float[] values, int... shape) {
        double[] wide = IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
        return new Npy("<f4", shape, wide);
    }

    /**
     * Makes an array of a type.
     *
     * @param values the values in C order, the last index fastest; integers are rounded and those
     *     beyond what the type holds are clipped
     * @param type one of the types that {@link #read(Path)} takes
     * @param shape the extents; none for a single number
     * @return the array
     * @throws IllegalArgumentException if the type is another
     */
    public static Npy of(double[] values, String type, int... shape) {
        width(type, "an array");
        return new Npy(type, shape, values.clone());
    }

    /**
     * Reads a file.
     *
     * @param path a file of float16, float32 or float64 values, of integers of 8 to 64 bits (not
     *     unsigned 64) or of truth values, little-endian, in C order
     * @return its array
     * @throws IllegalArgumentException if it cannot be read or holds something else
     */
    public static Npy read(Path path) {
        return read(path, Integer.MAX_VALUE);
    }

    /**
     * Reads a file of no more than so many numbers.
     *
     * @param path a file as above
     * @param most how many numbers it may hold
     * @return its array
     * @throws IllegalArgumentException if it cannot be read, holds something else or more
     */
    public static Npy read(Path path, long most) {
        try {
            // Each number takes at least one byte; those of larger types are counted below.
            if (Files.size(path) > Math.min(8 * most, Integer.MAX_VALUE - 8)) {
                throw tooMany(path.toString(), Files.size(path) + " bytes", most);
            }
            return decode(Files.readAllBytes(path), path.toString(), most);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        }
    }

    private static IllegalArgumentException tooMany(String name, String size, long most) {
        return new IllegalArgumentException(
                name
                        + " holds "
                        + size
                        + "; Java's memory here takes at most "
                        + most
                        + " numbers in 2 GiB (java -Xmx gives more)");
    }

    private static Npy decode(byte[] file, String name, long most) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        try {
            byte[] magic = new byte[MAGIC.length];
            bytes.get(magic);
            if (!Arrays.equals(magic, MAGIC)) {
                throw new IllegalArgumentException(name + " is not an .npy file");
            }
            int version = bytes.getShort() & 0xff;
            byte[] header = new byte[version == 1 ? bytes.getShort() & 0xffff : bytes.getInt()];
            bytes.get(header);
            String text = new String(header, StandardCharsets.UTF_8);
            Matcher fields = HEADER.matcher(text);
            if (!fields.matches() || fields.group(2).equals("True")) {
                throw new IllegalArgumentException(
                        name + " must hold one array in C order, got " + text.strip());
            }
            int[] shape =
                    Arrays.stream(fields.group(3).split(","))
                            .map(String::strip)
                            .filter(extent -> !extent.isEmpty())
                            .mapToInt(Integer::parseInt)
                            .toArray();
            String type = fields.group(1);
            long size = (long) width(type, name) * product(shape);
            if (product(shape) > most) {
                throw tooMany(name, product(shape) + " numbers", most);
            }
            if (bytes.remaining() != size) {
                throw new IllegalArgumentException(
                        name + " must hold " + size + " bytes, got " + bytes.remaining());
            }
            double[] values = new double[product(shape)];
            for (int i = 0; i < values.length; i++) {
                values[i] = next(bytes, type);
            }
            return new Npy(type, shape, values);
        } catch (BufferUnderflowException
                | NegativeArraySizeException
                | ArithmeticException
                | NumberFormatException e) {
            throw new IllegalArgumentException(name + " is not a whole .npy file", e);
        }
    }

    private static int product(int[] shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    private static int width(String type, String name) {
        return switch (type) {
            case "|b1", "|u1", "|i1" -> 1;
            case "<f2", "<u2", "<i2" -> 2;
            case "<f4", "<u4", "<i4" -> 4;
            case "<f8", "<i8" -> 8;
            default ->
                    throw new IllegalArgumentException(
                            name
                                    + " must hold values of type <f2, <f4, <f8, |i1, <i2, <i4, <i8,"
                                    + " |u1, <u2, <u4 or |b1 (floating point, integers, truth"
                                    + " values), got "
                                    + type);
        };
    }

    private static double next(ByteBuffer bytes, String type) {
        return switch (type) {
            case "|b1", "|u1" -> bytes.get() & 0xff;
            case "|i1" -> bytes.get();
            case "<f2" -> ofHalf(bytes.getShort());
            case "<u2" -> bytes.getShort() & 0xffff;
            case "<i2" -> bytes.getShort();
            case "<f4" -> bytes.getFloat();
            case "<u4" -> bytes.getInt() & 0xffffffffL;
            case "<i4" -> bytes.getInt();
            case "<i8" -> bytes.getLong();
            default -> bytes.getDouble();
        };
    }

    private static void put(ByteBuffer bytes, String type, double value) {
        switch (type) {
            case "|b1" -> bytes.put((byte) whole(value, 0, 1));
            case "|u1" -> bytes.put((byte) whole(value, 0, 0xff));
            case "|i1" -> bytes.put((byte) whole(value, Byte.MIN_VALUE, Byte.MAX_VALUE));
            case "<f2" -> bytes.putShort(toHalf(value));
            case "<u2" -> bytes.putShort((short) whole(value, 0, 0xffff));
            case "<i2" -> bytes.putShort((short) whole(value, Short.MIN_VALUE, Short.MAX_VALUE));
            case "<f4" -> bytes.putFloat((float) value);
            case "<u4" -> bytes.putInt((int) whole(value, 0, 0xffffffffL));
            case "<i4" -> bytes.putInt((int) whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE));
            case "<i8" -> bytes.putLong(whole(value, Long.MIN_VALUE, Long.MAX_VALUE));
            default -> bytes.putDouble(value);
        }
    }

    private static long whole(double value, long least, long most) {
        return Math.min(most, Math.max(least, Math.round(value)));
    }

    /** IEEE half precision: 1 bit of sign, 5 of exponent, 10 of fraction. */
    private static double ofHalf(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude =
                exponent == 31
                        ? fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                        : exponent == 0
                                ? Math.scalb((double) fraction, -24)
                                : Math.scalb(1024.0 + fraction, exponent - 25);
        return bits < 0 ? -magnitude : magnitude;
    }

    /** To the nearest, halves to even. */
    private static short toHalf(double value) {
        double magnitude = Math.abs(value);
        int bits;
        if (Double.isNaN(value)) {
            bits = 0x7e00;
        } else if (magnitude >= 65520) {
            bits = 0x7c00;
        } else {
            // Steps of the fraction: 2^-24 up to 2^-14, then doubled with each power of two. A
            // fraction that rounds up to the next power carries into the exponent by itself.
            int exponent = Math.max(-14, Math.getExponent(magnitude));
            int fraction = (int) Math.rint(Math.scalb(magnitude, 10 - exponent));
            bits = (exponent + 14 << 10) + fraction;
        }
        return (short) (Math.copySign(1, value) < 0 ? bits | 0x8000 : bits);
    }

    /**
     * Writes a file.
     *
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public void write(Path path) {
        AtomicFile.write(path, this::writeTo);
    }

    /**
     * Writes the bytes of a file.
     *
     * @param out where to
     * @throws IOException if writing fails
     */
    public void writeTo(OutputStream out) throws IOException {
        ByteBuffer body =
                ByteBuffer.allocate(Math.multiplyExact(values.length, width(type, "an array")))
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            put(body, type, value);
        }
        out.write(header(type, shape));
        out.write(body.array());
    }

    /**
     * Writes a file of 32-bit numbers that come in parts, so that no copy of all of them is made.
     *
     * @param path the file
     * @param parts the values in C order
     * @param shape the extents
     * @throws IllegalArgumentException if there are more or fewer values than the shape takes, or
     *     the place cannot be written to
     */
    public static void write(Path path, Iterable<float[]> parts, int... shape) {
        long size = Arrays.stream(shape).asLongStream().reduce(1, Math::multiplyExact);
        AtomicFile.write(
                path,
                out -> {
                    out.write(header("<f4", shape));
                    long written = 0;
                    for (float[] part : parts) {
                        ByteBuffer bytes =
                                ByteBuffer.allocate(Math.multiplyExact(part.length, 4))
                                        .order(ByteOrder.LITTLE_ENDIAN);
                        bytes.asFloatBuffer().put(part);
                        out.write(bytes.array());
                        written += part.length;
                    }
                    if (written != size) {
                        throw new IllegalArgumentException(
                                "a shape of "
                                        + Arrays.toString(shape)
                                        + " takes "
                                        + size
                                        + " values, got "
                                        + written);
                    }
                });
    }

    private static byte[] header(String type, int... shape) {
        String extents =
                Arrays.stream(shape)
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", ", "(", shape.length == 1 ? ",)" : ")"));
        String fields =
                "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + extents + ", }";
        // As NumPy does: room for the first extent to grow to 21 digits, then up to a multiple
        // of 64 bytes, so that the values of a mapped file are aligned.
        int growth = shape.length == 0 ? 0 : 21 - Integer.toString(shape[0]).length();
        int used = PREFIX + fields.length() + growth + 1;
        int padding = growth + (64 - used % 64) % 64;
        String text = fields + " ".repeat(padding) + "\n";
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes(MAGIC);
        header.writeBytes(new byte[] {1, 0, (byte) text.length(), (byte) (text.length() >> 8)});
        header.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        return header.toByteArray();
    }

    /**
     * Returns the extents.
     *
     * @return the shape; empty for a single number
     */
    public int[] shape() {
        return shape.clone();
    }

    /**
     * Returns the type of the values in the file.
     *
     * @return NumPy's name of it, such as {@code <f4}
     */
    public String type() {
        return type;
    }

    /**
     * Returns the values.
     *
     * @return the values in C order
     */
    public double[] values() {
        return values.clone();
    }
}
