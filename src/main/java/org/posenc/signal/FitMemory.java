package org.posenc.signal;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The memory that a fit takes beside Java's own, estimated from its sizes before anything is
 * allocated: of arrays that live at the same time, from 1.02 to 1.9 times what the process was
 * measured to grow by. The greatest excess is training of ReLU layers, which keep one array where
 * other activations keep two.
 *
 * @param sides samples that are fitted at once, (N_0, …, N_{M−1}), at least 1 each
 * @param features K_0, …, K_{M−1} of a complex encoding, or the D features of a simple one
 * @param complex whether the encoding is the Kronecker product of its axes
 * @param channels C, values of a sample
 * @param depth hidden layers
 * @param width their size
 */
public record FitMemory(
        int[] sides, int[] features, boolean complex, int channels, int depth, int width) {

    /** What the engine takes for itself when it first computes. */
    private static final double ENGINE = 34e6;

    /** Numbers, as float32, that a feature of a point leaves behind: it is computed in float64. */
    private static final double FEATURE = 10;

    /** Copies and checks the values. */
    public FitMemory {
        sides = sides.clone();
        features = features.clone();
        if (sides.length == 0
                || features.length != (complex ? sides.length : 1)
                || IntStream.concat(IntStream.of(sides), IntStream.of(features))
                        .anyMatch(n -> n < 1)
                || channels < 1
                || depth < 0
                || width < 1) {
            throw new IllegalArgumentException(
                    "a fit has at least 1 sample and feature along each axis, 1 channel and a width"
                            + " of 1, got sides "
                            + Arrays.toString(sides)
                            + ", features "
                            + Arrays.toString(features)
                            + ", channels "
                            + channels
                            + ", depth "
                            + depth
                            + ", width "
                            + width);
        }
    }

    /** Returns a copy of the sides. */
    @Override
    public int[] sides() {
        return sides.clone();
    }

    /** Returns a copy of the numbers of features. */
    @Override
    public int[] features() {
        return features.clone();
    }

    /**
     * Estimates what the closed form of a complex encoding takes: samples in float32 and float64,
     * the two largest arrays between them and the weights, and six matrices of each axis for its
     * decomposition.
     *
     * @return bytes
     */
    public double closedForm() {
        double between = 0;
        double array = channels * product(sides);
        double total = 2 * array;
        for (int m = 0; m < sides.length; m++) {
            double next = array / sides[m] * features[m];
            between = Math.max(between, array + next);
            array = next;
            double side = Math.max(sides[m], features[m]);
            total += 6 * side * Math.min(sides[m], features[m]) + 2.0 * features[m] * features[m];
        }
        return ENGINE + 8 * (total + between + array);
    }

    /**
     * Estimates what training takes, all samples in each step and all in float32: the parameters
     * with their gradients and Adam's two moments; the features; and at each sample what each layer
     * and its activation gave, with the gradients of the layer at work.
     *
     * @return bytes
     */
    public double training() {
        double points = product(sides);
        double units = depth == 0 ? channels : width;
        double inputs = product(features); // weights of a unit of the first layer
        double encoded = 0; // features, and products of them with weights along some axes
        if (complex) {
            double array = units * inputs;
            for (int m = sides.length - 1; m >= 0; m--) {
                encoded += (double) sides[m] * features[m];
                array = array / features[m] * sides[m];
                encoded += m > 0 ? 2 * array : 0;
            }
        } else {
            encoded = FEATURE * points * features[0];
        }
        double hidden = depth == 0 ? 0 : (depth - 1.0) * width * width + (double) width * channels;
        double parameters = 5 * (units * inputs + hidden);
        double layers = points * (depth == 0 ? 0 : (2.0 * depth + 3) * width);
        return ENGINE + 4 * (parameters + encoded + layers + points * 4 * channels);
    }

    private static double product(int[] numbers) {
        return IntStream.of(numbers).asDoubleStream().reduce(1, (a, b) -> a * b);
    }

    /**
     * Refuses a fit that takes more memory than there is, and tells the size that would fit: the
     * largest of the same proportions, with as many features for a sample.
     *
     * @param closedForm whether it is solved, not trained
     * @param available bytes, as {@link #available()} tells
     * @throws IllegalArgumentException if the fit takes more
     */
    public void requireRoom(boolean closedForm, double available) {
        double needed = bytes(closedForm);
        if (needed <= available) {
            return;
        }
        double fits = 0;
        double fitsNot = 1;
        for (int i = 0; i < 30; i++) {
            double middle = (fits + fitsNot) / 2;
            boolean smaller = scaled(middle).bytes(closedForm) <= available;
            fits = smaller ? middle : fits;
            fitsNot = smaller ? fitsNot : middle;
        }
        throw new IllegalArgumentException(
                "to fit "
                        + Signal.sides(sides)
                        + " samples at once takes "
                        + gigabytes(needed)
                        + " of memory and "
                        + gigabytes(available)
                        + " are free: at most "
                        + Signal.sides(scaled(fits).sides)
                        + " would fit, or smaller tiles");
    }

    private double bytes(boolean closedForm) {
        return closedForm ? closedForm() : training();
    }

    private FitMemory scaled(double factor) {
        int[] fewer = scaled(sides, factor);
        int[] own = complex ? scaled(features, factor) : features;
        return new FitMemory(fewer, own, complex, channels, depth, width);
    }

    private static int[] scaled(int[] numbers, double factor) {
        return IntStream.of(numbers).map(n -> (int) Math.max(1, n * factor)).toArray();
    }

    private static String gigabytes(double bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }

    /**
     * Returns the memory that this machine, or the container it is, has left.
     *
     * @return bytes
     */
    public static double available() {
        double total = Double.POSITIVE_INFINITY;
        if (ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system) {
            total = system.getTotalMemorySize();
        }
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemAvailable:")) {
                    String kilobytes = line.replaceAll("\\D", "");
                    return Math.min(total, 1024 * Double.parseDouble(kilobytes));
                }
            }
        } catch (IOException e) {
            // another system: half of what it has
        }
        return total / 2;
    }
}
