package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/**
 * A signal sampled on a grid: a sound (samples, C), an image (height, width, C), a volume (depth,
 * height, width, C), row-major, channels last.
 *
 * <p>Coordinate m of a sample belongs to axis m: sample i of N along an axis lies at i/N in [0, 1),
 * the end left out, as in Zheng et al. 2021. Values are nominally in [0, 1]; reconstructions may
 * lie beyond.
 *
 * @param sides (N_0, …, N_{M−1}), each at least 1
 * @param channels C, at least 1
 * @param values N_0 ⋯ N_{M−1} · C finite numbers, not copied
 */
public record Signal(int[] sides, int channels, float[] values) {

    /** Checks the values. */
    public Signal {
        sides = sides.clone();
        if (sides.length == 0 || channels < 1 || Arrays.stream(sides).anyMatch(n -> n < 1)) {
            throw new IllegalArgumentException(
                    "a signal must have at least one axis and every side and the channels must be"
                            + " at least 1, got "
                            + sides(sides)
                            + " with "
                            + channels
                            + " channels");
        }
        long count = count(sides, channels);
        if (count != values.length) {
            throw new IllegalArgumentException(
                    "a signal of "
                            + sides(sides)
                            + " with "
                            + channels
                            + " channels takes "
                            + count
                            + " values, got "
                            + values.length);
        }
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        "the values of a signal must be finite, got "
                                + values[i]
                                + " at "
                                + Arrays.toString(place(sides, i / channels))
                                + " in channel "
                                + i % channels);
            }
        }
    }

    /**
     * Takes a signal from an array on any device.
     *
     * @param array (N_0, …, N_{M−1}, C), float32
     * @return the signal
     */
    public static Signal of(NDArray array) {
        long[] shape = array.getShape().getShape();
        int[] sides =
                Arrays.stream(shape).limit(shape.length - 1L).mapToInt(n -> (int) n).toArray();
        return new Signal(sides, (int) shape[shape.length - 1], array.toFloatArray());
    }

    /** Returns N_0 ⋯ N_{M−1} · C, or the greatest long where it is more. */
    static long count(int[] sides, int channels) {
        double size = channels;
        for (int side : sides) {
            size *= side;
        }
        return size > 1e18 ? Long.MAX_VALUE : (long) size;
    }

    /** Returns sides in words, such as 512 × 768. */
    static String sides(int... sides) {
        return String.join(" × ", Arrays.stream(sides).mapToObj(Integer::toString).toList());
    }

    /** Returns where the sample of a running number lies, one index an axis. */
    private static int[] place(int[] sides, int sample) {
        int[] place = new int[sides.length];
        int rest = sample;
        for (int m = sides.length - 1; m >= 0; m--) {
            place[m] = rest % sides[m];
            rest /= sides[m];
        }
        return place;
    }

    /** Returns (N_0, …, N_{M−1}). */
    @Override
    public int[] sides() {
        return sides.clone();
    }

    /**
     * Returns the number of axes.
     *
     * @return M
     */
    public int axes() {
        return sides.length;
    }

    /**
     * Returns the number of samples; each has C values.
     *
     * @return N_0 ⋯ N_{M−1}
     */
    public int samples() {
        return values.length / channels;
    }

    /**
     * Returns the longest side.
     *
     * @return the greatest N_m
     */
    public int longest() {
        return Arrays.stream(sides).max().orElseThrow();
    }

    /**
     * Returns the values as an array.
     *
     * @param manager owns it
     * @return (N_0, …, N_{M−1}, C)
     */
    public NDArray array(NDManager manager) {
        long[] shape =
                Arrays.stream(Arrays.copyOf(sides, sides.length + 1)).asLongStream().toArray();
        shape[sides.length] = channels;
        return manager.create(values, new Shape(shape));
    }

    /**
     * Cuts out a block of samples.
     *
     * @param from its first sample, one index an axis
     * @param extent its sides
     * @return a signal of these sides
     * @throws IllegalArgumentException if the block does not lie within the signal
     */
    public Signal part(int[] from, int[] extent) {
        for (int m = 0; m < Math.max(axes(), Math.max(from.length, extent.length)); m++) {
            if (from.length != axes()
                    || extent.length != axes()
                    || from[m] < 0
                    || extent[m] < 1
                    || from[m] > sides[m] - extent[m]) {
                throw new IllegalArgumentException(
                        "a part must lie within "
                                + sides(sides)
                                + ", got "
                                + sides(extent)
                                + " from "
                                + Arrays.toString(from));
            }
        }
        float[] part = new float[Math.toIntExact(count(extent, channels))];
        int line = extent[axes() - 1] * channels;
        for (int row = 0; row < part.length / line; row++) {
            int[] place = place(extent, row * extent[axes() - 1]);
            int at = 0;
            for (int m = 0; m < axes(); m++) {
                at = at * sides[m] + from[m] + place[m];
            }
            System.arraycopy(values, at * channels, part, row * line, line);
        }
        return new Signal(extent, channels, part);
    }

    /**
     * Takes one channel.
     *
     * @param channel its number, from 0
     * @return a signal of the same sides with one channel
     */
    public Signal channel(int channel) {
        float[] own = new float[samples()];
        for (int i = 0; i < own.length; i++) {
            own[i] = values[i * channels + channel];
        }
        return new Signal(sides, 1, own);
    }

    /** Returns the sides and the channels, not the values. */
    @Override
    public String toString() {
        return "Signal " + sides(sides) + ", channels " + channels;
    }
}
