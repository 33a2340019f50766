package org.posenc.checkpoint;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.posenc.encoding.rope.RotaryLayout;

/**
 * What Hugging Face takes for granted of a model type, so that a config.json may leave it out.
 *
 * @param modelType the {@code model_type} of the text model
 * @param layout which components make a pair
 * @param base the base, of full-attention layers where layers differ
 * @param localBase the base of sliding-attention layers where they have one of their own, else 0
 * @param partial the part of each head that turns
 * @param headDimension the size of a head, or 0 where it is hidden_size / num_attention_heads
 * @param hiddenSize the size of a token's vector
 * @param heads how many heads the queries have
 * @param layers how many layers
 * @param maxPositions the longest context
 * @param period every how many layers one is of another kind, or 0
 * @param kind which layer of a period that is, and what is other about it
 */
record ModelFamily(
        String modelType,
        RotaryLayout layout,
        double base,
        double localBase,
        double partial,
        int headDimension,
        int hiddenSize,
        int heads,
        int layers,
        long maxPositions,
        int period,
        Kind kind) {

    /** How layers alternate. */
    enum Kind {
        /** They do not. */
        UNIFORM,
        /** The last of each period attends fully, the others in a window, each with their RoPE. */
        FULL_LAST,
        /** The first of each period attends fully. */
        FULL_FIRST,
        /** The last of each period attends fully and has no RoPE. */
        FULL_NONE,
        /** The last of each period attends fully, the others are recurrent and have no RoPE. */
        FULL_ONLY,
        /** The last of each period has no RoPE; no_rope_layers says it. */
        NONE;

        /** Whether layers have RoPE of their own by the way they attend. */
        boolean byAttention() {
            return this == FULL_LAST || this == FULL_FIRST;
        }
    }

    private static final Map<String, ModelFamily> FAMILIES = load();

    /** The names that a text model's config.json has where the whole model's is flat. */
    private static final Map<String, String> FLAT =
            Map.of(
                    "qwen2_vl", "qwen2_vl_text",
                    "qwen2_5_vl", "qwen2_5_vl_text",
                    "qwen3_vl", "qwen3_vl_text",
                    "qwen3_vl_moe", "qwen3_vl_moe_text",
                    "qwen3_5", "qwen3_5_text",
                    "qwen3_5_moe", "qwen3_5_moe_text",
                    "gemma3", "gemma3_text",
                    "gemma3n", "gemma3n_text",
                    "gemma4", "gemma4_text",
                    "llama4", "llama4_text");

    static Optional<ModelFamily> of(String modelType) {
        return Optional.ofNullable(FAMILIES.get(FLAT.getOrDefault(modelType, modelType)));
    }

    private static Map<String, ModelFamily> load() {
        Map<String, ModelFamily> families = new LinkedHashMap<>();
        try (InputStream in = ModelFamily.class.getResourceAsStream("model-families.tsv");
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            lines.lines()
                    .skip(2) // what made it, and the names of the columns
                    .map(line -> line.split("\t"))
                    .forEach(row -> families.put(row[0], family(row)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return families;
    }

    private static ModelFamily family(String[] row) {
        return new ModelFamily(
                row[0],
                constant(RotaryLayout.class, row[1]),
                number(row[2]),
                number(row[3]),
                number(row[4]),
                (int) number(row[5]),
                (int) number(row[6]),
                (int) number(row[7]),
                (int) number(row[8]),
                (long) number(row[9]),
                (int) number(row[10]),
                row[11].equals("-") ? Kind.UNIFORM : constant(Kind.class, row[11]));
    }

    private static double number(String cell) {
        return cell.equals("-") ? 0 : Double.parseDouble(cell);
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String cell) {
        return Enum.valueOf(type, cell.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
