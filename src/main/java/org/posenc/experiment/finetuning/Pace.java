package org.posenc.experiment.finetuning;

import java.time.Duration;
import java.util.Locale;

/** How fast a training goes, and how long it still will. */
final class Pace {

    private static final int FIRST = 2; // steps, which are slower than those that come

    private int left;
    private int steps;
    private long tokens;
    private double seconds;
    private TuningLog.Step last;

    /**
     * The pace before the first step.
     *
     * @param left how many steps are to come
     */
    Pace(int left) {
        this.left = left;
    }

    void add(TuningLog.Step taken) {
        last = taken;
        left--;
        if (steps++ == FIRST) {
            tokens = 0;
            seconds = 0;
        }
        tokens += taken.tokens();
        seconds += taken.seconds();
    }

    /** Loss, tokens a second, time left without measurements, memory. */
    @Override
    public String toString() {
        int counted = steps > FIRST ? steps - FIRST : steps;
        long toCome = Math.round(left * seconds / counted);
        return String.format(
                Locale.ROOT,
                "loss %.4f, %,.0f tokens/s, %s left, %,d MB",
                last.loss(),
                tokens / seconds,
                Duration.ofSeconds(toCome).toString().substring(2).toLowerCase(Locale.ROOT),
                last.memory() >> 20);
    }
}
