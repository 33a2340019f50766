package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.posenc.experiment.Results;
import org.posenc.report.ResultRow;

class ByFeaturesTest {

    private static final int[] FEATURES = {10, 20};

    @Test
    void eachCountEncodingAndSeedIsTried() throws Exception {
        List<Trial> trials =
                ByFeatures.trials(
                        FEATURES,
                        List.of(7L, 8L),
                        5,
                        (encoding, features, seed, progress) ->
                                new Outcome(
                                        Map.of("x", features + seed / 100.0), Map.of(), Map.of()));
        assertThat(trials).hasSize(8).allMatch(trial -> trial.steps() == 5);
        assertThat(trials.stream().map(Trial::labels)).doesNotHaveDuplicates();
        for (Trial trial : trials) {
            Map<String, String> labels = trial.labels();
            assertThat(trial.work().run(new Unheard()).values().get("x"))
                    .isEqualTo(
                            Integer.parseInt(labels.get("features"))
                                    + Integer.parseInt(labels.get("seed")) / 100.0);
        }
    }

    @Test
    void spreadsAreAveragedOverNumbersOfFeatures() {
        List<ResultRow> rows = new ArrayList<>();
        double[][] found = {{1, 3}, {5, 11}}; // spreads √2 and 3√2
        for (int i = 0; i < FEATURES.length; i++) {
            for (double value : found[i]) {
                rows.add(
                        new ResultRow(
                                "row" + rows.size(),
                                Map.of(
                                        "encoding",
                                        ByFeatures.GAUSSIAN,
                                        "features",
                                        "" + FEATURES[i]),
                                Map.of("x", value)));
            }
        }
        ByFeatures byFeatures = new ByFeatures(new Results(rows), FEATURES);
        assertThat(byFeatures.at(ByFeatures.GAUSSIAN, 20, "x").mean()).isEqualTo(8);
        assertThat(byFeatures.spread(ByFeatures.GAUSSIAN, "x"))
                .isCloseTo(2 * Math.sqrt(2), within(1e-12));
    }
}
