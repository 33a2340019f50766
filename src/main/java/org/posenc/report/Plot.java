package org.posenc.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** What charts with two axes share: XChart for pictures, ECharts options for pages. */
final class Plot {

    static final Marker[] MARKERS = {
        SeriesMarkers.CIRCLE,
        SeriesMarkers.SQUARE,
        SeriesMarkers.TRIANGLE_UP,
        SeriesMarkers.DIAMOND,
        SeriesMarkers.CIRCLE,
        SeriesMarkers.TRIANGLE_DOWN,
        SeriesMarkers.SQUARE,
        SeriesMarkers.DIAMOND
    };

    private static final String[] SYMBOLS = {
        "circle",
        "rect",
        "triangle",
        "diamond",
        "path://M5,0L9.5,2.5L9.5,7.5L5,10L0.5,7.5L0.5,2.5Z",
        "path://M0,0L10,0L5,9Z",
        "roundRect",
        "path://M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z"
    };

    private static final String[] DASHES = {"solid", "dashed", "dotted", "dashed"};

    private static final int WIDTH = 960;
    private static final int HEIGHT = 560;
    // Pixels a unit of length, so that pictures stay crisp on today's screens and in print.
    private static final int SHARPNESS = 2;

    private Plot() {}

    static XYChart picture(String title, Scale x, Scale y, boolean legend) {
        XYChart chart =
                new XYChartBuilder()
                        .width(WIDTH)
                        .height(HEIGHT)
                        .title(title)
                        .xAxisTitle(x.axis().label())
                        .yAxisTitle(y.axis().label())
                        .build();
        XYStyler style = chart.getStyler();
        style.setChartBackgroundColor(Color.WHITE)
                .setPlotBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false)
                .setChartFontColor(Canvas.INK)
                .setChartPadding(22)
                .setChartTitleFont(Canvas.font(Font.BOLD, 18))
                .setChartTitleBoxVisible(false)
                .setChartTitlePadding(14)
                .setLegendVisible(legend)
                .setLegendPosition(Styler.LegendPosition.OutsideE)
                .setLegendBorderColor(Color.WHITE)
                .setLegendBackgroundColor(Color.WHITE)
                .setLegendFont(Canvas.font(Font.PLAIN, 15))
                .setLegendSeriesLineLength(28)
                .setMarkerSize(8)
                .setAntiAlias(true)
                .setLocale(Locale.ROOT);
        style.setAxisTitleFont(Canvas.font(Font.PLAIN, 15))
                .setAxisTickLabelsFont(Canvas.font(Font.PLAIN, 14))
                .setAxisTickLabelsColor(Canvas.MUTED)
                .setAxisTickMarksColor(Canvas.GRID)
                .setPlotGridLinesColor(Canvas.GRID)
                .setPlotGridLinesStroke(new BasicStroke(1))
                .setPlotGridVerticalLinesVisible(false)
                .setAxisTitlePadding(12)
                .setPlotMargin(4)
                .setXAxisTickMarkSpacingHint(x.spacing(74, 3 * WIDTH / 4))
                .setYAxisTickMarkSpacingHint(y.spacing(44, 3 * HEIGHT / 4))
                .setXAxisTickLabelsFormattingFunction(x::label)
                .setYAxisTickLabelsFormattingFunction(y::label);
        return chart;
    }

    /** Returns a number at most as long as a tick's label can be. */
    static String number(double value) {
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-3 || size >= 1e6)) {
            return String.format(Locale.ROOT, "%.0e", value)
                    .replace("e-0", "e-")
                    .replace("e+0", "e");
        }
        String digits = String.format(Locale.ROOT, "%.4f", value);
        return digits.contains(".") ? digits.replaceAll("\\.?0+$", "") : digits;
    }

    static BufferedImage paint(XYChart chart) {
        BufferedImage image = Canvas.blank(SHARPNESS * WIDTH, SHARPNESS * HEIGHT);
        Graphics2D g = Canvas.graphics(image);
        g.scale(SHARPNESS, SHARPNESS);
        chart.paint(g, WIDTH, HEIGHT);
        g.dispose();
        return image;
    }

    /** Returns a chart that has nothing to show. */
    static BufferedImage empty(String title, Axis x, Axis y) {
        Scale across = Scale.of(Axis.linear(x.label()), DoubleStream.of(0, 1));
        Scale up = Scale.of(Axis.linear(y.label()), DoubleStream.of(0, 1));
        return paint(picture(title, across, up, false));
    }

    static BasicStroke stroke(Palette.Look look) {
        float[][] dashes = {null, {9, 5}, {2, 4}, {10, 4, 2, 4}};
        return new BasicStroke(
                2.4f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND, 10, dashes[look.dash()], 0);
    }

    /** Returns an option of ECharts with the axes; the page adds the colours of its theme. */
    static JsonObject option(Axis x, Axis y) {
        JsonObject option = new JsonObject();
        option.addProperty("animation", false);
        option.add("xAxis", axis(x));
        option.add("yAxis", axis(y));
        return option;
    }

    private static JsonObject axis(Axis axis) {
        JsonObject json = new JsonObject();
        boolean named = !axis.categories().isEmpty();
        json.addProperty("type", named ? "category" : axis.log() ? "log" : "value");
        json.addProperty("name", axis.label());
        json.addProperty("scale", true);
        if (named) {
            JsonArray names = new JsonArray();
            axis.categories().forEach(names::add);
            json.add("data", names);
        }
        return json;
    }

    static JsonObject series(String type, String name, Palette.Look look) {
        JsonObject series = new JsonObject();
        series.addProperty("type", type);
        series.addProperty("name", name);
        series.addProperty("color", look.hex());
        series.addProperty("symbol", SYMBOLS[look.symbol()]);
        if (type.equals("line")) {
            JsonObject line = new JsonObject();
            line.addProperty("width", 2.2);
            line.addProperty("type", DASHES[look.dash()]);
            series.add("lineStyle", line);
        }
        return series;
    }

    /** Returns a point; a coordinate that the axis cannot show is null, which leaves a gap. */
    static JsonArray point(Axis x, double atX, Axis y, double... atY) {
        JsonArray point = new JsonArray();
        point.add(coordinate(x, atX));
        for (double value : atY) {
            point.add(coordinate(y, value));
        }
        return point;
    }

    private static JsonElement coordinate(Axis axis, double value) {
        return axis.shows(value) ? new JsonPrimitive(rounded(value)) : JsonNull.INSTANCE;
    }

    /** Seven digits tell all that a float holds. */
    static double rounded(double value) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.7g", value));
    }

    static String html(String title, String summary, JsonObject option) {
        return "<figure class=\"plot\"><figcaption>"
                + Html.escape(title)
                + "</figcaption><div class=\"chart\" role=\"img\" aria-label=\""
                + Html.escape(title + ". " + summary)
                + "\"></div><script type=\"application/json\">"
                + Html.json(option)
                + "</script></figure>";
    }
}
