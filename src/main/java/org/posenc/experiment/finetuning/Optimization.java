package org.posenc.experiment.finetuning;

import ai.djl.training.tracker.Tracker;
import org.posenc.experiment.Positive;
import org.posenc.kernel.Precision;
import org.posenc.training.AdamW;
import org.posenc.training.GradientClipping;
import org.posenc.training.WarmupCosine;
import org.posenc.training.WarmupLinear;

/**
 * How parameters are trained: AdamW, the gradient's norm clipped.
 *
 * @param steps optimizer steps
 * @param batch rows of a batch
 * @param accumulation batches of a step, whose tokens all count the same
 * @param learningRate the highest rate, after the warm-up
 * @param schedule what the rate does after the warm-up
 * @param warmup steps over which it rises
 * @param decay of weights, not of biases, norms and embeddings
 * @param beta1 of the first moment, in [0, 1)
 * @param beta2 of the second moment, in [0, 1)
 * @param clipNorm the gradient's largest norm
 * @param precision of matrix products and attention; all else is float32
 * @param recomputed layers that are computed again together on the way back instead of kept, which
 *     changes nothing but memory and time; 0 to keep all
 */
public record Optimization(
        int steps,
        int batch,
        int accumulation,
        double learningRate,
        Schedule schedule,
        int warmup,
        double decay,
        double beta1,
        double beta2,
        double clipNorm,
        Precision precision,
        int recomputed) {

    /** What the learning rate does once it is warm. */
    public enum Schedule {
        /** Falls to 0 along half a cosine. */
        COSINE,
        /** Falls to 0 along a line. */
        LINEAR,
        /** Stays. */
        CONSTANT
    }

    /** Checks the values. */
    public Optimization {
        Positive.check(steps, "steps");
        Positive.check(batch, "rows of a batch");
        Positive.check(accumulation, "batches of a step");
        if (warmup < 0 || warmup >= steps) {
            throw new IllegalArgumentException(
                    "the warm-up must be from 0 to " + (steps - 1) + " steps, got " + warmup);
        }
        if (recomputed < 0) {
            throw new IllegalArgumentException(
                    "the layers that are computed again must be at least 0, got " + recomputed);
        }
        // Each part refuses what it cannot be made of.
        optimizer(rate(schedule, learningRate, warmup, steps), decay, beta1, beta2).close();
        clipping(clipNorm);
    }

    Tracker rate() {
        return rate(schedule, learningRate, warmup, steps);
    }

    private static Tracker rate(Schedule schedule, double learningRate, int warmup, int steps) {
        return switch (schedule) {
            case COSINE -> new WarmupCosine(learningRate, warmup, steps, 0);
            case LINEAR -> new WarmupLinear(learningRate, warmup, steps, 0);
            case CONSTANT -> new WarmupLinear(learningRate, warmup, steps, learningRate);
        };
    }

    AdamW optimizer() {
        return optimizer(rate(), decay, beta1, beta2);
    }

    private static AdamW optimizer(Tracker rate, double decay, double beta1, double beta2) {
        return AdamW.builder().optLearningRate(rate).optDecay(decay).optBetas(beta1, beta2).build();
    }

    GradientClipping clipping() {
        return clipping(clipNorm);
    }

    private static GradientClipping clipping(double clipNorm) {
        return new GradientClipping(clipNorm);
    }
}
