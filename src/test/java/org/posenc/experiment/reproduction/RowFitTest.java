package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.encoding.BasisFunction;

class RowFitTest {

    /**
     * Copies on the training samples that meet no other: what is tested elsewhere is not learnt.
     */
    private static RowFit impulses(RowFit.Split split, double[][] rows, int iterations) {
        return RowFit.run(
                rows,
                split,
                x -> Embedder.shifted(new BasisFunction.Impulse(0.25 / x.length), x.length, x),
                0.05,
                iterations,
                3,
                Device.cpu(),
                new Unheard());
    }

    /** Every sample its own number, so that an error tells which sample was taken. */
    private static double[] ramp() {
        double[] row = new double[Rows.LENGTH];
        Arrays.setAll(row, i -> (double) i / Rows.LENGTH);
        return row;
    }

    @Test
    void trainsOnSomeSamplesAndTestsOthers() {
        double[][] rows = {ramp(), new double[Rows.LENGTH]};
        RowFit everywhere = impulses(RowFit.Split.everywhere(), rows, 300);
        assertThat(everywhere.stableRank()).isCloseTo(256, within(1e-3));
        assertThat(everywhere.trainPsnr()).isGreaterThan(40);
        double[] fitted = everywhere.layers().predictions()[0];
        assertThat(fitted).hasSize(Rows.LENGTH);
        for (int i = 0; i < Rows.LENGTH; i += 2) {
            assertThat(fitted[i]).isCloseTo(rows[0][i], within(0.01));
        }
        assertThat(everywhere.testPsnr())
                .isEqualTo(Arrays.stream(everywhere.layers().testPsnr()).sum() / 2);
    }

    /** A PSNR is the mean over a hundred steps: here from 201 to 300. */
    @Test
    void isMeasuredOverTheLastHundredSteps() {
        double[][] rows = {ramp()};
        double found = impulses(RowFit.Split.halfWay(1), rows, 300).trainPsnr();
        double[] x = Embedder.coordinates(Rows.LENGTH, 0, 2);
        LinearTraining.Signal signal =
                new LinearTraining.Signal(Rows.every(rows[0], 0, 2), x, 3, "row0");
        Embedder embedder =
                Embedder.shifted(new BasisFunction.Impulse(0.25 / x.length), x.length, x);
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray phi = embedder.rows(x, manager);
            LinearTraining hundred = new LinearTraining(0.05, 300, 100);
            assertThat(hundred.run(phi, phi, List.of(signal), new Unheard()).trainPsnr())
                    .containsExactly(found);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 256", "4, 64"})
    void testsHalfWayBetween(int step, int samples) {
        RowFit.Split split = RowFit.Split.halfWay(step);
        assertThat(split.training()).hasSize(samples);
        assertThat(split.training()[1]).isEqualTo(2.0 * step / Rows.LENGTH);
        RowFit fit = impulses(split, new double[][] {ramp()}, 300);
        assertThat(fit.layers().predictions()[0]).hasSize(samples);
        // No copy reaches so far: all that is seen between samples is the bias.
        double bias = fit.layers().predictions()[0][0];
        assertThat(fit.layers().predictions()[0]).containsOnly(new double[] {bias}, within(1e-6));
        double squares = 0;
        for (int i = 0; i < samples; i++) {
            double truth = (double) (step + 2 * step * i) / Rows.LENGTH;
            squares += (truth - bias) * (truth - bias) / samples;
        }
        assertThat(fit.testPsnr()).isCloseTo(-10 * Math.log10(squares), within(0.05));
    }
}
