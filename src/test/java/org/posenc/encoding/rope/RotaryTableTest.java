package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.encoding.Positions;
import org.posenc.testing.FreshJvm;
import org.posenc.testing.Goldens;

class RotaryTableTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private static RopeFrequencies frequencies(JsonObject c) {
        double scaling = c.get("attention_scaling").getAsDouble();
        return new RopeFrequencies(Goldens.flat(c.get("inv_freq")), scaling);
    }

    private static void assertClose(NDArray waves, double[] cos, double[] sin, double tolerance) {
        double[] ours = waves.toType(DataType.FLOAT64, true).toDoubleArray();
        assertThat(ours).hasSize(2 * cos.length);
        double error = 0;
        for (int i = 0; i < cos.length; i++) {
            error = Math.max(error, Math.abs(ours[2 * i] - cos[i]));
            error = Math.max(error, Math.abs(ours[2 * i + 1] - sin[i]));
        }
        assertThat(error).isLessThanOrEqualTo(tolerance);
    }

    /** The last of the positions is 16,777,215. */
    @Test
    void theirArithmeticEqualsHuggingFaceAtEveryPosition() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rope/cos_sin.json")) {
            RotaryTable table = RotaryTable.of(frequencies(c), RopePrecision.HUGGING_FACE);
            long[] places =
                    DoubleStream.of(Goldens.flat(c.get("positions")))
                            .mapToLong(p -> (long) p)
                            .toArray();
            double[] cos = Goldens.flat(c.get("cos_float32"));
            double[] sin = Goldens.flat(c.get("sin_float32"));
            NDArray waves = table.waves(Positions.of(manager.create(places)), DataType.FLOAT32);
            double tolerance = 1.2e-7 * c.get("attention_scaling").getAsDouble();
            assertClose(waves, cos, sin, tolerance); // computed: too far for a table

            NDArray grown =
                    table.waves(Positions.range(manager, 0, 16_385), DataType.FLOAT32)
                            .get(manager.create(LongStream.of(places).limit(16).toArray()));
            int half = 16 * table(c);
            assertClose(
                    grown,
                    DoubleStream.of(cos).limit(half).toArray(),
                    DoubleStream.of(sin).limit(half).toArray(),
                    tolerance);
            compared++;
        }
        assertThat(compared).isEqualTo(4);
    }

    private static int table(JsonObject c) {
        return c.getAsJsonArray("inv_freq").size();
    }

    /** The reference says how far float32 angles are from exact ones of the same frequencies. */
    @Test
    void exactAnglesAreAsFarFromTheirsAsTheReferenceSays() {
        for (JsonObject c : Goldens.cases("rope/cos_sin.json")) {
            RotaryTable table = RotaryTable.of(frequencies(c), RopePrecision.EXACT);
            NDArray places =
                    manager.create(Goldens.flat(c.get("positions"))).toType(DataType.INT64, false);
            double[] ours = table.waves(Positions.of(places), DataType.FLOAT64).toDoubleArray();
            double[] theirs = Goldens.flat(c.get("cos_float32"));
            double[] errors = Goldens.flat(c.get("max_abs_err_cos_f32_vs_f64_angle_per_position"));
            int pairs = table(c);
            for (int row = 0; row < errors.length; row++) {
                double error = 0;
                for (int i = row * pairs; i < (row + 1) * pairs; i++) {
                    error = Math.max(error, Math.abs(ours[2 * i] - theirs[i]));
                }
                assertThat(error).isCloseTo(errors[row], Offset.offset(1e-7));
            }
        }
    }

    @Test
    void position16777216AndItsNeighboursAreExact() {
        RopeFrequencies frequencies =
                RopeParameters.of(64, 10_000, new Default()).frequencies(1, RopePrecision.EXACT);
        RotaryTable table = RotaryTable.of(frequencies, RopePrecision.EXACT);
        long[] places = {16_777_215, 16_777_216, 16_777_217};
        double[] ours =
                table.waves(Positions.of(manager.create(places)), DataType.FLOAT32)
                        .toType(DataType.FLOAT64, true)
                        .toDoubleArray();
        double[] theta = frequencies.inverse();
        for (int i = 0; i < ours.length; i++) {
            double angle = places[i / 64] * theta[i % 64 / 2];
            double exact = i % 2 == 0 ? Math.cos(angle) : Math.sin(angle);
            assertThat(ours[i]).isCloseTo(exact, Offset.offset(6.1e-8)); // half a unit of float32
        }
    }

    @ParameterizedTest
    @EnumSource(RopePrecision.class)
    void whatATableHasIsWhatIsComputed(RopePrecision precision) {
        RopeFrequencies frequencies = new RopeFrequencies(new double[] {1, 0.3, 0.01}, 1.25);
        RotaryTable table = RotaryTable.of(frequencies, precision);
        for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
            for (long[] range : new long[][] {{0, 5}, {0, 300}, {250, 700}, {3, 4}, {0, 3000}}) {
                Positions whole = Positions.range(manager, range[0], range[1]);
                NDArray looked = table.waves(whole, type);
                NDArray real = whole.array().toType(DataType.FLOAT64, true);
                NDArray computed = table.waves(Positions.of(real), type);
                assertThat(looked.getShape())
                        .isEqualTo(new Shape(range[1] - range[0], 3, 2))
                        .isEqualTo(computed.getShape());
                assertThat(
                                looked.sub(computed)
                                        .abs()
                                        .max()
                                        .toType(DataType.FLOAT64, true)
                                        .getDouble())
                        .isLessThan(
                                type == DataType.FLOAT64 && precision == RopePrecision.EXACT
                                        ? 1e-15
                                        : 1.2e-7);
            }
        }
        long[] rows = {0, 0, 1, 2, 511, 3, 2, 1};
        NDArray perRow = manager.create(rows, new Shape(2, 4));
        NDArray waves = table.waves(Positions.of(perRow), DataType.FLOAT64); // (2, 4, 3, 2)
        assertThat(waves.getShape()).isEqualTo(new Shape(2, 4, 3, 2));
        assertThat(waves.get("1, 0, 1, 0").getDouble())
                .isCloseTo(1.25 * Math.cos(511 * 0.3), Offset.offset(1e-5));
    }

    @ParameterizedTest
    @EnumSource(names = {"UINT8", "INT8", "INT32", "INT64", "FLOAT32"})
    void positionsMayBeOfAnyType(DataType type) {
        RotaryTable table =
                RotaryTable.of(new RopeFrequencies(new double[] {1, 0.3}, 1), RopePrecision.EXACT);
        NDArray places = manager.create(new long[] {3, 0, 100, 2}, new Shape(2, 2));
        double[] expected = table.waves(Positions.of(places), DataType.FLOAT64).toDoubleArray();
        NDArray typed = places.toType(type, true);
        assertThat(table.waves(Positions.of(typed), DataType.FLOAT64).toDoubleArray())
                .containsExactly(expected);
    }

    @Test
    void negativeAndRealAndFarPositionsAreComputed() {
        RotaryTable table =
                RotaryTable.of(new RopeFrequencies(new double[] {0.5}, 1), RopePrecision.EXACT);
        double[] places = {-3, 0.25, 1e9, -1e5};
        double[] real =
                table.waves(Positions.of(manager.create(places)), DataType.FLOAT64).toDoubleArray();
        long[] whole = {-3, 0, 1_000_000_000, -100_000};
        double[] integer =
                table.waves(Positions.of(manager.create(whole)), DataType.FLOAT64).toDoubleArray();
        for (int i = 0; i < 4; i++) {
            assertThat(real[2 * i]).isCloseTo(Math.cos(places[i] / 2), Offset.offset(1e-12));
            assertThat(integer[2 * i + 1])
                    .isCloseTo(Math.sin(whole[i] / 2.0), Offset.offset(1e-12));
        }
    }

    @Test
    void isSharedByWhatItDependsOnAlone() {
        RopeFrequencies frequencies = new RopeFrequencies(new double[] {1, 0.2}, 1);
        RotaryTable table = RotaryTable.of(frequencies, RopePrecision.EXACT);
        assertThat(
                        RotaryTable.of(
                                new RopeFrequencies(new double[] {1, 0.2}, 1), RopePrecision.EXACT))
                .isSameAs(table);
        assertThat(RotaryTable.of(frequencies, RopePrecision.HUGGING_FACE)).isNotSameAs(table);
        assertThat(
                        RotaryTable.of(
                                new RopeFrequencies(new double[] {1, 0.2}, 1.1),
                                RopePrecision.EXACT))
                .isNotSameAs(table);
        assertThat(
                        RotaryTable.of(
                                new RopeFrequencies(new double[] {1, 0.3}, 1), RopePrecision.EXACT))
                .isNotSameAs(table);
    }

    @Test
    void threadsMayGrowItAtOnce() throws Exception {
        RotaryTable table =
                RotaryTable.of(
                        new RopeFrequencies(new double[] {0.7, 0.1}, 1), RopePrecision.EXACT);
        List<Callable<Double>> tasks = new ArrayList<>();
        for (int task = 0; task < 64; task++) {
            int length = 100 + 97 * task;
            tasks.add(() -> lastCosine(table, length) - Math.cos(0.7 * (length - 1)));
        }
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            for (Future<Double> error : pool.invokeAll(tasks)) {
                assertThat(error.get()).isCloseTo(0, Offset.offset(1e-12));
            }
        } finally {
            pool.shutdown();
        }
    }

    private static double lastCosine(RotaryTable table, int length) {
        try (NDManager own = NDManager.newBaseManager()) {
            NDArray waves = table.waves(Positions.range(own, 0, length), DataType.FLOAT64);
            return waves.get(length - 1, 0, 0).getDouble();
        }
    }

    @Test
    void itsMemoryIsFreedWithTheLastEncoding() throws Exception {
        long grown = Long.parseLong(FreshJvm.run(ManyEncodings.class));
        assertThat(grown).as("bytes").isLessThan(16 << 20);
    }

    /** Makes and drops encodings, each with a table of 4 MiB, 160 MiB in all. */
    static final class ManyEncodings {

        public static void main(String[] arguments) throws Exception {
            turn(2, 10); // which loads what any table needs
            long before = FreshJvm.allocatedBytes();
            turn(12, 40);
            System.out.println(FreshJvm.allocatedBytes() - before);
        }

        private static void turn(int base, int times) throws InterruptedException {
            for (int i = 0; i < times; i++) {
                try (NDManager manager = NDManager.newBaseManager()) {
                    Rope rope =
                            Rope.builder()
                                    .setHeadDimension(64)
                                    .setLayout(RotaryLayout.INTERLEAVED)
                                    .optBase(base + i)
                                    .build();
                    rope.table(Positions.range(manager, 0, 16_384), DataType.FLOAT32);
                }
                System.gc();
                Thread.sleep(10); // for the cleaner's thread
            }
        }
    }

    /** Frequencies that change with each length would leave a table behind for each. */
    @Test
    void lengthsOfRowsLeaveNoTables() {
        Rope rope =
                Rope.builder()
                        .setParameters(RopeParameters.of(8, 10_000, new DynamicNtk(2, 16)))
                        .setLayout(RotaryLayout.INTERLEAVED)
                        .build();
        int before = RotaryTable.shared();
        for (int length = 17; length < 60; length++) {
            rope.table(Positions.range(manager, 0, length), DataType.FLOAT32);
        }
        assertThat(RotaryTable.shared()).isLessThanOrEqualTo(before);
    }
}
