package org.posenc.experiment.reproduction;

/**
 * What a reader is told of a recipe at one size.
 *
 * @param name what it is asked for by: lower case, with hyphens
 * @param summary what it shows, in one line
 * @param source where the papers have it, such as {@code 2021, notebook 1}
 * @param cost such as {@code 20 s on two cores}
 * @param size every number that decides its results, beside image and seeds, in words
 * @param account how the experiment is made and how to read its figures: a few sentences, which say
 *     where it differs from the paper's
 */
public record About(
        String name, String summary, String source, String cost, String size, String account) {}
