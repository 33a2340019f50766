package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {

    private static TuningLog.Step step(double loss, int tokens, double seconds) {
        return new TuningLog.Step(1, loss, 1, 0.1, tokens, seconds, 300L << 20);
    }

    @Test
    void theFirstTwoStepsAreNotCountedOnceOthersAreThere() {
        Pace pace = new Pace(100);
        pace.add(step(4, 500, 10));
        assertThat(pace).hasToString("loss 4.0000, 50 tokens/s, 16m30s left, 300 MB");
        pace.add(step(3, 700, 2));
        assertThat(pace).hasToString("loss 3.0000, 100 tokens/s, 9m48s left, 300 MB"); // 98 · 6 s
        pace.add(step(2.5, 1000, 0.25));
        assertThat(pace).hasToString("loss 2.5000, 4,000 tokens/s, 24s left, 300 MB"); // 97 / 4
        pace.add(step(2.25, 1000, 0.75));
        assertThat(pace).hasToString("loss 2.2500, 2,000 tokens/s, 48s left, 300 MB"); // 96 / 2
    }
}
