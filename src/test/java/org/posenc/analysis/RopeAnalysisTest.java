package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.Yarn;

class RopeAnalysisTest {

    /** For heads of 128, computed by others with NumPy. */
    @ParameterizedTest
    @CsvSource({"1e4,1707", "1.5e5,10791", "5e5,18438", "1e6,27115", "5e6,82999", "1e7,144660"})
    void contextEndsWhereItIsKnownToEnd(double base, long first) {
        assertThat(ContextBound.firstNegative(plain(128, base), 0, 1_000_000)).hasValue(first);
        assertThat(ContextBound.firstNegative(plain(128, base), 0, first)).hasValue(first);
        assertThat(ContextBound.firstNegative(plain(128, base), 0, first - 1)).isEmpty();
    }

    @Test
    void firstDistanceEqualsThatOfTheSlowSum() {
        Random random = new Random(7);
        int found = 0;
        for (int i = 0; i < 60; i++) {
            double[] inverse =
                    random.doubles(1 + random.nextInt(12), 0, 1).map(x -> x * x * x).toArray();
            int unturned = random.nextInt(3);
            OptionalLong slow =
                    LongStream.rangeClosed(1, 3000)
                            .filter(m -> unturned / 2.0 + sum(inverse, m) < 0)
                            .findFirst();
            assertThat(ContextBound.firstNegative(inverse, unturned, 3000)).isEqualTo(slow);
            found += slow.isPresent() ? 1 : 0;
        }
        assertThat(found).isBetween(10, 59);
    }

    /** To two digits: Men et al. 2024 for 1k, 4k and 8k, all but 4k also computed by others. */
    @ParameterizedTest
    @CsvSource({
        "1024,4.3e3",
        "2048,1.2e4",
        "4096,2.7e4",
        "8192,8.4e4",
        "16384,2.3e5",
        "32768,6.3e5"
    })
    void smallestBaseEqualsThePublishedOne(long length, double published) {
        double base = ContextBound.smallestBase(128, 0, length).orElseThrow();
        assertThat(base).isCloseTo(published, Percentage.withPercentage(4));
        assertThat(ContextBound.firstNegative(plain(128, base), 0, length)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"8,0,60", "16,0,200", "32,8,300", "64,0,700", "128,0,500", "4,2,20"})
    void noSmallerBaseIsEnough(int d, int unturned, long length) {
        double base = ContextBound.smallestBase(d, unturned, length).orElseThrow();
        assertThat(ContextBound.firstNegative(plain(d, base), unturned, length)).isEmpty();
        LongPredicate ends =
                k -> {
                    double smaller = Math.exp(Math.log(base) * k / 1001);
                    return ContextBound.firstNegative(plain(d, smaller), unturned, length)
                            .isPresent();
                };
        assertThat(LongStream.rangeClosed(0, 1000).allMatch(ends)).isTrue();
    }

    @Test
    void onePairAloneCarriesNothingAndUnturnedHalvesCarryAll() {
        assertThat(ContextBound.smallestBase(2, 0, 100)).isEqualTo(OptionalDouble.empty());
        assertThat(ContextBound.smallestBase(32, 32, 1 << 20)).hasValue(1);
        assertThat(ContextBound.firstNegative(plain(32, 1e4), 32, 100_000)).isEmpty();
    }

    @Test
    void criticalDimensionIsThePapersFormula() {
        assertThat(CriticalDimension.of(plain(128, 1e4), 4096)).isEqualTo(92);
        Random random = new Random(3);
        for (int i = 0; i < 500; i++) {
            int d = 2 * (1 + random.nextInt(128));
            double base = Math.exp(random.nextDouble(1, 18));
            long trained = 7 + random.nextInt(100_000);
            double pairs = d / 2.0 * Math.log(trained / (2 * Math.PI)) / Math.log(base);
            long formula = 2 * (long) Math.ceil(pairs);
            assertThat((long) CriticalDimension.of(plain(d, base), trained))
                    .isEqualTo(Math.min(d, formula));
        }
        assertThat(CriticalDimension.of(plain(64, 1e4), 6)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"5e5,78.3e3", "1e6,1.29e5"})
    void extrapolationLimitOfLlama2TunedToAnotherBase(double base, double limit) {
        double own = CriticalDimension.extrapolationLimit(plain(128, base), 92);
        assertThat(own).isCloseTo(limit, Percentage.withPercentage(0.5));
        assertThat(own).isCloseTo(2 * Math.PI * Math.pow(base, 92 / 128.0), within(1e-6 * own));
        assertThat(CriticalDimension.extrapolationLimit(plain(128, base), 128)).isInfinite();
    }

    @Test
    void smallBasesLetEveryPairTurn() {
        assertThat(CriticalDimension.smallBase(4096, 0.25)).isCloseTo(2608, within(1.0));
        assertThat(CriticalDimension.smallBase(4096, 0.5)).isCloseTo(1304, within(1.0));
        double base = CriticalDimension.smallBase(4096, 1);
        assertThat(base).isCloseTo(652, within(1.0));
        assertThat(CriticalDimension.of(plain(128, base), 4096)).isEqualTo(128);
        assertThat(CriticalDimension.of(plain(128, base * 1.2), 4096)).isEqualTo(126);
    }

    /** With θ_k = k φ the sums are Dirichlet's. */
    @Test
    void decayEqualsDirichletsClosedForm() {
        int n = 13;
        double phi = 0.037;
        double[] inverse = IntStream.range(0, n).mapToDouble(k -> k * phi).toArray();
        for (double m : new double[] {0.5, 1, 7, 31, 1000, -12}) {
            double half = m * phi / 2;
            double cosines = Math.sin(n * half) * Math.cos((n - 1) * half) / Math.sin(half);
            assertThat(RopeDecay.meanCosine(inverse, m)).isCloseTo(cosines / n, within(1e-12));
            double sums =
                    IntStream.rangeClosed(1, n)
                            .mapToDouble(j -> Math.abs(Math.sin(j * half) / Math.sin(half)))
                            .sum();
            assertThat(RopeDecay.bound(inverse, m)).isCloseTo(sums / n, within(1e-11));
        }
        assertThat(RopeDecay.bound(inverse, 0)).isCloseTo((n + 1) / 2.0, within(1e-14));
        assertThat(RopeDecay.meanCosine(inverse, 0)).isEqualTo(1);
    }

    @Test
    void neighbourAngleIsThatOfTheVectors() {
        assertThat(RopeDecay.neighbourAngle(new double[] {1e-9})).isCloseTo(1e-9, within(1e-20));
        assertThat(RopeDecay.neighbourAngle(new double[] {2, 2, 2})).isCloseTo(2, within(1e-14));
        double[] inverse = plain(64, 1e4);
        assertThat(Math.cos(RopeDecay.neighbourAngle(inverse)))
                .isCloseTo(RopeDecay.meanCosine(inverse, 1), within(1e-14));
    }

    @Test
    void pairsOfLlama2AtFourTimesItsLength() {
        RopeAnalysis analysis =
                RopeAnalysis.of(RopeParameters.of(128, 1e4, new Default()), 4096, 16384);
        assertThat(analysis.criticalDimension()).isEqualTo(92);
        assertThat(analysis.pairs()).hasSize(64);
        for (int i = 0; i < 64; i++) {
            RopeAnalysis.Pair pair = analysis.pairs().get(i);
            double wavelength = 2 * Math.PI * Math.pow(1e4, i / 64.0);
            assertThat(pair.wavelength()).isCloseTo(wavelength, within(1e-9 * wavelength));
            assertThat(pair.turns()).isCloseTo(4096 / wavelength, within(1e-9));
            assertThat(pair.turnedFully()).isEqualTo(i < 46);
            assertThat(pair.reachesUnseenAngles()).isEqualTo(i >= 46);
        }
        assertThat(analysis.contextBound(100_000)).hasValue(1707);
        assertThat(analysis.extrapolationLimit())
                .isCloseTo(2 * Math.PI * Math.pow(1e4, 92 / 128.0), within(1e-6));
        assertThat(analysis.resolution()).isEqualTo(1);
        assertThat(analysis.smallestBase(1024)).isEqualTo(ContextBound.smallestBase(128, 0, 1024));
    }

    @Test
    void interpolationReachesNoUnseenAngleAndCostsResolution() {
        RopeParameters linear = RopeParameters.of(128, 1e4, new Linear(3));
        RopeAnalysis interpolated = RopeAnalysis.of(linear, 4096, 3 * 4096);
        assertThat(interpolated.pairs()).noneMatch(RopeAnalysis.Pair::reachesUnseenAngles);
        assertThat(RopeAnalysis.of(linear, 4096, 3 * 4096 + 1).pairs())
                .filteredOn(RopeAnalysis.Pair::reachesUnseenAngles)
                .hasSize(64 - 46);
        RopeAnalysis yarn =
                RopeAnalysis.of(RopeParameters.of(128, 1e4, Yarn.of(3, 4096)), 4096, 3 * 4096);
        assertThat(yarn.pairs()).noneMatch(RopeAnalysis.Pair::reachesUnseenAngles);
        RopeAnalysis ntk =
                RopeAnalysis.of(RopeParameters.of(128, 1e4, new NtkAware(3)), 4096, 3 * 4096);
        // All but the last of the pairs that did not turn are stretched too little.
        assertThat(ntk.pairs())
                .filteredOn(RopeAnalysis.Pair::reachesUnseenAngles)
                .hasSize(64 - 46 - 1);
        assertThat(interpolated.resolution()).isBetween(1 / 3.0, 0.36);
        assertThat(ntk.resolution()).isBetween(0.9, 1.0);
        assertThat(yarn.resolution()).isBetween(0.99, 1.0);
        RopeAnalysis onePair =
                RopeAnalysis.of(RopeParameters.of(2, 1e4, new Linear(3)), 4096, 4096);
        assertThat(onePair.resolution()).isCloseTo(1 / 3.0, within(1e-15));
    }

    @Test
    void pairsThatNeverTurnAreToldApart() {
        RopeAnalysis analysis =
                RopeAnalysis.of(RopeParameters.of(64, 1e4, new Proportional(0.25, 2)), 512, 1024);
        assertThat(analysis.pairs().get(0).scaled()).isEqualTo(0.5);
        assertThat(analysis.pairs().get(0).unscaled()).isEqualTo(1);
        RopeAnalysis.Pair still = analysis.pairs().get(31);
        assertThat(still.wavelength()).isInfinite();
        assertThat(still.turns()).isZero();
        assertThat(still.reachesUnseenAngles()).isFalse();
        assertThat(analysis.contextBound(100_000)).isEmpty();
        assertThat(
                        RopeAnalysis.of(
                                        RopeParameters.partial(64, 0.5, 1e4, new Default()),
                                        512,
                                        1024)
                                .contextBound(100_000))
                .isEmpty();
    }

    @Test
    void impossibleArgumentsAreRefused() {
        refused(() -> ContextBound.firstNegative(plain(8, 1e4), 0, 0), "the limit", "got 0");
        refused(() -> ContextBound.firstNegative(plain(8, 1e4), -2, 9), "do not turn", "got -2");
        refused(() -> ContextBound.smallestBase(7, 0, 10), "even and at least 2", "got 7");
        refused(() -> ContextBound.smallestBase(8, 0, 0), "the length", "got 0");
        refused(() -> CriticalDimension.smallBase(0, 1), "the trained length", "got 0");
        refused(() -> CriticalDimension.smallBase(9, 0), "the turns", "got 0");
        refused(() -> CriticalDimension.extrapolationLimit(plain(8, 10), 3), "even", "got 3");
        RopeParameters parameters = RopeParameters.of(8, 1e4, new Default());
        refused(() -> RopeAnalysis.of(parameters, 0, 10), "the trained length", "got 0");
        refused(() -> RopeAnalysis.of(parameters, 10, 0), "the length", "got 0");
    }

    private static void refused(Runnable made, String... message) {
        assertThatThrownBy(made::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(message);
    }

    private static double sum(double[] inverse, double m) {
        return Arrays.stream(inverse).map(theta -> Math.cos(m * theta)).sum();
    }

    private static double[] plain(int d, double base) {
        return new Default().frequencies(d, base, 1, RopePrecision.EXACT).inverse();
    }
}
