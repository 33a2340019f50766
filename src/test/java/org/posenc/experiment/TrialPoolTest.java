package org.posenc.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TrialPoolTest {

    @Test
    void runsAsManyTrialsAtOnceAsThereAreWorkers() {
        CountDownLatch together = new CountDownLatch(2);
        Callable<Boolean> meets =
                () -> {
                    together.countDown();
                    return together.await(20, TimeUnit.SECONDS);
                };
        List<Boolean> met = new ArrayList<>();
        new TrialPool(2, 1).run(List.of(meets, meets), met::add);
        assertThat(met).containsExactly(true, true);
    }

    @Test
    void handsOverWhatFinishedBeforeAFailureAndTheFailureItself() {
        List<String> finished = new ArrayList<>();
        List<Callable<String>> trials =
                List.of(
                        () -> "first",
                        () -> {
                            throw new IllegalArgumentException("the second fails");
                        },
                        () -> "third");
        assertThatThrownBy(() -> new TrialPool(1, 1).run(trials, finished::add))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the second fails");
        assertThat(finished).containsExactly("first");
    }
}
