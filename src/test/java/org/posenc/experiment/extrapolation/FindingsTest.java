package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.posenc.experiment.Results;
import org.posenc.report.Cell;
import org.posenc.report.ResultRow;

class FindingsTest {

    private final List<ResultRow> rows = new ArrayList<>();

    private void reading(String stage, String encoding, String method, Object... quantities) {
        Map<String, Double> values = new LinkedHashMap<>();
        for (int i = 0; i < quantities.length; i += 2) {
            values.put((String) quantities[i], (Double) quantities[i + 1]);
        }
        Map<String, String> labels =
                Map.of("stage", stage, "encoding", encoding, "method", method, "workload", "sort");
        rows.add(new ResultRow("row " + rows.size(), labels, values));
    }

    private List<List<String>> found() {
        return new Findings(new Results(rows), new Results(rows), 4)
                .table().orElseThrow().rows().stream()
                        .map(row -> row.stream().map(cell -> ((Cell.Text) cell).text()).toList())
                        .toList();
    }

    @Test
    void saysNothingOfWhatWasNotMeasured() {
        Results none = new Results(List.of());
        assertThat(new Findings(none, none, 4).table()).isEmpty();
    }

    @Test
    void aFindingHoldsOrNotByItsNumbers() {
        reading("at once", "rope", "direct", "loss1x", 2.0, "loss2x", 3.0, "loss4x", 4.0);
        reading("at once", "rope", "linear", "loss1x", 2.0, "loss2x", 2.9);
        reading("at once", "rope", "ntk-aware", "loss2x", 2.3, "loss8x", 2.35);
        assertThat(found())
                .extracting(row -> row.get(0).split(" ")[0] + " " + row.get(3))
                .containsExactly("RoPE holds", "position holds", "NTK-aware does not hold");
        assertThat(found().get(0).get(2)).isEqualTo("loss 2.00 at 1×, 3.00 at 2×, 4.00 at 4×");
    }

    @Test
    void theBestAfterTuningIsNamedEvenWhereItIsAnother() {
        reading("tuned", "rope", "yarn", "loss4x", 2.2);
        reading("tuned", "rope", "linear", "loss4x", 2.0);
        assertThat(found()).hasSize(1);
        assertThat(found().get(0).get(2)).contains("YaRN 2.200", "best linear 2.000");
        assertThat(found().get(0).get(3)).isEqualTo("does not hold");
        reading("tuned", "rope", "yarn", "loss4x", 1.6); // a second seed, and a wide spread
        assertThat(found().get(0).get(3)).isEqualTo("holds");
    }

    @Test
    void aSearchIsComparedWithFormulasAndPreparedTrainingWithPlain() {
        reading("at once", "rope", "direct", "loss8x", 3.0);
        reading("at once", "rope", "yarn", "loss8x", 2.5);
        reading("at once", "rope", "longrope", "loss8x", 2.4);
        reading("at once", "rope @pose", "direct", "loss1x", 1.5, "loss8x", 2.95);
        reading("at once", "rope nope-every 2", "direct", "loss1x", 1.5, "loss8x", 2.8);
        reading("at once", "fox", "direct", "loss1x", 1.5, "loss8x", 1.7);
        reading("tuned", "rope @pose", "direct", "loss1x", 1.5, "loss8x", 1.5); // takes no part
        assertThat(found())
                .extracting(row -> row.get(1) + " " + row.get(3))
                .containsExactly(
                        "Ding 2024 holds",
                        "Zhu 2023 does not hold",
                        "Yang 2025 (2501.18795) holds",
                        "Lin 2025 does not hold");
        assertThat(found().get(0).get(2))
                .isEqualTo("at 8×: longrope 2.400, best formula yarn 2.500");
    }

    @Test
    void sortingIsJudgedByTheOrderOfTheEncodings() {
        List<String> order = List.of("none", "t5", "alibi", "rope", "sinusoidal");
        for (int i = 0; i < order.size(); i++) {
            reading("at once", order.get(i), "direct", "exact1.4x", 0.9 - 0.2 * i);
        }
        assertThat(found()).extracting(row -> row.get(3)).containsExactly("holds");
        reading("tuned", "sinusoidal", "direct", "exact1.4x", 1.0); // takes no part
        assertThat(found()).extracting(row -> row.get(3)).containsExactly("holds");
        reading("at once", "rope", "direct", "exact1.4x", 1.0); // its mean is now 0.65
        assertThat(found()).extracting(row -> row.get(3)).containsExactly("does not hold");
    }
}
