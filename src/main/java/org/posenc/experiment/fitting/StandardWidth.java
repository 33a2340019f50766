package org.posenc.experiment.fitting;

import java.util.Locale;
import org.posenc.signal.Sampling;

/**
 * How wide an encoding is made where the user leaves it open, and why.
 *
 * @param choice the encoding with its width set
 * @param reason one or two sentences for a reader
 */
record StandardWidth(EncodingChoice choice, String reason) {

    /**
     * Chooses for one axis of a complex encoding, or for all axes of a simple one.
     *
     * @param choice what the user asked for
     * @param spacing h between samples that train, as a part of the axis
     * @param plan how it is fitted
     */
    static StandardWidth of(EncodingChoice choice, double spacing, FitPlan plan) {
        double samples = 1 / spacing;
        boolean complex = plan.complex();
        return switch (choice.name()) {
            case "gaussian" -> spaced(choice, "sigma", spacings(plan), spacing);
            case "triangle" -> spaced(choice, "width", complex ? 2 : 2.5, spacing);
            case "random-fourier" ->
                    frequency(choice, "sigma", samples * (complex ? 0.164 : 0.055), samples);
            case "linear-frequencies" ->
                    highest(choice, Math.log(samples / (complex ? 4 : 8)) / Math.log(2), samples);
            case "log-frequencies" ->
                    highest(
                            choice,
                            Math.log(samples / (complex ? 2.83 : 5.66)) / Math.log(2),
                            samples);
            default ->
                    new StandardWidth(
                            choice,
                            "The encoding's own standard, for "
                                    + Math.round(samples)
                                    + " samples along an axis.");
        };
    }

    /** In units of h; random samples leave gaps that are wider than h. */
    private static double spacings(FitPlan plan) {
        return !plan.complex() || plan.sampling() instanceof Sampling.RandomFraction ? 1.5 : 1;
    }

    private static StandardWidth spaced(
            EncodingChoice choice, String key, double spacings, double spacing) {
        if (choice.settings().containsKey(key)) {
            return given(choice, key);
        }
        return new StandardWidth(
                choice.withStandard(key, Double.toString(spacings * spacing)),
                String.format(
                        Locale.ROOT,
                        "%s is %.4g, %.4g times the distance h between samples that train. From"
                                + " about 0.6 h neighbours overlap enough to fill the gaps between"
                                + " them; beyond about 1.6 h they become so alike that fine detail"
                                + " is lost.",
                        key,
                        spacings * spacing,
                        spacings));
    }

    private static StandardWidth frequency(
            EncodingChoice choice, String key, double value, double samples) {
        if (choice.settings().containsKey(key)) {
            return given(choice, key);
        }
        return new StandardWidth(
                choice.withStandard(key, Double.toString(value)),
                String.format(
                        Locale.ROOT,
                        "Frequencies are drawn with a spread of %.3g cycles, so that hardly any"
                                + " exceeds the %.0f cycles that %.0f samples can tell apart.",
                        value,
                        samples / 2,
                        samples));
    }

    private static StandardWidth highest(EncodingChoice choice, double power, double samples) {
        if (choice.settings().containsKey("highest")) {
            return given(choice, "highest");
        }
        double highest = Math.max(1, power);
        return new StandardWidth(
                choice.withStandard("highest", Double.toString(highest)),
                String.format(
                        Locale.ROOT,
                        "The highest frequency is 2^%.2f = %.0f cycles; %.0f samples can tell %.0f"
                                + " apart.",
                        highest,
                        Math.pow(2, highest),
                        samples,
                        samples / 2));
    }

    private static StandardWidth given(EncodingChoice choice, String key) {
        return new StandardWidth(
                choice, key + " = " + choice.settings().get(key) + ", as it was asked for.");
    }
}
