package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class HashGridTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void valuesEqualTheReference(boolean hashed) {
        JsonObject c = Goldens.cases("encodings/hash_grid.json").get(0);
        JsonObject out = c.getAsJsonObject("outputs");
        HashGrid.Builder builder =
                HashGrid.builder()
                        .optPositionDimension(2)
                        .optTableSize(16)
                        .optLevels(3)
                        .optFeaturesPerLevel(2)
                        .optResolutions(2, 16)
                        .optAlwaysHashed(hashed);
        HashGrid grid = initialised(builder);
        assertThat(grid.resolutions()).containsExactly(ints(out.getAsJsonArray("resolutions")));
        int firstRows = hashed ? 16 : 9; // the corners of 2 × 2 cells have a row each
        double[] values = new double[2 * (firstRows + 32)];
        JsonArray tables = c.getAsJsonObject("inputs").getAsJsonArray("tables");
        System.arraycopy(Goldens.flat(tables.get(0)), 0, values, 0, 2 * firstRows);
        System.arraycopy(Goldens.flat(tables.get(1)), 0, values, 2 * firstRows, 32);
        System.arraycopy(Goldens.flat(tables.get(2)), 0, values, 2 * firstRows + 32, 32);
        set(grid, values);
        NDArray x = FeatureGoldens.array(manager, c.getAsJsonObject("inputs").get("x"));
        assertThat(FeatureGoldens.features(grid, x).toDoubleArray())
                .containsExactly(
                        Goldens.flat(
                                out.get(hashed ? "enc_always_hash" : "enc_dense_when_it_fits")),
                        Offset.offset(1e-12));
    }

    /** A row's only feature is its number, and each point stands on a corner. */
    @Test
    void cornersOfCubesHaveTheReferencesRows() {
        JsonObject c = Goldens.cases("encodings/hash_grid.json").get(1);
        int side = 1 << 16;
        HashGrid grid =
                initialised(
                        HashGrid.builder()
                                .optPositionDimension(3)
                                .optLevels(1)
                                .optFeaturesPerLevel(1)
                                .optTableSize(16384)
                                .optResolutions(side, side));
        double[] numbers = new double[16384];
        Arrays.setAll(numbers, i -> i);
        set(grid, numbers);
        NDArray corners = FeatureGoldens.array(manager, c.getAsJsonObject("inputs").get("corners"));
        assertThat(FeatureGoldens.features(grid, corners.div(side)).toDoubleArray())
                .containsExactly(Goldens.flat(c.getAsJsonObject("outputs").get("index")));
    }

    /** Interpolation between corners is exact for functions that are linear in each coordinate. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void functionsLinearInEachCoordinateAreReproduced(int m) {
        HashGrid grid =
                initialised(
                        HashGrid.builder()
                                .optPositionDimension(m)
                                .optLevels(2)
                                .optFeaturesPerLevel(1)
                                .optResolutions(3, 5));
        double[] values = new double[(int) (Math.pow(4, m) + Math.pow(6, m))];
        int row = 0;
        for (int side : new int[] {3, 5}) {
            for (int i = 0; i < Math.pow(side + 1, m); i++) {
                double[] corner = new double[m];
                for (int axis = 0, rest = i; axis < m; axis++, rest /= side + 1) {
                    corner[axis] = (double) (rest % (side + 1)) / side;
                }
                values[row++] = multilinear(corner);
            }
        }
        set(grid, values);
        double[] points = new Random(1).doubles(20L * m).toArray();
        double[] features =
                FeatureGoldens.features(grid, points(points, m)).toDoubleArray(); // (20, 2)
        for (int p = 0; p < 20; p++) {
            double expected = multilinear(Arrays.copyOfRange(points, p * m, (p + 1) * m));
            assertThat(features[2 * p]).isCloseTo(expected, Offset.offset(1e-12));
            assertThat(features[2 * p + 1]).isCloseTo(expected, Offset.offset(1e-12));
        }
    }

    private static double multilinear(double[] x) {
        double product = 1;
        double sum = 0.3;
        for (int i = 0; i < x.length; i++) {
            product *= 2 * x[i] - 0.7;
            sum += (i + 1) * x[i];
        }
        return product + sum;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void gradientsOfFeaturesAndCoordinatesAreRight(int m) {
        HashGrid grid =
                initialised(
                        HashGrid.builder()
                                .optPositionDimension(m)
                                .optLevels(2)
                                .optFeaturesPerLevel(2)
                                .optTableSize((int) Math.pow(3, m)) // the first level fits
                                .optResolutions(2, 9));
        NDArray table = grid.getDirectParameters().valueAt(0).getArray();
        set(grid, new Random(2).doubles(table.size(), -1, 1).toArray());
        table.setRequiresGradient(false);
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray x = points(new Random(3).doubles(6L * m, 0.05, 0.95).toArray(), m);
        Gradients.check(table, t -> grid.features(Positions.of(x), parameters, true));
        Gradients.check(x, p -> grid.features(Positions.of(p), parameters, true));
    }

    @Test
    void beyondTheEdgesAreTheFeaturesOfTheEdge() {
        HashGrid grid = initialised(HashGrid.builder().optPositionDimension(2).optTableSize(400));
        NDArray inside = points(new double[] {0, 1, 1, 0.3, 1, 1}, 2);
        NDArray beyond = points(new double[] {-0.4, 7, 1.2, 0.3, 1e9, 1.0001}, 2);
        assertThat(FeatureGoldens.features(grid, beyond).toDoubleArray())
                .containsExactly(FeatureGoldens.features(grid, inside).toDoubleArray());
    }

    @Test
    void resolutionsGrowGeometricallyAndTablesFromTheSeed() {
        HashGrid grid = initialised(HashGrid.builder().optResolutions(16, 256).optLevels(5));
        assertThat(grid.resolutions()).containsExactly(16, 32, 64, 128, 256);
        // Müller et al., table 1 and equation 3: 16 levels from 16 to 512 grow by 1.26.
        int[] paper = HashGrid.builder().build().resolutions();
        assertThat(paper).hasSize(16).startsWith(16, 20, 25, 32).endsWith(512);
        assertThat(initialised(HashGrid.builder().optLevels(1)).resolutions()).containsExactly(16);

        NDArray table = grid.getDirectParameters().valueAt(0).getArray();
        assertThat(table.getShape()).isEqualTo(new Shape(17 + 33 + 65 + 129 + 257, 2));
        assertThat(table.abs().max().getDouble()).isBetween(0.99e-4, 1e-4);
        assertThat(table.square().mean().getDouble())
                .isCloseTo(1e-8 / 3, Offset.offset(0.1e-8 / 3));
        HashGrid again = initialised(HashGrid.builder().optResolutions(16, 256).optLevels(5));
        assertThat(again.getDirectParameters().valueAt(0).getArray().toDoubleArray())
                .containsExactly(table.toDoubleArray());
    }

    @Test
    void wordsForWhatCannotBe() {
        refused(() -> HashGrid.builder().optPositionDimension(4), "from 1 to 3, got 4");
        refused(() -> HashGrid.builder().optLevels(0), "levels must be at least 1, got 0");
        refused(() -> HashGrid.builder().optFeaturesPerLevel(0), "features must be at least 1");
        refused(() -> HashGrid.builder().optTableSize(0), "table must be from 1 to 16777216");
        refused(() -> HashGrid.builder().optResolutions(0, 5), "coarsest resolution");
        refused(
                () -> HashGrid.builder().optResolutions(64, 32),
                "finest resolution must be from 64 to 16777216, got 32");
        refused(
                () ->
                        HashGrid.builder()
                                .optLevels(200)
                                .optPositionDimension(3)
                                .optTableSize(1 << 24)
                                .optResolutions(1 << 20, 1 << 20)
                                .build(),
                "less than 2^31 numbers");
        refused(
                () ->
                        Encodings.named("hash-grid")
                                .features(new Space(2, 8, 64, true, 0), Map.of("coarsest", "100")),
                "finest resolution must be from 100 to 16777216, got 64");
    }

    private static void refused(Runnable made, String message) {
        assertThatThrownBy(made::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    private HashGrid initialised(HashGrid.Builder builder) {
        HashGrid grid = builder.build();
        int m = grid.positionDimension();
        grid.initialize(manager, DataType.FLOAT64, m == 1 ? new Shape(1) : new Shape(1, m));
        return grid;
    }

    private NDArray points(double[] values, int m) {
        int n = values.length / m;
        return manager.create(values, m == 1 ? new Shape(n) : new Shape(n, m));
    }

    private static void set(HashGrid grid, double[] values) {
        NDArray table = grid.getDirectParameters().valueAt(0).getArray();
        assertThat(table.size()).isEqualTo(values.length);
        table.set(DoubleBuffer.wrap(values));
    }

    private static int[] ints(JsonArray numbers) {
        return numbers.asList().stream().mapToInt(n -> n.getAsInt()).toArray();
    }
}
