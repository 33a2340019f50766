package org.posenc.encoding.rope;

import org.posenc.encoding.Settings;

/**
 * What counts as the length of a context, for scalings that depend on it. It is never what was
 * called before.
 *
 * <p>A length is the greatest position + 1, so padding must not stand farther out than the tokens.
 */
public sealed interface ContextLength {

    /**
     * A length given once: every pass has the same frequencies, and keys stay right once rotated.
     *
     * @param tokens the length, at least 1
     */
    record Declared(long tokens) implements ContextLength {

        /** Checks the length. */
        public Declared {
            ScalingArguments.length(1, tokens, "the declared length");
        }
    }

    /**
     * Each row of a batch has its own length, so that its result does not depend on the rows beside
     * it.
     */
    record EachRow() implements ContextLength {}

    /**
     * The longest row's length holds for the whole batch, as in Hugging Face's transformers: a
     * short row's result changes with the row beside it.
     */
    record WholeBatch() implements ContextLength {}

    /**
     * Reads the setting "length".
     *
     * @param settings an encoding's settings
     * @return each-row, whole-batch or a number of tokens
     * @throws IllegalArgumentException if it is none of these
     */
    static ContextLength of(Settings settings) {
        String text = settings.text("length");
        return switch (text) {
            case "each-row" -> new EachRow();
            case "whole-batch" -> new WholeBatch();
            default -> {
                try {
                    yield new Declared(Long.parseLong(text));
                } catch (NumberFormatException e) {
                    throw settings.refusal(
                            "length", "each-row, whole-batch or a number of tokens", "");
                }
            }
        };
    }
}
