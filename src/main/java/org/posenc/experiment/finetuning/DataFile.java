package org.posenc.experiment.finetuning;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.posenc.report.Npy;
import org.posenc.training.TokenDocument;

/**
 * Documents in a file for programs.
 *
 * <p>{@code .jsonl}: each line an array of ids, or an object whose {@code text}, or another field,
 * is a text or an array of ids; {@code labels} beside ids are as many, −100 for what is read but
 * not learned, as Hugging Face's datasets have them. {@code .npy}: integers (N), one document, or
 * (R, N), one a row.
 */
final class DataFile {

    private static final String LABELS = "labels";

    private DataFile() {}

    /** Returns whether a file's name says that it is one of these. */
    static boolean names(Path path) {
        String name = path.toString();
        return name.endsWith(".jsonl") || name.endsWith(".npy");
    }

    /**
     * Reads a file.
     *
     * @param path the file
     * @param key the field of a line that is an object
     * @param encoder makes ids of a text
     * @return its documents, at least one
     * @throws IOException if it does not exist or cannot be read
     * @throws IllegalArgumentException if it holds something else
     */
    static List<TokenDocument> read(Path path, String key, Function<String, TokenDocument> encoder)
            throws IOException {
        List<TokenDocument> documents =
                path.toString().endsWith(".npy") ? rows(path) : lines(path, key, encoder);
        if (documents.isEmpty()) {
            throw new IllegalArgumentException(path + " holds no document");
        }
        return documents;
    }

    private static List<TokenDocument> rows(Path path) {
        Npy array = Npy.read(path);
        int[] shape = array.shape();
        if (!array.type().contains("i") && !array.type().contains("u")
                || shape.length < 1
                || shape.length > 2) {
            throw new IllegalArgumentException(
                    path
                            + " must hold integers (N) or (R, N), got "
                            + array.type()
                            + " "
                            + Arrays.toString(shape));
        }
        int length = shape[shape.length - 1];
        double[] values = array.values();
        List<TokenDocument> documents = new ArrayList<>();
        for (int from = 0; from < values.length; from += length) {
            int[] ids = Arrays.stream(values, from, from + length).mapToInt(v -> (int) v).toArray();
            documents.add(named(path.toString(), () -> TokenDocument.of(ids)));
        }
        return documents;
    }

    private static List<TokenDocument> lines(
            Path path, String key, Function<String, TokenDocument> encoder) throws IOException {
        List<TokenDocument> documents = new ArrayList<>();
        int number = 0;
        try (BufferedReader lines = Files.newBufferedReader(path)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    String text = line;
                    documents.add(
                            named(
                                    "line " + number + " of " + path,
                                    () -> document(text, key, encoder)));
                }
            }
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(path + " is not a text file in UTF-8", e);
        }
        return documents;
    }

    private static TokenDocument document(
            String line, String key, Function<String, TokenDocument> encoder) {
        JsonElement json;
        try {
            json = JsonParser.parseString(line);
        } catch (JsonParseException e) {
            throw new IllegalArgumentException("it is not JSON", e);
        }
        if (json.isJsonArray()) {
            return TokenDocument.of(ids(json.getAsJsonArray()));
        }
        if (!json.isJsonObject() || !json.getAsJsonObject().has(key)) {
            throw new IllegalArgumentException(
                    "it must be an array of ids or an object with \""
                            + key
                            + "\""
                            + (json.isJsonObject()
                                    ? ", got " + json.getAsJsonObject().keySet()
                                    : ""));
        }
        JsonObject object = json.getAsJsonObject();
        JsonElement content = object.get(key);
        if (content.isJsonArray()) {
            int[] ids = ids(content.getAsJsonArray());
            return object.has(LABELS) && object.get(LABELS).isJsonArray()
                    ? new TokenDocument(ids, ids(object.get(LABELS).getAsJsonArray()))
                    : TokenDocument.of(ids);
        }
        if (!content.isJsonPrimitive() || !content.getAsJsonPrimitive().isString()) {
            throw new IllegalArgumentException(
                    "\"" + key + "\" must be a text or an array of ids, got " + content);
        }
        if (content.getAsString().isEmpty()) {
            throw new IllegalArgumentException("\"" + key + "\" is empty");
        }
        return encoder.apply(content.getAsString());
    }

    private static int[] ids(JsonArray array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonElement element = array.get(i);
            double value =
                    element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()
                            ? element.getAsDouble()
                            : Double.NaN;
            ids[i] = (int) value;
            if (ids[i] != value) {
                throw new IllegalArgumentException("ids must be whole numbers, got " + element);
            }
        }
        return ids;
    }

    /** What is wrong with a document is said with the place where it stands. */
    private static TokenDocument named(String place, Supplier<TokenDocument> document) {
        try {
            return document.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(place + ": " + e.getMessage(), e);
        }
    }
}
