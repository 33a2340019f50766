package org.posenc.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What must be right in a {@code tokenizer.json} before Hugging Face's library may see it: some of
 * what is wrong there ends the process instead of being told.
 */
final class TokenizerFile {

    private TokenizerFile() {}

    /**
     * Checks a file.
     *
     * @throws IllegalArgumentException if it cannot be read, or is nothing that could be read
     */
    static void check(Path file) {
        try (Reader reader = Files.newBufferedReader(file);
                JsonReader json = new JsonReader(reader)) {
            json.setStrictness(Strictness.STRICT);
            JsonElement root = JsonParser.parseReader(json);
            if (!root.isJsonObject() || json.peek() != JsonToken.END_DOCUMENT) {
                throw new IllegalArgumentException(file + " must hold one JSON object");
            }
        } catch (JsonParseException | MalformedJsonException | CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is not JSON", e);
        } catch (IOException e) {
            throw Safetensors.unreadable(file, e);
        }
    }
}
