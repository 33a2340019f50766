package org.posenc.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Lines, each with a band for its spread if it has one.
 *
 * @param title what it shows
 * @param x the horizontal axis
 * @param y the vertical axis
 * @param series the lines, with distinct names
 */
public record LineChart(String title, Axis x, Axis y, List<Series> series) implements Figure {

    // More points than this on a line, and markers hide it.
    private static final int MARKED = 16;

    /** Checks and copies the values. */
    public LineChart {
        series = List.copyOf(series);
        if (series.stream().map(Series::name).distinct().count() != series.size()) {
            throw new IllegalArgumentException(
                    "the names of series must be distinct, got "
                            + series.stream().map(Series::name).toList());
        }
    }

    /**
     * Makes a chart of singular values, both axes logarithmic.
     *
     * @param title what it shows
     * @param spectra the singular values, the largest first, by {@link Series#counted}
     * @return the chart
     */
    public static LineChart spectrum(String title, List<Series> spectra) {
        return new LineChart(title, Axis.log("index"), Axis.log("singular value"), spectra);
    }

    private static List<Integer> shown(Series line, Axis x, Axis y) {
        return IntStream.range(0, line.x().size())
                .filter(i -> x.shows(line.x().get(i)) && y.shows(line.y().get(i)))
                .boxed()
                .toList();
    }

    /** The lower edge of a band must be a value that the axis can show. */
    private double low(Series line, int i) {
        double mean = line.y().get(i);
        double low = mean - line.spread().get(i);
        return y.shows(low) ? low : mean;
    }

    @Override
    public BufferedImage toImage() {
        List<Series> drawn = series.stream().filter(l -> !shown(l, x, y).isEmpty()).toList();
        if (drawn.isEmpty()) {
            return Plot.empty(title, x, y);
        }
        Scale across = Scale.of(x, values(drawn, Series::x));
        Scale up = Scale.of(y, values(drawn, Series::y));
        XYChart chart = Plot.picture(title, across, up, true);
        for (Series line : drawn) {
            if (line.hasBand()) {
                addBand(chart, line, across, up);
            }
            addLine(chart, line, across, up);
        }
        return Plot.paint(chart);
    }

    private DoubleStream values(List<Series> drawn, Function<Series, List<Double>> coordinate) {
        return drawn.stream()
                .flatMapToDouble(
                        line ->
                                shown(line, x, y).stream()
                                        .mapToDouble(i -> coordinate.apply(line).get(i)));
    }

    private Palette.Look look(Series line) {
        return Palette.of(line.name(), series.stream().map(Series::name).toList());
    }

    private void addBand(XYChart chart, Series line, Scale across, Scale up) {
        List<Integer> shown = shown(line, x, y);
        List<Double> places = new ArrayList<>();
        List<Double> edge = new ArrayList<>();
        for (int i : shown) {
            places.add(across.place(line.x().get(i)));
            edge.add(up.place(line.y().get(i) + line.spread().get(i)));
        }
        for (int k = shown.size() - 1; k >= 0; k--) {
            places.add(across.place(line.x().get(shown.get(k))));
            edge.add(up.place(low(line, shown.get(k))));
        }
        XYSeries band = chart.addSeries(line.name() + " spread", places, edge);
        band.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
        band.setFillColor(look(line).translucent(45));
        band.setLineColor(new Color(0, true));
        band.setLineStyle(new BasicStroke(0));
        band.setMarker(SeriesMarkers.NONE);
        band.setShowInLegend(false);
    }

    private void addLine(XYChart chart, Series line, Scale across, Scale up) {
        List<Integer> shown = shown(line, x, y);
        Palette.Look look = look(line);
        XYSeries drawn =
                chart.addSeries(
                        line.name(),
                        shown.stream().map(i -> across.place(line.x().get(i))).toList(),
                        shown.stream().map(i -> up.place(line.y().get(i))).toList());
        drawn.setLineColor(look.colour());
        drawn.setLineStyle(Plot.stroke(look));
        drawn.setMarkerColor(look.colour());
        drawn.setMarker(shown.size() > MARKED ? SeriesMarkers.NONE : Plot.MARKERS[look.symbol()]);
    }

    @Override
    public String toHtml() {
        JsonArray lines = new JsonArray();
        for (Series line : series) {
            JsonObject json = Plot.series("line", line.name(), look(line));
            json.addProperty("showSymbol", line.x().size() <= MARKED);
            json.addProperty("symbolSize", 7);
            JsonArray points = new JsonArray();
            for (int i = 0; i < line.x().size(); i++) {
                points.add(Plot.point(x, line.x().get(i), y, line.y().get(i)));
            }
            json.add("data", points);
            lines.add(json);
        }
        // After all lines, because a legend takes its sign from the first series of a name.
        series.stream().filter(Series::hasBand).forEach(line -> lines.add(band(line)));
        JsonObject option = Plot.option(x, y);
        option.add("series", lines);
        String summary =
                "Lines of %s against %s: %s."
                        .formatted(
                                y.label(),
                                x.label(),
                                series.stream()
                                        .map(Series::name)
                                        .collect(Collectors.joining(", ")));
        return Plot.html(title, summary, option);
    }

    /** The page knows how to draw a custom series of (x, low, high). */
    private JsonObject band(Series line) {
        JsonObject band = Plot.series("custom", line.name(), look(line));
        JsonArray points = new JsonArray();
        for (int i : shown(line, x, y)) {
            points.add(
                    Plot.point(
                            x,
                            line.x().get(i),
                            y,
                            low(line, i),
                            line.y().get(i) + line.spread().get(i)));
        }
        band.add("data", points);
        return band;
    }
}
