package org.posenc.experiment.reproduction;

import org.posenc.signal.Signal;

/**
 * A video of n frames of n × n pixels, (n, n, n, 3), that a camera takes of an image as it pans
 * across it and closes in. The image has 2n pixels a side, of which the first frame sees 0.7 and
 * the last 0.5.
 */
final class MovingPicture {

    private static final double FIRST = 0.7;
    private static final double LAST = 0.5;
    private static final double DOWN = 0.3; // where the last frame begins
    private static final double RIGHT = 0.45;

    private MovingPicture() {}

    /**
     * Takes the video.
     *
     * @param subject the image
     * @param side n
     * @return values in [0, 1]
     */
    static Signal of(Subject subject, int side) {
        int pixels = 2 * side;
        double[] image = subject.colours(pixels);
        float[] video = new float[3 * side * side * side];
        int at = 0;
        for (int t = 0; t < side; t++) {
            double time = (double) t / side;
            double seen = FIRST + (LAST - FIRST) * time;
            for (int i = 0; i < side; i++) {
                double y = (DOWN * time + seen * i / side) * pixels;
                for (int j = 0; j < side; j++) {
                    double x = (RIGHT * time + seen * j / side) * pixels;
                    for (int c = 0; c < 3; c++) {
                        video[at++] = (float) between(image, pixels, y, x, c);
                    }
                }
            }
        }
        return new Signal(new int[] {side, side, side}, 3, video);
    }

    /** Bilinear interpolation; frames never reach the image's last row and column. */
    private static double between(double[] image, int pixels, double y, double x, int channel) {
        int i = (int) y;
        int j = (int) x;
        double down = y - i;
        double right = x - j;
        int at = 3 * (i * pixels + j) + channel;
        int below = at + 3 * pixels;
        return (1 - down) * ((1 - right) * image[at] + right * image[at + 3])
                + down * ((1 - right) * image[below] + right * image[below + 3]);
    }
}
