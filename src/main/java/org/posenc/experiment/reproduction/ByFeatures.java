package org.posenc.experiment.reproduction;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Series;

/**
 * Results of several seeds for each encoding and number of features, labelled {@code encoding},
 * {@code features} and {@code seed}.
 *
 * @param results the results
 * @param features the numbers of features, ascending
 */
record ByFeatures(Results results, int[] features) {

    static final String FOURIER = "random-fourier";
    static final String GAUSSIAN = "gaussian";

    /** The work of a trial. */
    @FunctionalInterface
    interface Work {
        Outcome run(String encoding, int features, long seed, Progress progress)
                throws IOException, TranslateException;
    }

    /**
     * Returns the trials that such results come from.
     *
     * @param features the numbers of features
     * @param seeds of each
     * @param steps that each reports
     * @param work does one
     */
    static List<Trial> trials(int[] features, List<Long> seeds, long steps, Work work) {
        List<Trial> trials = new ArrayList<>();
        for (int count : features) {
            for (String encoding : List.of(FOURIER, GAUSSIAN)) {
                for (long seed : seeds) {
                    Map<String, String> labels =
                            Trial.labels(
                                    "encoding",
                                    encoding,
                                    "features",
                                    "" + count,
                                    Judgement.SEED,
                                    "" + seed);
                    trials.add(
                            new Trial(
                                    labels,
                                    steps,
                                    progress -> work.run(encoding, count, seed, progress)));
                }
            }
        }
        return trials;
    }

    /** Returns a quantity over the seeds. */
    Measurement at(String encoding, int count, String quantity) {
        return results.with("encoding", encoding).with("features", "" + count).mean(quantity);
    }

    /** Returns the standard deviation over seeds, the mean over numbers of features. */
    double spread(String encoding, String quantity) {
        return Arrays.stream(features)
                .mapToDouble(count -> at(encoding, count, quantity).spread())
                .average()
                .orElse(Double.NaN);
    }

    /** Draws a quantity against the number of features, its spread as a band. */
    LineChart chart(String title, Axis x, Axis y, String quantity) {
        List<Series> lines = new ArrayList<>();
        for (String encoding : results.values("encoding")) {
            List<Measurement> measured =
                    Arrays.stream(features)
                            .mapToObj(count -> at(encoding, count, quantity))
                            .toList();
            lines.add(
                    new Series(
                            encoding,
                            Arrays.stream(features).asDoubleStream().boxed().toList(),
                            measured.stream().map(Measurement::mean).toList(),
                            measured.stream().map(Measurement::spread).toList()));
        }
        return new LineChart(title, x, y, lines);
    }
}
