package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.posenc.analysis.ClosedForms;

class TradeOffTest {

    private static final int DIMENSION = 240;

    private static Outcome gaussians(int draws) throws Exception {
        TradeOff recipe =
                new TradeOff(
                        new TradeOff.Size(
                                DIMENSION, new int[] {1}, 2, new int[] {DIMENSION}, draws, 1, ""));
        Setting setting =
                new Setting(new Subject.Synthetic(1), 5, OptionalInt.empty(), Device.cpu());
        Map<String, String> wanted = Map.of("figure", "trade-off", "encoding", "gaussian");
        return recipe.trials(setting).stream()
                .filter(trial -> trial.labels().entrySet().containsAll(wanted.entrySet()))
                .findFirst()
                .orElseThrow()
                .work()
                .run(new Unheard());
    }

    /** Half the width at 0.1 is √(ln 10/π) over the stable rank, where copies overlap. */
    @Test
    void countedWidthsAreRightOnAverage() throws Exception {
        Outcome outcome = gaussians(60);
        List<Double> ranks = outcome.curves().get("stableRank");
        List<Double> widths = outcome.curves().get("distancePreservation");
        double off = 0;
        int counted = 0;
        for (int i = 0; i < ranks.size(); i++) {
            if (ranks.get(i) < DIMENSION / 4.0) {
                double spacings =
                        DIMENSION * (widths.get(i) - ClosedForms.GAUSSIAN_TRADE_OFF / ranks.get(i));
                assertThat(spacings).isBetween(-0.51, 0.51);
                off += spacings;
                counted++;
            }
        }
        assertThat(counted).isGreaterThan(30);
        assertThat(off / counted).isCloseTo(0, within(0.15)); // a step would be off by 0.5
        // Half a spacing off, the median would be 5 % off.
        assertThat(outcome.values().get("product"))
                .isCloseTo(ClosedForms.GAUSSIAN_TRADE_OFF, within(0.02));
    }
}
