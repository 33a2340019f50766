package org.posenc.experiment.finetuning;

import ai.djl.Device;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.experiment.Positive;
import org.posenc.experiment.extrapolation.ReadingTask;

/**
 * A fine-tuning: what is trained, on what, how, and what is measured of it.
 *
 * @param model the folder of the model to start from
 * @param files the documents
 * @param rope the RoPE that the tuned model has
 * @param encoding a new block of these parameters for the folder's model
 * @param length tokens of a row, and the longest context that the tuned model is made for
 * @param tuning which parameters are trained
 * @param optimization how
 * @param measures what is measured
 * @param saving when it is saved, and what of it
 * @param seed decides the order of documents, and all that is drawn
 * @param device where it runs
 */
public record FinetunePlan(
        Path model,
        DataFiles files,
        RopeParameters rope,
        PositionalEncoding encoding,
        int length,
        Tuning tuning,
        Optimization optimization,
        Measures measures,
        Saving saving,
        long seed,
        Device device) {

    /**
     * What is measured before, during and after.
     *
     * @param every after so many steps; 0 for before and after only
     * @param windows held-out windows at each context
     * @param depths depths of passkeys
     * @param passkeys passkeys at each depth and context; 0 to ask for none
     */
    public record Measures(int every, int windows, int depths, int passkeys) {

        private static final int[] FACTORS = {1, 2, 4, 8};
        private static final int TARGETS = 16;

        /** Checks the values. */
        public Measures {
            if (every < 0 || passkeys < 0) {
                throw new IllegalArgumentException(
                        "steps between measurements and passkeys must be at least 0, got "
                                + every
                                + " and "
                                + passkeys);
            }
            Positive.check(windows, "windows");
            Positive.check(depths, "depths");
        }

        /** The contexts are an eighth, a quarter, half and all of the length. */
        int[] contexts(int length) {
            int[] contexts = new int[FACTORS.length];
            for (int i = 0; i < contexts.length; i++) {
                contexts[i] = Math.max(1, length / FACTORS[FACTORS.length - 1]) * FACTORS[i];
            }
            return contexts;
        }

        ReadingTask task(int length) {
            int targets = Math.min(TARGETS, contexts(length)[0]);
            return new ReadingTask(FACTORS, targets, windows, depths, Math.max(1, passkeys));
        }
    }

    /**
     * When the state of the training is saved, so that it can go on from there, and what is handed
     * back.
     *
     * @param everySteps after so many steps; 0 for by time alone
     * @param pause the longest time between
     * @param adapterAlone whether LoRA's pairs alone are written, and not the model with them
     */
    public record Saving(int everySteps, Duration pause, boolean adapterAlone) {

        /** Checks the values. */
        public Saving {
            if (everySteps < 0 || pause.isNegative()) {
                throw new IllegalArgumentException(
                        "the state is saved every so many steps and minutes, at least 0, got "
                                + everySteps
                                + " and "
                                + pause.toMinutes());
            }
        }
    }

    /** Checks the values. */
    public FinetunePlan {
        if (length < 8) {
            throw new IllegalArgumentException("a row must have at least 8 tokens, got " + length);
        }
        if (saving.adapterAlone() && !(tuning instanceof Tuning.LowRank)) {
            throw new IllegalArgumentException(
                    "--adapter-only is for --method lora, which makes an adapter");
        }
    }

    /** The scaling without what is not set. */
    private String scaling() {
        return rope.scaling().toString().replaceAll(", \\w+=OptionalDouble.empty", "");
    }

    /** Returns the settings by name, for provenance. */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model", model.toString());
        settings.put("rope", "base %s, %s".formatted(rope.base(), scaling()));
        settings.put("length", Integer.toString(length));
        settings.put("method", tuning.toString());
        settings.put("steps", Integer.toString(optimization.steps()));
        settings.put(
                "rows of a step",
                optimization.batch()
                        + (optimization.accumulation() > 1
                                ? " × " + optimization.accumulation()
                                : ""));
        settings.put(
                "learning rate",
                "%s, %s, warm-up %d"
                        .formatted(
                                optimization.learningRate(),
                                Settings.nameOf(optimization.schedule()),
                                optimization.warmup()));
        settings.put(
                "AdamW",
                "betas %s %s, decay %s, clip %s"
                        .formatted(
                                optimization.beta1(),
                                optimization.beta2(),
                                optimization.decay(),
                                optimization.clipNorm()));
        settings.put("precision", Settings.nameOf(optimization.precision()));
        return settings;
    }
}
