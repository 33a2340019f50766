package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.FourierFeatures.Order;
import org.posenc.encoding.FourierFeatures.Unit;
import org.posenc.testing.Goldens;

class FourierFeaturesTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"rff_1d_sigma1", "rff_2d", "linf_1d_p3", "linf_2d_simple", "logf_1d_p3"})
    void everyFamilyEqualsTheAuthors(String file) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        JsonObject params = golden.getAsJsonObject("params");
        NDArray x = FeatureGoldens.array(manager, golden.get("positions"));
        int m = x.getShape().dimension() == 1 ? 1 : (int) x.getShape().get(1);
        FourierFrequencies frequencies;
        if (params.has("z")) {
            frequencies =
                    new FourierFrequencies.Given(
                            rows(params.get("z"), m, params.get("sigma").getAsDouble()));
        } else {
            double p = params.get("p").getAsDouble();
            frequencies =
                    file.startsWith("lin")
                            ? new FourierFrequencies.Linear(p)
                            : new FourierFrequencies.Logarithmic(p);
        }
        FourierFeatures features =
                FourierFeatures.builder()
                        .setFrequencies(frequencies)
                        .setDimension(params.get("d").getAsInt())
                        .optPositionDimension(m)
                        .optNormalized(true)
                        .build();
        FeatureGoldens.check(features, x, Goldens.flat(golden.get("embedding")));
    }

    @Test
    void basicEqualsTheAuthors() {
        JsonObject golden = Goldens.read("shifted-basis/basic_1d.json");
        NDArray x = FeatureGoldens.array(manager, golden.get("positions"));
        FeatureGoldens.check(FourierFeatures.basic(1), x, Goldens.flat(golden.get("embedding")));
        NDArray plane = manager.create(new double[][] {{0.1, 0.25}});
        double[] expected = {
            Math.sin(0.2 * Math.PI), 1, Math.cos(0.2 * Math.PI), Math.cos(0.5 * Math.PI)
        };
        FeatureGoldens.check(FourierFeatures.basic(2), plane, expected);
    }

    @Test
    void coordinatesEqualTheAuthors() {
        JsonObject golden = Goldens.read("shifted-basis/none_1d.json");
        NDArray x = FeatureGoldens.array(manager, golden.get("positions"));
        double norm = golden.get("max_row_norm").getAsDouble();
        NDArray normalised = FeatureGoldens.array(manager, golden.get("embedding")).mul(norm);
        FeatureGoldens.check(new Coordinates(1), x, normalised.toDoubleArray());
    }

    @Test
    void bothOrdersOfTancikAreThere() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/gaussian_rff.json")) {
            JsonObject out = c.getAsJsonObject("outputs");
            NDArray v = FeatureGoldens.array(manager, c.getAsJsonObject("inputs").get("v"));
            int m = (int) v.getShape().get(1);
            JsonElement unit = c.getAsJsonObject("inputs").get("B_unit_normal");
            double[][] b =
                    unit == null
                            ? rows(out.get("B"), m, 1)
                            : rows(unit, m, c.getAsJsonObject("params").get("sigma").getAsDouble());
            for (Order order : List.of(Order.SINES_COSINES, Order.COSINES_SINES)) {
                JsonElement expected =
                        out.get(order == Order.SINES_COSINES ? "sin_cos" : "cos_sin");
                if (expected == null) {
                    continue;
                }
                FourierFeatures features =
                        FourierFeatures.builder()
                                .setFrequencies(new FourierFrequencies.Given(b))
                                .setDimension(2 * b.length)
                                .optPositionDimension(m)
                                .optOrder(order)
                                .build();
                NDArray x = m == 1 ? v.flatten() : v;
                FeatureGoldens.check(features, x, Goldens.flat(expected));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(5);
    }

    @Test
    void nerfAsThePaperHasItAndAsNerfstudioHasIt() {
        List<JsonObject> cases = Goldens.cases("encodings/nerf_encoding.json");
        NDArray x = FeatureGoldens.array(manager, cases.get(0).getAsJsonObject("inputs").get("x"));
        FourierFeatures.Builder builder =
                FourierFeatures.builder()
                        .setFrequencies(new FourierFrequencies.Logarithmic(3))
                        .setDimension(24)
                        .optPositionDimension(3);
        double[] paper = Goldens.flat(cases.get(0).getAsJsonObject("outputs").get("enc"));
        FeatureGoldens.check(
                builder.optOrder(Order.INTERLEAVED).optUnit(Unit.HALF_CYCLES).build(), x, paper);
        JsonElement studio = cases.get(1).getAsJsonObject("outputs").get("enc");
        NDArray waves = FeatureGoldens.array(manager, studio).get(":, :24"); // the input is last
        FeatureGoldens.check(
                builder.optOrder(Order.SINES_COSINES).optUnit(Unit.CYCLES).build(),
                x,
                waves.toDoubleArray());
    }

    @Test
    void randomFrequenciesHaveTheirSpreadAndTheirSeed() {
        FourierFrequencies random = new FourierFrequencies.Random(3, 7);
        double[][] b = random.matrix(20_000, 2);
        double squares = 0;
        for (double[] row : b) {
            squares += row[0] * row[0] + row[1] * row[1];
        }
        assertThat(Math.sqrt(squares / 40_000)).isCloseTo(3, Offset.offset(0.05));
        assertThat(random.matrix(20_000, 2)).isDeepEqualTo(b);
        assertThat(new FourierFrequencies.Random(3, 8).matrix(1, 2)[0]).isNotEqualTo(b[0]);
    }

    @Test
    void saysWhatDoesNotFit() {
        FourierFeatures.Builder builder =
                FourierFeatures.builder().setDimension(8).optPositionDimension(3);
        assertThatThrownBy(builder::build).hasMessageContaining("frequencies");
        builder.setFrequencies(new FourierFrequencies.Linear(2));
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("multiple of 6, got 8");
        FourierFeatures fit = builder.setDimension(12).build();
        assertThatThrownBy(() -> FeatureGoldens.features(fit, manager.zeros(new Shape(4, 2))))
                .hasMessageContaining("(…, 3)")
                .hasMessageContaining("(4, 2)");
    }

    private static double[][] rows(JsonElement nested, int m, double factor) {
        double[] flat = Goldens.flat(nested);
        double[][] rows = new double[flat.length / m][m];
        for (int i = 0; i < flat.length; i++) {
            rows[i / m][i % m] = factor * flat[i];
        }
        return rows;
    }
}
