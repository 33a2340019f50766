package org.posenc.cli;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.analysis.RopeDecay;
import org.posenc.report.Axis;
import org.posenc.report.LineChart;
import org.posenc.report.Series;

/** RoPE drawn: each pair's wavelength against the lengths, and how far attention looks. */
final class RopeFigures {

    /** Distances that are drawn, at equal ratios. */
    private static final int BINS = 240;

    /** Distances of a bin that are looked at, of which the lowest value is drawn; all, mostly. */
    private static final int SAMPLES = 512;

    private static final String UNSCALED = "unscaled";
    private static final String SCALED = "with the scaling";
    private static final String OTHER = "the other";

    private RopeFigures() {}

    static BufferedImage drawn(RopeView view, RopeView other) {
        return FigureRow.of(wavelengths(view, other), preference(view, other));
    }

    private static LineChart wavelengths(RopeView view, RopeView other) {
        List<Series> lines = new ArrayList<>();
        boolean scaled = !view.analysis().scaled().equals(view.analysis().unscaled());
        lines.add(wavelengths(UNSCALED, view.analysis().unscaled().inverse()));
        if (scaled) {
            lines.add(wavelengths(SCALED, view.analysis().scaled().inverse()));
        }
        if (other != null) {
            lines.add(wavelengths(OTHER, other.analysis().scaled().inverse()));
        }
        long trained = view.analysis().trainedLength();
        long longest = Math.max(view.length(), view.reach());
        lines.add(level("trained length", view.pairs(), trained));
        if (longest != trained) {
            lines.add(level("length of context", view.pairs(), longest));
        }
        return new LineChart(
                "%d of %d pairs never turn within %,d tokens of training"
                        .formatted(view.neverTurned(), view.pairs(), trained),
                Axis.linear("pair"),
                Axis.log("tokens for a full turn"),
                lines);
    }

    private static Series wavelengths(String name, double[] inverse) {
        double[] pairs = new double[inverse.length];
        Arrays.setAll(pairs, i -> i);
        return Series.of(
                name, pairs, Arrays.stream(inverse).map(theta -> 2 * Math.PI / theta).toArray());
    }

    private static Series level(String name, int pairs, long tokens) {
        return Series.of(
                name,
                IntStream.range(0, pairs).asDoubleStream().toArray(),
                DoubleStream.generate(() -> tokens).limit(pairs).toArray());
    }

    private static LineChart preference(RopeView view, RopeView other) {
        long longest = Math.max(view.length(), view.reach());
        double to =
                Math.min(
                        RopeView.BOUND_LIMIT,
                        4.0 * Math.max(longest, view.contextBound().orElse(longest)));
        List<Series> lines = new ArrayList<>();
        lines.add(preference(UNSCALED, view, view.analysis().unscaled().inverse(), to));
        if (!view.analysis().scaled().equals(view.analysis().unscaled())) {
            lines.add(preference(SCALED, view, view.analysis().scaled().inverse(), to));
        }
        if (other != null) {
            lines.add(preference(OTHER, other, other.analysis().scaled().inverse(), to));
        }
        double[] places = lines.get(0).x().stream().mapToDouble(Double::doubleValue).toArray();
        lines.add(Series.of("zero", places, new double[places.length]));
        return new LineChart(
                title(view),
                Axis.log("distance m in tokens, up to 4 times the context"),
                Axis.linear("lowest B(m) per pair near m"),
                lines);
    }

    private static String title(RopeView view) {
        if (view.contextBound().isEmpty()) {
            return "Attention prefers like tokens at every distance";
        }
        String title =
                "Attention looks away from like tokens %,d back"
                        .formatted(view.contextBound().getAsLong());
        OptionalLong scaled = view.scaledContextBound();
        return scaled.equals(view.contextBound()) || scaled.isEmpty()
                ? title
                : title + ", with the scaling %,d".formatted(scaled.getAsLong());
    }

    private static Series preference(String name, RopeView view, double[] inverse, double to) {
        // What does not turn prefers like tokens at every distance.
        double still =
                (view.rope().headDimension() - view.rope().rotaryDimension())
                        / 2.0
                        / inverse.length;
        double[] distances = new double[BINS];
        double[] lowest = new double[BINS];
        for (int bin = 0; bin < BINS; bin++) {
            double from = Math.pow(to, bin / (double) BINS);
            double until = Math.pow(to, (bin + 1) / (double) BINS);
            distances[bin] = from;
            lowest[bin] = RopeDecay.meanCosine(inverse, Math.rint(from));
            int samples = (int) Math.min(SAMPLES, Math.ceil(until - from));
            for (int i = 1; i < samples; i++) {
                double m = Math.rint(from + (until - from) * i / samples);
                lowest[bin] = Math.min(lowest[bin], RopeDecay.meanCosine(inverse, m));
            }
            lowest[bin] += still;
        }
        return Series.of(name, distances, lowest);
    }
}
