package org.posenc.experiment;

/**
 * The coordinate side of the comparison: the same network fitted to one image with each encoding of
 * the pixel coordinates.
 *
 * @param depth the network's hidden layers
 * @param width their units
 * @param features D, the features of a point; as many for each encoding
 * @param steps optimizer steps, each over all training pixels
 * @param learningRate the highest, lowered along a cosine to a tenth
 * @param longest images are reduced so that no side is longer, in pixels
 */
public record ImageTask(
        int depth, int width, int features, int steps, double learningRate, int longest) {

    /** Checks the values. */
    public ImageTask {
        Positive.check(depth, "depth");
        Positive.check(width, "width");
        Positive.check(features, "features");
        Positive.check(steps, "steps");
        Positive.check(longest, "longest side");
        if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
            throw new IllegalArgumentException(
                    "learning rate must be positive, got " + learningRate);
        }
    }

    /**
     * Returns the task of the main job.
     *
     * @param steps optimizer steps
     * @return four layers of 128 units over 256 features
     */
    public static ImageTask standard(int steps) {
        return new ImageTask(4, 128, 256, steps, 2e-3, 128);
    }
}
