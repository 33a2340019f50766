package org.posenc.checkpoint;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Files as they come out of bad disks, bad programs and bad intentions, from a seed. */
final class Mutations {

    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private static final List<String> WORDS =
            List.of(
                    "",
                    "a",
                    "▁",
                    "\u0000",
                    "\uD83D\uDEA2",
                    "\uD83D",
                    "(",
                    "[^",
                    " ",
                    "A",
                    "B",
                    "x".repeat(300),
                    // What parts of a tokenizer are called.
                    "Sequence",
                    "BPE",
                    "Unigram",
                    "WordLevel",
                    "WordPiece",
                    "ByteLevel",
                    "Metaspace",
                    "Replace",
                    "Strip",
                    "NFKC",
                    "Lowercase",
                    "Punctuation",
                    "Digits",
                    "Whitespace",
                    "ByteFallback",
                    "BPEDecoder",
                    "Precompiled");

    private static final List<String> NUMBERS =
            List.of(
                    "0",
                    "-1",
                    "1",
                    "2",
                    "7",
                    "64",
                    "65536",
                    "10000",
                    "2147483646",
                    "2147483647",
                    "2147483648",
                    "4294967295",
                    "4294967296",
                    "9223372036854775807",
                    "-9223372036854775808",
                    "18446744073709551616",
                    "1e308",
                    "-1e308",
                    "1e999",
                    "0.5",
                    "1e-320");

    private final SplittableRandom random;

    Mutations(long seed) {
        random = new SplittableRandom(seed);
    }

    /** Changes bytes here and there, or cuts, repeats and exchanges stretches of them. */
    byte[] bytes(byte[] file) {
        byte[] changed = file;
        int times = 1 + random.nextInt(4);
        for (int i = 0; i < times; i++) {
            changed = once(changed);
        }
        return changed;
    }

    private byte[] once(byte[] file) {
        if (file.length == 0) {
            return new byte[] {(byte) random.nextInt(256)};
        }
        int at = random.nextInt(file.length);
        int other = random.nextInt(file.length);
        byte[] copy = file.clone();
        switch (random.nextInt(6)) {
            case 0 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> copy[at] = (byte) random.nextInt(256);
            case 2 -> {
                return Arrays.copyOf(file, at);
            }
            case 3 -> {
                return joined(Arrays.copyOf(file, at), tail(file, Math.max(at, other)));
            }
            case 4 -> {
                int end = Math.min(file.length, at + random.nextInt(64));
                return joined(Arrays.copyOf(file, end), tail(file, at));
            }
            default -> {
                byte[] long8 = new byte[Math.min(8, file.length)];
                Arrays.fill(long8, (byte) (random.nextBoolean() ? 0xff : 0));
                int from = random.nextBoolean() ? 0 : Math.min(at, file.length - long8.length);
                System.arraycopy(long8, 0, copy, from, long8.length);
            }
        }
        return copy;
    }

    private static byte[] tail(byte[] file, int from) {
        return Arrays.copyOfRange(file, from, file.length);
    }

    private static byte[] joined(byte[] one, byte[] two) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(one);
        out.writeBytes(two);
        return out.toByteArray();
    }

    /** Changes what a JSON file says, which stays JSON. */
    String json(String text) {
        JsonElement root = JsonParser.parseString(text);
        int times = 1 + random.nextInt(3);
        for (int i = 0; i < times; i++) {
            root = changed(root);
        }
        return GSON.toJson(root);
    }

    /** A value somewhere below, and how to put another in its place. */
    private interface Place {

        JsonElement value();

        void put(JsonElement other);

        void remove();
    }

    private JsonElement changed(JsonElement root) {
        List<Place> all = new ArrayList<>();
        collect(root, all);
        if (all.isEmpty() || random.nextInt(200) == 0) {
            return value(0);
        }
        // Lists of tokens are long: half of the time a place that is not in one.
        Place place =
                all.get(
                        random.nextInt(
                                random.nextBoolean() ? all.size() : Math.min(60, all.size())));
        switch (random.nextInt(5)) {
            case 0 -> place.remove();
            case 1 -> place.put(all.get(random.nextInt(all.size())).value().deepCopy());
            case 2 -> place.put(near(place.value()));
            default -> place.put(value(0));
        }
        return root;
    }

    /** Breadth first, so that what is near the root comes first. */
    private static void collect(JsonElement root, List<Place> all) {
        List<JsonElement> level = List.of(root);
        while (!level.isEmpty()) {
            List<JsonElement> next = new ArrayList<>();
            for (JsonElement element : level) {
                if (element instanceof JsonObject object) {
                    for (String key : object.keySet()) {
                        all.add(
                                new Place() {
                                    @Override
                                    public JsonElement value() {
                                        JsonElement value = object.get(key);
                                        return value == null ? JsonNull.INSTANCE : value;
                                    }

                                    @Override
                                    public void put(JsonElement other) {
                                        object.add(key, other);
                                    }

                                    @Override
                                    public void remove() {
                                        object.remove(key);
                                    }
                                });
                        next.add(object.get(key));
                    }
                } else if (element instanceof JsonArray array) {
                    for (int i = 0; i < array.size(); i++) {
                        int index = i;
                        all.add(
                                new Place() {
                                    @Override
                                    public JsonElement value() {
                                        return index < array.size()
                                                ? array.get(index)
                                                : JsonNull.INSTANCE;
                                    }

                                    @Override
                                    public void put(JsonElement other) {
                                        if (index < array.size()) {
                                            array.set(index, other);
                                        } else {
                                            array.add(other);
                                        }
                                    }

                                    @Override
                                    public void remove() {
                                        if (index < array.size()) {
                                            array.remove(index);
                                        }
                                    }
                                });
                        next.add(array.get(i));
                    }
                }
            }
            level = next;
        }
    }

    /** A value of the same type. */
    private JsonElement near(JsonElement value) {
        if (!value.isJsonPrimitive()) {
            return value.isJsonArray() ? new JsonArray() : new JsonObject();
        }
        JsonPrimitive primitive = value.getAsJsonPrimitive();
        if (primitive.isBoolean()) {
            return new JsonPrimitive(!primitive.getAsBoolean());
        }
        return primitive.isNumber()
                ? new JsonPrimitive(new BigDecimal(pick(NUMBERS)))
                : new JsonPrimitive(pick(WORDS));
    }

    private JsonElement value(int depth) {
        return switch (random.nextInt(depth > 3 ? 4 : 6)) {
            case 0 -> JsonNull.INSTANCE;
            case 1 -> new JsonPrimitive(random.nextBoolean());
            case 2 -> new JsonPrimitive(new BigDecimal(pick(NUMBERS)));
            case 3 -> new JsonPrimitive(pick(WORDS));
            case 4 -> {
                JsonArray array = new JsonArray();
                for (int i = random.nextInt(4); i > 0; i--) {
                    array.add(value(depth + 1));
                }
                yield array;
            }
            default -> {
                JsonObject object = new JsonObject();
                for (int i = random.nextInt(3); i > 0; i--) {
                    object.add(pick(WORDS), value(depth + 1));
                }
                yield object;
            }
        };
    }

    private <T> T pick(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    /** Either kind, of a JSON file. */
    byte[] any(byte[] jsonFile) {
        return random.nextInt(3) == 0
                ? bytes(jsonFile)
                : json(new String(jsonFile, StandardCharsets.UTF_8))
                        .getBytes(StandardCharsets.UTF_8);
    }
}
