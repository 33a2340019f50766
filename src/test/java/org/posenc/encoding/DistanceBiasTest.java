package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.testing.Goldens;

class DistanceBiasTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void alibiEqualsTheReference() {
        int biases = 0;
        for (JsonObject c : Goldens.cases("encodings/alibi.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject out = c.getAsJsonObject("outputs");
            int heads = params.get("heads").getAsInt();
            if (out.has("slopes")) {
                assertThat(Alibi.slopes(heads))
                        .containsExactly(Goldens.flat(out.get("slopes")), Offset.offset(1e-15));
                continue;
            }
            int offset = params.get("query_offset").getAsInt();
            int t = params.get("query_len").getAsInt();
            Positions queries = Positions.range(manager, offset, offset + t);
            Positions keys = Positions.range(manager, 0, params.get("key_len").getAsInt());
            for (boolean causal : new boolean[] {false, true}) {
                Alibi alibi = Alibi.builder().setHeads(heads).optCausal(causal).build();
                NDArray bias = alibi.bias(queries, keys, DataType.FLOAT64, parameters, false);
                String key = causal ? "bias_causal_lower" : "bias_symmetric";
                assertThat(bias.getShape()).isEqualTo(new Shape(1, heads, t, 5));
                assertThat(bias.toDoubleArray())
                        .containsExactly(Goldens.flat(out.get(key)), Offset.offset(1e-14));
                biases++;
            }
        }
        assertThat(biases).isEqualTo(2);
    }

    @Test
    void t5EqualsTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/t5_bias.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject in = c.getAsJsonObject("inputs");
            boolean bidirectional = params.get("bidirectional").getAsBoolean();
            int buckets = params.get("num_buckets").getAsInt();
            int farthest = params.get("max_distance").getAsInt();
            if (in.has("key_minus_query")) {
                double[] distances = Goldens.flat(in.get("key_minus_query"));
                double[] expected = Goldens.flat(c.getAsJsonObject("outputs").get("bucket"));
                for (int i = 0; i < distances.length; i++) {
                    long d = (long) distances[i];
                    assertThat(T5Bias.bucket(d, buckets, farthest, bidirectional))
                            .as("bucket of %d", d)
                            .isEqualTo((int) expected[i]);
                }
                compared += distances.length;
                continue;
            }
            T5Bias t5 =
                    T5Bias.builder()
                            .setHeads(2)
                            .optBuckets(buckets)
                            .optMaxDistance(farthest)
                            .optBidirectional(bidirectional)
                            .build();
            t5.initialize(manager, DataType.FLOAT64, new Shape(1, 2, 4, 4));
            double[] table = Goldens.flat(in.get("embedding"));
            t5.getParameters().valueAt(0).getArray().set(DoubleBuffer.wrap(table));
            Positions p = Positions.range(manager, 0, 4);
            NDArray bias = t5.bias(p, p, DataType.FLOAT64, parameters, false);
            assertThat(bias.toDoubleArray())
                    .containsExactly(Goldens.flat(c.getAsJsonObject("outputs").get("bias")));
            compared++;
        }
        assertThat(compared).isEqualTo(2 * 281 + 1);
    }

    /** Hugging Face's causal buckets (transformers 5.18, T5Attention._relative_position_bucket). */
    @Test
    void causalBucketsEqualHuggingFace() {
        int[] distances = {0, 1, 15, 16, 17, 18, 19, 20, 40, 63, 64, 100, 112, 113, 127, 128, 9999};
        int[] expected = {0, 1, 15, 16, 16, 16, 17, 17, 23, 26, 26, 30, 30, 31, 31, 31, 31};
        for (int i = 0; i < distances.length; i++) {
            assertThat(T5Bias.bucket(-distances[i], 32, 128, false))
                    .as("bucket of %d back", distances[i])
                    .isEqualTo(expected[i]);
            assertThat(T5Bias.bucket(distances[i], 32, 128, false)).isZero();
        }
    }

    @Test
    void rowsWithTheirOwnPositionsHaveTheirOwnBias() {
        T5Bias t5 = T5Bias.builder().setHeads(3).build();
        t5.initialize(manager, DataType.FLOAT32, new Shape(1));
        Alibi alibi = Alibi.builder().setHeads(3).build();
        for (DistanceBias encoding : new DistanceBias[] {t5, alibi}) {
            Positions keys =
                    Positions.of(manager.create(new long[][] {{0, 1, 2, 0}, {5, 6, 9, 50}}));
            Positions queries = Positions.of(manager.create(new long[][] {{2, 0}, {9, 50}}));
            NDArray both = encoding.bias(queries, keys, DataType.FLOAT16, parameters, false);
            assertThat(both.getShape()).isEqualTo(new Shape(2, 3, 2, 4));
            assertThat(both.getDataType()).isEqualTo(DataType.FLOAT16);
            Positions key = Positions.of(manager.create(new long[] {5, 6, 9, 50}));
            Positions query = Positions.of(manager.create(new long[] {9, 50}));
            NDArray second = encoding.bias(query, key, DataType.FLOAT16, parameters, false);
            assertThat(both.get("1:2").toType(DataType.FLOAT32, false).toFloatArray())
                    .containsExactly(second.toType(DataType.FLOAT32, false).toFloatArray());
        }
    }

    @Test
    void layersShareABiasAndPassesDoNot() {
        Alibi alibi = Alibi.builder().setHeads(4).build();
        Positions p = Positions.range(manager, 0, 6);
        NDArray once = alibi.bias(p, p, DataType.FLOAT32, parameters, false);
        assertThat(alibi.bias(p, p, DataType.FLOAT32, parameters, false)).isSameAs(once);
        assertThat(alibi.bias(p, p, DataType.FLOAT64, parameters, false)).isNotSameAs(once);
        Positions others = Positions.range(manager, 3, 9);
        assertThat(alibi.bias(p, others, DataType.FLOAT32, parameters, false).toFloatArray())
                .isNotEqualTo(once.toFloatArray());
        Alibi causal = Alibi.builder().setHeads(4).optCausal(true).build();
        assertThat(causal.bias(p, p, DataType.FLOAT32, parameters, false).toFloatArray())
                .isNotEqualTo(once.toFloatArray());
    }

    /** Al-Khateeb et al.: the slopes are multiplied by L / n where n > L. */
    @Test
    void interpolatedSlopesAreLowerInLongerContextsOnly() {
        NDArray rows =
                manager.create(
                        new long[][] {
                            {0, 1, 2, 3, 4, 5, 6, 7},
                            {0, 1, 2, 0, 1, 0, 1, 2},
                            {0, 0, 0, 1, 2, 3, 4, 5}
                        });
        double[] factors = {4 / 8.0, 1, 4 / 6.0};
        Alibi plain = Alibi.builder().setHeads(3).build();
        NDArray expected =
                plain.bias(
                        Positions.of(rows),
                        Positions.of(rows),
                        DataType.FLOAT64,
                        parameters,
                        false);
        Alibi eachRow = interpolated(new ContextLength.EachRow());
        Alibi wholeBatch = interpolated(new ContextLength.WholeBatch());
        Alibi declared = interpolated(new ContextLength.Declared(16));
        Alibi within = interpolated(new ContextLength.Declared(3));
        for (int row = 0; row < 3; row++) {
            assertRow(expected, factors[row], bias(eachRow, rows), row);
            assertRow(expected, 4 / 8.0, bias(wholeBatch, rows), row);
            assertRow(expected, 4 / 16.0, bias(declared, rows), row);
            assertRow(expected, 1, bias(within, rows), row);
            NDArray alone = rows.get(row); // nor does a row's bias depend on those beside it
            assertRow(expected.get(row + ":" + (row + 1)), factors[row], bias(eachRow, alone), 0);
        }
        // Two queries of a cache, at the end of the keys.
        NDArray last =
                eachRow.bias(
                        Positions.of(rows.get(":, 6:")),
                        Positions.of(rows),
                        DataType.FLOAT64,
                        parameters,
                        false);
        assertThat(last.toDoubleArray())
                .containsExactly(bias(eachRow, rows).get(":, :, 6:").toDoubleArray());
        assertThat(eachRow)
                .hasToString(
                        "Alibi (3 heads, symmetric, interpolated beyond 4 of length EachRow[])");
        assertThatThrownBy(() -> Alibi.builder().optInterpolation(0, new ContextLength.EachRow()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("trained length must be at least 1, got 0");
    }

    private static Alibi interpolated(ContextLength length) {
        return Alibi.builder().setHeads(3).optInterpolation(4, length).build();
    }

    private NDArray bias(Alibi alibi, NDArray positions) {
        Positions p = Positions.of(positions);
        return alibi.bias(p, p, DataType.FLOAT64, parameters, false);
    }

    private static void assertRow(NDArray plain, double factor, NDArray bias, int row) {
        NDArray expected = plain.get(row).mul(factor);
        assertThat(bias.get(row).toDoubleArray())
                .containsExactly(expected.toDoubleArray(), Offset.offset(1e-15));
    }

    @Test
    void saysWhatDoesNotFit() {
        assertThatThrownBy(() -> Alibi.builder().build()).hasMessageContaining("heads");
        T5Bias.Builder builder = T5Bias.builder().setHeads(2).optMaxDistance(16);
        assertThatThrownBy(builder::build)
                .hasMessageContaining("above 16")
                .hasMessageContaining("got 16");
        assertThatThrownBy(() -> builder.optBidirectional(true).optBuckets(7).build())
                .hasMessageContaining("even")
                .hasMessageContaining("7");
        Alibi alibi = Alibi.builder().setHeads(4).build();
        NDArray q = manager.zeros(new Shape(1, 2, 3, 8));
        Positions p = Positions.range(manager, 0, 3);
        LayerContext layer = new LayerContext(0, q, parameters, false);
        assertThatThrownBy(() -> alibi.bias(q, q, p, p, layer))
                .hasMessageContaining("made for 4 heads, got 2");
    }
}
