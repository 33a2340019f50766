package org.posenc.experiment.reproduction;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.posenc.experiment.Results;
import org.posenc.report.Measurement;

/**
 * A claim as all seeds of a recipe bear it out together, and each of them alone.
 *
 * @param claim measured on the means over all seeds
 * @param recipe which measured it
 * @param alone measured on one seed each; empty where nothing of it is drawn from a seed
 */
public record Judgement(Claim claim, String recipe, List<Claim> alone) {

    /** What differs from seed to seed has this label. */
    static final String SEED = "seed";

    /** Copies the list. */
    public Judgement {
        alone = List.copyOf(alone);
    }

    /** Judges all claims of a recipe. */
    static List<Judgement> of(Recipe recipe, Results results) {
        List<Claim> together = recipe.claims(results);
        List<Claim> undrawn = recipe.claims(some(results, null));
        List<List<Claim>> bySeed =
                results.values(SEED).stream()
                        .map(seed -> recipe.claims(some(results, seed)))
                        .toList();
        List<Judgement> judgements = new ArrayList<>();
        for (int i = 0; i < together.size(); i++) {
            int at = i;
            Claim claim = together.get(i);
            boolean drawn = claim.here() != undrawn.get(i).here();
            judgements.add(
                    new Judgement(
                            claim,
                            recipe.name(),
                            drawn
                                    ? bySeed.stream().map(claims -> claims.get(at)).toList()
                                    : List.of()));
        }
        return judgements;
    }

    /** Those of one seed and those that have none. */
    private static Results some(Results results, String seed) {
        return new Results(
                results.rows().stream()
                        .filter(
                                row -> {
                                    String own = row.labels().get(SEED);
                                    return own == null || own.equals(seed);
                                })
                        .toList());
    }

    /**
     * Returns how far the seeds are apart.
     *
     * @return the standard deviation over seeds; 0 for one seed, NaN where it takes several seeds
     *     to measure the claim at all
     */
    public double spread() {
        return Measurement.of(alone.stream().mapToDouble(Claim::here).toArray()).spread();
    }

    /** Returns the measured number, its spread over seeds and its unit. */
    String hereText() {
        double spread = spread();
        if (!(spread > 0) || Double.isInfinite(spread)) {
            return claim.hereText();
        }
        // As many digits as two of the spread.
        int digits = 1 - (int) Math.floor(Math.log10(spread));
        String text = rounded(claim.here(), digits) + " ± " + rounded(spread, digits);
        return claim.unit().isEmpty() ? text : text + " " + claim.unit();
    }

    private static String rounded(double value, int digits) {
        if (!Double.isFinite(value)) {
            return Rule.number(value);
        }
        return new BigDecimal(value)
                .setScale(Math.max(0, Math.min(digits, 6)), RoundingMode.HALF_EVEN)
                .toPlainString()
                .replace('-', '−');
    }

    /** Returns how many seeds bear the claim out alone; a dash where no seed has a part in it. */
    String seedsText() {
        if (alone.isEmpty()) {
            return "–";
        }
        if (alone.stream().anyMatch(one -> Double.isNaN(one.here()))) {
            return "over " + alone.size();
        }
        return alone.stream().filter(Claim::holds).count() + " of " + alone.size();
    }
}
