package org.posenc.experiment;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import org.posenc.signal.ImageFormat;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalFile;

/**
 * A colour image as numbers, split into pixels to train on and pixels held out.
 *
 * <p>The pixel in row i and column j of an h × w image lies at the point (j/w, i/h): the end point
 * 1 is excluded, as in Zheng et al. 2021. Training takes every second pixel in both directions.
 *
 * @param width w, at least 4
 * @param height h, at least 4
 * @param values red, green and blue in [0, 1], row by row, 3·w·h numbers
 */
public record Picture(int width, int height, float[] values) {

    private static final int LEAST = 4;

    /** Checks the values. */
    public Picture {
        if (width < LEAST || height < LEAST) {
            throw new IllegalArgumentException(
                    "an image must be at least 4 × 4, got " + width + " × " + height);
        }
        if (values.length != 3 * width * height) {
            throw new IllegalArgumentException(
                    values.length + " values do not fill an image of " + width + " × " + height);
        }
    }

    /** Points and their colours, one a row. */
    record Samples(float[] points, float[] colours) {

        int count() {
            return points.length / 2;
        }
    }

    /**
     * Reads an image file (PNG, JPEG, GIF, BMP); transparency is laid over black.
     *
     * @param file the file
     * @param longest the image is reduced so that no side is longer than this many pixels
     * @return the picture
     * @throws IllegalArgumentException if the file cannot be read or is no image
     */
    public static Picture read(Path file, int longest) {
        SignalFile image = SignalFile.read(file);
        if (!(image.format() instanceof ImageFormat format)) {
            throw new IllegalArgumentException(
                    file + " is not an image but a " + image.format().description());
        }
        int[] sides = image.signal().sides();
        double scale = Math.min(1, (double) longest / image.signal().longest());
        int width = (int) Math.round(sides[1] * scale);
        int height = (int) Math.round(sides[0] * scale);
        if (width < LEAST || height < LEAST) {
            throw new IllegalArgumentException(
                    "the image "
                            + file
                            + " is "
                            + sides[1]
                            + " × "
                            + sides[0]
                            + " pixels; each side must have at least "
                            + LEAST
                            + (scale < 1 ? " when the longer is reduced to " + longest : ""));
        }
        return averaged(image.signal(), format, width, height);
    }

    /**
     * Reduces by averaging over areas, which keeps fine detail from turning into false patterns.
     */
    private static Picture averaged(Signal image, ImageFormat format, int width, int height) {
        float[] values = new float[3 * width * height];
        int[] sides = image.sides();
        double white = format.white();
        for (int i = 0; i < height; i++) {
            int top = (int) ((long) i * sides[0] / height);
            int bottom = (int) ((long) (i + 1) * sides[0] / height);
            for (int j = 0; j < width; j++) {
                int left = (int) ((long) j * sides[1] / width);
                int right = (int) ((long) (j + 1) * sides[1] / width);
                double[] sum = new double[3];
                for (int y = top; y < bottom; y++) {
                    for (int x = left; x < right; x++) {
                        int at = (y * sides[1] + x) * image.channels();
                        for (int c = 0; c < 3; c++) {
                            // The whole numbers of the file sum without rounding.
                            float value = image.values()[format.colour() ? at + c : at];
                            sum[c] += opacity(image, format, at) * Math.rint(white * value);
                        }
                    }
                }
                double area = white * (bottom - top) * (right - left);
                for (int c = 0; c < 3; c++) {
                    values[3 * (i * width + j) + c] = (float) (sum[c] / area);
                }
            }
        }
        return new Picture(width, height, values);
    }

    private static double opacity(Signal image, ImageFormat format, int at) {
        return format.alpha() ? image.values()[at + image.channels() - 1] : 1;
    }

    /**
     * Returns where the pixels lie, row by row.
     *
     * @return (x, y) of each pixel, 2·w·h numbers in [0, 1)
     */
    public float[] points() {
        return all().points();
    }

    /** Returns every pixel, row by row. */
    Samples all() {
        return samples(1, false);
    }

    /** Returns every second pixel of every second row. */
    Samples training() {
        return samples(2, false);
    }

    /** Returns the pixels that are not trained on, three in four. */
    Samples heldOut() {
        return samples(2, true);
    }

    /** Returns points along the diagonal, as many as the longer side has pixels. */
    float[] diagonal() {
        int n = longest();
        float[] points = new float[2 * n];
        for (int i = 0; i < n; i++) {
            points[2 * i] = (float) i / n;
            points[2 * i + 1] = (float) i / n;
        }
        return points;
    }

    /** Returns the longer of the two sides, in pixels. */
    int longest() {
        return Math.max(width, height);
    }

    /** Returns a number that is equal only for equal pictures. */
    String hash() {
        int[] all = new int[values.length + 1];
        all[0] = width;
        for (int i = 0; i < values.length; i++) {
            all[i + 1] = Float.floatToIntBits(values[i]);
        }
        return Comparison.hash(all);
    }

    private Samples samples(int step, boolean complement) {
        int on = ((width + step - 1) / step) * ((height + step - 1) / step);
        int count = complement ? width * height - on : on;
        float[] points = new float[2 * count];
        float[] colours = new float[3 * count];
        int n = 0;
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < width; j++) {
                boolean trained = i % step == 0 && j % step == 0;
                if (trained != complement) {
                    points[2 * n] = (float) j / width;
                    points[2 * n + 1] = (float) i / height;
                    System.arraycopy(values, 3 * (i * width + j), colours, 3 * n, 3);
                    n++;
                }
            }
        }
        return new Samples(points, colours);
    }

    /**
     * Returns the picture as an image; values beyond [0, 1] are clipped.
     *
     * @return an RGB image
     */
    public BufferedImage image() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int n = 0; n < width * height; n++) {
            int rgb = 0;
            for (int c = 0; c < 3; c++) {
                rgb = rgb << 8 | Math.round(255 * Math.min(1, Math.max(0, values[3 * n + c])));
            }
            image.setRGB(n % width, n / width, rgb);
        }
        return image;
    }
}
