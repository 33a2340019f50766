package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MidpointForecastTest {

    private static double[] line(int n, IntToDoubleFunction value) {
        double[] line = new double[n];
        Arrays.setAll(line, value);
        return line;
    }

    private static double meanSquare(double[] a, double[] b, int from, int to) {
        double sum = 0;
        for (int t = from; t < to; t++) {
            sum += (a[t] - b[t]) * (a[t] - b[t]);
        }
        return sum / (to - from);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 9, 64, 129})
    void aStraightLineGoesOn(int n) {
        MidpointForecast forecast =
                new MidpointForecast(new double[][] {line(n, t -> 3 - 0.7 * t)});
        assertThat(forecast.values()[0])
                .containsExactly(line(n, t -> 3 - 0.7 * (t + 0.5)), within(1e-11));
        assertThat(forecast.error()).isBetween(0.0, 1e-20);
    }

    /** Two waves, beside which there is nothing that could be seen turned over. */
    @ParameterizedTest
    @CsvSource({"128, 1e-5", "127, 1e-5"})
    void wavesThatStandOutAreFollowedToBothEnds(int n, double near) {
        IntToDoubleFunction wave = t -> Math.sin(0.13 * t + 1) + 0.5 * Math.cos(0.9 * t);
        double[] samples = line(n, wave);
        MidpointForecast forecast = new MidpointForecast(new double[][] {samples});
        double[] truth =
                line(n, t -> Math.sin(0.13 * (t + 0.5) + 1) + 0.5 * Math.cos(0.9 * (t + 0.5)));
        assertThat(meanSquare(forecast.values()[0], truth, 0, n - 1)).isLessThan(near);
        assertThat(forecast.bandwidth()).isCloseTo(0.9 / (2 * Math.PI), within(2.0 / n));
    }

    /** Samples of a signal of known spectrum, drawn twice as densely: a power law of amplitude. */
    private static double[][] powerLaw(int lines, int n, double alpha, long seed) {
        Random random = new Random(seed);
        double[][] dense = new double[lines][2 * n];
        for (double[] line : dense) {
            for (int k = 1; k <= 8 * n; k++) { // frequencies up to eight times what samples tell
                double size = random.nextGaussian() * Math.pow(k, -alpha / 2);
                double phase = 2 * Math.PI * random.nextDouble();
                // Of a circle eight times as long, so that nothing is periodic in the line.
                double turn = 2 * Math.PI * k / (8.0 * 2 * n);
                for (int t = 0; t < 2 * n; t++) {
                    line[t] += size * Math.cos(turn * t + phase);
                }
            }
        }
        return dense;
    }

    private static double[][] every(double[][] dense, int from) {
        return Arrays.stream(dense)
                .map(row -> line(row.length / 2, t -> row[2 * t + from]))
                .toArray(double[][]::new);
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "2", "3"})
    void theErrorAndTheSlopeOfAPowerLawAreForeseen(double alpha) {
        double[][] dense = powerLaw(24, 64, alpha, 3);
        MidpointForecast forecast = new MidpointForecast(every(dense, 0));
        double[][] between = every(dense, 1);
        double error = 0;
        for (int i = 0; i < between.length; i++) {
            error += meanSquare(forecast.values()[i], between[i], 8, 55) / between.length;
        }
        assertThat(forecast.slope()).isCloseTo(alpha, within(0.51));
        assertThat(forecast.error() / error).isBetween(0.65, 1.1);
    }

    /** Of noise nothing is expected between samples, of a wave that stands out of it everything. */
    @Test
    void aWaveIsFollowedInNoise() {
        Random random = new Random(8);
        double[][] lines = new double[12][];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = line(96, t -> Math.sin(2.2 * t) + 0.1 * random.nextGaussian());
        }
        MidpointForecast forecast = new MidpointForecast(lines);
        double[] wave = line(96, t -> Math.sin(2.2 * (t + 0.5)));
        for (double[] values : forecast.values()) {
            assertThat(meanSquare(values, wave, 8, 87)).isLessThan(0.01);
        }
    }

    /** A power law a little flatter than that of edges is taken for theirs. */
    @Test
    void edgesAreKnownForWhatTheyAre() {
        double[][] flat = every(powerLaw(24, 64, 1.4, 3), 0);
        assertThat(new MidpointForecast(flat).slope()).isEqualTo(2);
    }

    @Test
    void aConstantIsForeseen() {
        MidpointForecast forecast = new MidpointForecast(new double[][] {line(16, t -> 0.25)});
        assertThat(forecast.values()[0]).containsOnly(new double[] {0.25}, within(1e-14));
        assertThat(forecast.error()).isLessThan(1e-25);
    }
}
