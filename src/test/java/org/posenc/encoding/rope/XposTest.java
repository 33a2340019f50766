package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class XposTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    private static Xpos.Builder interleaved(int d) {
        return Xpos.builder().setHeadDimension(d).setLayout(RotaryLayout.INTERLEAVED);
    }

    private static NDArray scores(Xpos xpos, NDArray q, NDArray k, Positions p) {
        return xpos.queries(q, p, false).matMul(xpos.keys(k, p, false).swapAxes(2, 3));
    }

    @Test
    void equalsTorchscaleAtItsCentreAndInScoresAtAnyCentre() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/xpos.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject out = c.getAsJsonObject("outputs");
            NDArray q = array(c.getAsJsonObject("inputs").get("q")).expandDims(0).expandDims(0);
            NDArray k = array(c.getAsJsonObject("inputs").get("k")).expandDims(0).expandDims(0);
            int d = params.get("head_dim").getAsInt();
            assertThat(Xpos.zeta(d))
                    .containsExactly(Goldens.flat(out.get("zeta")), Offset.offset(1e-15));
            double[] scaled = Goldens.flat(c.getAsJsonObject("inputs").get("scale_positions"));
            Positions p = Positions.range(manager, 0, scaled.length);
            Xpos.Builder builder =
                    interleaved(d).optScaleBase(params.get("scale_base").getAsDouble());
            Xpos theirs = builder.optCentre(-scaled[0]).build();
            assertThat(theirs.queries(q, p, false).toDoubleArray())
                    .containsExactly(Goldens.flat(out.get("q")), Offset.offset(1e-12));
            assertThat(theirs.keys(k, p, false).toDoubleArray())
                    .containsExactly(Goldens.flat(out.get("k")), Offset.offset(1e-12));
            for (double centre : new double[] {0, 3, 900.5}) {
                assertThat(scores(builder.optCentre(centre).build(), q, k, p).toDoubleArray())
                        .containsExactly(Goldens.flat(out.get("logits")), Offset.offset(1e-11));
            }
            compared++;
        }
        assertThat(compared).isPositive();
    }

    @Test
    void equalsRotaryEmbeddingTorch() {
        int compared = 0;
        for (JsonElement each :
                Goldens.read("rotary/lucidrains_axes.json").getAsJsonArray("xpos")) {
            JsonObject c = each.getAsJsonObject();
            NDArray q = array(c.get("q"));
            NDArray k = array(c.get("k"));
            long length = q.getShape().get(2);
            Xpos xpos =
                    interleaved(c.get("head_dim").getAsInt())
                            .optScaleBase(c.get("scale_base").getAsDouble())
                            .optCentre(length / 2)
                            .build();
            Positions p = Positions.range(manager, 0, length);
            assertThat(xpos.queries(q, p, false).toDoubleArray())
                    .containsExactly(Goldens.flat(c.get("rotated_q")), Offset.offset(1e-5));
            assertThat(xpos.keys(k, p, false).toDoubleArray())
                    .containsExactly(Goldens.flat(c.get("rotated_k")), Offset.offset(1e-5));
            assertThat(scores(xpos, q, k, p).toDoubleArray())
                    .containsExactly(Goldens.flat(c.get("logits")), Offset.offset(1e-4));
            compared++;
        }
        assertThat(compared).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(RotaryLayout.class)
    void gradientsAreRightWithPositionsPerRow(RotaryLayout layout) {
        Xpos xpos = interleaved(6).setLayout(layout).optScaleBase(8).optCentre(4).build();
        NDArray x = Gradients.normal(manager, 1, 2, 2, 3, 6);
        NDArray p = manager.create(new double[] {0, 1, 2, 7.5, -3, 4}, new Shape(2, 3));
        Gradients.check(x, y -> xpos.queries(y, Positions.of(p), true));
        Gradients.check(x, y -> xpos.keys(y, Positions.of(p), true));
        Gradients.check(p, y -> xpos.keys(x, Positions.of(y), true));
        NDArray both = xpos.queries(x, Positions.of(p), false);
        NDArray second = xpos.queries(x.get("1:2"), Positions.of(p.get(1)), false);
        assertThat(second.toDoubleArray())
                .containsExactly(both.get("1:2").toDoubleArray(), Offset.offset(1e-14));
    }

    /** Uncentred, the scale of the first pair would be 10⁻³⁵ at position 32,767. */
    @Test
    void aLongContextStaysInRangeAroundItsCentre() {
        Xpos xpos = interleaved(4).optCentre(16_384).build();
        NDArray q = manager.ones(new Shape(1, 1, 3, 4));
        Positions p = Positions.of(manager.create(new long[] {0, 16_000, 32_767}));
        NDArray exact =
                scores(xpos, q.toType(DataType.FLOAT64, true), q.toType(DataType.FLOAT64, true), p);
        NDArray single = scores(xpos, q, q, Positions.of(p.array()));
        for (int i = 0; i < 3; i++) { // a token's own score is that of plain RoPE
            assertThat(exact.getDouble(0, 0, i, i)).isCloseTo(4, Offset.offset(1e-12));
            assertThat(single.getFloat(0, 0, i, i)).isCloseTo(4, Offset.offset(1e-5f));
        }
        assertThatThrownBy(() -> interleaved(4).build().queries(q, p, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "xPos in float32 reaches 28232 positions to both sides of its centre 0.0,"
                                + " got 32767.0");
        assertThatThrownBy(() -> xpos.queries(q.toType(DataType.FLOAT16, true), p, false))
                .hasMessageContaining("float16 reaches 2823 positions")
                .hasMessageContaining("got 0.0");
    }

    @Test
    void saysWhatIsWrong() {
        NamedEncoding named = Encodings.named("xpos");
        assertThatThrownBy(() -> named.forTransformer(new Site(8, 2, 4, 16, false, 0), Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("causal attention");
        assertThatThrownBy(() -> interleaved(5).build()).hasMessageContaining("got 5");
        assertThatThrownBy(() -> interleaved(4).optScaleBase(0).build())
                .hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> interleaved(4).optCentre(Double.NaN))
                .hasMessageContaining("got NaN");
        assertThatThrownBy(() -> interleaved(4).setLayout(null).build())
                .hasMessageContaining("layout");
    }
}
