package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.analysis.ClosedForms;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.testing.Goldens;

class BlendingTest {

    private static final Offset<Double> EXACT = Offset.offset(1e-12);

    @ParameterizedTest
    @ValueSource(strings = {"Gau", "RFF", "Tri"})
    void weightsEqualTheAuthors(String kernel) {
        Map<String, DoubleUnaryOperator> similarities =
                Map.of(
                        "Gau",
                        new BasisFunction.Gaussian(0.05)::similarity,
                        "RFF",
                        u -> ClosedForms.randomFourierSimilarity(3, u),
                        "Tri",
                        Blending.authorsTriangle(0.125));
        JsonObject golden = Goldens.read("shifted-basis/blending_1d.json");
        JsonObject expected = golden.getAsJsonObject("kernels").getAsJsonObject(kernel);
        Blending blending = new Blending(similarities.get(kernel), golden.get("dim").getAsInt());
        double[] x = Goldens.flat(golden.get("positions"));
        double[] cell = Goldens.flat(expected.get("cell"));
        double[] alpha = Goldens.flat(expected.get("alpha"));
        double[] beta = Goldens.flat(expected.get("beta"));
        for (int i = 0; i < x.length; i++) {
            double clipped = Math.min(x[i], 1 - 1e-3); // as the authors do; it is not needed
            assertThat(blending.cell(clipped)).isEqualTo((int) cell[i]);
            assertThat(blending.weight(clipped)).isCloseTo(alpha[i], EXACT);
            assertThat(1 - blending.weight(clipped)).isCloseTo(beta[i], EXACT);
        }
        assertThat(blending.weight(1)).isCloseTo(0, EXACT);
    }

    @Test
    void theTrianglesKernelOfTheAuthorsIsNotItsSimilarity() {
        JsonObject golden = Goldens.read("shifted-basis/triangle_autocorrelation.json");
        double[] u = Goldens.flat(golden.get("u"));
        double[] authors = Goldens.flat(golden.get("authors_blending_kernel_normalised"));
        for (int i = 0; i < u.length; i++) {
            assertThat(Blending.authorsTriangle(0.25).applyAsDouble(u[i] * 0.25))
                    .isCloseTo(authors[i], EXACT);
        }
    }

    @Test
    void similarityOfFourierFeaturesIsThatOfTheirRows() {
        FourierFeatures features =
                FourierFeatures.builder()
                        .setFrequencies(new FourierFrequencies.Random(4, 5))
                        .setDimension(10)
                        .optNormalized(true)
                        .build();
        double[] x = {0.2, 0.37};
        try (NDManager manager = NDManager.newBaseManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            NDArray phi = features.features(Positions.of(manager.create(x)), parameters, false);
            assertThat(features.similarity(x[1] - x[0]))
                    .isCloseTo(phi.get(0).dot(phi.get(1)).getDouble(), EXACT);
        }
        assertThat(Blending.of(features, 40).weight(0.5 / 39)).isCloseTo(0.5, EXACT);
    }

    @Test
    void cornersOfACellAreProductsOfTheAxes() {
        ShiftedBasis axis =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Triangle(0.3))
                        .setDimension(8)
                        .build();
        List<Blending> axes =
                List.of(Blending.of(axis, 5), Blending.of(axis, 7), Blending.of(axis, 4));
        double[][] points = {{0.3, 0.72, 0.5}, {0, 0, 0}, {1, 1, 1}};
        Blending.Cells cells = Blending.cells(axes, points);
        assertThat(cells.points()).isEqualTo(3);
        assertThat(cells.corners()).isEqualTo(8);
        for (int p = 0; p < 3; p++) {
            for (int c = 0; c < 8; c++) {
                long flat = 0;
                double product = 1;
                for (int m = 0; m < 3; m++) {
                    int upper = c >> (2 - m) & 1;
                    double a = axes.get(m).weight(points[p][m]);
                    product *= upper == 1 ? 1 - a : a;
                    flat = flat * axes.get(m).gridPoints() + axes.get(m).cell(points[p][m]) + upper;
                }
                assertThat(cells.index()[8 * p + c]).isEqualTo(flat);
                assertThat(cells.weight()[8 * p + c]).isCloseTo(product, EXACT);
            }
        }
        // At a grid point, the first and the last of all here, one corner has it all.
        assertThat(cells.index()[8]).isZero();
        assertThat(cells.weight()[8]).isCloseTo(1, EXACT);
        assertThat(cells.index()[23]).isEqualTo(5 * 7 * 4 - 1);
        assertThat(cells.weight()[23]).isCloseTo(1, EXACT);
    }

    @Test
    void gridPointsIncludeBothEnds() {
        Blending blending = new Blending(new BasisFunction.Gaussian(0.1)::similarity, 11);
        double[] positions = blending.positions();
        assertThat(positions).hasSize(11).startsWith(0, 0.1).endsWith(1);
        IntStream.range(0, 10)
                .forEach(j -> assertThat(blending.weight(positions[j])).isCloseTo(1, EXACT));
    }

    @Test
    void whatCannotBeBlendedIsRefused() {
        DoubleUnaryOperator gaussian = new BasisFunction.Gaussian(0.1)::similarity;
        assertThatThrownBy(() -> new Blending(gaussian, 1)).hasMessageContaining("got 1");
        assertThatThrownBy(() -> new Blending(u -> 1, 9)).hasMessageContaining("9 points");
        assertThatThrownBy(() -> new Blending(gaussian, 9).weight(1.01))
                .hasMessageContaining("1.01");
        DoubleUnaryOperator narrow = new BasisFunction.Triangle(0.01)::similarity;
        assertThatThrownBy(() -> new Blending(narrow, 9).weight(0.3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("too narrow");
        assertThatThrownBy(() -> Blending.of(new Coordinates(1), 9))
                .hasMessageContaining("Coordinates");
        List<Blending> two = List.of(new Blending(gaussian, 9), new Blending(gaussian, 9));
        assertThatThrownBy(() -> Blending.cells(two, new double[][] {{0.5}}))
                .hasMessageContaining("[0.5]");
    }
}
