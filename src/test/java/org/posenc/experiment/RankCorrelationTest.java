package org.posenc.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class RankCorrelationTest {

    @Test
    void isThatOfScipy() {
        // scipy.stats.spearmanr
        assertThat(
                        RankCorrelation.of(
                                new double[] {1, 2.16, 1.58, 1.02, 11.95, 1.58, 1.85, 1.13},
                                new double[] {5.759, 5.779, 5.832, 5.855, 5.718, 5.779, 5.7, 5.8}))
                .isCloseTo(-0.4759036144578313, Offset.offset(1e-12));
        assertThat(RankCorrelation.of(new double[] {1, 2, 9}, new double[] {5, 6, 7})).isEqualTo(1);
        assertThat(RankCorrelation.of(new double[] {1, 2, 9}, new double[] {3, 3, 3})).isNaN();
        assertThat(RankCorrelation.of(new double[] {1, 2}, new double[] {3, Double.NaN})).isNaN();
    }
}
