package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SpeedTest {

    /** Five steps, one of which was disturbed, and three looks. */
    @Test
    void aPsnrIsReachedWithTheStepAtWhichItIsFirstSeen() {
        Speed.Course course = new Speed.Course();
        course.step(2);
        course.look(10);
        course.step(4);
        course.step(104);
        course.look(25);
        course.step(106.5);
        course.step(108.5);
        course.look(24);
        assertThat(course.stepTime()).isEqualTo(2);
        assertThat(course.seconds()).containsExactly(2.0, 6.0, 10.0);
        assertThat(course.best()).isEqualTo(25);
        assertThat(course.reached(10)).isEqualTo(2);
        assertThat(course.reached(24)).isCloseTo(6, within(1e-12));
        assertThat(course.reached(25)).isCloseTo(6, within(1e-12));
        assertThat(course.reached(25.1)).isNaN();
    }
}
