package org.posenc.experiment;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.posenc.report.Measurement;
import org.posenc.report.ResultRow;

/**
 * Results of an experiment, to be looked up by their labels.
 *
 * @param rows the results
 */
public record Results(List<ResultRow> rows) {

    /** Copies the list. */
    public Results {
        rows = List.copyOf(rows);
    }

    /**
     * Returns those with a label.
     *
     * @param label its name
     * @param value what it says
     * @return the results, in the same order
     */
    public Results with(String label, String value) {
        return new Results(
                rows.stream().filter(row -> value.equals(row.labels().get(label))).toList());
    }

    /**
     * Returns what a label says in any of the results.
     *
     * @param label its name
     * @return the different values, in the order of the results
     */
    public List<String> values(String label) {
        return rows.stream()
                .map(row -> row.labels().get(label))
                .filter(value -> value != null)
                .distinct()
                .toList();
    }

    /**
     * Returns whether there is none.
     *
     * @return whether there is no result
     */
    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /**
     * Summarises a quantity over the results.
     *
     * @param quantity its name
     * @return mean and spread; NaN where there is no result
     */
    public Measurement mean(String quantity) {
        return Measurement.of(
                rows.stream()
                        .map(row -> Optional.ofNullable(row.values().get(quantity)))
                        .mapToDouble(value -> value.orElse(Double.NaN))
                        .toArray());
    }

    /**
     * Summarises a curve over the results, point by point.
     *
     * @param curve its name
     * @return mean and spread of each point; empty where there is no such curve
     */
    public List<Measurement> curve(String curve) {
        List<List<Double>> all =
                rows.stream().map(row -> row.curves().getOrDefault(curve, List.of())).toList();
        int length = all.stream().mapToInt(List::size).min().orElse(0);
        return IntStream.range(0, length)
                .mapToObj(
                        i ->
                                Measurement.of(
                                        all.stream()
                                                .mapToDouble(points -> points.get(i))
                                                .toArray()))
                .toList();
    }
}
