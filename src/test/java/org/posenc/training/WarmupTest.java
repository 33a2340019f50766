package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.training.tracker.Tracker;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Against transformers' get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup. */
class WarmupTest {

    private static void compare(Tracker ours, int from, double... golden) {
        for (int i = 0; i < golden.length; i++) {
            assertThat((double) ours.getNewValue(from + i))
                    .as("update %d", from + i)
                    .isCloseTo(golden[i], Offset.offset(1e-9));
        }
    }

    @Test
    void ratesAreThoseOfTransformers() {
        // Its first update has rate 0, and each of the warm-up the rate of ours before.
        WarmupLinear linear = new WarmupLinear(0.003, 3, 10, 0);
        compare(linear, 0, 0.001, 0.002, 0.003, 0.003);
        compare(
                linear,
                4,
                0.0025714285714285713,
                0.002142857142857143,
                0.0017142857142857142,
                0.0012857142857142856,
                0.0008571428571428571,
                0.00042857142857142855,
                0,
                0);
        compare(
                new WarmupCosine(0.003, 3, 10, 0),
                3,
                0.003,
                0.002851453301853629,
                0.0024352347027881004,
                0.0018337814009344716,
                0.0011662185990655284,
                0.0005647652972118998,
                0.00014854669814637144,
                0);
    }

    @Test
    void aRateMayStay() {
        WarmupLinear stays = new WarmupLinear(2e-4, 2, 10, 2e-4);
        for (int t : new int[] {1, 2, 9, 10, 1000}) {
            assertThat(stays.getNewValue(t)).isEqualTo(2e-4f);
        }
        assertThat(stays.getNewValue(0)).isEqualTo(1e-4f);
    }

    @Test
    void badNumbersAreRefused() {
        assertThatThrownBy(() -> new WarmupLinear(0, 1, 2, 0)).hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> new WarmupLinear(1, 2, 2, 0))
                .hasMessageContaining("warmup 2 and steps 2");
        assertThatThrownBy(() -> new WarmupLinear(1, 1, 2, 2)).hasMessageContaining("got 2.0");
    }
}
