package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;

class ClosedFormsTest {

    /** The authors' circulant of 10,000 Gaussians, sampled at N of its rows. */
    @Test
    void gaussianOfFinitelyManyPoints() {
        JsonObject curve =
                Goldens.read("shifted-basis/curve_stable_rank_all_embedders.json")
                        .getAsJsonObject("curves")
                        .getAsJsonObject("gauss_s0.01");
        double[] n = Goldens.flat(curve.get("N"));
        double[] expected = Goldens.flat(curve.get("stable_rank"));
        for (int i = 0; i < n.length; i++) {
            boolean even = 10_000 % (long) n[i] == 0; // else the golden's points are rounded
            assertThat(ClosedForms.gaussianStableRank(0.01, (long) n[i]))
                    .isCloseTo(expected[i], Percentage.withPercentage(even ? 1e-8 : 0.3));
        }
        double limit = 1 / (2 * Math.sqrt(Math.PI) * 0.003);
        assertThat(ClosedForms.gaussianStableRank(0.003, 1_000_000))
                .isCloseTo(limit, Percentage.withPercentage(1e-10));
        double corner = 1 / (2 * Math.sqrt(Math.PI) * 64);
        assertThat(ClosedForms.gaussianStableRank(corner, 64) / 64)
                .isCloseTo(0.92044, Offset.offset(5e-6)); // Γ(3/4) / π^(1/4)
    }

    @ParameterizedTest
    @ValueSource(strings = {"gauss_s0.05", "impulse", "sine_f1_off0", "square01_f1", "tri_w0.1"})
    void aPrototypesRankIsThatOfItsCirculant(String prototype) {
        JsonObject golden = Goldens.read("shifted-basis/circ_" + prototype + ".json");
        double[] c = Goldens.flat(golden.getAsJsonObject("params").get("prototype"));
        double expected = golden.get("stable_rank_full").getAsDouble();
        assertThat(ClosedForms.prototypeStableRank(c)).isCloseTo(expected, Offset.offset(1e-12));
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(circulant(c), new Shape(c.length, c.length));
            assertThat(StableRank.of(x)).isCloseTo(expected, Offset.offset(1e-12));
            JsonObject curve = golden.getAsJsonObject("distance_curve");
            double[][] positions = new double[c.length][];
            for (int i = 0; i < c.length; i++) {
                positions[i] = new double[] {(double) i / c.length};
            }
            DistanceCurve middle = DistanceCurve.atMiddle(positions, PositionSimilarity.of(x));
            assertThat(middle.distances())
                    .containsExactly(Goldens.flat(curve.get("displacement")), Offset.offset(1e-15));
            double[] similarities = Goldens.flat(curve.get("value"));
            assertThat(middle.similarities()).containsExactly(similarities, Offset.offset(1e-12));
            double above = 0;
            for (double value : similarities) {
                above += value > 0.1 ? 1 : 0;
            }
            assertThat(middle.halfWidth()).isCloseTo(above / c.length / 2, Offset.offset(1e-12));
        }
    }

    @Test
    void randomFourierFeaturesInExpectation() {
        JsonArray rows = Goldens.read("shifted-basis/curve_rff_sr.json").getAsJsonArray("rows");
        int compared = 0;
        for (JsonElement row : rows) {
            double[] v = Goldens.flat(row); // b, N, stable rank, min(N, √(2π) b)
            int n = (int) v[1];
            if (n <= 200) {
                double[] kernel = new double[n * n];
                for (int i = 0; i < n * n; i++) {
                    double u = (double) (i / n - i % n) / n;
                    kernel[i] = ClosedForms.randomFourierSimilarity(v[0], u);
                }
                try (NDManager manager = NDManager.newBaseManager()) {
                    double largest =
                            Spectrum.of(manager.create(kernel, new Shape(n, n)))
                                    .singularValues()[0];
                    assertThat(n / largest).isCloseTo(v[2], Offset.offset(1e-10));
                }
                compared++;
            }
            assertThat(Math.min(n, ClosedForms.randomFourierStableRank(v[0])))
                    .isCloseTo(v[3], Offset.offset(1e-12));
        }
        assertThat(compared).isGreaterThan(3);
        assertThat(ClosedForms.equivalentFourierSigma(0.005)) // what the authors' notebook uses
                .isCloseTo(22.508, Offset.offset(5e-4));
    }

    @Test
    void gaussianTradesRankForDistance() {
        double sigma = 0.01;
        double reach = 2 * sigma * Math.sqrt(Math.log(10)); // exp(−u²/4σ²) = 0.1
        assertThat(ClosedForms.gaussianStableRank(sigma, 10_000) * reach)
                .isCloseTo(ClosedForms.GAUSSIAN_TRADE_OFF, Offset.offset(1e-12));
        assertThat(ClosedForms.GAUSSIAN_TRADE_OFF).isCloseTo(0.85612, Offset.offset(5e-6));
    }

    /**
     * Of a Kronecker product the stable rank is the product, of a concatenation it is that of one.
     */
    @Test
    void ranksOfTwoDimensionalEmbeddings() {
        JsonArray rows =
                Goldens.read("shifted-basis/identity_simple_vs_complex.json")
                        .getAsJsonArray("rows");
        JsonArray gaussian = rows.get(0).getAsJsonArray();
        double[] c =
                Goldens.flat(
                        Goldens.read("shifted-basis/circ_gauss_s0.05.json")
                                .getAsJsonObject("params")
                                .get("prototype"));
        int n = 16;
        int d = c.length;
        double[] both = new double[n * n * d * d];
        double[] simple = new double[n * n * 2 * d];
        double[] all = circulant(c);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                int row = i * n + j;
                for (int k = 0; k < d; k++) {
                    double a = all[2 * i * d + k];
                    simple[row * 2 * d + k] = a;
                    simple[row * 2 * d + d + k] = all[2 * j * d + k];
                    for (int l = 0; l < d; l++) {
                        both[(row * d + k) * d + l] = a * all[2 * j * d + l];
                    }
                }
            }
        }
        try (NDManager manager = NDManager.newBaseManager()) {
            Spectrum simpler = Spectrum.of(manager.create(simple, new Shape(n * n, 2 * d)));
            Spectrum complex = Spectrum.of(manager.create(both, new Shape(n * n, d * d)));
            assertThat(simpler.stableRank())
                    .isCloseTo(gaussian.get(2).getAsDouble(), Offset.offset(1e-11));
            assertThat(complex.stableRank())
                    .isCloseTo(gaussian.get(3).getAsDouble(), Offset.offset(1e-11));
            assertThat(simpler.numericalRank()).isEqualTo(gaussian.get(5).getAsInt());
            assertThat(complex.numericalRank()).isEqualTo(gaussian.get(6).getAsInt());
        }
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> ClosedForms.gaussianStableRank(0, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("positive");
        assertThatThrownBy(() -> ClosedForms.gaussianStableRank(1, 0)).hasMessageContaining("0");
        assertThatThrownBy(() -> ClosedForms.prototypeStableRank(0, 0))
                .hasMessageContaining("not all zero");
    }

    private static double[] circulant(double... c) {
        int n = c.length;
        double[] x = new double[n * n];
        for (int i = 0; i < n * n; i++) {
            x[i] = c[Math.floorMod(i / n - i % n, n)];
        }
        return x;
    }
}
