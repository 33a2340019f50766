package org.posenc.experiment.reproduction;

import org.posenc.signal.Signal;

/** What the follow-up fits, and at which sizes. */
enum Medium {
    /** An image in colours. */
    IMAGE(2, 512, 512),
    /** A video of as many frames as a frame has pixels a side. */
    VIDEO(3, 128, 192);

    private final int axes;
    private final int paperSide;
    private final int simpleFeatures;

    Medium(int axes, int paperSide, int simpleFeatures) {
        this.axes = axes;
        this.paperSide = paperSide;
        this.simpleFeatures = simpleFeatures;
    }

    /** The number of axes. */
    int axes() {
        return axes;
    }

    /** The authors' samples along each of them. */
    int paperSide() {
        return paperSide;
    }

    /** The authors' number of simple features. */
    int simpleFeatures() {
        return simpleFeatures;
    }

    /** Samples of a subject, so many along each axis. */
    Signal of(Subject subject, int side) {
        return switch (this) {
            case IMAGE -> {
                double[] colours = subject.colours(side);
                float[] values = new float[colours.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) colours[i];
                }
                yield new Signal(new int[] {side, side}, 3, values);
            }
            case VIDEO -> MovingPicture.of(subject, side);
        };
    }

    /**
     * The sizes of a recipe.
     *
     * @param scale how large
     * @param seeds how many at the small scale; one at the paper's
     */
    FollowUp.Size size(Scale scale, int seeds) {
        boolean image = this == IMAGE;
        return switch (scale) {
            case PAPER ->
                    image
                            ? new FollowUp.Size(
                                    paperSide,
                                    256,
                                    2000,
                                    2000,
                                    2000,
                                    0.1,
                                    1,
                                    "days on two cores, half an hour on a large GPU")
                            : new FollowUp.Size(
                                    paperSide,
                                    512,
                                    500,
                                    500,
                                    500,
                                    0.1,
                                    1,
                                    "weeks on two cores, hours on a large GPU");
            case SMALL ->
                    image
                            ? new FollowUp.Size(64, 64, 1000, 500, 300, 0.01, seeds, "60 s")
                            : new FollowUp.Size(32, 64, 500, 200, 150, 0.01, seeds, "60 s");
        };
    }
}
