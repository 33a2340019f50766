package org.posenc.experiment.fitting;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.encoding.Space;
import org.posenc.signal.ChosenEncoding;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.signal.Tiles;

/**
 * What a fit does where a signal ends and no sample trains on the other side. The papers' copies of
 * a basis fade there, so that the last sample of an even side is nearly black; waves swing freely.
 *
 * <p>Copies that fade are mirrored, half a spacing beyond the first and the last sample that
 * trains, which costs nothing. For other features a margin of two mirrored samples trains too. What
 * is fitted is the difference from the mean of the samples that train, so that where little is
 * known it is the mean that is shown. Where the user sets an encoding's range or its ends, as in
 * {@code mirrored=false}, it is the papers' own.
 *
 * @param treatment what is done
 * @param grid the samples that a fit looks at, with their margin
 */
record Ends(Treatment treatment, TrainingGrid grid) {

    private static final List<String> OWN = List.of("from", "to", "periodic", "mirrored");

    private static final int MARGIN = 2;

    /** What is done at the ends. */
    enum Treatment {
        /** What the encoding does itself. */
        NONE,
        /** Features are mirrored. */
        MIRRORED_FEATURES,
        /** Samples are mirrored. */
        MIRRORED_SAMPLES
    }

    /**
     * Decides.
     *
     * @param choice the encoding
     * @param sampling which samples train
     * @param tiles what is fitted
     */
    static Ends of(EncodingChoice choice, Sampling sampling, Tiles tiles) {
        Treatment treatment = treatment(choice);
        int margin = treatment == Treatment.MIRRORED_SAMPLES ? MARGIN : 0;
        return new Ends(treatment, TrainingGrid.of(tiles, sampling, margin));
    }

    private static Treatment treatment(EncodingChoice choice) {
        PositionFeatures pair =
                Encodings.named(choice.name()).features(new Space(1, 2, 2, true, 0), Map.of());
        if (choice.settings().keySet().stream().anyMatch(OWN::contains)) {
            return Treatment.NONE;
        }
        boolean fades =
                pair instanceof ShiftedBasis shifted && Double.isFinite(shifted.basis().reach());
        return fades ? Treatment.MIRRORED_FEATURES : Treatment.MIRRORED_SAMPLES;
    }

    /**
     * Returns whether a single sample of an axis trains, which says nothing of its neighbours.
     *
     * @param axis m
     */
    boolean single(int axis) {
        return treatment != Treatment.NONE && grid.spacing()[axis] == grid.tiles().tile()[axis];
    }

    /**
     * Returns a feature that is the same all along an axis: a copy that is as wide as the distance
     * of its images in both mirrors.
     *
     * @param axis m
     */
    ChosenEncoding constant(int axis) {
        Map<String, String> settings = mirrors(from(axis), to(axis));
        settings.put("sigma", Double.toString(to(axis) - from(axis)));
        return new ChosenEncoding("gaussian", new Space(1, 1, 1, true, 0), settings);
    }

    /**
     * Returns the settings of features of one axis that depend on the ends.
     *
     * @param axis m
     */
    Map<String, String> settings(int axis) {
        return treatment == Treatment.MIRRORED_FEATURES ? mirrors(from(axis), to(axis)) : Map.of();
    }

    /**
     * Returns these settings of features of all axes, whose range is that of the densest samples.
     */
    Map<String, String> settings() {
        int axes = grid.sides().length;
        return treatment == Treatment.MIRRORED_FEATURES
                ? mirrors(
                        IntStream.range(0, axes).mapToDouble(this::from).max().orElseThrow(),
                        IntStream.range(0, axes).mapToDouble(this::to).max().orElseThrow())
                : Map.of();
    }

    private double from(int axis) {
        return -grid.spacing()[axis] / 2.0 / grid.tiles().tile()[axis];
    }

    private double to(int axis) {
        return grid.coordinate(axis, grid.sides()[axis] - 1) - from(axis);
    }

    private static Map<String, String> mirrors(double from, double to) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("mirrored", "true");
        settings.put("from", Double.toString(from));
        settings.put("to", Double.toString(to));
        return settings;
    }

    /**
     * Returns what is fitted the difference from.
     *
     * @param signal the whole signal
     * @param trains which of its samples train
     * @return a value for each channel
     */
    float[] offset(Signal signal, boolean[] trains) {
        int channels = signal.channels();
        float[] offset = new float[channels];
        for (int c = 0; treatment != Treatment.NONE && c < channels; c++) {
            int channel = c;
            offset[c] =
                    (float)
                            IntStream.range(0, trains.length)
                                    .filter(i -> trains[i])
                                    .mapToDouble(i -> signal.values()[i * channels + channel])
                                    .average()
                                    .orElse(0);
        }
        return offset;
    }
}
