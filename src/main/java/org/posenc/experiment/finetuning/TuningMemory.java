package org.posenc.experiment.finetuning;

import ai.djl.engine.EngineException;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.posenc.kernel.DeviceMemory;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/**
 * About how much memory a training takes: 4 bytes for each weight, 12 more for each that is trained
 * (gradient and two moments), and what each token leaves in each layer for the way back, which was
 * measured as 20 E + 7 F numbers (E the size of an embedding, F of the feed-forward's inside), and
 * 3 V at the output over V words.
 *
 * @param config the model
 * @param weights its numbers
 * @param trained those that are trained
 */
record TuningMemory(TransformerConfig config, long weights, long trained) {

    private static final long PROGRAM = 300L << 20; // libtorch and Java

    /** The estimate is trusted this far. */
    private static final double SURE = 0.8;

    /** Counts a model that is ready to be trained. */
    static TuningMemory of(Transformer model) {
        Map<String, Parameter> distinct = new HashMap<>(); // tied ones have several names
        model.named().values().forEach(p -> distinct.put(p.getId(), p));
        long weights = 0;
        long trained = 0;
        for (Parameter parameter : distinct.values()) {
            long size = parameter.getArray().size();
            weights += size;
            trained += parameter.requiresGradient() ? size : 0;
        }
        return new TuningMemory(model.config(), weights, trained);
    }

    /**
     * Returns what is needed.
     *
     * @param tokens of a batch
     * @param recomputed layers that are computed again together; 0 where all are kept
     * @return bytes
     */
    long bytes(long tokens, int recomputed) {
        long layer = 20L * config.embeddingSize() + 7L * config.feedForwardSize();
        long kept = config.layers() * layer;
        if (recomputed > 0) {
            long segments = (config.layers() + recomputed - 1) / recomputed;
            kept = segments * config.embeddingSize() + recomputed * layer;
        }
        long each = kept + 3L * config.vocabulary();
        return PROGRAM + 4 * weights + 12 * trained + 4 * tokens * each;
    }

    /**
     * Refuses what will hardly fit, before it begins.
     *
     * @throws IllegalArgumentException if much more is needed than there is; it says what would fit
     */
    void check(FinetunePlan plan) {
        OptionalLong free = DeviceMemory.free(plan.device());
        double sure = SURE * bytes(tokens(plan), plan.optimization().recomputed());
        if (free.isPresent() && sure > free.getAsLong() + 4.0 * weights) { // which are loaded
            throw new IllegalArgumentException(sentence(plan, free));
        }
    }

    private static long tokens(FinetunePlan plan) {
        return (long) plan.optimization().batch() * plan.length();
    }

    /** Returns what a user should know of the engine's failure: what would fit. */
    RuntimeException explained(EngineException e, FinetunePlan plan) {
        String said = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        boolean memory = said.contains("out of memory") || said.contains("allocate memory");
        return memory
                ? new IllegalArgumentException(sentence(plan, DeviceMemory.free(plan.device())), e)
                : e;
    }

    private String sentence(FinetunePlan plan, OptionalLong free) {
        return String.format(
                Locale.ROOT,
                "the memory of %s does not suffice: about %s are needed for %d rows of %,d"
                        + " tokens%s; %s",
                plan.device(),
                gigabytes(bytes(tokens(plan), plan.optimization().recomputed())),
                plan.optimization().batch(),
                plan.length(),
                free.isPresent() ? " and " + gigabytes(free.getAsLong()) + " are free" : "",
                String.join(", ", less(plan)));
    }

    /** What takes less, the mildest first, each with those before it. */
    private List<String> less(FinetunePlan plan) {
        Optimization optimization = plan.optimization();
        int rows = optimization.batch();
        int again = optimization.recomputed();
        long row = plan.length();
        List<String> less = new ArrayList<>();
        if (rows > 1) {
            int accumulation = rows * optimization.accumulation();
            String option = "--batch 1 --accumulation " + accumulation;
            less.add(option + " takes about " + gigabytes(bytes(row, again)));
        }
        if (again == 0) {
            again = 1;
            less.add("--recompute with one row " + gigabytes(bytes(row, again)));
        }
        TuningMemory narrow = new TuningMemory(config, weights, 0);
        if (plan.tuning() instanceof Tuning.Full) {
            less.add("--method lora too " + gigabytes(narrow.bytes(row, again)));
        }
        less.add("half the --length as well " + gigabytes(narrow.bytes(row / 2, again)));
        return less;
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
