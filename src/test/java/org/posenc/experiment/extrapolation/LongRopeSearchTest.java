package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;

class LongRopeSearchTest {

    private static final int PAIRS = 16;
    private static final double K = 4;

    /** A bowl whose bottom, 0, rises from 1 to k as no ancestor does. */
    private static double bowl(double[] divisors) {
        double sum = 0;
        for (int i = 0; i < divisors.length; i++) {
            double bottom = i < 4 ? 0 : i < 9 ? Math.log(2) : Math.log(K);
            sum += Math.pow(Math.log(divisors[i]) - bottom, 2);
        }
        return sum;
    }

    private static double[] rising() {
        double[] rising = new double[PAIRS];
        Arrays.setAll(rising, i -> Math.pow(K, i / (PAIRS - 1.0)));
        return rising;
    }

    private static List<double[]> ancestors() {
        double[] flat = new double[PAIRS];
        Arrays.fill(flat, K);
        return List.of(flat, rising());
    }

    @Test
    void findsBetterThanItsAncestorsWithinTheBounds() {
        List<double[]> tried = new ArrayList<>();
        LongRopeSearch.Found found =
                LongRopeSearch.from(
                        ancestors(),
                        K,
                        divisors -> {
                            tried.add(divisors.clone());
                            return bowl(divisors);
                        },
                        3);
        assertThat(tried).hasSize(64).hasSize(found.evaluations());
        for (double[] divisors : tried) {
            assertThat(divisors).isSorted();
            assertThat(divisors[0]).isGreaterThanOrEqualTo(1);
            assertThat(divisors[PAIRS - 1]).isLessThanOrEqualTo(1.25 * K);
        }
        assertThat(found.loss()).isEqualTo(bowl(found.divisors()));
        assertThat(found.loss())
                .isEqualTo(tried.stream().mapToDouble(LongRopeSearchTest::bowl).min().orElseThrow())
                .isLessThan(0.8 * bowl(rising()));
    }

    @Test
    void theSeedAloneDecides() {
        double[] first =
                LongRopeSearch.from(ancestors(), K, LongRopeSearchTest::bowl, 3).divisors();
        assertThat(LongRopeSearch.from(ancestors(), K, LongRopeSearchTest::bowl, 3).divisors())
                .isEqualTo(first);
        assertThat(LongRopeSearch.from(ancestors(), K, LongRopeSearchTest::bowl, 4).divisors())
                .isNotEqualTo(first);
    }

    @Test
    void aLossThatIsNoNumberIsTheWorst() {
        double[] flat = ancestors().get(0);
        LongRopeSearch.Found found =
                LongRopeSearch.from(
                        ancestors(),
                        K,
                        divisors -> Arrays.equals(divisors, flat) ? 7 : Double.NaN,
                        3);
        assertThat(found.divisors()).isEqualTo(flat);
    }

    @Test
    void ancestorsAreTheFormulasOfOtherScalings() {
        List<double[]> divisors = LengthMethod.divisors(rope(), 64, 256);
        assertThat(divisors.get(0)).containsOnly(new double[] {4}, Offset.offset(1e-12));
        double[] ntk = divisors.get(1);
        for (int i = 0; i < ntk.length; i++) {
            // b·k^(d/(d−2)): k^(2i/(d−2)), which is k for the last of d/2 pairs.
            assertThat(ntk[i]).isCloseTo(Math.pow(4, 2.0 * i / 30), Offset.offset(1e-12));
        }
        double[] yarn = divisors.get(2);
        assertThat(yarn).isSorted();
        assertThat(yarn[0]).isEqualTo(1);
        assertThat(yarn[15]).isCloseTo(4, Offset.offset(1e-12));
    }

    @Test
    void withTheDivisorsOfAnotherScalingItTurnsLikeIt() {
        Rope trained = rope();
        List<double[]> divisors = LengthMethod.divisors(trained, 64, 256);
        for (int i = 0; i < 2; i++) {
            RopeScaling scaling = List.of(new Linear(4), new NtkAware(4)).get(i);
            LengthMethod method = LengthMethod.longRope(Map.of(256L, divisors.get(i)));
            try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
                Rope read = (Rope) method.at(trained, 64, 256, manager);
                assertThat(read.frequencies(256).inverse())
                        .containsExactly(
                                rope(scaling).frequencies(256).inverse(), Offset.offset(1e-15));
                // √(1 + ln 4 / ln 64) = √(4/3)
                assertThat(read.frequencies(256).attentionScaling())
                        .isCloseTo(Math.sqrt(4.0 / 3), Offset.offset(1e-15));
                assertThat(method.at(trained, 64, 64, manager)).isSameAs(trained);
                assertThatThrownBy(() -> method.at(trained, 64, 128, manager))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("searched for lengths of [256], got 128");
            }
        }
    }

    private static Rope rope() {
        return Rope.builder().setHeadDimension(32).setLayout(RotaryLayout.HALF_SPLIT).build();
    }

    private static Rope rope(RopeScaling scaling) {
        return Rope.builder()
                .setHeadDimension(32)
                .setLayout(RotaryLayout.HALF_SPLIT)
                .optScaling(scaling)
                .build();
    }
}
