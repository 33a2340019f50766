package org.posenc.experiment.fitting;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.signal.Tiles;
import org.posenc.signal.WidthChoice;

/**
 * How wide an encoding is made along an axis, and why: as the user asks for, or else as {@link
 * WidthChoice} finds from the samples that train.
 *
 * @param choice the encoding with its width set
 * @param summary the width in a few words
 * @param reason a sentence or two for a reader
 */
record ChosenWidth(EncodingChoice choice, String summary, String reason) {

    /**
     * Chooses for each axis of a complex encoding.
     *
     * @param choice what the user asked for
     * @param signal with all its samples
     * @param plan how it is fitted
     * @param tiles what each network is fitted to
     * @param spacings of samples that train along each axis, as parts of a tile
     * @param features along each axis
     */
    static List<ChosenWidth> ofAxes(
            EncodingChoice choice,
            Signal signal,
            FitPlan plan,
            Tiles tiles,
            double[] spacings,
            int[] features) {
        int[] lengths = FitLayout.lengths(tiles.tile(), plan.sampling());
        if (!isOpen(choice)) {
            List<ChosenWidth> fixed = new ArrayList<>();
            for (int length : lengths) {
                fixed.add(fixed(choice, length));
            }
            return fixed;
        }
        WidthChoice.Method method =
                plan.method() instanceof FitMethod.ClosedForm
                        ? WidthChoice.Method.CLOSED_FORM
                        : WidthChoice.Method.TRAINING;
        List<WidthChoice> widths =
                plan.sampling() instanceof Sampling.Every
                        ? WidthChoice.forSignal(
                                choice.name(),
                                SignalPictures.sampled(signal, plan.sampling()),
                                lengths,
                                spacings,
                                features,
                                method,
                                plan.seed())
                        : WidthChoice.forGaps(
                                choice.name(),
                                signal,
                                plan.sampling().trains(signal.sides()),
                                tiles.tile(),
                                features,
                                plan.seed());
        return widths.stream().map(width -> with(choice, width)).toList();
    }

    /**
     * Chooses for all axes of a simple encoding together.
     *
     * @param choice what the user asked for
     * @param length the samples that train along the longest axis
     */
    static ChosenWidth ofSimple(EncodingChoice choice, int length) {
        return isOpen(choice)
                ? with(
                        choice,
                        WidthChoice.forSpacing(
                                choice.name(), 1.0 / length, WidthChoice.Method.SIMPLE))
                : fixed(choice, length);
    }

    /**
     * Returns whether the user gave a width that would have been chosen.
     *
     * @param choice what the user asked for
     */
    static boolean isGiven(EncodingChoice choice) {
        return isChosenFor(choice) && choice.settings().containsKey(WidthChoice.key(choice.name()));
    }

    private static boolean isOpen(EncodingChoice choice) {
        return isChosenFor(choice) && !isGiven(choice);
    }

    private static boolean isChosenFor(EncodingChoice choice) {
        return WidthChoice.ENCODINGS.contains(choice.name());
    }

    private static ChosenWidth fixed(EncodingChoice choice, int length) {
        List<String> asked = new ArrayList<>();
        new TreeMap<>(choice.settings()).forEach((key, value) -> asked.add(key + " = " + value));
        String summary =
                asked.isEmpty()
                        ? "the encoding's own standard for " + length + " samples"
                        : String.join(", ", asked) + ", as it was asked for";
        String reason = isChosenFor(choice) ? "" : "No width is chosen for it.";
        return new ChosenWidth(choice, summary, reason);
    }

    private static ChosenWidth with(EncodingChoice choice, WidthChoice width) {
        return new ChosenWidth(
                choice.withStandard(width.key(), Double.toString(width.value())),
                width.summary(),
                width.reason());
    }

    /** Returns the widths of all axes in a few words; none, where each is a single sample. */
    static String summary(List<ChosenWidth> axes) {
        if (axes.stream().map(ChosenWidth::summary).distinct().count() <= 1) {
            return axes.isEmpty()
                    ? "constant"
                    : axes.get(0).summary + (axes.size() > 1 ? ", along each axis" : "");
        }
        String[] each = new String[axes.size()];
        Arrays.setAll(each, m -> "along axis " + (m + 1) + " " + axes.get(m).summary);
        return String.join("; ", each);
    }

    /** Returns why; the first axis does for all. */
    static String reason(List<ChosenWidth> axes) {
        return axes.isEmpty()
                ? "A single sample trains, which says nothing of others."
                : axes.get(0).reason;
    }
}
