package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Sinusoidal.Layout;
import org.posenc.testing.Goldens;

class SinusoidalTest {

    private static final Map<Layout, String> KEYS =
            Map.of(
                    Layout.INTERLEAVED, "vaswani_interleaved",
                    Layout.CONCATENATED, "concatenated_vaswani_freqs",
                    Layout.TENSOR2TENSOR, "tensor2tensor");

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void everyLayoutEqualsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/sinusoidal.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject out = c.getAsJsonObject("outputs");
            NDArray p = FeatureGoldens.array(manager, c.getAsJsonObject("inputs").get("positions"));
            int d = params.get("d").getAsInt();
            if (params.has("kind")) {
                NDArray e = FeatureGoldens.features(Sinusoidal.of(d), p);
                assertThat(e.matMul(e.transpose()).toDoubleArray())
                        .containsExactly(Goldens.flat(out.get("dot")), Offset.offset(1e-12));
                compared++;
                continue;
            }
            for (Layout layout : Layout.values()) {
                Sinusoidal features =
                        Sinusoidal.builder()
                                .setDimension(d)
                                .optBase(params.get("base").getAsDouble())
                                .optLayout(layout)
                                .build();
                FeatureGoldens.check(features, p, Goldens.flat(out.get(KEYS.get(layout))));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(7);
    }

    @Test
    void anOddDimensionIsRefused() {
        assertThatThrownBy(() -> Sinusoidal.of(7))
                .hasMessageContaining("even")
                .hasMessageContaining("7");
    }
}
