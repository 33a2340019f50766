package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.posenc.experiment.Results;
import org.posenc.report.Explained;
import org.posenc.report.ResultRow;

class JudgementTest {

    /**
     * Claims that a mean is at least 1, that something without a seed is, and that seeds differ.
     */
    private static final Recipe RECIPE =
            new Recipe() {
                @Override
                public About about() {
                    return new About("made-up", "", "", "", "", "");
                }

                @Override
                public List<Trial> trials(Setting setting) {
                    return List.of();
                }

                @Override
                public List<Explained> figures(Results results, Pictures pictures) {
                    return List.of();
                }

                @Override
                public List<Claim> claims(Results results) {
                    double spread = results.with("of", "drawn").mean("x").spread();
                    return List.of(
                            claim(results.with("of", "drawn").mean("x").mean(), "dB"),
                            claim(results.with("of", "exact").mean("x").mean(), ""),
                            claim(spread / spread, "")); // NaN of fewer than two seeds
                }

                private Claim claim(double here, String unit) {
                    return new Claim(1, "at least 1", "", here, unit, new Rule.AtLeast(1));
                }
            };

    private static List<Judgement> judge(double... drawn) {
        List<ResultRow> rows = new ArrayList<>();
        rows.add(new ResultRow("exact", Map.of("of", "exact"), Map.of("x", 2.5)));
        for (int seed = 0; seed < drawn.length; seed++) {
            Map<String, String> labels =
                    new TreeMap<>(Map.of("of", "drawn", "seed", "" + (seed + 1)));
            rows.add(new ResultRow("row" + seed, labels, Map.of("x", drawn[seed])));
        }
        return Judgement.of(RECIPE, new Results(rows));
    }

    @Test
    void seedsAreAskedTogetherAndAlone() {
        List<Judgement> found = judge(1.5, 0.5, 2.5);
        Judgement drawn = found.get(0);
        assertThat(drawn.claim().here()).isEqualTo(1.5);
        assertThat(drawn.claim().holds()).isTrue();
        assertThat(drawn.alone()).extracting(Claim::here).containsExactly(1.5, 0.5, 2.5);
        assertThat(drawn.spread()).isEqualTo(1);
        assertThat(drawn.hereText()).isEqualTo("1.5 ± 1.0 dB");
        assertThat(drawn.seedsText()).isEqualTo("2 of 3");
        assertThat(drawn.recipe()).isEqualTo("made-up");
    }

    @Test
    void whatNoSeedDrawsHasNone() {
        Judgement exact = judge(1.5, 0.5).get(1);
        assertThat(exact.alone()).isEmpty();
        assertThat(exact.hereText()).isEqualTo("2.5");
        assertThat(exact.seedsText()).isEqualTo("–");
    }

    @Test
    void whatOnlySeveralSeedsTellIsToldTogether() {
        Judgement spread = judge(1.5, 0.5).get(2);
        assertThat(spread.claim().here()).isEqualTo(1);
        assertThat(spread.hereText()).isEqualTo("1");
        assertThat(spread.seedsText()).isEqualTo("over 2");
    }

    @Test
    void oneSeedHasNoSpread() {
        Judgement one = judge(-0.25).get(0);
        assertThat(one.spread()).isZero();
        assertThat(one.hereText()).isEqualTo("−0.25 dB");
        assertThat(one.seedsText()).isEqualTo("0 of 1");
    }

    @Test
    void numbersHaveTheDigitsThatTheirSpreadLeaves() {
        assertThat(judge(100, 140).get(0).hereText()).isEqualTo("120 ± 28 dB");
        assertThat(judge(-1.01, -1.03).get(0).hereText()).isEqualTo("−1.020 ± 0.014 dB");
        assertThat(judge(1000, 3000).get(0).hereText()).isEqualTo("2000 ± 1414 dB");
    }

    /** Every recipe makes the same claims of nothing as of everything, so that seeds compare. */
    @Test
    void recipesClaimTheSameOfNothing() {
        for (Scale scale : Scale.values()) {
            for (Recipe recipe : Recipes.all(scale)) {
                assertThat(recipe.claims(new Results(List.of())))
                        .as(recipe.name())
                        .isNotEmpty()
                        .noneMatch(Claim::holds);
            }
        }
    }
}
