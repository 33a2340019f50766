package org.posenc.training;

import ai.djl.training.tracker.Tracker;

/**
 * A learning rate that rises along a line and falls along half a cosine (<a
 * href="https://arxiv.org/abs/1608.03983">Loshchilov and Hutter 2016</a>).
 *
 * <p>With t = 0 for the first update: α (t + 1)/W while t &lt; W; then f + (α − f)(1 + cos(π (t −
 * W)/(N − W)))/2; f from t = N on.
 *
 * @param peak α, positive
 * @param warmup W, at least 0
 * @param steps N, above W
 * @param end f, in [0, α]
 */
public record WarmupCosine(double peak, int warmup, int steps, double end) implements Tracker {

    /** Checks the values. */
    public WarmupCosine {
        check(peak, warmup, steps, end);
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(int update) {
        if (update < warmup) {
            return (float) (peak * (update + 1) / warmup);
        }
        double done = Math.min(1, (update - warmup) / (double) (steps - warmup));
        return (float) (end + (peak - end) * (1 + Math.cos(Math.PI * done)) / 2);
    }

    static void check(double peak, int warmup, int steps, double end) {
        if (!(peak > 0 && peak < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "the peak rate must be positive and finite, got " + peak);
        }
        if (warmup < 0 || steps <= warmup) {
            throw new IllegalArgumentException(
                    "steps must be above warmup, and warmup at least 0, got warmup "
                            + warmup
                            + " and steps "
                            + steps);
        }
        if (!(end >= 0 && end <= peak)) {
            throw new IllegalArgumentException(
                    "the end rate must be in [0, " + peak + "], got " + end);
        }
    }
}
