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
     * Returns the name it is asked for by.
     *
     * @return lower case, with hyphens
     */
    String name();

    /**
     * Returns what it shows.
     *
     * @return one line
     */
    String summary();

    /**
     * Returns where the papers have it.
     *
     * @return such as {@code 2021, notebook 1}
     */
    String source();

    /**
     * Returns what it costs at this size.
     *
     * @return such as {@code 20 s on two cores}
     */
    String cost();

    /**
     * Returns every number that decides its results, beside image and seeds.
     *
     * @return in words
     */
    String size();

    /**
     * Returns how the experiment is made and how to read its figures.
     *
     * @return a few sentences, which say where it differs from the paper's
     */
    String account();

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
