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
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.training.PackedDocuments;

/**
 * About how much memory a training has in use at its peak, of which an allocator may hold a tenth
 * more: 4 bytes for each weight, 12 for each that is trained (gradient and two moments), and 4 for
 * each number that a token leaves for the way back.
 *
 * <p>In each layer these are 6 E + 4 A + 4 F: what two norms, attention and SwiGLU give each other,
 * with embeddings of E numbers, A of all heads, F inside the feed-forward; 2 F fewer where that is
 * GELU, and 2 E + F fewer beside LoRA's pairs. Beyond it there is the larger of 3 V at the output
 * over V words and of 2 E + 3 F that are under way in one layer. Where layers are computed again, E
 * is kept of each segment, and one segment's layers are under way. In bfloat16 A and F count half,
 * and each weight has a copy of 2 bytes until the way back has passed it. Where documents share
 * rows of T tokens, a mask has 4 T² bytes a row, and a copy of 2 T² in each layer that is kept.
 *
 * @param config the model
 * @param weights its numbers
 * @param trained those that are trained
 * @param adapted whether they are LoRA's pairs
 * @param shared whether documents share rows
 */
record TuningMemory(
        TransformerConfig config, long weights, long trained, boolean adapted, boolean shared) {

    /** Of libtorch and Java. */
    static final long PROGRAM = 300L << 20;

    /** The estimate is trusted this far. */
    private static final double SURE = 0.8;

    /**
     * What a batch is, and how it is computed.
     *
     * @param rows of it
     * @param length T, tokens of a row
     * @param recomputed layers that are computed again together; 0 where all are kept
     * @param precision of matrix products and attention
     */
    record Load(long rows, long length, int recomputed, Precision precision) {

        static Load of(FinetunePlan plan) {
            Optimization how = plan.optimization();
            return new Load(how.batch(), plan.length(), how.recomputed(), how.precision());
        }
    }

    /** Counts a model that is ready to be trained. */
    static TuningMemory of(Transformer model, PackedDocuments documents) {
        Map<String, Parameter> distinct = new HashMap<>(); // tied ones have several names
        model.named().values().forEach(p -> distinct.put(p.getId(), p));
        long weights = 0;
        long trained = 0;
        for (Parameter parameter : distinct.values()) {
            long size = parameter.getArray().size();
            weights += size;
            trained += parameter.requiresGradient() ? size : 0;
        }
        return new TuningMemory(
                model.config(), weights, trained, model.lora().isPresent(), documents.shared());
    }

    /** Returns what is needed, in bytes. */
    long bytes(Load load) {
        boolean narrow = load.precision() != Precision.FLOAT32;
        long layers = config.layers();
        long e = config.embeddingSize();
        long f = config.feedForwardSize();
        long inner = (config.activation() == Activation.SWIGLU ? 4 * f : 2 * f) - (adapted ? f : 0);
        long attended = 4L * config.heads() * config.headDimension();
        long layer = (adapted ? 4 : 6) * e + (attended + inner) / (narrow ? 2 : 1);
        long underWay = 2 * e + 3 * f;
        long kept = layers;
        long inputs = 0;
        if (load.recomputed() > 0) {
            kept = Math.min(load.recomputed(), layers);
            inputs = (layers + kept - 1) / kept * e;
            underWay += kept * layer;
        } else {
            inputs = layers * layer;
        }
        long numbers = inputs + Math.max(3L * config.vocabulary(), underWay);
        long copies = narrow ? 2 * weights * kept / layers : 0;
        long mask = shared ? load.length() * load.length() * (narrow ? 4 + 2 * kept : 4) : 0;
        return PROGRAM
                + 4 * weights
                + 12 * trained
                + copies
                + load.rows() * (4 * load.length() * numbers + mask);
    }

    /**
     * Refuses what will hardly fit, before it begins.
     *
     * @throws IllegalArgumentException if much more is needed than there is; it says what would fit
     */
    void check(FinetunePlan plan) {
        OptionalLong free = DeviceMemory.free(plan.device());
        double sure = SURE * bytes(Load.of(plan));
        if (free.isPresent() && sure > free.getAsLong() + 4.0 * weights) { // which are loaded
            throw new IllegalArgumentException(sentence(plan, free));
        }
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
                gigabytes(bytes(Load.of(plan))),
                plan.optimization().batch(),
                plan.length(),
                free.isPresent() ? " and " + gigabytes(free.getAsLong()) + " are free" : "",
                String.join(", ", less(plan)));
    }

    /** What takes less, the mildest first, each with those before it. */
    private List<String> less(FinetunePlan plan) {
        Load load = Load.of(plan);
        List<String> less = new ArrayList<>();
        if (load.rows() > 1) {
            long accumulation = load.rows() * plan.optimization().accumulation();
            load = new Load(1, load.length(), load.recomputed(), load.precision());
            String option = "--batch 1 --accumulation " + accumulation;
            less.add(option + " takes about " + gigabytes(bytes(load)));
        }
        if (load.recomputed() == 0) {
            load = new Load(1, load.length(), 1, load.precision());
            less.add("--recompute with one row " + gigabytes(bytes(load)));
        }
        TuningMemory narrow = this;
        if (!adapted) {
            narrow = new TuningMemory(config, weights, 0, true, shared);
            less.add("--method lora too " + gigabytes(narrow.bytes(load)));
        }
        load = new Load(1, load.length() / 2, load.recomputed(), load.precision());
        less.add("half the --length as well " + gigabytes(narrow.bytes(load)));
        return less;
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
