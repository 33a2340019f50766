package org.posenc.experiment.reproduction;

/** How large a recipe is. */
public enum Scale {
    /** The sizes of the papers. */
    PAPER,
    /** The same questions at sizes that two cores answer within a minute a recipe. */
    SMALL
}
