package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class AdditiveBoundTest {

    /** The residual of the best sum has no mean over any slice of the grid. */
    @Test
    void nothingIsLeftAlongAnyAxis() {
        int[] sides = {3, 4, 5};
        int channels = 2;
        double[] values = new Random(1).doubles(3 * 4 * 5 * 2).toArray();
        double[] fitted = AdditiveBound.fit(values, channels, sides);
        int inner = values.length;
        for (int side : sides) {
            inner /= side;
            for (int slice = 0; slice < side; slice++) {
                for (int c = 0; c < channels; c++) {
                    double sum = 0;
                    for (int i = 0; i < values.length; i++) {
                        boolean in = i / inner % side == slice && i % channels == c;
                        sum += in ? values[i] - fitted[i] : 0;
                    }
                    assertThat(sum).isCloseTo(0, within(1e-13));
                }
            }
        }
        // And it is a sum: mixed differences vanish.
        int a = 4 * 5 * 2;
        int b = 5 * 2;
        assertThat(fitted[a + b] - fitted[a] - fitted[b] + fitted[0]).isCloseTo(0, within(1e-14));
    }

    @Test
    void aSumIsFittedWhole() {
        double[] values = new double[6 * 7];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.1 * (i / 7) + 0.02 * (i % 7) * (i % 7);
        }
        assertThat(AdditiveBound.fit(values, 1, 6, 7)).containsExactly(values, within(1e-15));
        assertThat(AdditiveBound.psnr(values, 1, 6, 7)).isGreaterThan(300);
        assertThat(AdditiveBound.fit(values, 1, 42)).containsExactly(values, within(1e-15));
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> AdditiveBound.fit(new double[5], 1, 2, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("5 values do not fill a signal of [2, 3] with 1 channels");
        assertThatThrownBy(() -> AdditiveBound.psnr(new double[] {1, Double.NaN}, 1, 2))
                .hasMessageContaining("finite, got NaN at 1");
    }
}
