package org.posenc.testing;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads reference values of {@code test-data/goldens}. */
public final class Goldens {

    private Goldens() {}

    /** Returns a file's content, such as {@code encodings/alibi.json}. */
    public static JsonObject read(String file) {
        try {
            String text = Files.readString(Path.of("test-data", "goldens", file));
            return JsonParser.parseString(text).getAsJsonObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a file's cases. */
    public static List<JsonObject> cases(String file) {
        List<JsonObject> cases = new ArrayList<>();
        read(file).getAsJsonArray("cases").forEach(c -> cases.add(c.getAsJsonObject()));
        return cases;
    }

    /** Returns the numbers of a nested array, row by row. */
    public static double[] flat(JsonElement nested) {
        List<Double> values = new ArrayList<>();
        collect(nested, values);
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** Returns the sizes of a nested array's axes. */
    public static long[] shape(JsonElement nested) {
        List<Long> sizes = new ArrayList<>();
        JsonElement inner = nested;
        while (inner.isJsonArray()) {
            JsonArray array = inner.getAsJsonArray();
            sizes.add((long) array.size());
            inner = array.get(0);
        }
        return sizes.stream().mapToLong(Long::longValue).toArray();
    }

    private static void collect(JsonElement element, List<Double> values) {
        if (element.isJsonArray()) {
            element.getAsJsonArray().forEach(e -> collect(e, values));
        } else {
            values.add(element.isJsonNull() ? Double.NaN : element.getAsDouble());
        }
    }
}
