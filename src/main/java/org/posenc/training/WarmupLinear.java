package org.posenc.training;

import ai.djl.training.tracker.Tracker;

/**
 * A learning rate that rises along a line and falls along another.
 *
 * <p>With t = 0 for the first update: α (t + 1)/W while t &lt; W; then f + (α − f)(N − t)/(N − W);
 * f from t = N on.
 *
 * @param peak α, positive
 * @param warmup W, at least 0
 * @param steps N, above W
 * @param end f, in [0, α]; α itself for a rate that stays once it is warm
 */
public record WarmupLinear(double peak, int warmup, int steps, double end) implements Tracker {

    /** Checks the values. */
    public WarmupLinear {
        WarmupCosine.check(peak, warmup, steps, end);
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(int update) {
        if (update < warmup) {
            return (float) (peak * (update + 1) / warmup);
        }
        double left = Math.max(0, (steps - update) / (double) (steps - warmup));
        return (float) (end + (peak - end) * left);
    }
}
