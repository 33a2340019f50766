package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SampledBasis;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.encoding.Space;
import org.posenc.testing.Goldens;

class SimilarityKernelTest {

    private static final int D = 10_000;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    /** The authors' prototypes of 10,000 numbers, and the basis functions they are samples of. */
    static Stream<Arguments> figure() {
        IntToDoubleFunction sine = k -> Math.sin(2 * Math.PI * k / D);
        IntToDoubleFunction high = k -> k % (D / 2) != 0 && k < D / 2 ? 1 : 0;
        IntToDoubleFunction middle = k -> k / (double) D - 0.5;
        return Stream.of(
                Arguments.of("impulse", prototype(k -> k == 0 ? 1 : 0), null),
                Arguments.of("square01_f1", prototype(high), new BasisFunction.Square(1, 0)),
                Arguments.of(
                        "square_pm1_f1",
                        prototype(k -> 2 * high.applyAsDouble(k) - 1),
                        new BasisFunction.Square(1, -1)),
                Arguments.of("sine_f1_off0", prototype(sine), new BasisFunction.Sine(1, 0)),
                Arguments.of(
                        "sine_f1_off0.7",
                        prototype(k -> sine.applyAsDouble(k) + 0.7),
                        new BasisFunction.Sine(1, 0.7)),
                Arguments.of(
                        "gauss_s0.01",
                        prototype(k -> Math.exp(-Math.pow(middle.applyAsDouble(k) / 0.01, 2) / 2)),
                        new BasisFunction.Gaussian(0.01)),
                Arguments.of(
                        "tri_w0.1",
                        prototype(k -> Math.max(0, 1 - Math.abs(middle.applyAsDouble(k)) / 0.1)),
                        new BasisFunction.Triangle(0.1)),
                Arguments.of(
                        "rect_w0.2",
                        prototype(k -> Math.abs(k - D / 2) <= D / 10 ? 1 : 0),
                        new BasisFunction.Rectangle(0.2)));
    }

    private static double[] prototype(IntToDoubleFunction value) {
        return IntStream.range(0, D).mapToDouble(value).toArray();
    }

    @ParameterizedTest
    @MethodSource("figure")
    void stableRanksOfThePapersFigure(String name, double[] prototype, BasisFunction basis) {
        JsonObject curve =
                Goldens.read("shifted-basis/curve_stable_rank_all_embedders.json")
                        .getAsJsonObject("curves")
                        .getAsJsonObject(name);
        double[] n = Goldens.flat(curve.get("N"));
        double[] expected = Goldens.flat(curve.get("stable_rank"));
        SampledBasis sampled = SampledBasis.of(1, prototype);
        ShiftedBasis embedder =
                ShiftedBasis.builder().setBasis(sampled).setDimension(D).optPeriodic(true).build();
        LineKernel looked = new LineKernel.Shifted(sampled, 1);
        for (int i = 0; i < n.length; i++) {
            int points = (int) n[i];
            assertThat(StableRank.of(embedder, grid(points, 1), parameters))
                    .as("%s at %d", name, points)
                    .isCloseTo(expected[i], within(1e-9));
            if (D % points == 0) {
                assertThat(looked.stableRank(points)).isCloseTo(expected[i], within(1e-9));
            }
            if (basis != null) { // which the prototype approaches but for its edges
                assertThat(new LineKernel.Shifted(basis, 1).stableRank(points))
                        .as("%s at %d, dense", name, points)
                        .isCloseTo(expected[i], Percentage.withPercentage(1.5));
            }
        }
        assertThat(looked.stableRankLimit())
                .isCloseTo(curve.get("limit_fft").getAsDouble(), Percentage.withPercentage(1e-10));
        for (Map.Entry<String, JsonElement> at :
                curve.getAsJsonObject("distance_at_displacement").entrySet()) {
            assertThat(looked.similarity(Double.parseDouble(at.getKey())))
                    .isCloseTo(at.getValue().getAsDouble(), within(1e-12));
        }
    }

    @Test
    void randomFourierFeaturesInExpectation() {
        int compared = 0;
        for (JsonElement row :
                Goldens.read("shifted-basis/curve_rff_sr.json").getAsJsonArray("rows")) {
            double[] v = Goldens.flat(row); // b, N, stable rank, min(N, √(2π) b)
            assertThat(new LineKernel.RandomFourier(v[0], 1).stableRank((int) v[1]))
                    .isCloseTo(v[2], within(1e-10));
            compared++;
        }
        assertThat(compared).isEqualTo(30);
        double[] n = Goldens.flat(expectedKernel().get("N"));
        double[] expected = Goldens.flat(expectedKernel().get("stable_rank"));
        for (int i = 0; i < n.length; i++) {
            assertThat(new LineKernel.RandomFourier(5, 1).stableRank((int) n[i]))
                    .isCloseTo(expected[i], within(1e-10));
        }
    }

    private static JsonObject expectedKernel() {
        return Goldens.read("shifted-basis/curve_stable_rank_all_embedders.json")
                .getAsJsonObject("curves")
                .getAsJsonObject("rff_b5_expected_kernel");
    }

    @ParameterizedTest
    @CsvSource({"linf_1d_p3", "logf_1d_p3", "rff_1d_sigma1", "basic_1d"})
    void fourierFeaturesOfGivenFrequencies(String file) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        JsonObject params = golden.getAsJsonObject("params");
        double[] b =
                params.has("freqs")
                        ? Goldens.flat(params.get("freqs"))
                        : params.has("z") ? Goldens.flat(params.get("z")) : new double[] {1};
        LineKernel kernel = new LineKernel.Fourier(b, 1);
        assertThat(kernel.stableRank(16))
                .isCloseTo(golden.get("stable_rank_grid16").getAsDouble(), within(1e-12));
        JsonObject curve = golden.getAsJsonObject("distance_curve");
        double[] u = Goldens.flat(curve.get("displacement"));
        double[] cosine = Goldens.flat(curve.get("cosine"));
        for (int i = 0; i < u.length; i++) {
            assertThat(kernel.similarity(u[i])).isCloseTo(cosine[i], within(1e-12));
        }
        // Sums over a grid approach the integrals over the range.
        assertThat(kernel.stableRank(600))
                .isCloseTo(kernel.stableRankLimit(), Percentage.withPercentage(0.2));
    }

    @Test
    void wholeCyclesAreOrthogonal() {
        double[] b = {1, 2, 5, 9};
        assertThat(new LineKernel.Fourier(b, 1).stableRankLimit()).isCloseTo(8, within(1e-12));
        assertThat(new LineKernel.Fourier(b, 1).stableRank(32)).isCloseTo(8, within(1e-12));
    }

    /** Of the authors: stable ranks 1-D, simple, complex on a grid of 16 × 16. */
    @Test
    void productsMultiplyAndConcatenationsAverage() {
        JsonArray rows =
                Goldens.read("shifted-basis/identity_simple_vs_complex.json")
                        .getAsJsonArray("rows");
        for (int row = 0; row < 2; row++) {
            JsonArray expected = rows.get(row).getAsJsonArray();
            double[] c = new double[64];
            for (int k = 0; k < c.length; k++) {
                double t = k / 64.0 - 0.5;
                c[k] = row == 0 ? Math.exp(-t * t / 0.005) : Math.max(0, 1 - Math.abs(t) / 0.1);
            }
            LineKernel axis = new LineKernel.Shifted(SampledBasis.of(1, c), 1);
            SimilarityKernel simple = new ConcatenationKernel(List.of(axis, axis), 1, 1);
            SimilarityKernel complex = new ProductKernel(List.of(axis, axis));
            assertThat(axis.stableRank(16)).isCloseTo(expected.get(1).getAsDouble(), within(1e-11));
            assertThat(simple.stableRank(16))
                    .isCloseTo(expected.get(2).getAsDouble(), within(1e-11));
            assertThat(complex.stableRank(16))
                    .isCloseTo(expected.get(3).getAsDouble(), within(1e-10));
            double u = 0.03;
            double v = 0.11;
            assertThat(complex.similarity(u, v))
                    .isCloseTo(axis.similarity(u) * axis.similarity(v), within(1e-15));
            assertThat(simple.similarity(u, v))
                    .isCloseTo((axis.similarity(u) + axis.similarity(v)) / 2, within(1e-15));
            // Along an axis a simple encoding never forgets: its similarity stays at a half.
            assertThat(simple.distancePreservation()).isCloseTo(0.5, within(1e-12));
            assertThat(complex.distancePreservation())
                    .isCloseTo(axis.distancePreservation(), within(1e-15));
        }
    }

    @Test
    void concatenationsOfDifferentEncodersAreWeighted() {
        LineKernel wide = new LineKernel.Shifted(new BasisFunction.Gaussian(0.1), 1);
        LineKernel narrow = new LineKernel.Shifted(new BasisFunction.Gaussian(0.02), 1);
        double harmonic = 4 / (3 / wide.stableRank(24) + 1 / narrow.stableRank(24));
        assertThat(new ConcatenationKernel(List.of(wide, narrow), 3, 1).stableRank(24))
                .isCloseTo(harmonic, within(1e-11));
        assertThat(new LineKernel.Sum(List.of(wide, narrow), 3, 1).stableRank(24))
                .isCloseTo(harmonic, within(1e-11));
        double limit = 4 / (3 / wide.stableRankLimit() + 1 / narrow.stableRankLimit());
        for (SimilarityKernel kernel :
                List.of(
                        new ConcatenationKernel(List.of(wide, narrow), 3, 1),
                        new LineKernel.Sum(List.of(wide, narrow), 3, 1))) {
            assertThat(kernel.stableRankLimit()).isCloseTo(limit, within(1e-12));
        }
        assertThat(new LineKernel.Sum(List.of(wide, narrow), 3, 1).similarity(0.05))
                .isCloseTo(
                        0.75 * wide.similarity(0.05) + 0.25 * narrow.similarity(0.05),
                        within(1e-15));
        LineKernel sine = new LineKernel.Fourier(new double[] {1, 2}, 1);
        assertThat(new ConcatenationKernel(List.of(sine, wide), 1, 1).stableRankLimit()).isNaN();
    }

    /** The numeric stable rank and similarities of real features on a grid are the oracle. */
    @ParameterizedTest
    @CsvSource({
        "gaussian,           1, sigma=0.03,  1e-9",
        "gaussian,           2, sigma=0.06,  1e-9",
        "triangle,           1, width=0.125, 2e-3",
        "triangle,           2, width=0.125, 2e-3",
        "rectangle,          1, width=0.25,  0.02",
        "sine,               1, frequency=2, 1e-9",
        "square,             2, frequency=1, 0.02",
        "linear-frequencies, 1, highest=3.3, 1e-9",
        "linear-frequencies, 2, highest=2.3, 1e-9",
        "log-frequencies,    1, highest=3,   1e-9",
        "log-frequencies,    3, highest=1,   1e-9",
    })
    void kernelsOfEncodersByName(String name, int m, String setting, double relative) {
        String[] pair = setting.split("=");
        Map<String, String> settings =
                name.contains("frequencies")
                        ? Map.of(pair[0], pair[1])
                        : Map.of(pair[0], pair[1], "periodic", "true");
        int perAxis = name.contains("frequencies") ? 10 : 128;
        PositionFeatures features =
                Encodings.named(name).features(new Space(m, perAxis * m, 16, true, 0), settings);
        SimilarityKernel kernel = SimilarityKernel.of(features, 1).orElseThrow();
        assertThat(kernel.axes()).isEqualTo(m);
        int n = m == 3 ? 6 : 16;
        Positions grid = grid(n, m);
        double measured = StableRank.of(features, grid, parameters);
        assertThat(kernel.stableRank(n)).isCloseTo(measured, within(relative * measured));
        EncodingAnalysis analysis = EncodingAnalysis.of(features, grid, parameters);
        double[] flat = grid.real(DataType.FLOAT64).toDoubleArray();
        for (int i : new int[] {1, n / 2, n - 1}) {
            double[] u = new double[m];
            for (int axis = 0; axis < m; axis++) {
                u[axis] = flat[i * m + axis] - flat[axis];
            }
            assertThat(analysis.similarity()[0][i])
                    .isCloseTo(kernel.similarity(u), within(relative));
        }
    }

    @Test
    void aKroneckerProductMultipliesAndRandomFrequenciesApproachTheirExpectation() {
        PositionFeatures axis =
                Encodings.named("gaussian")
                        .features(
                                new Space(1, 32, 8, true, 0),
                                Map.of("sigma", "0.06", "periodic", "true"));
        Kronecker complex = Kronecker.of(axis, 2);
        SimilarityKernel kernel = SimilarityKernel.of(complex, 1).orElseThrow();
        assertThat(kernel.stableRank(8))
                .isCloseTo(StableRank.of(complex, grid(8, 2), parameters), within(1e-9));
        FourierFeatures random =
                FourierFeatures.builder()
                        .setFrequencies(new FourierFrequencies.Random(1.5, 3))
                        .setDimension(8000)
                        .optPositionDimension(2)
                        .build();
        SimilarityKernel expected = SimilarityKernel.of(random, 1).orElseThrow();
        assertThat(expected.stableRank(8))
                .isCloseTo(
                        StableRank.of(random, grid(8, 2), parameters),
                        Percentage.withPercentage(5));
        assertThat(SimilarityKernel.of(new org.posenc.encoding.Coordinates(1), 1))
                .isEqualTo(Optional.empty());
    }

    @Test
    void distancePreservationIsTheHalfWidthAtATenth() {
        assertThat(gaussian(0.01).distancePreservation())
                .isCloseTo(2 * 0.01 * Math.sqrt(Math.log(10)), within(1e-15));
        assertThat(new LineKernel.RandomFourier(20, 1).distancePreservation())
                .isCloseTo(Math.sqrt(Math.log(10) / 2) / (Math.PI * 20), within(1e-15));
        assertThat(shifted(new BasisFunction.Rectangle(0.2)).distancePreservation())
                .isCloseTo(0.18, within(1e-14));
        assertThat(shifted(new BasisFunction.Square(1, 0)).distancePreservation())
                .isCloseTo(0.45, within(1e-12)); // 1 − 2u = 0.1
        assertThat(shifted(new BasisFunction.Square(5, -1)).distancePreservation())
                .isCloseTo(0.225, within(1e-12)); // 1 − 4v = 0.1, five times over
        assertThat(shifted(new BasisFunction.Sine(3, 0)).distancePreservation())
                .isCloseTo(Math.acos(0.1) / (2 * Math.PI), within(1e-12));
        double w = shifted(new BasisFunction.Triangle(0.1)).distancePreservation();
        assertThat(Math.pow(2 - w / 0.1, 3) / 4).isCloseTo(0.1, within(1e-12));
        // The authors count positions, to half a spacing.
        for (double sigma : new double[] {0.003, 0.02, 0.07}) {
            int n = 256;
            PositionFeatures features =
                    Encodings.named("gaussian")
                            .features(
                                    new Space(1, 2048, n, true, 0),
                                    Map.of("sigma", "" + sigma, "periodic", "true"));
            assertThat(EncodingAnalysis.of(features, grid(n, 1), parameters).distancePreservation())
                    .isCloseTo(gaussian(sigma).distancePreservation(), within(0.5 / n + 1e-12));
        }
    }

    @Test
    void theTradeOffOfGaussiansIsConstantAndOfRandomFourierFeaturesToo() {
        double[] sigmas = {0.02, 0.01, 0.005};
        TradeOffCurve gaussian = TradeOffCurve.of(SimilarityKernelTest::gaussian, 4000, sigmas);
        assertThat(gaussian.points().stream().mapToDouble(TradeOffCurve.Point::product).toArray())
                .containsExactly(
                        new double[] {
                            ClosedForms.GAUSSIAN_TRADE_OFF,
                            ClosedForms.GAUSSIAN_TRADE_OFF,
                            ClosedForms.GAUSSIAN_TRADE_OFF
                        },
                        within(1e-12));
        assertThat(gaussian.points().get(2).parameter()).isEqualTo(0.005);
        double[] b = Arrays.stream(sigmas).map(ClosedForms::equivalentFourierSigma).toArray();
        TradeOffCurve fourier =
                TradeOffCurve.of(sigma -> new LineKernel.RandomFourier(sigma, 1), 400, b);
        for (int i = 0; i < b.length; i++) { // the range has ends, which adds a little
            assertThat(fourier.points().get(i).product())
                    .isBetween(
                            ClosedForms.GAUSSIAN_TRADE_OFF, 1.01 * ClosedForms.GAUSSIAN_TRADE_OFF);
        }
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> gaussian(0.1).stableRank(0)).hasMessageContaining("got 0");
        assertThatThrownBy(() -> gaussian(0.1).similarity(1, 2))
                .hasMessageContaining("1 coordinate, got 2");
        assertThatThrownBy(() -> new LineKernel.Shifted(new BasisFunction.Gaussian(1), -1))
                .hasMessageContaining("range must be positive");
        assertThatThrownBy(() -> new LineKernel.Fourier(new double[0], 1))
                .hasMessageContaining("a frequency");
        assertThatThrownBy(() -> new ConcatenationKernel(List.of(gaussian(1)), 1, 2))
                .hasMessageContaining("1 encoders do not go with 2 weights");
        assertThatThrownBy(() -> new ConcatenationKernel(List.of(gaussian(1)), -1))
                .hasMessageContaining("positive and finite, got -1.0");
        assertThatThrownBy(() -> TradeOffCurve.of(SimilarityKernelTest::gaussian, 10))
                .hasMessageContaining("at least one parameter");
    }

    private static LineKernel gaussian(double sigma) {
        return shifted(new BasisFunction.Gaussian(sigma));
    }

    private static LineKernel shifted(BasisFunction basis) {
        return new LineKernel.Shifted(basis, 1);
    }

    /** All points of a regular grid of n along each axis of the unit cube. */
    private Positions grid(int n, int m) {
        int count = (int) Math.pow(n, m);
        double[] x = new double[count * m];
        for (int i = 0; i < x.length; i++) {
            int stride = (int) Math.pow(n, m - 1 - i % m);
            x[i] = (double) (i / m / stride % n) / n;
        }
        NDArray array = manager.create(x, m == 1 ? new Shape(count) : new Shape(count, m));
        return Positions.of(array);
    }
}
