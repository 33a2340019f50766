package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

/** RoPE whose frequencies depend on the length: on whose, and on nothing else. */
class ContextLengthTest {

    private static final int D = 8;
    private static final int H = 2;

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    static Stream<RopeScaling> scalings() {
        return Stream.of(
                new DynamicNtk(2, 8),
                new DynamicLinear(8),
                DynamicYarn.of(8),
                LongRope.of(new double[] {1, 1.1, 1.2, 1.3}, new double[] {1, 2, 4, 8}, 8, 4));
    }

    private static Rope rope(RopeScaling scaling, ContextLength length, RopePrecision precision) {
        return Rope.builder()
                .setParameters(RopeParameters.of(D, 100, scaling))
                .setLayout(RotaryLayout.HALF_SPLIT)
                .optLength(length)
                .optPrecision(precision)
                .build();
    }

    private static Rope rope(RopeScaling scaling, ContextLength length) {
        return rope(scaling, length, RopePrecision.EXACT);
    }

    private Positions positions(long[]... rows) {
        long[] all = Stream.of(rows).flatMapToLong(LongStream::of).toArray();
        return Positions.of(manager.create(all, new Shape(rows.length, rows[0].length)));
    }

    /** The definition, pair by pair. */
    private static double[] turned(
            double[] x, long[] row, RopeScaling scaling, long length, int heads) {
        RopeFrequencies f = scaling.frequencies(D, 100, length, RopePrecision.EXACT);
        double[] y = new double[x.length];
        for (int head = 0; head < heads; head++) {
            for (int t = 0; t < row.length; t++) {
                for (int i = 0; i < D / 2; i++) {
                    int at = (head * row.length + t) * D + i;
                    double angle = row[t] * f.inverse()[i];
                    double c = f.attentionScaling() * Math.cos(angle);
                    double s = f.attentionScaling() * Math.sin(angle);
                    y[at] = x[at] * c - x[at + D / 2] * s;
                    y[at + D / 2] = x[at + D / 2] * c + x[at] * s;
                }
            }
        }
        return y;
    }

    private static final long[][] ROWS = {
        {0, 1, 2, 3, 4, 5}, // shorter than in training
        {20, 21, 22, 23, 24, 25}, // the end of a longer one
        {0, 0, 0, 0, 1, 2}, // padded on the left
        {7, 8, 9, 0, 1, 2}, // packed
        {2, 3, 4, 5, 6, 7}, // just as in training
        {3, 4, 5, 6, 7, 8}, // one longer
    };

    private static final long[] LENGTHS = {6, 26, 3, 10, 8, 9};

    @ParameterizedTest
    @MethodSource("scalings")
    void eachRowHasItsOwnFrequenciesWhateverIsBesideItOrWasBefore(RopeScaling scaling) {
        Rope rope = rope(scaling, new ContextLength.EachRow());
        NDArray x = Gradients.normal(manager, 1, ROWS.length, H, 6, D);
        rope.rotate(x, Positions.range(manager, 1000, 1006), false); // leaves nothing behind
        double[] batch = rope.rotate(x, positions(ROWS), false).toDoubleArray();
        int size = H * 6 * D;
        for (int row = 0; row < ROWS.length; row++) {
            NDArray own = x.get(row + ":" + (row + 1));
            double[] expected = turned(own.toDoubleArray(), ROWS[row], scaling, LENGTHS[row], H);
            assertThat(rope.rotate(own, positions(ROWS[row]), false).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
            for (int i = 0; i < size; i++) {
                assertThat(batch[row * size + i]).isCloseTo(expected[i], Offset.offset(1e-12));
            }
        }
        assertThat(rope.frequencies(positions(ROWS)))
                .containsExactlyElementsOf(
                        LongStream.of(LENGTHS).mapToObj(rope::frequencies).toList());
    }

    @ParameterizedTest
    @MethodSource("scalings")
    void theWholeBatchAndADeclaredLengthHaveOneSet(RopeScaling scaling) {
        NDArray x = Gradients.normal(manager, 1, ROWS.length, H, 6, D);
        Rope batch = rope(scaling, new ContextLength.WholeBatch());
        Rope declared = rope(scaling, new ContextLength.Declared(26));
        double[] expected =
                IntStream.range(0, ROWS.length)
                        .mapToObj(i -> turned(x.get(i).toDoubleArray(), ROWS[i], scaling, 26, H))
                        .flatMapToDouble(DoubleStream::of)
                        .toArray();
        for (Rope rope : List.of(batch, declared)) {
            assertThat(rope.rotate(x, positions(ROWS), false).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));
        }
        assertThat(batch.keysStayRotated()).isFalse();
        assertThat(declared.keysStayRotated()).isTrue();
        assertThat(rope(new Linear(4), new ContextLength.EachRow()).keysStayRotated()).isTrue();
    }

    /** A batch whose longest row has the length of a reference case. */
    @Test
    void theWholeBatchHasHuggingFacesFrequencies() {
        int compared = 0;
        for (String file : List.of("rope/dynamic.json", "rope/longrope.json")) {
            for (JsonObject c : Goldens.cases(file)) {
                if (c.get("seq_len").isJsonNull()) {
                    continue;
                }
                long length = c.get("seq_len").getAsLong();
                Positions rows = positions(new long[][] {{0, 3}, {1, length - 1}});
                RopeFrequencies ours = huggingFace(c).frequencies(rows).get(0);
                double[] theirs = Goldens.flat(c.get("inv_freq"));
                assertThat(ours.inverse())
                        .containsExactly(Arrays.stream(theirs).map(x -> (float) x).toArray());
                assertThat(ours.attentionScaling())
                        .isCloseTo(c.get("attention_scaling").getAsDouble(), Offset.offset(1e-9));
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(20);
    }

    private static Rope huggingFace(JsonObject c) {
        JsonObject p = c.getAsJsonObject("config").getAsJsonObject("rope_parameters");
        boolean tensor =
                c.has("seq_len_kind") && c.get("seq_len_kind").getAsString().equals("tensor");
        long most = c.getAsJsonObject("config").get("max_position_embeddings").getAsLong();
        return Rope.builder()
                .setParameters(
                        RopeParameters.of(
                                c.get("rotary_dim").getAsInt(),
                                p.get("rope_theta").getAsDouble(),
                                scaling(p, most)))
                .setLayout(RotaryLayout.HALF_SPLIT)
                .optLength(new ContextLength.WholeBatch())
                .optPrecision(
                        tensor ? RopePrecision.HUGGING_FACE : RopePrecision.HUGGING_FACE_INT_LENGTH)
                .build();
    }

    private static RopeScaling scaling(JsonObject p, long most) {
        if (p.get("rope_type").getAsString().equals("dynamic")) {
            return new DynamicNtk(p.get("factor").getAsDouble(), most);
        }
        long original = p.get("original_max_position_embeddings").getAsLong();
        double ratio = (double) most / original;
        return LongRope.of(
                Goldens.flat(p.get("short_factor")),
                Goldens.flat(p.get("long_factor")),
                original,
                p.has("factor") ? p.get("factor").getAsDouble() : ratio);
    }

    private LayerContext layer() {
        return new LayerContext(0, null, new ParameterStore(manager, false), false);
    }

    @ParameterizedTest
    @MethodSource("scalings")
    void keysTurnedOnAreAsIfTurnedAnew(RopeScaling scaling) {
        Positions before = positions(new long[][] {{0, 1, 2, 3}, {5, 6, 7, 8}});
        Positions now = positions(new long[][] {{0, 1, 2, 9}, {5, 6, 7, 30}});
        NDArray k = Gradients.normal(manager, 2, 2, H, 4, D);
        for (RopePrecision precision : RopePrecision.values()) {
            double tolerance = precision == RopePrecision.EXACT ? 1e-13 : 1e-6;
            for (ContextLength length :
                    List.of(new ContextLength.EachRow(), new ContextLength.WholeBatch())) {
                Rope rope = rope(scaling, length, precision);
                NDArray turned = turnedOn(rope, k, before, now);
                boolean own = length instanceof ContextLength.EachRow;
                for (int row = 0; row < 2; row++) {
                    long tokens = own && row == 0 ? 10 : 31;
                    Rope fixed = rope(scaling, new ContextLength.Declared(tokens), precision);
                    double[] anew = fixed.rotate(k, before, false).get(row).toDoubleArray();
                    assertThat(turned.get(row).toDoubleArray())
                            .containsExactly(anew, Offset.offset(tolerance));
                }
                NDArray single = turnedOn(rope, k.toType(DataType.FLOAT32, true), before, now);
                assertThat(single.toType(DataType.FLOAT64, true).toDoubleArray())
                        .containsExactly(turned.toDoubleArray(), Offset.offset(2e-6));
            }
        }
    }

    private NDArray turnedOn(Rope rope, NDArray keys, Positions before, Positions now) {
        NDArray rotated = rope.rotateKeys(keys, before, layer());
        return rope.rerotateKeys(rotated, before, before, now, layer());
    }

    @Test
    void turnedBackItIsWhatItWas() {
        NDArray x = Gradients.normal(manager, 1, 2, H, 4, D);
        Positions positions = positions(new long[][] {{0, 1, 2, 30}, {5, 6, 7, 8}});
        for (RopeScaling scaling : List.of(new Default(), Yarn.of(4, 8), DynamicYarn.of(8))) {
            for (RotaryLayout layout : RotaryLayout.values()) {
                Rope rope =
                        Rope.builder()
                                .setParameters(RopeParameters.partial(D, 0.5, 100, scaling))
                                .setLayout(layout)
                                .build();
                NDArray back = rope.unrotate(rope.rotate(x, positions, false), positions, false);
                assertThat(back.toDoubleArray())
                        .containsExactly(x.toDoubleArray(), Offset.offset(1e-14));
            }
        }
    }

    @Test
    void keysCanBeTurnedFromAnyFrequenciesToAnyOthers() {
        RopeParameters plain = RopeParameters.of(D, 10_000, new Default());
        RopeParameters yarn = RopeParameters.of(D, 10_000, Yarn.of(8, 16));
        NDArray k = Gradients.normal(manager, 1, 2, H, 3, D);
        Positions positions = positions(new long[][] {{0, 4_000, 1_000_000}, {5, 6, 7}});
        for (RotaryLayout layout : RotaryLayout.values()) {
            Rope from = Rope.builder().setParameters(plain).setLayout(layout).build();
            Rope to = Rope.builder().setParameters(yarn).setLayout(layout).build();
            NDArray turned =
                    from.rerotate(
                            from.rotate(k, positions, false),
                            positions,
                            from.frequencies(1),
                            to.frequencies(1),
                            false);
            assertThat(turned.toDoubleArray())
                    .containsExactly(
                            to.rotate(k, positions, false).toDoubleArray(), Offset.offset(1e-13));
            assertThatThrownBy(
                            () ->
                                    from.rerotate(
                                            k,
                                            positions,
                                            from.frequencies(1),
                                            new RopeFrequencies(new double[] {1}, 1),
                                            false))
                    .hasMessageContaining("turns 4 pairs, got 1");
        }
    }

    @Test
    void aDeclaredLengthIsAtLeastOne() {
        assertThatThrownBy(() -> new ContextLength.Declared(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1, got 0");
    }
}
