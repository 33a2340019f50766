package org.posenc.cli;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import org.posenc.report.Figure;

/** Figures side by side in one picture. */
final class FigureRow {

    private static final int HEIGHT = 640;

    private FigureRow() {}

    /** Draws figures in a row, all of one height. */
    static BufferedImage of(Figure... figures) {
        List<BufferedImage> images = Arrays.stream(figures).map(Figure::toImage).toList();
        int[] widths =
                images.stream().mapToInt(i -> i.getWidth() * HEIGHT / i.getHeight()).toArray();
        BufferedImage row =
                new BufferedImage(Arrays.stream(widths).sum(), HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = row.createGraphics();
        g.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        int x = 0;
        for (int i = 0; i < widths.length; i++) {
            g.drawImage(images.get(i), x, 0, widths[i], HEIGHT, null);
            x += widths[i];
        }
        g.dispose();
        return row;
    }
}
