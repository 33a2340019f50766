package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class LogScaledQueriesTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private LayerContext layer(NDArray hidden) {
        return new LayerContext(0, hidden, new ParameterStore(manager, false), true);
    }

    private static PositionalEncoding named(String name, Map<String, String> settings) {
        return Encodings.named(name).forTransformer(new Site(8, 2, 4, 4, true, 3), settings);
    }

    @Test
    void scalesEqualTheReference() {
        JsonObject c =
                Goldens.cases("encodings/rope_scaling.json").stream()
                        .filter(x -> x.getAsJsonObject("params").has("train_length"))
                        .findFirst()
                        .orElseThrow();
        long length = c.getAsJsonObject("params").get("train_length").getAsLong();
        double[] n = Goldens.flat(c.getAsJsonObject("inputs").get("n"));
        JsonObject out = c.getAsJsonObject("outputs");
        Positions positions =
                Positions.of(manager.create(Arrays.stream(n).map(x -> x - 1).toArray()));
        assertThat(n).hasSize(7);
        assertThat(
                        LogScaledQueries.postHoc(new NoEncoding(), length)
                                .scale(positions, DataType.FLOAT64)
                                .toDoubleArray())
                .containsExactly(Goldens.flat(out.get("posterior_scale")), Offset.offset(1e-15));
        assertThat(
                        LogScaledQueries.trained(new NoEncoding(), length)
                                .scale(positions, DataType.FLOAT64)
                                .toDoubleArray())
                .containsExactly(Goldens.flat(out.get("pretraining_scale")), Offset.offset(1e-15));
    }

    /**
     * Rows of their own, with padding on the left: every product is that of the encoding, times λ.
     */
    @ParameterizedTest
    @ValueSource(strings = {"none", "rope", "rerope"})
    void productsAreThoseOfTheEncodingTimesTheScale(String name) {
        long[] places = {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        Positions p = Positions.of(manager.create(places, new Shape(2, 6)));
        NDArray q = Gradients.normal(manager, 1, 2, 2, 6, 4);
        NDArray k = Gradients.normal(manager, 2, 2, 2, 6, 4);
        PositionalEncoding plain = named(name, Map.of());
        LogScaledQueries scaled = LogScaledQueries.postHoc(plain, 4);
        double[] before = products(plain, q, k, p).toDoubleArray();
        double[] after = products(scaled, q, k, p).toDoubleArray();
        for (int i = 0; i < before.length; i++) {
            int row = i / (2 * 6 * 6);
            double n = places[row * 6 + i / 6 % 6] + 1.0;
            double scale = n <= 4 ? 1 : Math.log(n) / Math.log(4);
            assertThat(after[i]).isCloseTo(before[i] * scale, Offset.offset(1e-12));
        }
        Gradients.check(q, x -> products(scaled, x, k, p));
        Gradients.check(k, x -> products(scaled, q, x, p));
    }

    private NDArray products(PositionalEncoding encoding, NDArray q, NDArray k, Positions p) {
        NDArray pairs = encoding.products(q, k, p, p, layer(q));
        if (pairs != null) {
            return pairs;
        }
        return encoding.rotateQueries(q, p, layer(q))
                .matMul(encoding.rotateKeys(k, p, layer(q)).swapAxes(2, 3));
    }

    @Test
    void allElseIsTheEncodingsOwn() {
        NDArray x = Gradients.normal(manager, 1, 1, 3, 8);
        NDArray q = Gradients.normal(manager, 2, 1, 2, 3, 4);
        Positions p = Positions.range(manager, 0, 3);
        for (String name : new String[] {"learned", "alibi", "rope", "rerope", "fox"}) {
            PositionalEncoding plain = named(name, Map.of());
            PositionalEncoding scaled = LogScaledQueries.trained(plain, 4);
            scaled.initialize(manager, DataType.FLOAT64, new Shape(1, 3, 8), new Shape(1));
            assertThat(plain.isInitialized()).isTrue();
            assertThat(scaled.embed(x, p, layer(x).parameters(), false))
                    .isEqualTo(plain.embed(x, p, layer(x).parameters(), false));
            LayerContext met = layer(x).withKeyNotes(plain.keyNotes(x, p, layer(x)));
            assertThat(scaled.bias(q, q, p, p, met)).isEqualTo(plain.bias(q, q, p, p, met));
            NDArray notes = plain.keyNotes(x, p, layer(x));
            assertThat(scaled.keyNotes(x, p, layer(x))).isEqualTo(notes);
            assertThat(notes != null).isEqualTo(name.equals("fox"));
            assertThat(scaled.keysStayRotated()).isEqualTo(plain.keysStayRotated());
            assertThat(scaled.canRerotateKeys()).isEqualTo(plain.canRerotateKeys());
            if (plain.canRerotateKeys()) {
                assertThat(scaled.rotateKeys(q, p, layer(x)))
                        .isEqualTo(plain.rotateKeys(q, p, layer(x)));
                assertThat(scaled.rerotateKeys(q, p, p, p, layer(x)))
                        .isEqualTo(plain.rerotateKeys(q, p, p, p, layer(x)));
            }
        }
    }

    @Test
    void itIsSavedWithTheEncodingInIt() throws Exception {
        PositionalEncoding trained = named("rope", Map.of("log-n", "trained"));
        trained.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8), new Shape(1));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        trained.saveParameters(new DataOutputStream(bytes));
        named("rope", Map.of("log-n", "trained")).loadParameters(manager, in(bytes));
        for (Map<String, String> other :
                List.of(Map.of("log-n", "post-hoc"), Map.of("log-n", "trained", "base", "500"))) {
            assertThatThrownBy(() -> named("rope", other).loadParameters(manager, in(bytes)))
                    .isInstanceOf(MalformedModelException.class)
                    .hasMessageContaining("does not fit");
        }
    }

    private static DataInputStream in(ByteArrayOutputStream bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    @Test
    void saysWhatItCannotScale() {
        assertThatThrownBy(() -> LogScaledQueries.trained(new NoEncoding(), 1))
                .hasMessage("the training length must be at least 2, got 1");
        Positions points = Positions.points(manager.zeros(new Shape(3, 2)));
        assertThatThrownBy(
                        () ->
                                LogScaledQueries.trained(new NoEncoding(), 8)
                                        .scale(points, DataType.FLOAT32))
                .hasMessageContaining("points");
    }
}
