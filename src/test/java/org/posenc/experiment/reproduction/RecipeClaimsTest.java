package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.posenc.analysis.ClosedForms;
import org.posenc.experiment.Results;
import org.posenc.report.ResultRow;

/**
 * Results that are made up: such as bear every claim of a recipe out, and such as bear out none.
 */
class RecipeClaimsTest {

    /** Rows as "label=word … | value=number …". */
    private static Results results(String... rows) {
        List<ResultRow> results = new ArrayList<>();
        for (String row : rows) {
            String[] parts = row.split(" *\\| *");
            Map<String, Double> values = new LinkedHashMap<>();
            pairs(parts[1]).forEach((name, text) -> values.put(name, Double.valueOf(text)));
            results.add(new ResultRow("row" + results.size(), pairs(parts[0]), values));
        }
        return new Results(results);
    }

    private static Map<String, String> pairs(String text) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String pair : text.split(" ")) {
            int equals = pair.indexOf('=');
            pairs.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return pairs;
    }

    private static void assertAll(boolean hold, int count, List<Claim> claims) {
        assertThat(claims).hasSize(count);
        for (Claim claim : claims) {
            assertThat(claim.holds()).as(claim.toString()).isEqualTo(hold);
        }
    }

    private static Results layers(double[] image, double[] held, double[] noise, double heldNoise) {
        String[] names = {"none", "basic", "random-fourier", "gaussian"};
        List<String> rows = new ArrayList<>();
        for (int e = 0; e < names.length; e++) {
            rows.add(
                    "encoding=%s target=image | trainPsnr=%s testPsnr=%s"
                            .formatted(names[e], image[e], held[e]));
            rows.add(
                    "encoding=%s target=noise | trainPsnr=%s testPsnr=%s"
                            .formatted(names[e], noise[e], heldNoise));
        }
        return results(rows.toArray(String[]::new));
    }

    @Test
    void layers() {
        Layers recipe = Layers.at(Scale.SMALL);
        assertAll(
                true,
                6,
                recipe.claims(
                        layers(
                                new double[] {26, 33.5, 50.5, 47.5},
                                new double[] {26, 29.5, 30.8, 30.5},
                                new double[] {0.6, 2.1, 14.3, 10.9},
                                -0.3)));
        assertAll(
                false,
                6,
                recipe.claims(
                        layers(
                                new double[] {26, 27, 50.5, 30},
                                new double[] {26, 29.5, 30.8, 28},
                                new double[] {2, 2.1, 14.3, 4},
                                0.2)));
    }

    private static Results linear(
            double basic, double fourier, double gaussian, double triangle, double[] memory) {
        return results(
                "encoding=none target=image samples=256 | testPsnr=19",
                "encoding=basic target=image samples=256 | testPsnr=" + basic,
                "encoding=sine target=image samples=256 | testPsnr=21",
                "encoding=square target=image samples=256 | testPsnr=22",
                "encoding=random-fourier target=image samples=256 | testPsnr=" + fourier,
                "encoding=gaussian target=image samples=256 | testPsnr=" + gaussian,
                "encoding=triangle target=image samples=256 | testPsnr=" + triangle,
                "encoding=impulse target=image samples=256 | trainPsnr=126 testPsnr=" + memory[1],
                "encoding=impulse target=image samples=64 | testPsnr=11 trainPsnr=" + memory[0],
                "encoding=impulse target=noise samples=256 | testPsnr=" + memory[2],
                "encoding=noise target=image samples=256 | trainPsnr=126 testPsnr=" + memory[1],
                "encoding=noise target=image samples=64 | testPsnr=11 trainPsnr=" + memory[0],
                "encoding=noise target=noise samples=256 | testPsnr=" + memory[2]);
    }

    @Test
    void oneLinearLayer() {
        OneLinearLayer recipe = OneLinearLayer.at(Scale.SMALL);
        assertAll(true, 9, recipe.claims(linear(21, 28, 30, 29.5, new double[] {114, 11, 0.4})));
        assertAll(false, 9, recipe.claims(linear(26, 28, 27, 30, new double[] {99, 16, 1.2})));
    }

    private static Results sweep(double shift, double atCorner, double other) {
        List<String> rows = new ArrayList<>();
        double[] widths = {0.05, 0.1, 0.28, 0.7, 1.8, 3.6};
        double[] test = {8, 24, atCorner, 30, 29, 26};
        double[] train = {120, 125, 130, 70, 40, 30};
        for (int i = 0; i < widths.length; i++) {
            rows.add(
                    "samples=256 sigma=%d | spacings=%s trainPsnr=%s testPsnr=%s"
                            .formatted(i, shift * widths[i], train[i], test[i]));
            rows.add(
                    "samples=64 sigma=%d | spacings=%s trainPsnr=%s testPsnr=%s"
                            .formatted(i, other * shift * widths[i], train[i], test[i]));
        }
        return results(rows.toArray(String[]::new));
    }

    @Test
    void sigmaSweep() {
        SigmaSweep recipe = SigmaSweep.at(Scale.SMALL);
        assertAll(true, 6, recipe.claims(sweep(1, 29.8, 1.05)));
        List<Claim> narrow = recipe.claims(sweep(0.3, 29.8, 1.5));
        assertThat(narrow.stream().map(Claim::holds))
                .containsExactly(false, true, false, false, true, false);
        List<Claim> late = recipe.claims(sweep(1, 25, 1));
        assertThat(late.get(1).holds()).isFalse();
        assertThat(late.get(4).holds()).isFalse();
    }

    private static Results variance(double few, double many, double gaussian, double spread) {
        List<String> rows = new ArrayList<>();
        for (int d : new int[] {100, 200, 400, 1000}) {
            double rank = d == 100 ? few : many;
            for (int side : new int[] {-1, 1}) {
                rows.add(
                        "encoding=random-fourier features=%d | stableRank=%s testPsnr=%s"
                                .formatted(d, rank, 28 + side));
                rows.add(
                        "encoding=gaussian features=%d | stableRank=%s testPsnr=%s"
                                .formatted(d, gaussian, 30 + spread * side));
            }
        }
        return results(rows.toArray(String[]::new));
    }

    @Test
    void variances() {
        Variance1d line = Variance1d.at(Scale.SMALL);
        assertAll(true, 4, line.claims(variance(22, 41, 56, 0.2)));
        assertAll(false, 4, line.claims(variance(16, 60, 56, 0.6)));
        Variance2d plane = Variance2d.at(Scale.SMALL);
        assertAll(true, 1, plane.claims(variance(9, 29, 7, 0)));
        assertAll(false, 1, plane.claims(variance(9, 17, 7, 0)));
    }

    @Test
    void qualitative() {
        Qualitative recipe = Qualitative.at(Scale.SMALL);
        String wide = "of=signal sigma=0.01 | testPsnr=";
        String right = "of=signal sigma=0.002 | testPsnr=";
        String narrow = "of=signal sigma=0.0003 | testPsnr=";
        assertAll(true, 2, recipe.claims(results(wide + 26.9, right + 30.6, narrow + 13)));
        assertAll(false, 2, recipe.claims(results(wide + 30, right + 30.6, narrow + 25)));
    }

    /** Every stable rank off by a part, every product too large. */
    private static Results tradeOff(double off, double fourier) {
        List<ResultRow> rows = new ArrayList<>();
        Map<String, Double> ranks = new LinkedHashMap<>();
        ranks.put("impulse", 500.0);
        ranks.put("square", 2.0);
        ranks.put("sine", 2.0);
        ranks.put("sine + 0.7", 0.99 / 0.49);
        ranks.put("rectangle", 5.0);
        ranks.put("triangle", 2 / 0.3);
        ranks.put("gaussian", 28.2095);
        ranks.forEach(
                (name, rank) ->
                        rows.add(
                                row(
                                        Map.of("figure", "samples", "encoding", name),
                                        Map.of("stableRank", rank * (1 + off)),
                                        Map.of())));
        int[] points = {1, 2, 4, 5, 8, 10, 16, 20, 25, 40, 50, 80, 100, 125, 200, 250, 400, 500};
        for (double sigma : new double[] {0.1, 0.05, 0.01, 0.005, 0.001}) {
            List<Double> curve =
                    Arrays.stream(points)
                            .mapToObj(n -> ClosedForms.gaussianStableRank(sigma, n) * (1 + off))
                            .toList();
            rows.add(row(Map.of("figure", "widths"), Map.of(), Map.of("stableRank", curve)));
        }
        rows.add(
                row(
                        Map.of("figure", "trade-off", "encoding", "gaussian"),
                        Map.of("product", 0.85612 * (1 + off)),
                        Map.of()));
        rows.add(
                row(
                        Map.of("figure", "trade-off", "encoding", "random-fourier"),
                        Map.of("product", fourier),
                        Map.of()));
        rows.add(row(Map.of("figure", "plane"), Map.of("simple", off, "complex", off), Map.of()));
        return new Results(rows);
    }

    private static ResultRow row(
            Map<String, String> labels,
            Map<String, Double> values,
            Map<String, List<Double>> curves) {
        return new ResultRow(labels + "" + curves.hashCode(), labels, values, curves);
    }

    @Test
    void tradeOff() {
        TradeOff recipe = TradeOff.at(Scale.SMALL);
        assertAll(true, 12, recipe.claims(tradeOff(0, 0.8)));
        assertAll(false, 12, recipe.claims(tradeOff(0.02, 0.87)));
        // What is said to be far is far below, too.
        assertThat(recipe.claims(tradeOff(-0.02, 0.8)).get(1).here()).isCloseTo(0.02, within(1e-9));
    }

    /** A trial that came to nothing bears nothing out. */
    @Test
    void whatWasNotMeasuredHoldsNot() {
        for (Recipe recipe : List.of(Layers.at(Scale.SMALL), OneLinearLayer.at(Scale.SMALL))) {
            for (Claim claim : recipe.claims(new Results(List.of()))) {
                assertThat(claim.holds()).as(claim.toString()).isFalse();
            }
        }
    }
}
