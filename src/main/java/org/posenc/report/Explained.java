package org.posenc.report;

/**
 * A figure with what there is to see in it.
 *
 * @param figure the figure
 * @param text a sentence or two, above it on a page; may be empty
 */
public record Explained(Figure figure, String text) {}
