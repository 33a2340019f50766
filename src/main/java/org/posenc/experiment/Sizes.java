package org.posenc.experiment;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** How large things are that DJL does not tell the size of. */
public final class Sizes {

    private Sizes() {}

    /** Returns the number of trained values; parameters in two places count once. */
    public static long parameters(Block block) {
        return block.getParameters().values().stream()
                .collect(Collectors.toMap(Parameter::getId, p -> p, (a, b) -> a))
                .values()
                .stream()
                .mapToLong(p -> p.getArray().getShape().size())
                .sum();
    }

    /** Returns the number of token ids of a {@code tokenizer.json}. */
    public static int vocabulary(Path tokenizer) throws IOException {
        try {
            JsonObject root = JsonParser.parseString(Files.readString(tokenizer)).getAsJsonObject();
            int largest = -1;
            for (var entry : root.getAsJsonObject("model").getAsJsonObject("vocab").entrySet()) {
                largest = Math.max(largest, entry.getValue().getAsInt());
            }
            for (var added : root.getAsJsonArray("added_tokens")) {
                largest = Math.max(largest, added.getAsJsonObject().get("id").getAsInt());
            }
            return largest + 1;
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            throw new IllegalArgumentException(
                    tokenizer + " is not a tokenizer.json that can be read", e);
        }
    }
}
