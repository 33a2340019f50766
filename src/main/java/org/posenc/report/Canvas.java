package org.posenc.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.GraphicsEnvironment;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The paper that pictures are drawn on: white, one type face, two greys. */
final class Canvas {

    static final Color INK = new Color(0x1d2129);
    static final Color MUTED = new Color(0x5d6571);
    static final Color GRID = new Color(0xe3e6ea);

    private static final String FACE = face();

    private Canvas() {}

    private static String face() {
        Set<String> there =
                Set.of(
                        GraphicsEnvironment.getLocalGraphicsEnvironment()
                                .getAvailableFontFamilyNames());
        return List.of("Inter", "Helvetica Neue", "Segoe UI", "Liberation Sans", "Arial").stream()
                .filter(there::contains)
                .findFirst()
                .orElse(Font.SANS_SERIF);
    }

    static Font font(int style, int size) {
        return new Font(FACE, style, size);
    }

    static FontMetrics metrics(Font font) {
        Graphics2D g = graphics(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB));
        try {
            return g.getFontMetrics(font);
        } finally {
            g.dispose();
        }
    }

    static BufferedImage blank(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, width, height);
        g.dispose();
        return image;
    }

    static Graphics2D graphics(BufferedImage image) {
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setRenderingHint(
                RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
        return g;
    }

    static void title(Graphics2D g, String title, int x, int y) {
        g.setFont(font(Font.BOLD, 18));
        g.setColor(INK);
        g.drawString(title, x, y);
    }

    static void centred(Graphics2D g, String text, int x, int y) {
        g.drawString(text, x - g.getFontMetrics().stringWidth(text) / 2, y);
    }

    /** Returns the lines of a text that is broken between words so that each fits, if it can. */
    static List<String> wrapped(String text, Font font, int width) {
        FontMetrics metrics = metrics(font);
        List<String> lines = new ArrayList<>();
        for (String word : text.strip().split("\\s+")) {
            int last = lines.size() - 1;
            if (last >= 0 && metrics.stringWidth(lines.get(last) + " " + word) <= width) {
                lines.set(last, lines.get(last) + " " + word);
            } else {
                lines.add(word);
            }
        }
        return lines;
    }

    static void leftOf(Graphics2D g, String text, int x, int y) {
        g.drawString(text, x - g.getFontMetrics().stringWidth(text), y);
    }

    /** Returns how many blocks of a size hold so many things. */
    static int blocks(int things, int size) {
        return (things + size - 1) / size;
    }
}
