package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.analysis.Spectrum;
import org.posenc.analysis.StableRank;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class KroneckerTest {

    private static final int K = 6;
    private static final int LENGTH = 16;

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    static List<String> names() {
        return Encodings.namesWithFeatures();
    }

    private Kronecker made(String name, int axes, DataType type) {
        Space space = new Space(axes, K, LENGTH, false, 3);
        Map<String, String> small =
                name.equals("fourier") ? Map.of("fourier", "8", "hidden", "4") : Map.of();
        Kronecker made = Encodings.named(name).complexFeatures(space, small);
        made.initialize(manager, type, new Shape(1, axes));
        return made;
    }

    /** Token positions, whole for the table. */
    private NDArray points(String name, int axes, DataType type) {
        long[] points = {0, 3, 7, 7, 2, 0, 15, 1, 4, 9, 9, 9};
        return manager.create(points, new Shape(12 / axes, axes))
                .toType(name.equals("learned") ? DataType.INT64 : type, true);
    }

    @ParameterizedTest
    @MethodSource("names")
    void isTheProductOfEachCoordinatesFeatures(String name) {
        for (int axes = 1; axes <= 3; axes++) {
            Kronecker complex = made(name, axes, DataType.FLOAT64);
            NDArray x = points(name, axes, DataType.FLOAT64);
            PositionFeatures axis = complex.axes().get(0);
            int k = axis.featureDimension();
            double[] expected = new double[(int) (12 / axes * Math.pow(k, axes))];
            int at = 0;
            for (int p = 0; p < 12 / axes; p++) {
                double[] product = {1};
                for (int m = 0; m < axes; m++) {
                    NDArray one = x.get(p).get(m).reshape(1);
                    double[] phi = FeatureGoldens.features(axis, one).toDoubleArray();
                    double[] longer = new double[product.length * k];
                    for (int i = 0; i < longer.length; i++) {
                        longer[i] = product[i / k] * phi[i % k];
                    }
                    product = longer;
                }
                System.arraycopy(product, 0, expected, at, product.length);
                at += product.length;
            }
            NDArray input = axes == 1 ? x.flatten() : x;
            NDArray features = complex.features(Positions.of(input), parameters, false);
            assertThat(features.getShape())
                    .isEqualTo(new Shape(12 / axes, (long) Math.pow(k, axes)));
            assertThat(features.toDoubleArray()).containsExactly(expected, Offset.offset(1e-12));
            NDArray rows = input.expandDims(0).concat(input.expandDims(0));
            NDArray twice = complex.features(Positions.of(rows), parameters, true);
            assertThat(twice.get(1).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-12));

            Kronecker single = made(name, axes, DataType.FLOAT32);
            NDArray narrow = points(name, axes, DataType.FLOAT32).reshape(input.getShape());
            NDArray singles = single.features(Positions.of(narrow), parameters, false);
            assertThat(singles.getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(singles.toType(DataType.FLOAT64, false).toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-5));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void gradientsOfWhatItLearnsAreRight(String name) {
        Kronecker complex = made(name, 2, DataType.FLOAT64);
        NDArray x = points(name, 2, DataType.FLOAT64).get("0:3");
        complex.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        for (Parameter parameter : complex.getParameters().values()) {
            Gradients.check(
                    parameter.getArray(), p -> complex.features(Positions.of(x), parameters, true));
        }
    }

    @Test
    void gradientsOfPositionsAreRight() {
        Kronecker complex = made("gaussian", 3, DataType.FLOAT64);
        NDArray x = manager.create(new double[] {0.4, 3.7, 11, 8.2, 2.6, 15.1}, new Shape(2, 3));
        Gradients.check(x, p -> complex.features(Positions.of(p), parameters, true));
    }

    @ParameterizedTest
    @MethodSource("names")
    void isSavedLoadedAndComparedWithItsConfiguration(String name) throws Exception {
        Kronecker complex = made(name, 2, DataType.FLOAT32);
        Kronecker other = made(name, 2, DataType.FLOAT32);
        NDArray x = points(name, 2, DataType.FLOAT32);
        byte[] saved = saved(complex);
        other.loadParameters(manager, in(saved));
        assertThat(other.features(Positions.of(x), parameters, false).toFloatArray())
                .isEqualTo(complex.features(Positions.of(x), parameters, false).toFloatArray());
        Kronecker longer = made(name, 3, DataType.FLOAT32);
        assertThatThrownBy(() -> longer.loadParameters(manager, in(saved)))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("M = 2")
                .hasMessageContaining("M = 3");
    }

    private static byte[] saved(Kronecker complex) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        complex.saveParameters(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static DataInputStream in(byte[] bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes));
    }

    /** Of a grid of 16 × 16: the authors' numbers for a concatenation and a product. */
    @ParameterizedTest
    @CsvSource({
        "circ_gauss_s0.05, 64, true",
        "circ_tri_w0.1, 64, true",
        "gau_nonperiodic_d16_s0.05, 16, false"
    })
    void ranksOfAGridEqualTheReference(String encoder, int k, boolean periodic) {
        JsonArray expected = row(encoder);
        BasisFunction basis =
                encoder.contains("tri")
                        ? new BasisFunction.Triangle(0.1)
                        : new BasisFunction.Gaussian(0.05);
        ShiftedBasis.Builder builder = ShiftedBasis.builder().setBasis(basis).optPeriodic(periodic);
        Kronecker complex = Kronecker.of(builder.setDimension(k).build(), 2);
        ShiftedBasis simple = builder.optPositionDimension(2).setDimension(2 * k).build();
        Spectrum product = Spectrum.of(FeatureGoldens.features(complex, grid(16)));
        Spectrum sum = Spectrum.of(FeatureGoldens.features(simple, grid(16)));
        assertThat(sum.stableRank()).isCloseTo(expected.get(2).getAsDouble(), Offset.offset(1e-11));
        assertThat(product.stableRank())
                .isCloseTo(expected.get(3).getAsDouble(), Offset.offset(1e-11));
        assertThat(sum.numericalRank()).isEqualTo(expected.get(5).getAsInt());
        assertThat(product.numericalRank()).isEqualTo(expected.get(6).getAsInt());
    }

    private static JsonArray row(String encoder) {
        for (JsonElement row :
                Goldens.read("shifted-basis/identity_simple_vs_complex.json")
                        .getAsJsonArray("rows")) {
            if (row.getAsJsonArray().get(0).getAsString().equals(encoder)) {
                return row.getAsJsonArray();
            }
        }
        throw new AssertionError("no row of " + encoder);
    }

    private NDArray grid(int n) {
        double[] points = new double[2 * n * n];
        for (int i = 0; i < n * n; i++) {
            points[2 * i] = i / n / (double) n;
            points[2 * i + 1] = i % n / (double) n;
        }
        return manager.create(points, new Shape(n * n, 2));
    }

    @Test
    void axesOfTheirOwnMultiplyTheirStableRanks() {
        ShiftedBasis wide =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Gaussian(0.1))
                        .setDimension(9)
                        .build();
        FourierFeatures waves =
                FourierFeatures.builder()
                        .setFrequencies(new FourierFrequencies.Logarithmic(3))
                        .setDimension(8)
                        .build();
        Kronecker complex = Kronecker.of(wide, waves);
        assertThat(complex.featureDimension()).isEqualTo(72);
        NDArray axis = manager.arange(0f, 16f).toType(DataType.FLOAT64, true).mul(1 / 16.0);
        double product =
                StableRank.of(FeatureGoldens.features(wide, axis))
                        * StableRank.of(FeatureGoldens.features(waves, axis));
        assertThat(StableRank.of(FeatureGoldens.features(complex, grid(16))))
                .isCloseTo(product, Offset.offset(1e-10 * product));
        assertThat(complex.toString())
                .isEqualTo("Kronecker of M = 2, D = 72 (" + wide + " ⊗ " + waves + ")");
    }

    @Test
    void saysWhatIsWrong() {
        ShiftedBasis.Builder gaussian =
                ShiftedBasis.builder().setBasis(new BasisFunction.Gaussian(0.1)).setDimension(32);
        ShiftedBasis line = gaussian.build();
        ShiftedBasis plane = gaussian.optPositionDimension(2).build();
        assertThatThrownBy(() -> Kronecker.of(plane, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a Kronecker product takes features of 1 coordinate each, got 2");
        assertThatThrownBy(() -> Kronecker.of(line, 0))
                .hasMessage("number of axes must be at least 1, got 0");
        assertThatThrownBy(() -> Kronecker.of(line, 7))
                .hasMessageStartingWith("a Kronecker product of 32 × 32 × 32 × 32 × 32 × 32 × 32");
        Kronecker complex = Kronecker.of(line, 2);
        assertThatThrownBy(() -> FeatureGoldens.features(complex, manager.ones(new Shape(4, 3))))
                .hasMessage("Kronecker takes positions (…, 2), got shape (4, 3)");
    }
}
