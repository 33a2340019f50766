package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.kernel.SingularValues;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class SpectrumTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "circ_gauss_s0.05",
                "circ_impulse",
                "circ_sine_f1_off0",
                "circ_square01_f1",
                "circ_tri_w0.1",
                "gau_1d_sigma0.02",
                "gau_1d_sigma0.05",
                "gau4_2d_simple",
                "gau_3d_simple",
                "impulse_direct_1d",
                "linf_2d_simple",
                "logf_1d_p3",
                "none_1d",
                "rff_1d_sigma1",
                "rff_2d",
                "tri2_2d_simple",
                "tri_1d_w2over16",
            })
    void ranksOfTheAuthorsEmbeddings(String file) {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        NDArray x = matrix(golden, "embedding");
        double expected = golden.get("stable_rank").getAsDouble();
        Spectrum spectrum = Spectrum.of(x);
        assertThat(StableRank.of(x)).isCloseTo(expected, Offset.offset(1e-12));
        assertThat(spectrum.stableRank()).isCloseTo(expected, Offset.offset(1e-12));
        double[] s = spectrum.singularValues();
        assertThat(java.util.Arrays.stream(s).sum() / s[0])
                .isCloseTo(golden.get("stable_rank_l1").getAsDouble(), Offset.offset(1e-12));
        assertThat(s[0] * s[0])
                .isCloseTo(golden.get("spectral_sq").getAsDouble(), Offset.offset(1e-12));
        assertThat(spectrum.numericalRank()).isEqualTo(golden.get("numerical_rank").getAsInt());

        NDArray narrow = x.toType(DataType.FLOAT32, false);
        assertThat(StableRank.of(narrow)).isCloseTo(expected, Percentage.withPercentage(1e-3));
        assertThat(Spectrum.of(narrow).singularValues())
                .containsExactly(spectrum.singularValues(), Offset.offset(1e-6));
    }

    @Test
    void layersOfATrainedPerceptron() {
        JsonObject golden = Goldens.read("shifted-basis/mlp_forward_backward.json");
        NDArray x = matrix(golden, "Phi");
        double[] expected = Goldens.flat(golden.get("stable_rank_layers"));
        NDArray w1 =
                manager.create(Goldens.flat(golden.getAsJsonArray("W").get(0)), new Shape(5, 6));
        NDArray b1 = manager.create(Goldens.flat(golden.getAsJsonArray("b").get(0)));
        NDArray w2 =
                manager.create(Goldens.flat(golden.getAsJsonArray("W").get(1)), new Shape(5, 5));
        NDArray b2 = manager.create(Goldens.flat(golden.getAsJsonArray("b").get(1)));
        NDArray h1 = x.matMul(w1.transpose()).add(b1).maximum(0.0);
        NDArray h2 = h1.matMul(w2.transpose()).add(b2).maximum(0.0);
        assertThat(StableRank.ofLayers(java.util.List.of(x, h1, h2)))
                .containsExactly(expected, Offset.offset(1e-12));
    }

    /** A Q diag(s) Vᵀ whose largest values lie 1e-9 apart, which iterations would not resolve. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-9, 1e-5, 0.3})
    void exactHoweverCloseTheLargestValuesAre(double gap) {
        int n = 40;
        double[] s = new double[n];
        for (int i = 0; i < n; i++) {
            s[i] = 1 - gap * i / n;
        }
        double expected = 0;
        for (double value : s) {
            expected += value * value;
        }
        NDArray q = reflection(60, 1).get(":, :" + n);
        NDArray x = q.mul(manager.create(s)).matMul(reflection(n, 2));
        assertThat(StableRank.of(x)).isCloseTo(expected, Percentage.withPercentage(1e-10));
        assertThat(StableRank.of(x.transpose()))
                .isCloseTo(expected, Percentage.withPercentage(1e-10));
        assertThat(Spectrum.of(x).singularValues()).containsExactly(s, Offset.offset(1e-13));
        NDArray narrow = x.toType(DataType.FLOAT32, false);
        assertThat(StableRank.of(narrow))
                .isCloseTo(
                        stableRank(SingularValues.of(narrow, false).toFloatArray()),
                        Percentage.withPercentage(1e-4));
    }

    @Test
    void aSpectrumOfSinglePrecisionIsAtLeastAsExactAsItsNumbers() {
        NDArray x =
                Gradients.normal(manager, 3, 300, 40).matMul(Gradients.normal(manager, 4, 40, 80));
        NDArray narrow = x.toType(DataType.FLOAT32, false);
        double[] exact =
                SingularValues.of(narrow.toType(DataType.FLOAT64, false), false).toDoubleArray();
        Spectrum spectrum = Spectrum.of(narrow);
        assertThat(spectrum.singularValues())
                .containsExactly(exact, Offset.offset(1e-7 * exact[0]));
        assertThat(spectrum.numericalRank()).isEqualTo(40);
        assertThat(Spectrum.of(x.toType(DataType.FLOAT16, false)).stableRank())
                .isCloseTo(spectrum.stableRank(), Percentage.withPercentage(0.1));
    }

    @Test
    void effectiveRankIsTheExponentialOfTheEntropy() {
        assertThat(Spectrum.of(manager.eye(7)).effectiveRank()).isCloseTo(7, Offset.offset(1e-6));
        NDArray x = manager.create(new double[] {3, 0, 0, 1}, new Shape(2, 2));
        // exp(−0.75 ln 0.75 − 0.25 ln 0.25) = 4 / 3^0.75
        assertThat(Spectrum.of(x).effectiveRank())
                .isCloseTo(4 / Math.pow(3, 0.75), Offset.offset(1e-14));
        assertThat(Spectrum.of(x).numericalRank(0.5)).isEqualTo(1);
    }

    @Test
    void leadingAxesAreRowsAndAVectorIsAColumn() {
        NDArray x = Gradients.normal(manager, 5, 4, 6, 3);
        assertThat(StableRank.of(x)).isEqualTo(StableRank.of(x.reshape(24, 3)));
        assertThat(StableRank.of(x.flatten())).isEqualTo(1);
    }

    @Test
    void nothingHasNoRank() {
        NDArray zeros = manager.zeros(new Shape(3, 2));
        assertThat(StableRank.of(zeros)).isZero();
        assertThat(Spectrum.of(zeros).stableRank()).isZero();
        assertThat(Spectrum.of(zeros).effectiveRank()).isZero();
        assertThat(Spectrum.of(zeros).numericalRank()).isZero();
    }

    @Test
    void saysWhatIsWrong() {
        NDArray nan = manager.create(new float[] {1, Float.NaN}, new Shape(1, 2));
        assertThatThrownBy(() -> StableRank.of(nan)).hasMessageContaining("finite");
        assertThatThrownBy(() -> Spectrum.of(nan)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> StableRank.of(manager.zeros(new Shape(0, 3))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("empty");
    }

    @Test
    void leavesNothingBehind() {
        NDArray x = Gradients.normal(manager, 6, 5, 9).toType(DataType.FLOAT32, false);
        int before = manager.getManagedArrays().size();
        StableRank.of(x);
        Spectrum.of(x);
        PositionSimilarity.of(x);
        assertThat(manager.getManagedArrays()).hasSize(before);
    }

    private NDArray matrix(JsonObject golden, String key) {
        return manager.create(
                Goldens.flat(golden.get(key)), new Shape(Goldens.shape(golden.get(key))));
    }

    /** An orthogonal matrix, I − 2 v vᵀ / v·v. */
    private NDArray reflection(int n, long seed) {
        NDArray v = Gradients.normal(manager, seed, n, 1);
        double norm = v.square().sum().getDouble();
        return v.matMul(v.transpose())
                .mul(-2 / norm)
                .add(manager.eye(n).toType(v.getDataType(), false));
    }

    private static double stableRank(float[] s) {
        double sum = 0;
        for (float value : s) {
            sum += (double) value * value;
        }
        return sum / ((double) s[0] * s[0]);
    }
}
