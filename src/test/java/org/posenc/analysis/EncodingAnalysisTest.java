package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.Alibi;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.encoding.Space;
import org.posenc.testing.Goldens;

class EncodingAnalysisTest {

    private static final Site SITE = new Site(16, 4, 8, 32, true, 5);

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.02, 0.05})
    void aGaussianBasisAsTheAuthorsMeasureIt(double sigma) {
        JsonObject golden = Goldens.read("shifted-basis/gau_1d_sigma" + sigma + ".json");
        PositionFeatures features =
                Encodings.named("gaussian")
                        .features(
                                new Space(1, 16, 16, true, 0),
                                Map.of("sigma", Double.toString(sigma)));
        double[] grid = new double[16];
        for (int i = 0; i < grid.length; i++) {
            grid[i] = i / 16.0;
        }
        EncodingAnalysis analysis =
                EncodingAnalysis.of(features, Positions.of(manager.create(grid)), parameters);
        assertThat(analysis.seam()).isEqualTo(EncodingAnalysis.Seam.EMBED);
        assertThat(analysis.stableRank())
                .isCloseTo(golden.get("stable_rank_grid16").getAsDouble(), Offset.offset(1e-12));
        JsonObject curve = golden.getAsJsonObject("distance_curve");
        assertThat(analysis.atMiddle().distances())
                .containsExactly(Goldens.flat(curve.get("displacement")));
        assertThat(analysis.atMiddle().similarities())
                .containsExactly(Goldens.flat(curve.get("cosine")), Offset.offset(1e-12));
    }

    @Test
    void sinusoidsAndRopeHaveTheSameGeometry() {
        EncodingAnalysis sinusoidal = of("sinusoidal", Map.of("base", "100"), DataType.FLOAT64);
        Site heads = new Site(16, 2, 16, 32, true, 0);
        PositionalEncoding rope =
                Encodings.named("rope").forTransformer(heads, Map.of("base", "100"));
        EncodingAnalysis rotated =
                EncodingAnalysis.of(rope, heads, range(32), DataType.FLOAT64, parameters);
        assertThat(rotated.seam()).isEqualTo(EncodingAnalysis.Seam.ROTATE);
        // Sinusoidal features are float32 for whole-number positions.
        assertThat(rotated.stableRank()).isCloseTo(sinusoidal.stableRank(), Offset.offset(1e-5));
        double expected = 0;
        for (int i = 0; i < 8; i++) {
            expected += Math.cos(5 * Math.pow(100, -2.0 * i / 16)) / 8;
        }
        // The singular values of the table of cosines and sines itself.
        assertThat(rotated.spectrum().columns()).isEqualTo(16);
        assertThat(rotated.spectrum().singularValues())
                .containsExactly(sinusoidal.spectrum().singularValues(), Offset.offset(1e-5));
        assertThat(rotated.similarity()[20][15]).isCloseTo(expected, Offset.offset(1e-12));
        assertThat(sinusoidal.similarity()[20][15]).isCloseTo(expected, Offset.offset(1e-6));
        assertThat(rotated.mean().similarities()[5]).isCloseTo(expected, Offset.offset(1e-12));
        assertThat(rotated.mean().distances()[5]).isEqualTo(5);
    }

    /** exp(−m|i − j|) is positive definite, so it is the Gram matrix of some rows. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aBiasCountsAsTheInnerProductsItStandsFor(boolean causal) {
        Site site = new Site(16, 4, 8, 32, causal, 5);
        PositionalEncoding alibi = Encodings.named("alibi").forTransformer(site, Map.of());
        EncodingAnalysis analysis =
                EncodingAnalysis.of(alibi, site, range(32), DataType.FLOAT64, parameters);
        assertThat(analysis.seam()).isEqualTo(EncodingAnalysis.Seam.BIAS);
        double[] slopes = Alibi.slopes(4);
        double[] kernel = new double[32 * 32];
        for (int i = 0; i < kernel.length; i++) {
            for (double m : slopes) {
                kernel[i] += Math.exp(-m * Math.abs(i / 32 - i % 32)) / 4;
            }
        }
        for (int i = 0; i < kernel.length; i++) {
            assertThat(analysis.similarity()[i / 32][i % 32])
                    .isCloseTo(kernel[i], Offset.offset(1e-14));
        }
        NDArray gram = manager.create(kernel, new Shape(32, 32));
        double largest = Spectrum.of(gram).singularValues()[0];
        assertThat(analysis.stableRank()).isCloseTo(32 / largest, Offset.offset(1e-11));
    }

    @Test
    void withoutAnEncodingAllPositionsAreOne() {
        EncodingAnalysis none = of("none", Map.of(), DataType.FLOAT32);
        assertThat(none.seam()).isEqualTo(EncodingAnalysis.Seam.NONE);
        assertThat(none.stableRank()).isEqualTo(1);
        assertThat(none.distancePreservation()).isEqualTo(16);
        assertThat(none.similarity()[3][30]).isCloseTo(1, Offset.offset(1e-15));
    }

    @Test
    void everyEncodingHasAnAnalysis() {
        for (String name : Encodings.names()) {
            if (!name.equals("none")) {
                EncodingAnalysis analysis = of(name, Map.of(), DataType.FLOAT32);
                assertThat(analysis.stableRank()).as(name).isBetween(1.0, 32.0);
                assertThat(analysis.spectrum().stableRank())
                        .as(name)
                        .isCloseTo(analysis.stableRank(), Offset.offset(1e-6));
                assertThat(analysis.similarity()[7][7]).as(name).isCloseTo(1, Offset.offset(1e-6));
            }
        }
    }

    /** Log-n scaling multiplies the first query by ln 1 = 0. */
    @Test
    void aPositionWhoseQueryIsZeroIsLikeNone() {
        double[][] plain = of("rope", Map.of(), DataType.FLOAT64).similarity();
        EncodingAnalysis scaled = of("rope", Map.of("log-n", "trained"), DataType.FLOAT64);
        assertThat(scaled.stableRank()).isBetween(1.0, 32.0);
        for (int m = 1; m < 32; m++) {
            assertThat(scaled.similarity()[m][0]).isZero();
            for (int n = 1; n <= m; n++) {
                double expected = plain[m][n] * Math.sqrt(Math.log(m + 1) / Math.log(n + 1));
                assertThat(scaled.similarity()[m][n]).isCloseTo(expected, Offset.offset(1e-12));
            }
        }
    }

    @Test
    void positionsOfAPlaneInAnyOrder() {
        PositionFeatures features =
                Encodings.named("gaussian")
                        .features(new Space(2, 32, 8, true, 0), Map.of("sigma", "0.1"));
        double[] grid = new double[2 * 64];
        for (int i = 0; i < 64; i++) {
            int shuffled = i * 37 % 64;
            grid[2 * i] = shuffled / 8 / 8.0;
            grid[2 * i + 1] = shuffled % 8 / 8.0;
        }
        EncodingAnalysis analysis =
                EncodingAnalysis.of(
                        features, Positions.of(manager.create(grid, new Shape(64, 2))), parameters);
        DistanceCurve curve = analysis.atMiddle();
        assertThat(curve.spacing()).isEqualTo(0.125);
        assertThat(curve.distances()[0]).isZero();
        assertThat(curve.similarities()[0]).isCloseTo(1, Offset.offset(1e-12));
        assertThat(analysis.distancePreservation()).isBetween(0.1, 1.0);
    }

    private EncodingAnalysis of(String name, Map<String, String> settings, DataType type) {
        PositionalEncoding encoding = Encodings.named(name).forTransformer(SITE, settings);
        encoding.initialize(manager, type, new Shape(1, 32, SITE.embeddingSize()), new Shape(32));
        return EncodingAnalysis.of(encoding, SITE, range(32), type, parameters);
    }

    private Positions range(int length) {
        return Positions.range(manager, 0, length);
    }
}
