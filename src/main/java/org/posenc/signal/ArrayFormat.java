package org.posenc.signal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.report.Npy;

/**
 * An array as its {@code .npy} file held it: a line (N), an image (height, width), a volume or
 * video (depth, height, width), each with channels as a last axis or without.
 *
 * <p>Unsigned integers of 8 and 16 bits are divided by 255 and 65535, truth values are 0 and 1,
 * numbers that lie in [0, 1] stand as they are, and others are taken from their range to [0, 1].
 *
 * @param type NumPy's name of the values' type, such as {@code <f4}
 * @param channelAxis whether the last axis holds channels
 * @param low what the file held where a value is 0
 * @param high what the file held where a value is 1
 */
public record ArrayFormat(String type, boolean channelAxis, double low, double high)
        implements SignalFormat {

    /** Checks the values. */
    public ArrayFormat {
        if (!(high > low) || !Double.isFinite(high - low)) {
            throw new IllegalArgumentException(
                    "the range of an array must be finite and rise, got " + low + " to " + high);
        }
    }

    @Override
    public String extension() {
        return "npy";
    }

    @Override
    public String description() {
        return "NumPy array of type " + type;
    }

    /**
     * Returns a number of the array.
     *
     * @param share where it lies in the range, from 0 to 1
     * @return the number; exact at both ends, which decide the range when a file is read again
     */
    public double value(double share) {
        return low * (1 - share) + high * share;
    }

    /**
     * Returns where a number of the array lies in its range.
     *
     * @param number as the file holds it
     * @return from 0 to 1, or beyond
     */
    public double share(double number) {
        return (number - low) / (high - low);
    }

    /**
     * Returns the format of differences between two such arrays.
     *
     * @return float32, with 0 for no difference
     */
    public ArrayFormat ofDifferences() {
        return new ArrayFormat("<f4", channelAxis, 0, high - low);
    }

    static SignalFile read(Path file, ChannelAxis channels) {
        Npy array = Npy.read(file, Runtime.getRuntime().maxMemory() / 24);
        int[] shape = array.shape();
        if (shape.length == 0 || Arrays.stream(shape).anyMatch(n -> n == 0)) {
            throw new IllegalArgumentException(
                    file
                            + " must hold at least one number along an axis, got the shape "
                            + Arrays.toString(shape));
        }
        boolean channelAxis = channels.holdsChannels(shape);
        double[] numbers = array.values();
        ArrayFormat format = of(array.type(), channelAxis, numbers, file);
        float[] values = new float[numbers.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) format.share(numbers[i]);
        }
        int[] sides = channelAxis ? Arrays.copyOf(shape, shape.length - 1) : shape;
        int last = channelAxis ? shape[shape.length - 1] : 1;
        return new SignalFile(new Signal(sides, last, values), format);
    }

    private static ArrayFormat of(String type, boolean channelAxis, double[] numbers, Path file) {
        switch (type) {
            case "|u1":
                return new ArrayFormat(type, channelAxis, 0, 255);
            case "<u2":
                return new ArrayFormat(type, channelAxis, 0, 65535);
            default:
        }
        for (int i = 0; i < numbers.length; i++) {
            if (!Double.isFinite(numbers[i])) {
                throw new IllegalArgumentException(
                        file
                                + " must hold finite numbers, got "
                                + numbers[i]
                                + " as number "
                                + i
                                + " of "
                                + numbers.length);
            }
        }
        double low = DoubleStream.of(numbers).min().orElseThrow();
        double high = DoubleStream.of(numbers).max().orElseThrow();
        boolean nominal = low >= 0 && high <= 1;
        // A constant beyond [0, 1] is the value 0 of a range of 1.
        return nominal
                ? new ArrayFormat(type, channelAxis, 0, 1)
                : new ArrayFormat(type, channelAxis, low, high > low ? high : low + 1);
    }

    @Override
    public void encode(Signal signal, OutputStream out) throws IOException {
        SignalFormat.require(channelAxis || signal.channels() == 1, signal, "a " + description());
        int[] sides = signal.sides();
        int[] shape =
                channelAxis
                        ? IntStream.concat(Arrays.stream(sides), IntStream.of(signal.channels()))
                                .toArray()
                        : sides;
        double[] numbers = new double[signal.values().length];
        Arrays.setAll(numbers, i -> value(signal.values()[i]));
        Npy.of(numbers, type, shape).writeTo(out);
    }
}
