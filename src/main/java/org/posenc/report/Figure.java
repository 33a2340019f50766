package org.posenc.report;

import java.awt.image.BufferedImage;

/** A table, chart or picture as data, which can draw itself. */
public sealed interface Figure permits LineChart, ScatterChart, HeatMap, ImageGrid, Table {

    /**
     * Returns what the figure shows.
     *
     * @return a short line above it
     */
    String title();

    /**
     * Draws the figure.
     *
     * @return the picture, on white
     */
    BufferedImage toImage();

    /**
     * Returns the figure as a part of a page.
     *
     * @return an HTML {@code figure} element, every given text escaped
     */
    String toHtml();
}
