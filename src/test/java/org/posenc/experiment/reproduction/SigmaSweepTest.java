package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SigmaSweepTest {

    private static final double[] WIDTHS = {0.1, 0.2, 0.4, 0.8, 1.6};

    @Test
    void widthsAreReadBetweenNeighboursInEqualRatios() {
        double[] train = {120, 110, 80, 40, 30};
        double[] test = {20, 28, 30, 29.5, 27.5};
        SigmaSweep.Curve curve = new SigmaSweep.Curve("256", WIDTHS, train, test);
        assertThat(curve.memorising()).isCloseTo(0.4 * Math.sqrt(2), within(1e-12));
        assertThat(curve.narrowest(1)).isCloseTo(0.4 / Math.sqrt(2), within(1e-12));
        assertThat(curve.widest(1)).isCloseTo(0.8 * Math.pow(2, 0.25), within(1e-12));
        assertThat(curve.narrowest(6)).isCloseTo(0.2 / Math.pow(2, 0.5), within(1e-12));
    }

    @Test
    void whatLiesBeyondTheSweepIsItsEdge() {
        double[] high = {100, 100, 100, 100, 100};
        double[] low = {10, 10, 10, 10, 10};
        SigmaSweep.Curve flat = new SigmaSweep.Curve("256", WIDTHS, high, low);
        assertThat(flat.memorising()).isEqualTo(1.6);
        assertThat(flat.narrowest(1)).isEqualTo(0.1);
        assertThat(flat.widest(1)).isEqualTo(1.6);
        assertThat(new SigmaSweep.Curve("256", WIDTHS, low, low).memorising()).isNaN();
    }

    @Test
    void widthsOfTheNotebookAndInSpacings() {
        double[] paper = new SigmaSweep.Sigmas(1e-4, 1e-1, 50, false).over(1.0 / 256);
        assertThat(paper[0]).isEqualTo(1e-4);
        assertThat(paper[49]).isCloseTo(0.1, within(1e-12));
        assertThat(paper[25] / paper[24]).isCloseTo(Math.pow(10, 3 / 49.0), within(1e-12));
        assertThat(new SigmaSweep.Sigmas(0.5, 2, 3, true).over(0.1))
                .containsExactly(new double[] {0.05, 0.1, 0.2}, within(1e-12));
    }
}
