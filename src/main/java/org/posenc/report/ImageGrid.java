package org.posenc.report;

import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Pictures side by side, each with a caption, such as fitted images with their PSNR.
 *
 * @param title what they show
 * @param pictures the pictures, at least one
 */
public record ImageGrid(String title, List<Picture> pictures) implements Figure {

    private static final int NOTE_LINE = 18;

    /**
     * A picture.
     *
     * @param caption its name
     * @param note a line below the name, such as its PSNR; may be empty
     * @param image the picture; not to be changed afterwards
     */
    public record Picture(String caption, String note, BufferedImage image) {}

    /** Checks and copies the values. */
    public ImageGrid {
        pictures = List.copyOf(pictures);
        if (pictures.isEmpty()) {
            throw new IllegalArgumentException("an image grid needs at least one picture");
        }
    }

    @Override
    public BufferedImage toImage() {
        int side = 240;
        int gap = 24;
        int across = Math.min(4, pictures.size());
        int down = Canvas.blocks(pictures.size(), across);
        Font notes = Canvas.font(Font.PLAIN, 14);
        List<List<String>> lines =
                pictures.stream().map(p -> Canvas.wrapped(p.note(), notes, side)).toList();
        int lowest = lines.stream().mapToInt(List::size).max().orElse(0);
        int cell = side + 46 + lowest * NOTE_LINE;
        int titled = Canvas.metrics(Canvas.font(Font.BOLD, 18)).stringWidth(title) + 60;
        BufferedImage grid =
                Canvas.blank(
                        Math.max(60 + across * side + (across - 1) * gap, titled),
                        70 + down * cell);
        Graphics2D g = Canvas.graphics(grid);
        Canvas.title(g, title, 30, 36);
        for (int i = 0; i < pictures.size(); i++) {
            Picture picture = pictures.get(i);
            int x = 30 + i % across * (side + gap);
            int y = 60 + i / across * cell;
            double scale =
                    (double) side
                            / Math.max(picture.image().getWidth(), picture.image().getHeight());
            g.drawImage(
                    picture.image(),
                    x,
                    y,
                    (int) Math.round(picture.image().getWidth() * scale),
                    (int) Math.round(picture.image().getHeight() * scale),
                    null);
            g.setFont(Canvas.font(Font.BOLD, 15));
            g.setColor(Canvas.INK);
            g.drawString(picture.caption(), x, y + side + 22);
            g.setFont(notes);
            g.setColor(Canvas.MUTED);
            for (int line = 0; line < lines.get(i).size(); line++) {
                g.drawString(lines.get(i).get(line), x, y + side + 42 + line * NOTE_LINE);
            }
        }
        g.dispose();
        return grid;
    }

    @Override
    public String toHtml() {
        StringBuilder html = new StringBuilder("<figure class=\"images\"><figcaption>");
        html.append(Html.escape(title)).append("</figcaption><div class=\"pictures\">");
        for (Picture picture : pictures) {
            String note = picture.note().isEmpty() ? "" : ", " + picture.note();
            html.append("<figure><img alt=\"")
                    .append(Html.escape(picture.caption() + note))
                    .append("\" src=\"")
                    .append(Png.dataUri(picture.image()))
                    .append("\"><figcaption><b>")
                    .append(Html.escape(picture.caption()))
                    .append("</b><span>")
                    .append(Html.escape(picture.note()))
                    .append("</span></figcaption></figure>");
        }
        return html.append("</div></figure>").toString();
    }
}
