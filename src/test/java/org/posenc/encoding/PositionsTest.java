package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.Test;

class PositionsTest {

    @Test
    void positionsAgainAreTheSameButNothingIsDerivedYet() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Positions positions = Positions.range(manager, 3, 7);
            NDArray derived = positions.derived("key", () -> manager.create(1f));
            NDManager part = manager.newSubManager();
            Positions again = positions.again(part);
            assertThat(again.array()).isEqualTo(positions.array());
            assertThat(again.bounds()).isEqualTo(new Positions.Bounds(3, 6));
            assertThat(again.areConsecutive()).isTrue();
            NDArray anew = again.derived("key", () -> manager.create(2f));
            assertThat(anew.getFloat()).isEqualTo(2);
            part.close();
            assertThat(anew.getManager()).isNotEqualTo(manager);
            assertThat(positions.derived("key", () -> anew)).isSameAs(derived);
            assertThat(positions.array().toLongArray()).containsExactly(3, 4, 5, 6);
        }
    }
}
