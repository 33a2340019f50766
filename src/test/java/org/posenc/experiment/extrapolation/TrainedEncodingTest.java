package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.Site;
import org.posenc.encoding.rope.Rope;

class TrainedEncodingTest {

    private static final Site SITE = new Site(16, 2, 2, 8, 3, 32, true, 1);

    @ParameterizedTest
    @CsvSource({
        "rope, rope",
        "rope:partial=0.5;base=40, rope base 40 partial 0.5",
        "rope@pose, rope @pose",
        "rope:base=40@randomized, rope base 40 @randomized",
        "rope@consecutive, rope",
    })
    void isReadAsItIsWritten(String written, String label) {
        assertThat(TrainedEncoding.parse(written).label()).isEqualTo(label);
    }

    @Test
    void settingsAndPositionsAreTold() {
        TrainedEncoding parsed = TrainedEncoding.parse("rope:base=40@pose");
        assertThat(parsed)
                .isEqualTo(new TrainedEncoding("rope", Map.of("base", "40"), TrainedPositions.POSE))
                .isNotEqualTo(TrainedEncoding.parse("rope:base=40"));
    }

    @ParameterizedTest
    @CsvSource({
        "rope@skip, 'consecutive, randomized, pose, got \"skip\"'",
        "rope:base@pose, key=value",
        "ropee@pose, did you mean \"rope\"",
    })
    void whatIsNoneIsRefused(String written, String sentence) {
        assertThatThrownBy(() -> TrainedEncoding.parse(written))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void aScheduleIsMadeForTheLayersOfTheDecoder() {
        LayerSchedule every = (LayerSchedule) TrainedEncoding.parse("rope:nope-every=2").make(SITE);
        assertThat(every.layers().get(0)).isInstanceOf(Rope.class).isSameAs(every.layers().get(2));
        assertThat(every.layers().get(1)).isInstanceOf(NoEncoding.class);
    }

    @Test
    void randomizedPositionsAreReadRandomizedAndTheOthersInOrder() {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            long[] drawn = TrainedPositions.RANDOMIZED.read(manager, 8, 100).array().toLongArray();
            assertThat(drawn).hasSize(8).isSorted().doesNotHaveDuplicates();
            assertThat(drawn[7]).isGreaterThan(7).isLessThan(100);
            assertThat(TrainedPositions.RANDOMIZED.read(manager, 8, 100).array().toLongArray())
                    .isEqualTo(drawn);
            long[] all = {0, 1, 2, 3};
            assertThat(TrainedPositions.RANDOMIZED.read(manager, 4, 4).array().toLongArray())
                    .isEqualTo(all);
            assertThat(TrainedPositions.POSE.read(manager, 4, 100).array().toLongArray())
                    .isEqualTo(all);
        }
    }
}
