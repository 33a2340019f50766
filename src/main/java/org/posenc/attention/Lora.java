package org.posenc.attention;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Low-rank adaptation (<a href="https://arxiv.org/abs/2106.09685">Hu et al. 2021</a>): a weight W
 * stays as it is and W + s B A is used, with B (O, r) and A (r, I) trained. B starts at 0 and A at
 * uniform numbers in ±1/√I, so that an adapted model starts as what it was.
 *
 * <p>Targets bear the names of Hugging Face's modules, as peft's {@code target_modules} do. A
 * module that is a stack of our projections ({@code qkv_proj} of Phi-3, {@code query_key_value} of
 * GPT-NeoX, {@code gate_up_proj}) has one A, which they share, and a B for each. Dropout, however,
 * is drawn for each.
 *
 * @param rank r, at least 1
 * @param alpha α, positive: s = α/r
 * @param dropout how often an element of the input is dropped before A in training, in [0, 1)
 * @param rankStabilized whether s = α/√r instead (<a href="https://arxiv.org/abs/2312.03732">
 *     Kalajdzievski 2023</a>)
 * @param targets which modules are adapted, some of {@link #MODULES}
 * @param seed of A's first values
 */
public record Lora(
        int rank,
        double alpha,
        double dropout,
        boolean rankStabilized,
        List<String> targets,
        long seed) {

    /** The modules that may be targets, with the projections of a Transformer that each is. */
    public static final Map<String, List<String>> MODULES = modules();

    /** Checks the values. */
    public Lora {
        if (rank < 1) {
            throw new IllegalArgumentException("LoRA's rank must be at least 1, got " + rank);
        }
        if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "LoRA's alpha must be positive and finite, got " + alpha);
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("LoRA's dropout must be in [0, 1), got " + dropout);
        }
        if (targets.isEmpty()) {
            throw new IllegalArgumentException(
                    "LoRA needs target modules, some of " + String.join(", ", MODULES.keySet()));
        }
        for (String target : targets) {
            if (!MODULES.containsKey(target)) {
                throw new IllegalArgumentException(
                        "LoRA knows no target module \""
                                + target
                                + "\"; those it knows are "
                                + String.join(", ", MODULES.keySet()));
            }
        }
        targets = List.copyOf(targets);
    }

    /**
     * LoRA without dropout, of seed 0.
     *
     * @param rank r, at least 1
     * @param alpha α, positive
     * @param targets which modules are adapted
     * @return the adaptation
     */
    public static Lora of(int rank, double alpha, String... targets) {
        return new Lora(rank, alpha, 0, false, List.of(targets), 0);
    }

    /**
     * Returns what B A is multiplied with.
     *
     * @return s
     */
    public double scale() {
        return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
    }

    private static Map<String, List<String>> modules() {
        Map<String, List<String>> modules = new LinkedHashMap<>();
        List<String> attended = List.of("attention.query", "attention.key", "attention.value");
        modules.put("q_proj", List.of("attention.query"));
        modules.put("k_proj", List.of("attention.key"));
        modules.put("v_proj", List.of("attention.value"));
        modules.put("o_proj", List.of("attention.output"));
        modules.put("gate_proj", List.of("feedForward.gate"));
        modules.put("up_proj", List.of("feedForward.up"));
        modules.put("down_proj", List.of("feedForward.down"));
        modules.put("lm_head", List.of("output"));
        modules.put("qkv_proj", attended);
        modules.put("gate_up_proj", List.of("feedForward.gate", "feedForward.up"));
        modules.put("query_key_value", attended);
        modules.put("dense", List.of("attention.output"));
        modules.put("dense_h_to_4h", List.of("feedForward.up"));
        modules.put("dense_4h_to_h", List.of("feedForward.down"));
        modules.put("embed_out", List.of("output"));
        return Collections.unmodifiableMap(modules);
    }
}
