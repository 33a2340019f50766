package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SignalTest {

    /** Values 0, 1, 2, … */
    private static Signal counted(int channels, int... sides) {
        float[] values = new float[IntStream.of(sides).reduce(channels, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return new Signal(sides, channels, values);
    }

    @Test
    void becomesAnArrayAndComesBack() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Signal signal = counted(3, 2, 5);
            NDArray array = signal.array(manager);
            assertThat(array.getShape().getShape()).containsExactly(2, 5, 3);
            assertThat(array.getFloat(1, 2, 1)).isEqualTo((1 * 5 + 2) * 3 + 1);
            assertThat(Signal.of(array).values()).containsExactly(signal.values());
            assertThat(Signal.of(array).sides()).containsExactly(2, 5);
        }
    }

    @Test
    void aPartIsWhatSlicingGives() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Signal volume = counted(2, 4, 5, 6);
            Signal part = volume.part(new int[] {1, 0, 2}, new int[] {2, 3, 4});
            NDArray sliced = volume.array(manager).get("1:3, 0:3, 2:6");
            assertThat(part.values()).containsExactly(sliced.toFloatArray());
            assertThat(volume.channel(1).values())
                    .containsExactly(volume.array(manager).get("..., 1").toFloatArray());
        }
        Signal line = counted(1, 5);
        assertThatThrownBy(() -> line.part(new int[] {3}, new int[] {3}))
                .hasMessage("a part must lie within 5, got 3 from [3]");
        assertThatThrownBy(() -> line.part(new int[] {0, 0}, new int[] {1, 1}))
                .hasMessageContaining("a part must lie within 5");
    }

    @Test
    void refusesWhatIsNoSignal() {
        assertThatThrownBy(() -> new Signal(new int[] {2, 0}, 1, new float[0]))
                .hasMessageContaining("at least 1, got 2 × 0 with 1 channels");
        assertThatThrownBy(() -> new Signal(new int[] {2, 2}, 3, new float[11]))
                .hasMessage("a signal of 2 × 2 with 3 channels takes 12 values, got 11");
        float[] values = new float[12];
        values[7] = Float.NaN;
        assertThatThrownBy(() -> new Signal(new int[] {2, 3}, 2, values))
                .hasMessage(
                        "the values of a signal must be finite, got NaN at [1, 0] in channel 1");
        assertThatThrownBy(() -> new Signal(new int[] {1 << 16, 1 << 16}, 1, new float[0]))
                .hasMessageContaining("takes 4294967296 values");
    }

    @Test
    void everySecondSampleIsAGrid() {
        Sampling every = Sampling.parse("every-2", 0);
        boolean[] trains = every.trains(3, 5);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 5; j++) {
                assertThat(trains[5 * i + j]).isEqualTo(i % 2 == 0 && j % 2 == 0);
            }
        }
        assertThat(((Sampling.Every) every).indices(5)).containsExactly(0, 2, 4);
        assertThat(new Sampling.Every(1).trains(2, 2)).containsOnly(true);
        assertThat(every).hasToString("every-2").isEqualTo(Sampling.EVERY_SECOND);
    }

    @Test
    void aRandomFractionIsExactAndSpread() {
        boolean[] trains = Sampling.parse("random 0.25", 3).trains(40, 50);
        assertThat(IntStream.range(0, 2000).filter(i -> trains[i]).count()).isEqualTo(500);
        // Each quarter has 125 ± 10 of them; 5 deviations never happen with a fair draw.
        for (int quarter = 0; quarter < 4; quarter++) {
            assertThat(
                            IntStream.range(500 * quarter, 500 * quarter + 500)
                                    .filter(i -> trains[i])
                                    .count())
                    .isBetween(75L, 175L);
        }
        assertThat(Sampling.parse("random-0.25", 3).trains(40, 50)).containsExactly(trains);
        assertThat(Sampling.parse("random-0.25", 4).trains(40, 50)).isNotEqualTo(trains);
        assertThat(Sampling.parse("random-0.001", 4).trains(10)).contains(true);
    }

    @ParameterizedTest
    @CsvSource({
        "every-0, got every 0",
        "random-0, above 0 and at most 1",
        "random-1.5, got 1.5",
        "sometimes, 'must be every-N (such as every-2) or random-FRACTION'",
        "every-99999999999, must be every-N",
        "random-0.2.5, must be every-N",
    })
    void samplingThatMakesNoSenseIsSaid(String text, String sentence) {
        assertThatThrownBy(() -> Sampling.parse(text, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(sentence);
    }
}
