package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.BasisFunction;
import org.posenc.testing.Goldens;

class EmbedderTest {

    private static final int D = 10_000;

    @ParameterizedTest
    @CsvSource({"gauss_s0.01", "tri_w0.1", "rect_w0.2", "square01_f1", "impulse"})
    void circulantsHaveTheAuthorsStableRankAtEveryNumberOfSamples(String curve) {
        BasisFunction function =
                switch (curve) {
                    case "gauss_s0.01" -> new BasisFunction.Gaussian(0.01);
                    case "tri_w0.1" -> new BasisFunction.Triangle(0.1);
                    case "rect_w0.2" -> new BasisFunction.Rectangle(0.2);
                    case "square01_f1" -> new BasisFunction.Square(1, 0);
                    default -> new BasisFunction.Impulse(0.25 / D);
                };
        JsonObject golden =
                Goldens.read("shifted-basis/curve_stable_rank_all_embedders.json")
                        .getAsJsonObject("curves")
                        .getAsJsonObject(curve);
        double[] samples = Goldens.flat(golden.get("N"));
        double[] expected = Goldens.flat(golden.get("stable_rank"));
        Embedder embedder = Embedder.circulant(function, D);
        // On edges the authors' square and rectangle count by rounding errors of the sine.
        double tolerance = curve.startsWith("square") || curve.startsWith("rect") ? 2e-3 : 1e-9;
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            for (int i = 0; i < samples.length; i++) {
                NDArray rows = embedder.rows(Embedder.coordinates((int) samples[i], 0, 1), manager);
                assertThat(StableRank.of(rows))
                        .as("N = " + samples[i])
                        .isCloseTo(expected[i], within(tolerance * expected[i]));
            }
        }
    }

    @Test
    void sinesOverAnOffsetToo() {
        JsonObject golden =
                Goldens.read("shifted-basis/curve_stable_rank_all_embedders.json")
                        .getAsJsonObject("curves")
                        .getAsJsonObject("sine_f1_off0.7");
        double[] samples = Goldens.flat(golden.get("N"));
        double[] expected = Goldens.flat(golden.get("stable_rank"));
        Embedder embedder = Embedder.circulant(new BasisFunction.Sine(1, 0.7), D);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            for (int i = 0; i < samples.length; i++) {
                NDArray rows = embedder.rows(Embedder.coordinates((int) samples[i], 0, 1), manager);
                assertThat(StableRank.of(rows)).isCloseTo(expected[i], within(1e-9));
            }
        }
    }

    @Test
    void aCirculantsRowsAreThoseOfTheGridAtOrBefore() {
        Embedder embedder = Embedder.circulant(new BasisFunction.Triangle(0.1), 100);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            // 0.29 · 100 is 28.999… in floating point, and must be row 29.
            double[] rows = embedder.rows(new double[] {0.29, 0.295, 0.3}, manager).toDoubleArray();
            double[] first = Arrays.copyOf(rows, 100);
            assertThat(Arrays.copyOfRange(rows, 100, 200)).isEqualTo(first);
            assertThat(Arrays.copyOfRange(rows, 201, 300))
                    .containsExactly(Arrays.copyOf(first, 99), within(1e-12));
            assertThat(first[29]).isEqualTo(Arrays.stream(first).max().orElseThrow());
            assertThat(Arrays.stream(first).map(v -> v * v).sum()).isCloseTo(1, within(1e-12));
        }
    }

    @Test
    void noiseIsShiftedAroundTheCircleAndHasNormOne() {
        Embedder embedder = Embedder.noise(50, 7);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            double[] rows = embedder.rows(new double[] {0, 0.04}, manager).toDoubleArray();
            for (int j = 0; j < 50; j++) {
                assertThat(rows[50 + (j + 2) % 50]).isEqualTo(rows[j]);
            }
            double norm = Arrays.stream(rows, 0, 50).map(v -> v * v).sum();
            assertThat(norm).isCloseTo(1, within(1e-12));
            double[] other =
                    Embedder.noise(50, 8).rows(new double[] {0, 0.04}, manager).toDoubleArray();
            assertThat(other).isNotEqualTo(rows);
        }
    }

    @Test
    void coordinatesLeaveTheEndOut() {
        assertThat(Embedder.coordinates(8, 1, 3)).containsExactly(0.125, 0.5, 0.875);
        assertThat(Embedder.coordinates(4, 0, 1)).containsExactly(0, 0.25, 0.5, 0.75);
    }
}
