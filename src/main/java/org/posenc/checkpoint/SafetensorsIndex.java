package org.posenc.checkpoint;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The index beside a checkpoint of several files, {@code model.safetensors.index.json}.
 *
 * @param files the file of each tensor, in the index's folder
 */
record SafetensorsIndex(Map<String, Path> files) {

    /** A name without a folder: an index must not reach for files elsewhere. */
    private static final Pattern FILE_NAME = Pattern.compile("[^/\\\\:\\x00]+\\.safetensors");

    /**
     * Reads an index.
     *
     * @throws IllegalArgumentException if it cannot be read or is malformed
     */
    static SafetensorsIndex read(Path index) {
        Map<String, Path> files = new LinkedHashMap<>();
        try (Reader reader = Files.newBufferedReader(index);
                JsonReader json = new JsonReader(reader)) {
            json.setStrictness(Strictness.STRICT);
            try {
                boolean mapped = false;
                json.beginObject();
                while (json.hasNext()) {
                    if (!json.nextName().equals("weight_map")) {
                        json.skipValue(); // its metadata tell sizes, which are often wrong
                    } else if (mapped) {
                        throw malformed(index, "it has weight_map twice");
                    } else {
                        mapped = true;
                        weightMap(json, index, files);
                    }
                }
                json.endObject();
                json.peek(); // a strict reader refuses what comes after the end
            } catch (IOException | IllegalStateException e) {
                throw malformed(index, "it is no valid JSON at " + json.getPath());
            }
        } catch (IOException e) {
            throw Safetensors.unreadable(index, e);
        }
        if (files.isEmpty()) {
            throw malformed(index, "it has no weight_map, or an empty one");
        }
        return new SafetensorsIndex(files);
    }

    private static void weightMap(JsonReader json, Path index, Map<String, Path> files)
            throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String tensor = json.nextName();
            if (json.peek() != JsonToken.STRING) {
                throw malformed(index, "the file of tensor " + tensor + " must be a string");
            }
            String file = json.nextString();
            if (!FILE_NAME.matcher(file).matches()) {
                throw malformed(
                        index,
                        "tensor "
                                + tensor
                                + " must be in a .safetensors file of the same folder, got "
                                + file);
            }
            if (files.put(tensor, index.resolveSibling(file)) != null) {
                throw malformed(index, "it names tensor " + tensor + " twice");
            }
        }
        json.endObject();
    }

    private static IllegalArgumentException malformed(Path index, String why) {
        return new IllegalArgumentException(index + " is no index of safetensors files: " + why);
    }
}
