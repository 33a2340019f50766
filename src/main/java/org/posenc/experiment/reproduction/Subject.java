package org.posenc.experiment.reproduction;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.posenc.experiment.Picture;
import org.posenc.signal.DeadLeaves;

/** The image whose rows and pixels are fitted, square at whatever size a recipe needs. */
public sealed interface Subject {

    /**
     * Returns the image.
     *
     * @param side n, pixels along each side
     * @return red, green and blue in [0, 1], row by row, (n, n, 3)
     * @throws IllegalArgumentException if there are not so many pixels
     */
    double[] colours(int side);

    /**
     * Returns what the image is.
     *
     * @return equal only for equal images
     */
    String identity();

    /**
     * Returns the image without colours, 0.2125 R + 0.7154 G + 0.0721 B as in the notebooks.
     *
     * @param side n, pixels along each side
     * @return row by row, (n, n)
     * @throws IllegalArgumentException if there are not so many pixels
     */
    default double[] grey(int side) {
        double[] colours = colours(side);
        double[] grey = new double[side * side];
        for (int p = 0; p < grey.length; p++) {
            grey[p] =
                    0.2125 * colours[3 * p]
                            + 0.7154 * colours[3 * p + 1]
                            + 0.0721 * colours[3 * p + 2];
        }
        return grey;
    }

    /**
     * Returns some rows without colours, as signals.
     *
     * @param rows their numbers, of n
     * @param side n, pixels along each side
     * @return a row each, n values
     * @throws IllegalArgumentException if there are not so many pixels
     */
    default double[][] greyRows(int[] rows, int side) {
        double[] grey = grey(side);
        return Arrays.stream(rows)
                .mapToObj(row -> Arrays.copyOfRange(grey, row * side, (row + 1) * side))
                .toArray(double[][]::new);
    }

    /**
     * The synthetic image, {@link DeadLeaves}.
     *
     * @param seed another image for each
     */
    record Synthetic(int seed) implements Subject {

        @Override
        public double[] colours(int side) {
            return DeadLeaves.image(side, seed);
        }

        @Override
        public String identity() {
            return "synthetic image (dead leaves, seed " + seed + ")";
        }
    }

    /**
     * The largest square in the middle of an image file, reduced by averaging.
     *
     * @param file PNG, JPEG, GIF or BMP
     */
    record Photograph(Path file) implements Subject {

        /** Reads it once, so that a file that is no image is said before anything runs. */
        public Photograph {
            Picture.read(file, Integer.MAX_VALUE);
        }

        @Override
        public double[] colours(int side) {
            Picture whole = Picture.read(file, Integer.MAX_VALUE);
            int shorter = Math.min(whole.width(), whole.height());
            if (shorter < side) {
                throw new IllegalArgumentException(
                        "an image of at least %d × %d pixels is needed, %s has %d × %d"
                                .formatted(side, side, file, whole.width(), whole.height()));
            }
            int longer = Math.max(whole.width(), whole.height());
            Picture picture =
                    Picture.read(file, (int) Math.round((double) longer * side / shorter));
            int left = (picture.width() - side) / 2;
            int top = (picture.height() - side) / 2;
            double[] colours = new double[3 * side * side];
            for (int i = 0; i < side; i++) {
                for (int c = 0; c < 3 * side; c++) {
                    int from = 3 * ((top + i) * picture.width() + left) + c;
                    colours[3 * side * i + c] = picture.values()[from];
                }
            }
            return colours;
        }

        @Override
        public String identity() {
            try {
                return file + " (" + Arrays.hashCode(Files.readAllBytes(file)) + ")";
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
