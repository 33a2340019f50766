package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.testing.Goldens;

class FidelityTest {

    private static List<JsonObject> cases() {
        return Goldens.cases("signal/ssim.json");
    }

    private static Signal signal(JsonObject golden, String name) {
        double[] sides = Goldens.flat(golden.get("sides"));
        double[] values = Goldens.flat(golden.get(name));
        int[] whole = new int[sides.length];
        for (int m = 0; m < whole.length; m++) {
            whole[m] = (int) sides[m];
        }
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return new Signal(whole, golden.get("channels").getAsInt(), narrow);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void similarityIsThatOfScikitImage(JsonObject golden) {
        Signal predicted = signal(golden, "predicted");
        Signal truth = signal(golden, "truth");
        assertThat(Fidelity.ssim(predicted, truth))
                .isCloseTo(golden.get("uniform").getAsDouble(), Offset.offset(1e-12));
        assertThat(Fidelity.ssim(predicted, truth, Fidelity.Window.GAUSSIAN))
                .isCloseTo(golden.get("gaussian").getAsDouble(), Offset.offset(1e-12));
        // The squared errors are of float32 differences.
        assertThat(Fidelity.psnr(predicted, truth))
                .isCloseTo(-10 * Math.log10(golden.get("mse").getAsDouble()), Offset.offset(1e-6));
        assertThat(Fidelity.ssim(truth, truth)).isCloseTo(1, Offset.offset(1e-12));
    }

    @Test
    void psnrIsThatOfItsDefinition() {
        assertThat(Fidelity.psnr(new float[] {0.1f, 0.5f}, new float[] {0, 0.5f}))
                .isCloseTo(-10 * Math.log10(0.005), Offset.offset(1e-6));
        assertThat(Fidelity.psnr(new float[] {0.5f}, new float[] {0.5f}))
                .isEqualTo(Double.POSITIVE_INFINITY);
        assertThatThrownBy(() -> Fidelity.psnr(new float[1], new float[2]))
                .hasMessage("1 predictions for 2 values");
    }

    @Test
    void psnrOfSomeSamplesLeavesTheOthersOut() {
        Signal truth = new Signal(new int[] {2}, 2, new float[] {0, 0, 0.5f, 0.5f});
        Signal predicted = new Signal(new int[] {2}, 2, new float[] {0.1f, 0, 0.5f, 1.5f});
        boolean[] first = {true, false};
        assertThat(Fidelity.psnr(predicted, truth, first, true))
                .isCloseTo(-10 * Math.log10(0.005), Offset.offset(1e-6));
        assertThat(Fidelity.psnr(predicted, truth, first, false))
                .isCloseTo(-10 * Math.log10(0.5), Offset.offset(1e-6));
        assertThat(Fidelity.psnr(predicted, truth, new boolean[2], true)).isNaN();
    }

    @Test
    void whatCannotBeComparedIsSaid() {
        Signal small = new Signal(new int[] {6, 9}, 1, new float[54]);
        assertThatThrownBy(() -> Fidelity.ssim(small, small))
                .hasMessage("structural similarity needs sides of at least 7, got 6 × 9");
        Signal turned = new Signal(new int[] {9, 6}, 1, new float[54]);
        assertThatThrownBy(() -> Fidelity.psnr(small, turned))
                .hasMessage(
                        "Signal 6 × 9, channels 1 cannot be compared with Signal 9 × 6, channels 1");
    }
}
