package org.posenc.experiment.reproduction;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.experiment.Progress;

/**
 * A part of a recipe that is run on its own and kept when it is finished.
 *
 * @param labels what is tried, such as {@code encoding → gaussian}; different for each trial of a
 *     recipe. {@code recipe} and {@code pictures} are set by the reproduction
 * @param steps how much work it is, in steps that it reports as it advances
 * @param work does it
 */
public record Trial(Map<String, String> labels, long steps, Work work) {

    /** The work of a trial. */
    @FunctionalInterface
    public interface Work {

        /**
         * Does the work, on a thread of its own.
         *
         * @param progress hears of each step
         * @return what was found
         * @throws IOException if something cannot be read
         * @throws TranslateException if DJL's training fails
         */
        Outcome run(Progress progress) throws IOException, TranslateException;
    }

    /** Checks and copies the values. */
    public Trial {
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        if (labels.isEmpty()) {
            throw new IllegalArgumentException("a trial must have a label");
        }
        if (steps < 1) {
            throw new IllegalArgumentException("a trial takes at least 1 step, got " + steps);
        }
    }

    /**
     * Returns labels in the order given.
     *
     * @param namesAndValues a name, its value, the next name, …
     * @return the labels
     */
    public static Map<String, String> labels(String... namesAndValues) {
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            labels.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return labels;
    }
}
