package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FitMemoryTest {

    private static FitMemory complex(int side, int depth) {
        return new FitMemory(new int[] {side, side}, new int[] {side, side}, true, 3, depth, 256);
    }

    /** Arrays that are there whatever else is: no estimate may be below them. */
    @Test
    void nothingIsForgotten() {
        double points = 256 * 256;
        // Samples, weights and two decompositions U, V of 256 × 256 in float64.
        assertThat(complex(256, 0).closedForm()).isGreaterThan(8 * (6 * points + 4 * points));
        // Four hidden layers' activations and twice their weights, in float32.
        double hidden = 4 * points * 256;
        double weights = 256 * 256.0 * 256;
        assertThat(complex(256, 4).training()).isGreaterThan(4 * (hidden + 4 * weights));
        FitMemory simple = new FitMemory(new int[] {512, 512}, new int[] {512}, false, 3, 4, 256);
        assertThat(simple.training()).isGreaterThan(4 * 512 * 512 * (512.0 + 4 * 256));
    }

    /**
     * What processes of one closed form, or of two training steps, grew by at most (VmHWM less the
     * memory before, two threads of libtorch 2.7.1 on Linux), in mebibytes.
     */
    @ParameterizedTest
    @CsvSource({
        "closed,   512, 256, 0,   1,   57.4",
        "closed,  1024, 512, 0,   1,  171.6",
        "complex,  256, 256, 0,   1,   39.3",
        "complex,  256, 128, 1, 256,  299.7",
        "complex,  256, 128, 4, 256,  494.9",
        "simple,   256, 512, 4, 256, 1958.4",
    })
    void estimatesAreALittleMoreThanWasMeasured(
            String fit, int side, int k, int depth, int width, double measured) {
        boolean complex = !fit.equals("simple");
        int[] features = complex ? new int[] {k, k} : new int[] {k};
        int[] sides = {side, side};
        FitMemory memory = new FitMemory(sides, features, complex, 3, depth, width);
        double estimated = fit.equals("closed") ? memory.closedForm() : memory.training();
        assertThat(estimated / (measured * (1 << 20))).isBetween(1.02, 1.9);
    }

    @Test
    void aClosedFormGrowsAsTheSamplesAndTrainingAsTheLayers() {
        double quarter = complex(2048, 0).closedForm() / 4;
        assertThat(complex(1024, 0).closedForm()).isBetween(quarter, 1.1 * quarter);
        FitMemory deep = new FitMemory(new int[] {900_000}, new int[] {10}, true, 1, 8, 64);
        FitMemory flat = new FitMemory(new int[] {900_000}, new int[] {10}, true, 1, 4, 64);
        assertThat(deep.training() / flat.training()).isBetween(1.5, 2.0);
        assertThat(FitMemory.available()).isBetween(1e8, 1e14);
    }

    @Test
    void whatDoesNotFitIsRefusedWithWhatWould() {
        FitMemory large =
                new FitMemory(new int[] {6000, 8000}, new int[] {3000, 4000}, true, 3, 0, 1);
        double room = 1e9;
        assertThatThrownBy(() -> large.requireRoom(true, room))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(
                        "to fit 6000 × 8000 samples at once takes [\\d.]+ GB of memory and 1.0 GB"
                                + " are free: at most \\d+ × \\d+ would fit, or smaller tiles");
        String message = "";
        try {
            large.requireRoom(true, room);
        } catch (IllegalArgumentException e) {
            message = e.getMessage();
        }
        String[] fits = message.replaceAll(".*at most (\\d+) × (\\d+) would.*", "$1 $2").split(" ");
        int height = Integer.parseInt(fits[0]);
        int width = Integer.parseInt(fits[1]);
        int[] features = {height / 2, width / 2};
        int[] sides = {height, width};
        int[] larger = {height + 60, width + 80};
        assertThatCode(() -> new FitMemory(sides, features, true, 3, 0, 1).requireRoom(true, room))
                .doesNotThrowAnyException();
        int[] more = {larger[0] / 2, larger[1] / 2};
        assertThatThrownBy(() -> new FitMemory(larger, more, true, 3, 0, 1).requireRoom(true, room))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new FitMemory(sides, new int[] {3}, true, 3, 0, 1))
                .hasMessageContaining("features [3]");
    }
}
