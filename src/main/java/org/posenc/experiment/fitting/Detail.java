package org.posenc.experiment.fitting;

import org.posenc.signal.Signal;

/**
 * The square of an image where neighbouring pixels differ most: what is hardest to fit.
 *
 * @param from its first row and column
 * @param extent its height and width
 */
record Detail(int[] from, int[] extent) {

    private static final int SIDE = 64;

    /** Steps from one candidate to the next, as parts of the square. */
    private static final int STEPS = 4;

    static Detail of(Signal image) {
        int[] sides = image.sides();
        int[] extent = {Math.min(SIDE, sides[0]), Math.min(SIDE, sides[1])};
        int[] best = {0, 0};
        double most = -1;
        for (int i = 0; i <= sides[0] - extent[0]; i += Math.max(1, extent[0] / STEPS)) {
            for (int j = 0; j <= sides[1] - extent[1]; j += Math.max(1, extent[1] / STEPS)) {
                double change = change(image, sides[1], new int[] {i, j}, extent);
                if (change > most) {
                    most = change;
                    best = new int[] {i, j};
                }
            }
        }
        return new Detail(best, extent);
    }

    private static double change(Signal image, int width, int[] from, int[] extent) {
        float[] values = image.values();
        int channels = image.channels();
        double sum = 0;
        for (int i = from[0]; i < from[0] + extent[0] - 1; i++) {
            for (int j = from[1]; j < from[1] + extent[1] - 1; j++) {
                int at = (i * width + j) * channels;
                for (int c = at; c < at + channels; c++) {
                    sum += Math.abs(values[c + channels] - values[c]);
                    sum += Math.abs(values[c + width * channels] - values[c]);
                }
            }
        }
        return sum;
    }
}
