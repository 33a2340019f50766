package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;

/** Powers against those of PyTorch. */
class TorchPowerTest {

    @Test
    void powersEqualPyTorchsToTheLastBit() {
        int byVectors = 0;
        int leftOver = 0;
        for (JsonElement element : Goldens.read("rope/powers.json").getAsJsonArray("powers")) {
            JsonObject c = element.getAsJsonObject();
            float base = c.get("base").getAsFloat();
            int d = c.get("dimension").getAsInt();
            double[] expected = Goldens.flat(c.get("powers"));
            float[] exponents = new float[d / 2];
            for (int i = 0; i < exponents.length; i++) {
                exponents[i] = 2f * i / d;
            }
            float[] powers = TorchPower.of(base, exponents);
            for (int i = 0; i < powers.length; i++) {
                assertThat(powers[i])
                        .as("%s to the power of %s", base, exponents[i])
                        .isEqualTo((float) expected[i]);
                boolean rounded = (float) Math.pow(base, exponents[i]) == powers[i];
                byVectors += !rounded && i < d / 2 / 32 * 32 ? 1 : 0;
                leftOver += !rounded && i >= d / 2 / 32 * 32 ? 1 : 0;
            }
        }
        // The reference has powers that rounding from double precision would miss.
        assertThat(byVectors).isGreaterThanOrEqualTo(40);
        assertThat(leftOver).isGreaterThanOrEqualTo(20);
    }

    @Test
    void powersOfNumbersThatAreNotNormalAreRoundedFromDoublePrecision() {
        float[] exponents = {0, 0.5f};
        assertThat(TorchPower.of(Float.POSITIVE_INFINITY, exponents))
                .containsExactly(1, Float.POSITIVE_INFINITY);
        assertThat(TorchPower.of(Float.MIN_VALUE, exponents))
                .containsExactly(1, (float) Math.sqrt(Float.MIN_VALUE));
        assertThat(TorchPower.of(1, exponents)).containsExactly(1, 1);
    }
}
