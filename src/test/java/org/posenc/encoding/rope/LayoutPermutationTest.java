package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class LayoutPermutationTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private NDArray array(JsonObject c, String key) {
        return manager.create(Goldens.flat(c.get(key)), new Shape(Goldens.shape(c.get(key))));
    }

    @Test
    void permutesAsTheConversionOfLlamaDoes() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rotary/layout_permute.json")) {
            int heads = c.get("n_heads").getAsInt();
            int d = c.get("head_dim").getAsInt();
            LayoutPermutation toHalves =
                    LayoutPermutation.of(
                            heads, d, d, RotaryLayout.INTERLEAVED, RotaryLayout.HALF_SPLIT);
            double[] index = Goldens.flat(c.get("row_source_index"));
            assertThat(Arrays.stream(toHalves.sources()).asDoubleStream().toArray())
                    .containsExactly(index);
            for (String name : new String[] {"weight", "bias"}) {
                NDArray interleaved = array(c, name + "_interleaved");
                NDArray halves = array(c, name + "_half_split");
                assertThat(toHalves.apply(interleaved)).isEqualTo(halves);
                assertThat(toHalves.inverse().apply(halves)).isEqualTo(interleaved);
                assertThat(toHalves.apply(floats(interleaved))).containsExactly(floats(halves));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(4);
    }

    private static float[] floats(NDArray array) {
        return array.toType(DataType.FLOAT32, true).toFloatArray();
    }

    @Test
    void scoresOfBothLayoutsAreThoseOfTheReference() {
        for (JsonObject c : Goldens.cases("rotary/layout_permute.json")) {
            int heads = c.get("n_heads").getAsInt();
            int d = c.get("head_dim").getAsInt();
            for (RotaryLayout layout : RotaryLayout.values()) {
                boolean permuted = layout == RotaryLayout.INTERLEAVED;
                NDArray weight = array(c, permuted ? "weight_interleaved" : "weight_half_split");
                NDArray each = array(c, "x").matMul(weight.transpose()).reshape(1, -1, heads, d);
                Rope rope = Rope.builder().setHeadDimension(d).setLayout(layout).build();
                NDArray turned =
                        rope.rotate(
                                each.transpose(0, 2, 1, 3), Positions.range(manager, 0, 3), false);
                assertThat(turned.matMul(turned.swapAxes(2, 3)).toDoubleArray())
                        .containsExactly(Goldens.flat(c.get("scores")), Offset.offset(5e-5));
            }
        }
    }

    @Test
    void partialRotationKeepsItsScoresAndTheRest() {
        int heads = 3;
        int headDimension = 10;
        int d = 6;
        LayoutPermutation permutation =
                LayoutPermutation.of(
                        heads, headDimension, d, RotaryLayout.HALF_SPLIT, RotaryLayout.INTERLEAVED);
        assertThat(Arrays.copyOf(permutation.sources(), headDimension))
                .containsExactly(0, 3, 1, 4, 2, 5, 6, 7, 8, 9);
        NDArray rows = Gradients.normal(manager, 1, heads * headDimension, 5);
        assertThat(permutation.inverse().apply(permutation.apply(rows))).isEqualTo(rows);
        NDArray x = Gradients.normal(manager, 2, 1, 4, 5);
        NDArray keys = Gradients.normal(manager, 3, heads * headDimension, 5);
        double[][] scores = new double[2][];
        for (RotaryLayout layout : RotaryLayout.values()) {
            boolean permuted = layout == RotaryLayout.INTERLEAVED;
            Rope rope =
                    Rope.builder()
                            .setHeadDimension(headDimension)
                            .setLayout(layout)
                            .optPartial(0.6)
                            .build();
            NDArray[] turned = new NDArray[2];
            for (int i = 0; i < 2; i++) {
                NDArray weight = i == 0 ? rows : keys;
                NDArray own = permuted ? permutation.apply(weight) : weight;
                NDArray each =
                        x.matMul(own.transpose())
                                .reshape(1, 4, heads, headDimension)
                                .transpose(0, 2, 1, 3);
                turned[i] = rope.rotate(each, Positions.range(manager, 3, 7), false);
            }
            scores[layout.ordinal()] = turned[0].matMul(turned[1].swapAxes(2, 3)).toDoubleArray();
        }
        assertThat(scores[0]).containsExactly(scores[1], Offset.offset(1e-12));
    }

    @Test
    void theSameLayoutIsTheIdentityAndWrongRowsAreRefused() {
        LayoutPermutation same =
                LayoutPermutation.of(2, 4, 4, RotaryLayout.HALF_SPLIT, RotaryLayout.HALF_SPLIT);
        assertThat(same.sources()).containsExactly(IntStream.range(0, 8).toArray());
        assertThatThrownBy(() -> same.apply(manager.zeros(new Shape(7, 3))))
                .hasMessageContaining("8 rows does not fit 7 rows");
        assertThatThrownBy(() -> same.apply(new float[12]))
                .hasMessageContaining("8 rows does not fit 12 numbers");
        assertThatThrownBy(
                        () ->
                                LayoutPermutation.of(
                                        2, 4, 6, RotaryLayout.HALF_SPLIT, RotaryLayout.INTERLEAVED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("head dimension must be at least 6");
    }
}
