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
import org.posenc.testing.Goldens;

class FeatureEncodingTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    /** W [x; p] = W_I x + W_P p, with the identity's numbers and a table that holds p. */
    @Test
    void concatenatingIsAddingAMappedPosition() {
        JsonObject c = Goldens.cases("encodings/add_vs_concat.json").get(0);
        JsonObject in = c.getAsJsonObject("inputs");
        NDArray x = FeatureGoldens.array(manager, in.get("x")); // (4, 6)
        NDArray wi = FeatureGoldens.array(manager, in.get("W_I")); // (5, 6)
        NDArray wp = FeatureGoldens.array(manager, in.get("W_P")); // (5, 3)
        LearnedTable table = LearnedTable.builder().setLength(4).setDimension(3).build();
        PositionalEncoding encoding = table.concatenated(6);
        encoding.initialize(manager, DataType.FLOAT64, new Shape(1, 4, 6));
        set(encoding, 0, FeatureGoldens.array(manager, in.get("p")));
        // The reference maps to 5 numbers; the encoding maps back to 6, of which one is left at 0.
        NDArray w = wi.concat(wp, -1).concat(manager.zeros(new Shape(1, 9), DataType.FLOAT64), 0);
        set(encoding, 1, w);
        NDArray tokens = x.expandDims(0); // (1, 4, 6)
        NDArray mapped =
                encoding.embed(tokens, Positions.range(manager, 0, 4), parameters, false)
                        .get("0, :, :5");
        JsonObject out = c.getAsJsonObject("outputs");
        assertThat(mapped.toDoubleArray())
                .containsExactly(Goldens.flat(out.get("sum_of_linears")), Offset.offset(1e-12));
    }

    @Test
    void addingIsAddingAndTokensMustFit() {
        PositionalEncoding encoding = Sinusoidal.of(6).added();
        NDArray tokens = manager.ones(new Shape(2, 3, 6));
        Positions p = Positions.range(manager, 5, 8);
        NDArray sum = encoding.embed(tokens, p, parameters, false);
        NDArray features = FeatureGoldens.features(Sinusoidal.of(6), p.array());
        assertThat(sum.get(1).toFloatArray()).containsExactly(features.add(1).toFloatArray());
        assertThatThrownBy(
                        () ->
                                encoding.embed(
                                        manager.ones(new Shape(2, 3, 8)), p, parameters, false))
                .hasMessageContaining("size 8")
                .hasMessageContaining("made for 6")
                .hasMessageContaining("concatenated(8)");
        assertThatThrownBy(() -> FourierFeatures.basic(2).added())
                .hasMessageContaining("one number")
                .hasMessageContaining("2");
    }

    private static void set(PositionalEncoding encoding, int index, NDArray value) {
        NDArray array = encoding.getParameters().valueAt(index).getArray();
        assertThat(array.getShape()).isEqualTo(value.getShape());
        array.set(DoubleBuffer.wrap(value.toDoubleArray()));
    }
}
