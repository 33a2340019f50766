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
     * Reads a file.
     *
     * @param path a file of float32, float64, int32 or int64 values, little-endian, in C order
     * @return its array
     * @throws IllegalArgumentException if it cannot be read or holds something else
     */
    public static Npy read(Path path) {
        try {
            return decode(Files.readAllBytes(path), path.toString());
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        }
    }

    private static Npy decode(byte[] file, String name) {
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
            int size = Math.multiplyExact(width(type, name), product(shape));
            if (bytes.remaining() != size) {
                throw new IllegalArgumentException(
                        name + " must hold " + size + " bytes, got " + bytes.remaining());
            }
            double[] values = new double[product(shape)];
            for (int i = 0; i < values.length; i++) {
                values[i] = next(bytes, type);
            }
            return new Npy(type, shape, values);
        } catch (BufferUnderflowException | NegativeArraySizeException e) {
            throw new IllegalArgumentException(name + " is not a whole .npy file", e);
        }
    }

    private static int product(int[] shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    private static int width(String type, String name) {
        return switch (type) {
            case "<f4", "<i4" -> 4;
            case "<f8", "<i8" -> 8;
            default ->
                    throw new IllegalArgumentException(
                            name
                                    + " must hold values of type <f4, <f8, <i4 or <i8 (float32,"
                                    + " float64, int32, int64), got "
                                    + type);
        };
    }

    private static double next(ByteBuffer bytes, String type) {
        return switch (type) {
            case "<f4" -> bytes.getFloat();
            case "<i4" -> bytes.getInt();
            case "<i8" -> bytes.getLong();
            default -> bytes.getDouble();
        };
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
        boolean wide = type.endsWith("8");
        ByteBuffer body =
                ByteBuffer.allocate(Math.multiplyExact(values.length, wide ? 8 : 4))
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            switch (type) {
                case "<f4" -> body.putFloat((float) value);
                case "<i4" -> body.putInt((int) value);
                case "<i8" -> body.putLong((long) value);
                default -> body.putDouble(value);
            }
        }
        out.write(header());
        out.write(body.array());
    }

    private byte[] header() {
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
