package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
