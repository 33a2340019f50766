package org.posenc.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.analysis.EncodingAnalysis;

/** What the pictures of a comparison are drawn from, as curves of a result. */
final class Curves {

    /** A picture of a similarity matrix shows no more points than this along a side. */
    private static final int SIDE = 64;

    private Curves() {}

    /**
     * Returns the spectrum, relative to its first value and as far as it is no rounding error, and
     * the similarity row by row.
     */
    static Map<String, List<Double>> of(EncodingAnalysis analysis) {
        double[] singular = analysis.spectrum().singularValues();
        Map<String, List<Double>> curves = new LinkedHashMap<>();
        curves.put(
                "spectrum",
                Arrays.stream(singular)
                        .limit(analysis.spectrum().numericalRank())
                        .map(s -> s / singular[0])
                        .boxed()
                        .toList());
        curves.put("similarity", similarity(analysis.similarity()));
        return curves;
    }

    private static List<Double> similarity(double[][] matrix) {
        int side = Math.min(SIDE, matrix.length);
        List<Double> rows = new ArrayList<>();
        for (int i = 0; i < side; i++) {
            for (int j = 0; j < side; j++) {
                double value = matrix[i * matrix.length / side][j * matrix.length / side];
                rows.add(Math.round(value * 1e4) / 1e4); // for a picture, and read by people
            }
        }
        return rows;
    }
}
