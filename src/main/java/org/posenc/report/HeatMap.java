package org.posenc.report;

import com.google.gson.Gson;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;

/**
 * A matrix as colours, the first row on top.
 *
 * @param title what it shows
 * @param xLabel what its columns are
 * @param yLabel what its rows are
 * @param values the rows, equally long; NaN is grey
 * @param min the value of the first colour
 * @param max the value of the last colour, above {@code min}
 * @param colours the colours between
 * @param columnLabels names spread evenly below, the first at the first column, the last at the
 *     last; may be empty
 * @param rowLabels names spread evenly on the left, the first on top; may be empty
 */
public record HeatMap(
        String title,
        String xLabel,
        String yLabel,
        double[][] values,
        double min,
        double max,
        ColourMap colours,
        List<String> columnLabels,
        List<String> rowLabels)
        implements Figure {

    // A page holds no more pixels or numbers than a screen or a reader can use.
    private static final int MAX_PIXELS = 1024;
    private static final int MAX_NUMBERS = 128 * 128;

    /** Checks and copies the values. */
    public HeatMap {
        values = Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
        columnLabels = List.copyOf(columnLabels);
        rowLabels = List.copyOf(rowLabels);
        if (values.length == 0 || values[0].length == 0) {
            throw new IllegalArgumentException("a heat map needs at least one value");
        }
        int columns = values[0].length;
        if (Arrays.stream(values).anyMatch(row -> row.length != columns)) {
            throw new IllegalArgumentException(
                    "the rows of a heat map must be equally long, the first has " + columns);
        }
        if (!(min < max) || Double.isInfinite(min) || Double.isInfinite(max)) {
            throw new IllegalArgumentException(
                    "the range of a heat map must be finite and not empty, got "
                            + min
                            + " … "
                            + max);
        }
    }

    /**
     * Makes a heat map over the whole range of its values.
     *
     * @param title what it shows
     * @param xLabel what its columns are
     * @param yLabel what its rows are
     * @param values the rows
     * @return viridis; the axes are labelled with the first and last index
     */
    public static HeatMap of(String title, String xLabel, String yLabel, double[][] values) {
        double[] finite =
                Arrays.stream(values)
                        .flatMapToDouble(Arrays::stream)
                        .filter(Double::isFinite)
                        .sorted()
                        .toArray();
        double min = finite.length == 0 ? 0 : finite[0];
        double max = finite.length == 0 ? 1 : finite[finite.length - 1];
        return of(title, xLabel, yLabel, values, min, max > min ? max : min + 1, ColourMap.VIRIDIS);
    }

    /**
     * Makes a heat map over a given range.
     *
     * @param title what it shows
     * @param xLabel what its columns are
     * @param yLabel what its rows are
     * @param values the rows
     * @param min the value of the first colour
     * @param max the value of the last colour
     * @param colours the colours
     * @return the heat map; the axes are labelled with the first and last index
     */
    public static HeatMap of(
            String title,
            String xLabel,
            String yLabel,
            double[][] values,
            double min,
            double max,
            ColourMap colours) {
        int columns = values.length == 0 ? 0 : values[0].length;
        return new HeatMap(
                title,
                xLabel,
                yLabel,
                values,
                min,
                max,
                colours,
                ends(columns),
                ends(values.length));
    }

    private static List<String> ends(int count) {
        return count < 2 ? List.of() : List.of("0", Integer.toString(count - 1));
    }

    @Override
    public double[][] values() {
        return Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
    }

    /** A pixel a value; above the limit, a pixel the mean of a block. */
    private BufferedImage pixels() {
        int down = Canvas.blocks(values.length, MAX_PIXELS);
        int across = Canvas.blocks(values[0].length, MAX_PIXELS);
        int height = Canvas.blocks(values.length, down);
        int width = Canvas.blocks(values[0].length, across);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                double value = mean(row * down, down, column * across, across);
                image.setRGB(column, row, colours.rgb((value - min) / (max - min)));
            }
        }
        return image;
    }

    private double mean(int top, int down, int left, int across) {
        double sum = 0;
        int count = 0;
        for (int row = top; row < Math.min(top + down, values.length); row++) {
            for (int column = left;
                    column < Math.min(left + across, values[row].length);
                    column++) {
                sum += values[row][column];
                count++;
            }
        }
        return sum / count;
    }

    private BufferedImage colourBar() {
        BufferedImage bar = new BufferedImage(256, 1, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256; i++) {
            bar.setRGB(i, 0, colours.rgb(i / 255.0));
        }
        return bar;
    }

    /** Width by height, kept from becoming a thread. */
    private double aspect() {
        return Math.max(0.5, Math.min(3, (double) values[0].length / values.length));
    }

    @Override
    public BufferedImage toImage() {
        int width = aspect() >= 1 ? 560 : (int) (560 * aspect());
        int height = aspect() >= 1 ? (int) (560 / aspect()) : 560;
        int left = 96;
        int top = 64;
        int titled = Canvas.metrics(Canvas.font(Font.BOLD, 18)).stringWidth(title) + 60;
        BufferedImage image = Canvas.blank(Math.max(left + width + 110, titled), top + height + 84);
        Graphics2D g = Canvas.graphics(image);
        Canvas.title(g, title, 30, 36);
        g.drawImage(pixels(), left, top, width, height, null);
        g.setFont(Canvas.font(Font.PLAIN, 14));
        g.setColor(Canvas.MUTED);
        for (int i = 0; i < columnLabels.size(); i++) {
            double share = share(i, columnLabels.size());
            Canvas.centred(g, columnLabels.get(i), left + (int) (share * width), top + height + 22);
        }
        for (int i = 0; i < rowLabels.size(); i++) {
            double share = share(i, rowLabels.size());
            Canvas.leftOf(g, rowLabels.get(i), left - 8, top + 5 + (int) (share * height));
        }
        g.drawImage(rotated(colourBar()), left + width + 24, top, 16, height, null);
        g.drawString(Plot.number(max), left + width + 46, top + 10);
        g.drawString(Plot.number(min), left + width + 46, top + height);
        g.setFont(Canvas.font(Font.PLAIN, 15));
        g.setColor(Canvas.INK);
        Canvas.centred(g, xLabel, left + width / 2, top + height + 52);
        AffineTransform upright = g.getTransform();
        g.rotate(-Math.PI / 2, 32, top + height / 2.0);
        Canvas.centred(g, yLabel, 32, top + height / 2);
        g.setTransform(upright);
        g.dispose();
        return image;
    }

    private static BufferedImage rotated(BufferedImage bar) {
        BufferedImage up = new BufferedImage(1, bar.getWidth(), bar.getType());
        for (int i = 0; i < bar.getWidth(); i++) {
            up.setRGB(0, bar.getWidth() - 1 - i, bar.getRGB(i, 0));
        }
        return up;
    }

    private static double share(int i, int count) {
        return count == 1 ? 0.5 : (double) i / (count - 1);
    }

    @Override
    public String toHtml() {
        String alt =
                "%s: %d by %d values from %s to %s, %s down, %s across"
                        .formatted(
                                title,
                                values.length,
                                values[0].length,
                                Plot.number(min),
                                Plot.number(max),
                                yLabel,
                                xLabel);
        StringBuilder html = new StringBuilder("<figure class=\"heat\"><figcaption>");
        html.append(Html.escape(title)).append("</figcaption><div class=\"matrix\">");
        html.append("<span class=\"y-label\">").append(Html.escape(yLabel)).append("</span>");
        html.append("<span class=\"rows\">");
        rowLabels.forEach(l -> html.append("<i>").append(Html.escape(l)).append("</i>"));
        html.append("</span><img alt=\"")
                .append(Html.escape(alt))
                .append("\" src=\"")
                .append(Png.dataUri(pixels()))
                .append("\" style=\"aspect-ratio:")
                .append(Plot.number(aspect()))
                .append("\"><span class=\"columns\">");
        columnLabels.forEach(l -> html.append("<i>").append(Html.escape(l)).append("</i>"));
        html.append("</span><span class=\"x-label\">").append(Html.escape(xLabel));
        html.append("</span><span class=\"bar\"><i>")
                .append(Plot.number(min))
                .append("</i><img alt=\"\" src=\"")
                .append(Png.dataUri(colourBar()))
                .append("\"><i>")
                .append(Plot.number(max))
                .append("</i></span></div>");
        if (values.length * values[0].length <= MAX_NUMBERS) {
            html.append("<script type=\"application/json\">").append(numbers()).append("</script>");
        }
        return html.append("</figure>").toString();
    }

    private String numbers() {
        Float[][] rounded = new Float[values.length][];
        for (int row = 0; row < values.length; row++) {
            rounded[row] =
                    Arrays.stream(values[row])
                            .mapToObj(
                                    v ->
                                            Double.isFinite(v)
                                                    ? Float.valueOf(
                                                            (float) (Math.round(v * 1e4) / 1e4))
                                                    : null)
                            .toArray(Float[]::new);
        }
        return new Gson().toJson(rounded);
    }
}
