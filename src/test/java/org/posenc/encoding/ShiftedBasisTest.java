package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.ShiftedBasis.Directions;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Goldens;

class ShiftedBasisTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gau_1d_sigma0.02",
                "gau_1d_sigma0.05",
                "tri_1d_w1over16",
                "tri_1d_w2over16",
                "impulse_direct_1d",
                "tri2_2d_simple",
                "gau4_2d_simple",
                "gau_3d_simple"
            })
    void copiesInARangeEqualTheAuthors(String file) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        JsonObject params = golden.getAsJsonObject("params");
        NDArray x = FeatureGoldens.array(manager, golden.get("positions"));
        int m = x.getShape().dimension() == 1 ? 1 : (int) x.getShape().get(1);
        double[] flat = x.toDoubleArray();
        double[][] points = new double[flat.length / m][m];
        for (int i = 0; i < flat.length; i++) {
            points[i / m][i % m] = flat[i];
        }
        BasisFunction basis =
                params.has("sigma")
                        ? new BasisFunction.Gaussian(params.get("sigma").getAsDouble())
                        : params.has("w")
                                ? new BasisFunction.Triangle(params.get("w").getAsDouble())
                                : new BasisFunction.Impulse(params.get("s").getAsDouble());
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(basis)
                        .setDimension(params.get("d").getAsInt())
                        .optPositionDimension(m)
                        .optDirections(
                                file.startsWith("gau4")
                                        ? Directions.AXES_AND_DIAGONALS
                                        : Directions.AXES)
                        .optNormalizedOver(points)
                        .build();
        assertThat(features.norm())
                .isCloseTo(golden.get("max_row_norm").getAsDouble(), Offset.offset(1e-14));
        FeatureGoldens.check(features, x, Goldens.flat(golden.get("embedding")));
    }

    /** The authors' prototypes; those centred in the middle come out half a circle later. */
    static Stream<Arguments> circles() {
        return Stream.of(
                Arguments.of("circ_gauss_s0.05", new BasisFunction.Gaussian(0.05), true),
                Arguments.of("circ_tri_w0.1", new BasisFunction.Triangle(0.1), true),
                Arguments.of("circ_impulse", new BasisFunction.Impulse(1e-4), false),
                Arguments.of("circ_square01_f1", new BasisFunction.Square(1, 0), false),
                Arguments.of("circ_sine_f1_off0", new BasisFunction.Sine(1, 0), false));
    }

    @ParameterizedTest
    @MethodSource("circles")
    void copiesOnACircleEqualTheAuthors(String file, BasisFunction basis, boolean centred) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        int d = golden.getAsJsonObject("params").get("D").getAsInt();
        double[] rows = Goldens.flat(golden.get("row_index"));
        double[] x = new double[rows.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = rows[i] / d + (centred ? 0.5 : 0);
        }
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(basis)
                        .setDimension(d)
                        .optPeriodic(true)
                        .optNormalized(true)
                        .build();
        double[] expected = Goldens.flat(golden.get("embedding"));
        // Far tails of the periodic Gaussian: the authors wrap at half a circle too.
        NDArray actual = FeatureGoldens.features(features, manager.create(x));
        double scale = norm(basis, d) / features.norm();
        assertThat(actual.toDoubleArray())
                .containsExactly(
                        Stream.of(expected)
                                .flatMapToDouble(Arrays::stream)
                                .map(v -> v * scale)
                                .toArray(),
                        Offset.offset(1e-12));
        NDArray single =
                FeatureGoldens.features(
                        features, manager.create(x).toType(DataType.FLOAT32, false));
        assertThat(single.toType(DataType.FLOAT64, false).toDoubleArray())
                .containsExactly(actual.toDoubleArray(), Offset.offset(1e-5));
    }

    /** The prototype itself, looked up by truncation, is the authors' shift embedder. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "circ_gauss_s0.05",
                "circ_tri_w0.1",
                "circ_impulse",
                "circ_square01_f1",
                "circ_sine_f1_off0"
            })
    void aSampledPrototypeIsLookedUpAsTheAuthorsDo(String file) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        double[] prototype = Goldens.flat(golden.getAsJsonObject("params").get("prototype"));
        int d = prototype.length;
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(SampledBasis.of(1, prototype))
                        .setDimension(d)
                        .optPeriodic(true)
                        .optNormalized(true)
                        .build();
        assertThat(features.norm()).isCloseTo(1, Offset.offset(1e-14));
        double[] rows = Goldens.flat(golden.get("row_index"));
        for (double beyond : new double[] {0, 0.3, 0.99}) { // of a row: truncation takes it away
            double[] x = Arrays.stream(rows).map(row -> (row + beyond) / d).toArray();
            FeatureGoldens.check(
                    features, manager.create(x), Goldens.flat(golden.get("embedding")));
        }
        assertThat(features.basis().stableRankLimit())
                .isCloseTo(golden.get("stable_rank_full").getAsDouble(), Offset.offset(1e-12));
        JsonObject curve = golden.getAsJsonObject("distance_curve");
        double[] distance = Goldens.flat(curve.get("displacement"));
        double[] value = Goldens.flat(curve.get("value"));
        for (int i = 0; i < distance.length; i++) {
            assertThat(features.basis().similarity(distance[i]))
                    .isCloseTo(value[i], Offset.offset(1e-12));
        }
    }

    /** Between mirrors the cosines of a DCT-II are eigenvectors, by ψ's sum over all distances. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 64})
    void mirroredCopiesAreDiagonalInCosines(int d) {
        double a = -0.3;
        double h = 1.7 / d;
        for (BasisFunction basis :
                List.of(
                        new BasisFunction.Gaussian(1.3 * h),
                        new BasisFunction.Triangle(2.5 * h),
                        new BasisFunction.Triangle(9 * h), // through both mirrors, where d is small
                        new BasisFunction.Impulse(9.2 * h),
                        new BasisFunction.Rectangle(3 * h))) {
            ShiftedBasis features = mirrored(basis, d, a, a + 1.7).build();
            double[] x = IntStream.range(0, d).mapToDouble(i -> a + (i + 0.5) * h).toArray();
            double[] rows = FeatureGoldens.features(features, manager.create(x)).toDoubleArray();
            for (int k = 0; k < d; k++) {
                double eigenvalue = basis.value(0);
                for (int n = 1; n <= 40; n++) {
                    eigenvalue +=
                            (basis.value(n * h) + basis.value(-n * h))
                                    * Math.cos(Math.PI * k * n / d);
                }
                for (int i = 0; i < d; i++) {
                    double sum = 0;
                    for (int j = 0; j < d; j++) {
                        sum += rows[i * d + j] * Math.cos(Math.PI * k * (j + 0.5) / d);
                    }
                    assertThat(sum)
                            .as("%s, %d of %d", basis, k, d)
                            .isCloseTo(
                                    eigenvalue * Math.cos(Math.PI * k * (i + 0.5) / d),
                                    Offset.offset(1e-12 * d));
                }
            }
        }
    }

    @Test
    void whatLiesBeyondAMirrorIsWhatLiesBeforeIt() {
        ShiftedBasis features =
                mirrored(new BasisFunction.Gaussian(0.1), 6, 0.25, 1.25)
                        .optNormalized(true)
                        .build();
        double[] x = {0.2, 0.27, 1, 1.249, 1.4};
        double[] seen = {0.3, 0.23, 1.5, 1.251, 1.1};
        assertThat(FeatureGoldens.features(features, manager.create(x)).toDoubleArray())
                .containsExactly(
                        FeatureGoldens.features(features, manager.create(seen)).toDoubleArray(),
                        Offset.offset(1e-14));
        double[] inside = IntStream.range(0, 400).mapToDouble(i -> 0.25 + i / 400.0).toArray();
        assertThat(
                        FeatureGoldens.features(features, manager.create(inside))
                                .square()
                                .sum(new int[] {-1})
                                .max()
                                .getDouble())
                .isCloseTo(1, Offset.offset(1e-6));
        // Dense enough copies of equal weight are the same everywhere, up to both ends.
        double[] sums =
                FeatureGoldens.features(
                                mirrored(new BasisFunction.Gaussian(2), 4, 0, 4).build(),
                                manager.create(new double[] {-0.4, 0, 0.1, 2, 3.3, 4, 4.4}))
                        .sum(new int[] {-1})
                        .toDoubleArray();
        assertThat(sums).containsOnly(new double[] {Math.sqrt(8 * Math.PI)}, Offset.offset(1e-14));
    }

    /** Steps of a line of samples, up to both ends: rectangles hold a value to the next sample. */
    @ParameterizedTest
    @CsvSource({"1, 1", "2, 0", "3, 1", "4, 0", "5, 1"})
    void rectanglesStepWhereTheyDoWithoutMirrors(int width, int later) {
        int d = 12;
        ShiftedBasis features =
                mirrored(new BasisFunction.Rectangle(width), d, -0.5, d - 0.5).build();
        double[] between = IntStream.range(0, d - 1).mapToDouble(i -> i + 0.5).toArray();
        double[] held = IntStream.range(0, d - 1).mapToDouble(i -> i + later).toArray();
        assertThat(FeatureGoldens.features(features, manager.create(between)).toDoubleArray())
                .containsExactly(
                        FeatureGoldens.features(features, manager.create(held)).toDoubleArray());
        double[] rows = FeatureGoldens.features(features, manager.create(held)).toDoubleArray();
        assertThat(Arrays.stream(rows).sum()).isEqualTo(width * held.length); // of 0 and 1 each
    }

    @Test
    void whatDoesNotFadeIsNotMirrored() {
        assertThatThrownBy(() -> mirrored(new BasisFunction.Sine(1, 0), 8, 0, 1).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("where copies fade and are not periodic")
                .hasMessageContaining("Sine");
        assertThatThrownBy(
                        () ->
                                mirrored(new BasisFunction.Gaussian(0.1), 8, 0, 1)
                                        .optPeriodic(true)
                                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("periodic");
    }

    private static ShiftedBasis.Builder mirrored(BasisFunction basis, int d, double a, double b) {
        return ShiftedBasis.builder()
                .setBasis(basis)
                .setDimension(d)
                .optRange(a, b)
                .optMirrored(true);
    }

    /** A circulant of normal numbers, by its definition. */
    @Test
    void noiseIsACirculantOfNormalNumbers() {
        int d = 2000;
        SampledBasis noise = SampledBasis.noise(1, d, 5);
        double[] c = noise.samples();
        assertThat(Arrays.stream(c).average().orElseThrow()).isCloseTo(0, Offset.offset(0.07));
        assertThat(Arrays.stream(c).map(v -> v * v).average().orElseThrow())
                .isCloseTo(1, Offset.offset(0.1));
        assertThat(Arrays.stream(c).map(v -> v * v * v * v).average().orElseThrow())
                .isCloseTo(3, Offset.offset(0.5)); // the kurtosis of a normal distribution
        assertThat(SampledBasis.noise(1, d, 5).samples()).isEqualTo(c);
        assertThat(SampledBasis.noise(1, d, 6).samples()).isNotEqualTo(c);
        PositionFeatures features =
                Encodings.named("noise").features(new Space(1, d, 256, true, 5), Map.of());
        double[] x = {0, 0.29, 0.5, 0.9995, 1.25, -0.0005};
        int[] row = {0, 580, 1000, 1999, 500, 1999};
        double[] expected = new double[row.length * d];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = c[Math.floorMod(row[i / d] - i % d, d)];
        }
        FeatureGoldens.check(features, manager.create(x), expected);
        // Every number in single precision too: 0.29 in float32 lies just below its sample.
        NDArray single = FeatureGoldens.features(features, manager.create(new float[] {0.29f}));
        assertThat(single.getFloat(0, 0)).isEqualTo((float) c[580]);
    }

    /** The sign of sin(2πf(i/n − j/d)), decided in whole numbers. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 20})
    void directSquaresAreTheSignOfASine(int f) {
        int n = 48;
        int d = 32;
        double[] x = new double[n];
        double[] expected = new double[n * d];
        for (int i = 0; i < n; i++) {
            x[i] = (double) i / n;
            for (int j = 0; j < d; j++) {
                int part = Math.floorMod(f * (i * d - j * n), n * d);
                expected[i * d + j] = part > 0 && 2 * part < n * d ? 1 : 0;
            }
        }
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Square(f, 0))
                        .setDimension(d)
                        .build();
        FeatureGoldens.check(features, manager.create(x), expected);
    }

    @Test
    void aPrototypeThatIsNothingIsRefused() {
        assertThatThrownBy(() -> SampledBasis.of(1, 0, 0)).hasMessageContaining("not all zero");
        assertThatThrownBy(() -> SampledBasis.of(1, 0, Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> SampledBasis.of(0, 1)).hasMessageContaining("period");
        assertThatThrownBy(() -> SampledBasis.noise(1, 0, 1))
                .hasMessageContaining("samples must be at least 1, got 0");
    }

    /** The norm of the prototype at d points. */
    private static double norm(BasisFunction basis, int d) {
        double sum = 0;
        for (int i = -d / 2; i < d / 2; i++) {
            double value = basis.value((double) i / d);
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    static Stream<BasisFunction> functions() {
        return Stream.of(
                new BasisFunction.Gaussian(0.03),
                new BasisFunction.Triangle(0.1),
                new BasisFunction.Rectangle(0.2),
                new BasisFunction.Impulse(0.05),
                new BasisFunction.Square(1, 0),
                new BasisFunction.Square(3, -1),
                new BasisFunction.Sine(2, 0),
                new BasisFunction.Sine(1, 0.7),
                SampledBasis.of(1, 0.1, 0.9, 2, 1.5, 0.3, 0, -0.4, 0.1));
    }

    /** The power spectrum of a dense circulant, by its definition, is the oracle. */
    @ParameterizedTest
    @MethodSource("functions")
    void closedFormsEqualADenseCircle(BasisFunction basis) {
        int n = 4000;
        double[] c = new double[n];
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double u = (double) i / n;
            c[i] = basis.value(u < 0.5 ? u : u - 1);
            squares += c[i] * c[i];
        }
        double greatest = 0;
        for (int k = 0; k < 8; k++) { // all of these functions are low-pass
            double re = 0;
            double im = 0;
            for (int i = 0; i < n; i++) {
                re += c[i] * Math.cos(2 * Math.PI * k * i / n);
                im += c[i] * Math.sin(2 * Math.PI * k * i / n);
            }
            greatest = Math.max(greatest, re * re + im * im);
        }
        double dense = n * squares / greatest;
        assertThat(basis.stableRankLimit()).isCloseTo(dense, Offset.offset(5e-3 * dense));
        assertThat(basis.stableRankLimit(1)).isEqualTo(basis.stableRankLimit());
        for (int shift : new int[] {0, 60, 150, 333, 700, 1200, 1990}) {
            double inner = 0;
            for (int i = 0; i < n; i++) {
                inner += c[i] * c[(i + shift) % n];
            }
            assertThat(basis.similarity((double) shift / n))
                    .as("similarity at %d", shift)
                    .isCloseTo(inner / squares, Offset.offset(5e-3));
        }
    }

    @Test
    void triangleSimilarityEqualsTheReference() {
        JsonObject golden = Goldens.read("shifted-basis/triangle_autocorrelation.json");
        double[] u = Goldens.flat(golden.get("u"));
        double[] expected = Goldens.flat(golden.get("true_cubic_bspline"));
        BasisFunction triangle = new BasisFunction.Triangle(0.3);
        for (int i = 0; i < u.length; i++) {
            assertThat(triangle.similarity(0.3 * u[i]))
                    .isCloseTo(expected[i], Offset.offset(1e-12));
        }
    }

    @ParameterizedTest
    @MethodSource("functions")
    void arraysAndNumbersHaveTheSameValues(BasisFunction basis) {
        double[] u = new double[401];
        double[] expected = new double[u.length];
        for (int i = 0; i < u.length; i++) {
            u[i] = (i - 200) / 200.0;
            expected[i] = basis.value(u[i]);
        }
        assertThat(basis.values(manager.create(u)).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-14));
    }

    @Test
    void anEdgeIsLowWhateverTheRounding() {
        BasisFunction square = new BasisFunction.Square(10, -1);
        for (int i = -30; i <= 30; i++) {
            assertThat(square.value(i * 0.05)).isEqualTo(-1);
            assertThat(square.value((float) (i * 0.05))).isEqualTo(-1);
        }
    }

    @Test
    void normalisationIsFixedByTheRangeNotByTheBatch() {
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Gaussian(0.05))
                        .setDimension(64)
                        .optPositionDimension(2)
                        .optNormalized(true)
                        .build();
        NDArray points = manager.create(new double[][] {{0.5, 0.5}, {0, 0}});
        NDArray both = FeatureGoldens.features(features, points);
        double[] norms = both.mul(both).sum(new int[] {1}).sqrt().toDoubleArray();
        assertThat(norms[0]).isCloseTo(1, Offset.offset(1e-12));
        assertThat(norms[1]).isLessThan(0.9); // nearly half of the corner's copies are missing
        NDArray alone = FeatureGoldens.features(features, points.get("1:"));
        assertThat(alone.toDoubleArray()).containsExactly(both.get("1:").toDoubleArray());
    }

    /** Products with tinier numbers would be denormal and many times as slow. */
    @Test
    void farTailsAreZeroUnlessInDoublePrecision() {
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Gaussian(0.02))
                        .setDimension(64)
                        .build();
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray x = manager.create(new float[] {0, 0.25f, 0.8f});
        double[] exact =
                FeatureGoldens.features(features, x.toType(DataType.FLOAT64, true)).toDoubleArray();
        assertThat(exact[48]) // exp(−0.75² / 0.0008), which float32 cannot hold
                .isCloseTo(Math.exp(-703.125), Percentage.withPercentage(1e-9));
        x.setRequiresGradient(true);
        try (GradientCollector collector = Autograd.collector()) {
            NDArray single = features.features(Positions.of(x), parameters, true);
            float[] values = single.toFloatArray();
            for (int i = 0; i < values.length; i++) {
                float expected = exact[i] > 1e-20 ? (float) exact[i] : 0;
                assertThat(values[i]).isEqualTo(expected);
            }
            collector.backward(single.get(":, 48").sum()); // centre 0.75
        }
        float slope = (float) (Math.exp(-3.125) * (0.75 - 0.8) / 0.0004);
        assertThat(Autograd.gradient(x).toFloatArray())
                .containsExactly(new float[] {0, 0, slope}, Offset.offset(1e-4f));

        NDArray tokens = manager.zeros(new Shape(1, 3, 64), DataType.FLOAT16);
        NDArray half =
                FeatureEncoding.add(features).embed(tokens, Positions.of(x), parameters, false);
        assertThat(half.toType(DataType.FLOAT64, true).toDoubleArray())
                .containsExactly(exact, Offset.offset(1e-3));
    }

    @Test
    void saysWhatDoesNotFit() {
        ShiftedBasis.Builder builder = ShiftedBasis.builder().setDimension(9);
        assertThatThrownBy(builder::build).hasMessageContaining("basis");
        builder.setBasis(new BasisFunction.Triangle(1)).optPositionDimension(2);
        assertThatThrownBy(builder::build).hasMessageContaining("multiple of 2, got 9");
        assertThatThrownBy(
                        () ->
                                builder.optPositionDimension(3)
                                        .optDirections(Directions.AXES_AND_DIAGONALS)
                                        .build())
                .hasMessageContaining("2 coordinates, got 3");
        assertThatThrownBy(() -> builder.optRange(1, 1)).hasMessageContaining("1.0 to 1.0");
        assertThatThrownBy(() -> new BasisFunction.Gaussian(0))
                .hasMessageContaining("sigma must be positive");
        assertThatThrownBy(() -> new BasisFunction.Square(1, 0.5)).hasMessageContaining("0.5");
    }
}
