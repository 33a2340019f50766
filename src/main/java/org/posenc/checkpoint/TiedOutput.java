package org.posenc.checkpoint;

import java.util.List;
import java.util.Optional;
import org.posenc.model.TransformerConfig;

/**
 * What a folder stores of embeddings and of the output that its config.json ties to them, read as
 * transformers 5.18 reads it: both are one if they are equal or one is missing, and two, whatever
 * the file says, if they differ.
 *
 * @param state how the two are stored
 * @param embeddings the name of the embeddings' tensor
 * @param output the name that the output's tensor has, or would have
 */
record TiedOutput(State state, String embeddings, String output) {

    /** How the two tensors are stored. */
    enum State {
        /** config.json does not tie them. */
        APART,
        /** The embeddings alone, as it should be. */
        EMBEDDINGS,
        /** The output alone. */
        OUTPUT,
        /** Both, with the same numbers. */
        BOTH,
        /** Both, with different numbers. */
        DIFFERENT
    }

    /** Looks at a folder; numbers are read where both tensors are there. */
    static TiedOutput of(DecoderFamily family, TransformerConfig config, Safetensors weights) {
        List<TensorTable.Row> rows = family.tensors().rows();
        String embeddings = name(rows, "tokens");
        String output = name(rows, "output");
        if (weights.names().contains("lm_head.weight")) {
            output = "lm_head.weight"; // since version 5 that of every family
        }
        return new TiedOutput(state(config, weights, embeddings, output), embeddings, output);
    }

    private static String name(List<TensorTable.Row> rows, String part) {
        return rows.stream()
                .filter(row -> row.parts().contains(part))
                .map(row -> row.tensor() + ".weight")
                .findFirst()
                .orElseThrow();
    }

    private static State state(
            TransformerConfig config, Safetensors weights, String embeddings, String output) {
        if (!config.tiedOutput()) {
            return State.APART;
        }
        if (!weights.names().contains(output)) {
            return State.EMBEDDINGS;
        }
        if (!weights.names().contains(embeddings)) {
            return State.OUTPUT;
        }
        return weights.sameNumbers(embeddings, output) ? State.BOTH : State.DIFFERENT;
    }

    /** Returns what a reader should know. */
    Optional<String> remark() {
        return switch (state) {
            case APART, EMBEDDINGS -> Optional.empty();
            case OUTPUT ->
                    Optional.of(
                            embeddings
                                    + " is not stored: the embeddings are "
                                    + output
                                    + ", which config.json ties to them");
            case BOTH ->
                    Optional.of(
                            output
                                    + " is stored beside "
                                    + embeddings
                                    + ", to which config.json ties it, and holds the same numbers");
            case DIFFERENT ->
                    Optional.of(
                            "config.json ties "
                                    + output
                                    + " to "
                                    + embeddings
                                    + ", but both are stored and differ: the output is on its own,"
                                    + " as in transformers 5");
        };
    }
}
