package org.posenc.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;

/**
 * Points with names, such as stable rank against quality.
 *
 * @param title what it shows
 * @param x the horizontal axis
 * @param y the vertical axis
 * @param points the points
 */
public record ScatterChart(String title, Axis x, Axis y, List<Point> points) implements Figure {

    /**
     * A point.
     *
     * @param name its name; an encoding's name gets that encoding's colour
     * @param x its place
     * @param y its height
     */
    public record Point(String name, double x, double y) {}

    /** Copies the values. */
    public ScatterChart {
        points = List.copyOf(points);
    }

    private List<Point> shown() {
        return points.stream().filter(p -> x.shows(p.x()) && y.shows(p.y())).toList();
    }

    @Override
    public BufferedImage toImage() {
        List<Point> shown = shown();
        if (shown.isEmpty()) {
            return Plot.empty(title, x, y);
        }
        Scale across = Scale.of(x, shown.stream().mapToDouble(Point::x));
        Scale up = Scale.of(y, shown.stream().mapToDouble(Point::y));
        XYChart chart = Plot.picture(title, across, up, false);
        double[] width = room(shown.stream().mapToDouble(p -> across.place(p.x())), 0.1);
        double[] height = room(shown.stream().mapToDouble(p -> up.place(p.y())), 0.12);
        chart.getStyler()
                .setMarkerSize(13)
                .setAnnotationTextFont(Canvas.font(Font.PLAIN, 14))
                .setAnnotationTextFontColor(Canvas.INK);
        chart.getStyler()
                .setXAxisMin(width[0])
                .setXAxisMax(width[1])
                .setYAxisMin(height[0])
                .setYAxisMax(height[1]);
        double lift = 0.045 * (height[1] - height[0]);
        for (int i = 0; i < shown.size(); i++) {
            Point point = shown.get(i);
            Palette.Look look = Palette.of(point.name());
            XYSeries series =
                    chart.addSeries(
                            i + " " + point.name(),
                            new double[] {across.place(point.x())},
                            new double[] {up.place(point.y())});
            series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
            series.setMarkerColor(look.colour());
            series.setMarker(Plot.MARKERS[look.symbol()]);
            chart.addAnnotation(
                    new AnnotationText(
                            point.name(),
                            across.place(point.x()),
                            up.place(point.y()) + lift,
                            false));
        }
        return Plot.paint(chart);
    }

    private static double[] room(DoubleStream places, double share) {
        DoubleSummaryStatistics range = places.summaryStatistics();
        double extent = range.getMax() - range.getMin();
        double margin = extent > 0 ? share * extent : 0.5;
        return new double[] {range.getMin() - margin, range.getMax() + margin};
    }

    @Override
    public String toHtml() {
        JsonArray series = new JsonArray();
        for (Point point : points) {
            JsonObject json = Plot.series("scatter", point.name(), Palette.of(point.name()));
            json.addProperty("symbolSize", 13);
            JsonArray one = new JsonArray();
            one.add(Plot.point(x, point.x(), y, point.y()));
            json.add("data", one);
            series.add(json);
        }
        JsonObject option = Plot.option(x, y);
        option.add("series", series);
        String summary =
                "Points of %s against %s: %s."
                        .formatted(
                                y.label(),
                                x.label(),
                                points.stream()
                                        .map(
                                                p ->
                                                        p.name()
                                                                + " at "
                                                                + Plot.number(p.x())
                                                                + ", "
                                                                + Plot.number(p.y()))
                                        .collect(Collectors.joining("; ")));
        return Plot.html(title, summary, option);
    }
}
