package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.testing.Goldens;

class LearnableFourierTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void equalsAlgorithmOne() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/learnable_fourier.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject in = c.getAsJsonObject("inputs");
            int g = params.get("G").getAsInt();
            int m = params.get("M").getAsInt();
            LearnableFourier features =
                    LearnableFourier.builder()
                            .setDimension(params.get("D").getAsInt())
                            .setSigma(1)
                            .optGroups(g)
                            .optCoordinates(m)
                            .optFourierDimension(params.get("F_dim").getAsInt())
                            .optHiddenDimension(params.get("H_dim").getAsInt())
                            .build();
            features.initialize(manager, DataType.FLOAT64, new Shape(1, g * m));
            for (var parameter : features.getDirectParameters().values()) {
                NDArray value = FeatureGoldens.array(manager, in.get(parameter.getName()));
                boolean transposed =
                        parameter.getName().startsWith("W_") && !parameter.getName().equals("W_r");
                double[] values = (transposed ? value.transpose() : value).toDoubleArray();
                parameter.getArray().set(DoubleBuffer.wrap(values));
            }
            NDArray x = FeatureGoldens.array(manager, in.get("X")); // (N, G, M)
            long n = x.getShape().get(0);
            NDArray flat = x.reshape(g * m == 1 ? new Shape(n) : new Shape(n, g * m));
            NDArray pe = FeatureGoldens.features(features, flat);
            assertThat(pe.toDoubleArray())
                    .containsExactly(
                            Goldens.flat(c.getAsJsonObject("outputs").get("PE")),
                            Offset.offset(1e-12));
            compared++;
        }
        assertThat(compared).isEqualTo(2);
    }

    /** Groups share one MLP and come one after the other: each equals the encoding of one point. */
    @Test
    void groupsAreEncodedOneByOne() {
        LearnableFourier.Builder builder =
                LearnableFourier.builder()
                        .fromGamma(0.5)
                        .optCoordinates(2)
                        .optFourierDimension(16)
                        .optSeed(5);
        LearnableFourier two = builder.setDimension(6).optGroups(2).build();
        LearnableFourier one = builder.setDimension(3).optGroups(1).build();
        two.initialize(manager, DataType.FLOAT64, new Shape(1, 4));
        one.initialize(manager, DataType.FLOAT64, new Shape(1, 2));
        double[] box = {0.1, 0.9, -0.4, 0.3};
        NDArray both = FeatureGoldens.features(two, manager.create(box, new Shape(1, 4)));
        NDArray each = FeatureGoldens.features(one, manager.create(box, new Shape(2, 2)));
        assertThat(both.toDoubleArray())
                .containsExactly(each.toDoubleArray(), Offset.offset(1e-14));
    }

    @Test
    void gammaIsOneOverTheSpreadAndScaleMultipliesPositions() {
        double[] spread = new double[3];
        double[] given = {4, 0.25, 1};
        for (int i = 0; i < 3; i++) {
            LearnableFourier features =
                    LearnableFourier.builder()
                            .setDimension(4)
                            .fromGamma(given[i])
                            .optFourierDimension(8192)
                            .build();
            features.initialize(manager, DataType.FLOAT64, new Shape(1));
            NDArray wr = features.getParameters().valueAt(0).getArray();
            spread[i] =
                    Math.sqrt(
                            Arrays.stream(wr.toDoubleArray())
                                    .map(v -> v * v)
                                    .average()
                                    .orElseThrow());
        }
        assertThat(spread).containsExactly(new double[] {0.25, 4, 1}, Offset.offset(0.1));

        LearnableFourier.Builder builder = LearnableFourier.builder().setDimension(4).setSigma(3);
        LearnableFourier unit = builder.build();
        LearnableFourier tokens = builder.optScale(1.0 / 128).build();
        unit.initialize(manager, DataType.FLOAT32, new Shape(1));
        tokens.initialize(manager, DataType.FLOAT32, new Shape(1));
        NDArray there = FeatureGoldens.features(unit, manager.create(new float[] {0.25f, 0.5f}));
        NDArray here = FeatureGoldens.features(tokens, manager.create(new long[] {32, 64}));
        assertThat(here.toFloatArray()).containsExactly(there.toFloatArray(), Offset.offset(1e-6f));
    }

    @Test
    void saysWhatDoesNotFit() {
        LearnableFourier.Builder builder = LearnableFourier.builder().setDimension(6);
        assertThatThrownBy(builder::build).hasMessageContaining("sigma");
        assertThatThrownBy(() -> builder.setSigma(1).optGroups(4).build())
                .hasMessageContaining("multiple of 4, got 6");
        assertThatThrownBy(() -> builder.optFourierDimension(3)).hasMessageContaining("even");
    }
}
