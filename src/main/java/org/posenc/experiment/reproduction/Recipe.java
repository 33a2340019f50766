package org.posenc.experiment.reproduction;

import java.util.List;
import org.posenc.experiment.Results;
import org.posenc.report.Explained;

/**
 * One experiment of the papers at one size: its trials, and what figures and claims are made of
 * their results.
 */
public interface Recipe {

    /**
     * Returns what a reader is told of it.
     *
     * @return names, sizes and sentences
     */
    About about();

    /**
     * Returns the name it is asked for by.
     *
     * @return {@link About#name}
     */
    default String name() {
        return about().name();
    }

    /**
     * Returns whether times are compared, so that its trials must not run beside others.
     *
     * @return false for most
     */
    default boolean timed() {
        return false;
    }

    /**
     * Returns its trials.
     *
     * @param setting what all recipes share
     * @return at least one
     */
    List<Trial> trials(Setting setting);

    /**
     * Draws the figures of the paper.
     *
     * @param results of all trials
     * @param pictures what they left as pictures
     * @return at least one, each with what there is to see in it
     */
    List<Explained> figures(Results results, Pictures pictures);

    /**
     * Judges the paper's claims.
     *
     * @param results of all trials, or only of one seed's and of those without a label {@code
     *     seed}, or of none
     * @return the same claims for any results, NaN where nothing was measured
     */
    List<Claim> claims(Results results);
}
