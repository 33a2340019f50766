package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Values of a configuration, read strictly: a value of another type or range than expected is an
 * error that names where it stands and what it is. Several places may say the same value; two that
 * say different ones are an error.
 */
final class ConfigValues {

    /** A value and where it stands, such as {@code rope_scaling.factor}. */
    private record Place(String path, JsonElement value) {}

    private final Map<String, Place> places = new LinkedHashMap<>();
    private final String owner;

    /** Begins without values; an error of a value that is missing says whose it would be. */
    ConfigValues(String owner) {
        this.owner = owner;
    }

    /**
     * Reads a file that holds an object.
     *
     * @throws IllegalArgumentException if it cannot be read or holds something else
     */
    static JsonObject read(Path file) {
        JsonElement root;
        try {
            root = JsonParser.parseString(Files.readString(file));
        } catch (JsonParseException e) {
            throw new IllegalArgumentException(file + " is not JSON", e);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is not JSON, which is UTF-8", e);
        } catch (IOException e) {
            throw Safetensors.unreadable(file, e);
        }
        if (!root.isJsonObject()) {
            throw new IllegalArgumentException(file + " must hold a JSON object");
        }
        return root.getAsJsonObject();
    }

    static ConfigValues of(JsonObject json, String path) {
        ConfigValues values = new ConfigValues(path.isEmpty() ? "the configuration" : path);
        json.asMap()
                .forEach(
                        (key, value) ->
                                values.add(key, path.isEmpty() ? key : path + "." + key, value));
        return values;
    }

    /** Adds what a place says; null says nothing. */
    void add(String name, String path, JsonElement value) {
        if (value.isJsonNull()) {
            return;
        }
        Place before = places.putIfAbsent(name, new Place(path, value));
        if (before != null && !same(before.value(), value)) {
            throw new IllegalArgumentException(
                    "%s is %s but %s is %s: they must agree"
                            .formatted(before.path(), before.value(), path, value));
        }
    }

    boolean has(String name) {
        return places.containsKey(name);
    }

    String path(String name) {
        return has(name) ? places.get(name).path() : owner + "." + name;
    }

    /** Refuses every value with a name that is not known. */
    void allowOnly(Set<String> known, String what) {
        for (Map.Entry<String, Place> entry : places.entrySet()) {
            if (!known.contains(entry.getKey())) {
                throw new IllegalArgumentException(
                        "%s (%s) is not a key of %s, which takes %s"
                                .formatted(
                                        entry.getValue().path(),
                                        entry.getValue().value(),
                                        what,
                                        String.join(", ", new TreeSet<>(known))));
            }
        }
    }

    OptionalDouble number(String name, double least) {
        if (!has(name)) {
            return OptionalDouble.empty();
        }
        double value = number(name, "a finite number of at least " + plain(least));
        if (value < least) {
            throw refuse(name, "at least " + plain(least));
        }
        return OptionalDouble.of(value);
    }

    OptionalDouble positive(String name) {
        if (!has(name)) {
            return OptionalDouble.empty();
        }
        double value = number(name, "a positive number");
        if (value <= 0) {
            throw refuse(name, "a positive number");
        }
        return OptionalDouble.of(value);
    }

    OptionalDouble part(String name) {
        if (!has(name)) {
            return OptionalDouble.empty();
        }
        double value = number(name, "a number in (0, 1]");
        if (!(value > 0 && value <= 1)) {
            throw refuse(name, "in (0, 1]");
        }
        return OptionalDouble.of(value);
    }

    OptionalLong whole(String name, long least) {
        if (!has(name)) {
            return OptionalLong.empty();
        }
        String allowed = "a whole number of at least " + least;
        double value = number(name, allowed);
        if (value != Math.rint(value) || value < least || value > 1L << 53) {
            throw refuse(name, allowed);
        }
        return OptionalLong.of((long) value);
    }

    /** Reads a whole number that fits an int, such as a count of layers. */
    Optional<Integer> count(String name) {
        OptionalLong value = whole(name, 1);
        if (value.isPresent() && value.getAsLong() > Integer.MAX_VALUE) {
            throw refuse(name, "at most " + Integer.MAX_VALUE);
        }
        return value.isPresent() ? Optional.of((int) value.getAsLong()) : Optional.empty();
    }

    Optional<String> text(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (places.get(name).value() instanceof JsonPrimitive p && p.isString()) {
            return Optional.of(p.getAsString());
        }
        throw refuse(name, "a text");
    }

    /** Reads a text, or true or false as one. */
    Optional<String> word(String name) {
        return has(name) && places.get(name).value() instanceof JsonPrimitive p && p.isBoolean()
                ? Optional.of(p.getAsString())
                : text(name);
    }

    Optional<Boolean> flag(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (places.get(name).value() instanceof JsonPrimitive p && p.isBoolean()) {
            return Optional.of(p.getAsBoolean());
        }
        throw refuse(name, "true or false");
    }

    Optional<JsonObject> object(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (places.get(name).value() instanceof JsonObject object) {
            return Optional.of(object);
        }
        throw refuse(name, "an object");
    }

    Optional<JsonArray> list(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (places.get(name).value() instanceof JsonArray array) {
            return Optional.of(array);
        }
        throw refuse(name, "a list");
    }

    /** Reads a list of so many positive numbers. */
    Optional<double[]> positives(String name, int count) {
        Optional<JsonArray> list = list(name);
        if (list.isEmpty()) {
            return Optional.empty();
        }
        if (list.get().size() != count) {
            throw new IllegalArgumentException(
                    "%s must have %d numbers, one for each pair that turns, got %d"
                            .formatted(path(name), count, list.get().size()));
        }
        ConfigValues items = items(name, list.get());
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = items.required(items.positive("" + i), "" + i);
        }
        return Optional.of(values);
    }

    /** Reads a list of whole numbers. */
    Optional<int[]> wholes(String name, long least) {
        Optional<JsonArray> list = list(name);
        if (list.isEmpty()) {
            return Optional.empty();
        }
        ConfigValues items = items(name, list.get());
        int[] values = new int[list.get().size()];
        for (int i = 0; i < values.length; i++) {
            OptionalLong value = items.whole("" + i, least);
            if (value.isEmpty() || value.getAsLong() > Integer.MAX_VALUE) {
                throw items.refuse("" + i, "a whole number");
            }
            values[i] = (int) value.getAsLong();
        }
        return Optional.of(values);
    }

    double required(OptionalDouble value, String name) {
        return value.orElseThrow(() -> missing(name));
    }

    long required(OptionalLong value, String name) {
        return value.orElseThrow(() -> missing(name));
    }

    IllegalArgumentException missing(String name) {
        return new IllegalArgumentException(owner + " needs " + name + ", which is missing");
    }

    IllegalArgumentException refuse(String name, String allowed) {
        return new IllegalArgumentException(
                "%s must be %s, got %s"
                        .formatted(
                                path(name),
                                allowed,
                                has(name) ? places.get(name).value() : "nothing"));
    }

    /** Numbers without a point where they need none, as a reader writes them. */
    static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    private double number(String name, String allowed) {
        if (places.get(name).value() instanceof JsonPrimitive p && p.isNumber()) {
            double value = p.getAsDouble();
            if (Double.isFinite(value)) {
                return value;
            }
        }
        throw refuse(name, allowed);
    }

    private ConfigValues items(String name, JsonArray list) {
        ConfigValues items = new ConfigValues(path(name));
        for (int i = 0; i < list.size(); i++) {
            items.add("" + i, "%s[%d]".formatted(path(name), i), list.get(i));
        }
        return items;
    }

    private static boolean same(JsonElement a, JsonElement b) {
        if (a instanceof JsonPrimitive p
                && b instanceof JsonPrimitive q
                && p.isNumber()
                && q.isNumber()) {
            return p.getAsDouble() == q.getAsDouble();
        }
        return a.equals(b);
    }
}
