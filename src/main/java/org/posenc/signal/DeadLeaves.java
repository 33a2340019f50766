package org.posenc.signal;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A synthetic image with the edges, textures and scales of a photograph: the dead leaves model (<a
 * href="https://doi.org/10.1023/A:1011109005838">Lee, Mumford and Huang 2001</a>), 400 discs of one
 * colour that hide each other. The same size and seed give the same image on every machine.
 *
 * <p>All random numbers are u = s/2³² of s ← (1664525 s + 1013904223) mod 2³², which starts at the
 * seed. Each disc draws its centre (y, x), a number u for its radius and three colours c:
 *
 * <pre>
 * r = a / √(1 − u (1 − (a/b)²)), a = 0.02, b = 0.35    (density ∝ r⁻³, as in photographs)
 * colour = 0.15 + 0.7 c                                (background 0.5)
 * </pre>
 *
 * <p>Each pixel is the mean of 3 × 3 points, is lit by 0.85 + 0.15 cos 2π(0.7 x + 0.4 y), gains the
 * texture 0.02 sin 2π(19 x + 7 y), and is clipped to [0, 1]. Pixel (i, j) of n × n lies at y = i/n,
 * x = j/n.
 */
public final class DeadLeaves {

    /** The greatest image, 8192 × 8192. */
    public static final int LARGEST = 8192;

    private static final int LEAVES = 400;
    private static final int CHANNELS = 3;
    private static final int SAMPLES = 3; // of a pixel, along each axis
    private static final double SMALLEST_RADIUS = 0.02;
    private static final double LARGEST_RADIUS = 0.35;

    /** A disc. */
    private record Leaf(double y, double x, double radius, double[] colour) {}

    private DeadLeaves() {}

    /**
     * Makes an image.
     *
     * @param size n, its height and width in pixels, 1 to {@link #LARGEST}
     * @param seed another image for each
     * @return red, green and blue in [0, 1], row by row, (n, n, 3)
     * @throws IllegalArgumentException if the size is out of range
     */
    public static double[] image(int size, int seed) {
        if (size < 1 || size > LARGEST) {
            throw new IllegalArgumentException(
                    "the size of a synthetic image must be 1 to " + LARGEST + ", got " + size);
        }
        Leaf[] leaves = leaves(seed);
        double[] image = new double[size * size * CHANNELS];
        IntStream.range(0, size).parallel().forEach(i -> row(image, i, size, leaves));
        return image;
    }

    /**
     * Makes an image without colours.
     *
     * @param size n, as for {@link #image}
     * @param seed another image for each
     * @return the mean of red, green and blue, row by row, (n, n)
     * @throws IllegalArgumentException if the size is out of range
     */
    public static double[] grey(int size, int seed) {
        double[] image = image(size, seed);
        double[] grey = new double[size * size];
        for (int p = 0; p < grey.length; p++) {
            int at = p * CHANNELS;
            grey[p] = (image[at] + image[at + 1] + image[at + 2]) / CHANNELS;
        }
        return grey;
    }

    private static Leaf[] leaves(int seed) {
        long state = Integer.toUnsignedLong(seed);
        double shrink = 1 - Math.pow(SMALLEST_RADIUS / LARGEST_RADIUS, 2);
        Leaf[] leaves = new Leaf[LEAVES];
        for (int l = 0; l < LEAVES; l++) {
            double[] u = new double[3 + CHANNELS];
            for (int k = 0; k < u.length; k++) {
                state = 1664525 * state + 1013904223 & 0xFFFFFFFFL;
                u[k] = state / 0x1p32;
            }
            double[] colour = new double[CHANNELS];
            for (int c = 0; c < CHANNELS; c++) {
                colour[c] = 0.15 + 0.7 * u[3 + c];
            }
            leaves[l] =
                    new Leaf(u[0], u[1], SMALLEST_RADIUS / Math.sqrt(1 - u[2] * shrink), colour);
        }
        return leaves;
    }

    private static void row(double[] image, int i, int size, Leaf[] leaves) {
        double[] sums = new double[size * CHANNELS];
        int[] top = new int[size * SAMPLES]; // the leaf that is seen, 1, 2, …; 0 is the background
        for (int k = 0; k < SAMPLES; k++) {
            see(top, sample(i * SAMPLES + k, size), size, leaves);
            for (int s = 0; s < top.length; s++) {
                for (int c = 0; c < CHANNELS; c++) {
                    double value = top[s] == 0 ? 0.5 : leaves[top[s] - 1].colour[c];
                    sums[s / SAMPLES * CHANNELS + c] += value;
                }
            }
        }
        double y = (double) i / size;
        for (int j = 0; j < size; j++) {
            double x = (double) j / size;
            double light = 0.85 + 0.15 * Math.cos(2 * Math.PI * (0.7 * x + 0.4 * y));
            double texture = 0.02 * Math.sin(2 * Math.PI * (19 * x + 7 * y));
            for (int c = 0; c < CHANNELS; c++) {
                double mean = sums[j * CHANNELS + c] / (SAMPLES * SAMPLES);
                double value = mean * light + texture;
                image[(i * size + j) * CHANNELS + c] = Math.max(0, Math.min(1, value));
            }
        }
    }

    /** Notes which leaf is seen at each point of the line at y: the last that covers it. */
    private static void see(int[] top, double y, int size, Leaf[] leaves) {
        Arrays.fill(top, 0);
        for (int l = 0; l < leaves.length; l++) {
            Leaf leaf = leaves[l];
            double dy = y - leaf.y;
            double square = leaf.radius * leaf.radius;
            if (dy * dy >= square) {
                continue;
            }
            double half = Math.sqrt(square - dy * dy);
            int from = Math.max(0, nearest(leaf.x - half, size) - 1);
            int to = Math.min(top.length - 1, nearest(leaf.x + half, size) + 1);
            for (int s = from; s <= to; s++) {
                double dx = sample(s, size) - leaf.x;
                if (dy * dy + dx * dx < square) {
                    top[s] = l + 1;
                }
            }
        }
    }

    /** Where the points of a side lie: centred about their pixels' coordinates. */
    private static double sample(int index, int size) {
        return (index + 0.5) / (size * SAMPLES) - 0.5 / size;
    }

    private static int nearest(double t, int size) {
        return (int) Math.round((t + 0.5 / size) * size * SAMPLES - 0.5);
    }
}
