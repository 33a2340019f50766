package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.analysis.AdditiveBound;
import org.posenc.testing.Goldens;

class DeadLeavesTest {

    private static final JsonObject GOLDEN =
            Goldens.read("shifted-basis/synth_image_closed_form.json");

    @Test
    void aSmallImageEqualsTheReference() {
        double[] expected = Goldens.flat(GOLDEN.get("image_8_seed3")); // written to 12 digits
        assertThat(DeadLeaves.image(8, 3)).containsExactly(expected, Offset.offset(1e-12));
    }

    @Test
    void sumsAndPixelsEqualTheReference() {
        JsonObject golden = GOLDEN.getAsJsonObject("image_64_seed3");
        double[] image = DeadLeaves.image(64, 3);
        assertThat(Arrays.stream(image).sum())
                .isCloseTo(golden.get("sum").getAsDouble(), Offset.offset(1e-9));
        assertThat(Arrays.stream(image).map(v -> v * v).sum())
                .isCloseTo(golden.get("sum_sq").getAsDouble(), Offset.offset(1e-9));
        for (Map.Entry<String, JsonElement> pixel : golden.getAsJsonObject("pixels").entrySet()) {
            int[] at =
                    Arrays.stream(pixel.getKey().split(",")).mapToInt(Integer::parseInt).toArray();
            int from = (at[0] * 64 + at[1]) * 3;
            assertThat(Arrays.copyOfRange(image, from, from + 3))
                    .containsExactly(Goldens.flat(pixel.getValue()), Offset.offset(1e-14));
        }
    }

    @Test
    void greyRowsEqualTheReference() {
        JsonObject golden = GOLDEN.getAsJsonObject("image_512_seed1_lum_rows");
        double[] grey = DeadLeaves.grey(512, 1);
        for (Map.Entry<String, JsonElement> row : golden.entrySet()) {
            int from = Integer.parseInt(row.getKey()) * 512;
            JsonObject expected = row.getValue().getAsJsonObject();
            assertThat(Arrays.stream(grey, from, from + 512).sum())
                    .isCloseTo(expected.get("sum").getAsDouble(), Offset.offset(1e-10));
            assertThat(Arrays.copyOfRange(grey, from, from + 4))
                    .containsExactly(Goldens.flat(expected.get("first4")), Offset.offset(1e-14));
        }
    }

    /** What a linear layer on a simple encoding can reach at best on every second pixel. */
    @Test
    void itsAdditiveBoundEqualsTheReference() {
        double[] image = DeadLeaves.image(64, 3);
        double[] training = new double[32 * 32 * 3];
        for (int i = 0; i < training.length; i++) {
            int row = i / 3 / 32;
            int column = i / 3 % 32;
            training[i] = image[(2 * row * 64 + 2 * column) * 3 + i % 3];
        }
        assertThat(AdditiveBound.psnr(training, 3, 32, 32))
                .isCloseTo(
                        GOLDEN.get("additive_bound_train_psnr").getAsDouble(),
                        Offset.offset(1e-12));
    }

    @Test
    void anyIntegerIsASeed() {
        assertThat(DeadLeaves.image(8, -1)).isNotEqualTo(DeadLeaves.image(8, 1));
        assertThat(DeadLeaves.image(1, 3)).hasSize(3);
        for (int size : new int[] {0, -5, 8193}) {
            assertThatThrownBy(() -> DeadLeaves.image(size, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 to 8192, got " + size);
        }
    }
}
