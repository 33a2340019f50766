package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/**
 * What must be right in a {@code tokenizer.json} before Hugging Face's library may see it. That
 * library (tokenizers 0.21) answers most of what is wrong with an error, and the rest by ending the
 * process: numbers and surrogates that Rust cannot hold, templates of tokens that are not there,
 * merges shorter than their prefix, regular expressions that match nothing or go back too often,
 * parts that nobody here needs and whose content it trusts.
 */
final class TokenizerFile {

    /** Deeper than any tokenizer is; Rust's reader gives up at 128. */
    private static final int DEEPEST = 32;

    /** The kinds of each part that language models have, and where a part holds others. */
    private enum Part {
        NORMALIZER(
                "normalizer",
                "normalizers",
                "Sequence",
                "Prepend",
                "Replace",
                "NFC",
                "NFD",
                "NFKC",
                "NFKD",
                "Lowercase",
                "Strip",
                "StripAccents"),
        PRE_TOKENIZER(
                "pre_tokenizer",
                "pretokenizers",
                "Sequence",
                "Split",
                "ByteLevel",
                "Metaspace",
                "Digits",
                "Punctuation",
                "Whitespace",
                "WhitespaceSplit"),
        POST_PROCESSOR(
                "post_processor", "processors", "Sequence", "TemplateProcessing", "ByteLevel"),
        DECODER(
                "decoder",
                "decoders",
                "Sequence",
                "ByteLevel",
                "Metaspace",
                "Replace",
                "ByteFallback",
                "Fuse",
                "Strip",
                "BPEDecoder");

        private final String key;
        private final String children;
        private final TreeSet<String> kinds;

        Part(String key, String children, String... kinds) {
            this.key = key;
            this.children = children;
            this.kinds = new TreeSet<>(List.of(kinds));
        }
    }

    private static final int LARGEST_GROWTH = 1 << 20;

    private static final List<String> MODELS = List.of("BPE", "Unigram", "WordLevel");

    private final Path file;
    private long longestRun = Long.MAX_VALUE;
    private long longestText = Long.MAX_VALUE;
    private boolean spacesReplaced;
    private int growth = 1; // of a text by its normalisers

    private TokenizerFile(Path file) {
        this.file = file;
    }

    /**
     * How long texts may be for the regular expressions of a file.
     *
     * @param run the most characters in a row that are all white space or none
     * @param text the most characters
     */
    record Limits(long run, long text) {}

    /**
     * Checks a file.
     *
     * @return which texts may be shown to the library
     * @throws IllegalArgumentException if it cannot be read, or holds what may not be shown to the
     *     library
     */
    static Limits check(Path file) {
        return new TokenizerFile(file).check();
    }

    private Limits check() {
        String text;
        try {
            text = Files.readString(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw refused("is not JSON, which is UTF-8");
        } catch (IOException e) {
            throw Safetensors.unreadable(file, e);
        }
        JsonReader json = new JsonReader(new StringReader(text));
        json.setStrictness(Strictness.STRICT);
        JsonElement root;
        try {
            root = element(json, 0);
            json.peek(); // a strict reader refuses what comes after the end
        } catch (IOException | IllegalStateException e) {
            throw refused("is no valid JSON at " + json.getPath());
        }
        if (!(root instanceof JsonObject object)) {
            throw refused("must hold a JSON object");
        }
        for (Part part : Part.values()) {
            checkPart(part, object.get(part.key));
        }
        if (!(object.get("model") instanceof JsonObject model)) {
            throw refused("has no model");
        }
        checkModel(model);
        long run = longestRun / growth;
        return new Limits(run, spacesReplaced ? run : longestText / growth);
    }

    /** The next element, if Rust can hold it. */
    private JsonElement element(JsonReader json, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw refused("is nested too deeply at " + json.getPath());
        }
        return switch (json.peek()) {
            case NULL -> {
                json.nextNull();
                yield JsonNull.INSTANCE;
            }
            case BOOLEAN -> new JsonPrimitive(json.nextBoolean());
            case STRING -> new JsonPrimitive(whole(json.nextString(), json));
            case NUMBER -> number(json);
            case BEGIN_ARRAY -> {
                JsonArray array = new JsonArray();
                json.beginArray();
                while (json.hasNext()) {
                    array.add(element(json, depth + 1));
                }
                json.endArray();
                yield array;
            }
            case BEGIN_OBJECT -> {
                JsonObject object = new JsonObject();
                json.beginObject();
                while (json.peek() != JsonToken.END_OBJECT) {
                    String name = whole(json.nextName(), json);
                    if (object.has(name)) {
                        throw refused("has " + json.getPath() + " twice");
                    }
                    object.add(name, element(json, depth + 1));
                }
                json.endObject();
                yield object;
            }
            default -> throw refused("ends before it is complete");
        };
    }

    private String whole(String text, JsonReader json) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw refused("has half a surrogate pair at " + json.getPath());
        }
        return text;
    }

    private JsonPrimitive number(JsonReader json) throws IOException {
        String digits = json.nextString();
        if (!Double.isFinite(Double.parseDouble(digits))) {
            throw refused("has a number too large at " + json.getPath());
        }
        return new JsonPrimitive(new BigDecimal(digits));
    }

    private void checkPart(Part part, JsonElement element) {
        if (element == null || element.isJsonNull()) {
            return;
        }
        String kind = element instanceof JsonObject object ? text(object.get("type")) : "";
        if (!part.kinds.contains(kind)) {
            throw refused(
                    "has a %s of type %s; those that can be read are %s"
                            .formatted(
                                    part.key,
                                    kind.isEmpty() ? "none" : "\"" + kind + "\"",
                                    String.join(", ", part.kinds)));
        }
        JsonObject object = element.getAsJsonObject();
        switch (kind) {
            case "Sequence" -> {
                if (!(object.get(part.children) instanceof JsonArray children)) {
                    throw refused("has a " + part.key + " Sequence without " + part.children);
                }
                children.forEach(child -> checkPart(part, child));
            }
            case "TemplateProcessing" -> checkTemplate(object);
            case "Strip" -> {
                if (part == Part.DECODER && !isZero(object.get("stop"))) {
                    throw refused("has a decoder Strip whose stop is not 0");
                }
            }
            // How many characters become of one, Unicode Standard Annex 15, table of growth.
            case "NFC" -> grow(3);
            case "NFD" -> grow(4);
            case "NFKC", "NFKD" -> grow(18);
            case "Split", "Replace" -> checkPattern(part, object, kind);
            case "ByteLevel" -> {
                boolean plain =
                        object.get("use_regex") instanceof JsonPrimitive said
                                && said.isBoolean()
                                && !said.getAsBoolean();
                if (part == Part.PRE_TOKENIZER && !plain) {
                    limit(TokenizerRegex.of(TokenizerRegex.BYTE_LEVEL).work());
                }
            }
            default -> {
                // Whatever else these hold is checked by the library itself.
            }
        }
    }

    private void grow(int times) {
        growth = (int) Math.min(LARGEST_GROWTH, (long) growth * times);
    }

    private void checkPattern(Part part, JsonObject object, String kind) {
        JsonElement pattern = object.get("pattern");
        String what = "has a %s %s whose pattern ".formatted(part.key, kind);
        boolean replaces = kind.equals("Replace");
        if (replaces && part == Part.NORMALIZER) {
            spacesReplaced = true;
            grow(Math.max(1, text(object.get("content")).length()));
        }
        if (member(pattern, "Regex") == null) {
            if (replaces && text(member(pattern, "String")).isEmpty()) {
                throw refused(what + "can match no character");
            }
            return;
        }
        TokenizerRegex regex;
        try {
            regex = TokenizerRegex.of(text(member(pattern, "Regex")));
        } catch (IllegalArgumentException e) {
            throw refused(what + e.getMessage());
        }
        if (replaces && regex.empty()) {
            throw refused(what + "can match no character");
        }
        limit(regex.work());
    }

    private void limit(TokenizerRegex.Work work) {
        longestRun = Math.min(longestRun, work.run());
        if (work.anywhere()) {
            longestText = Math.min(longestText, work.run());
        }
    }

    /** One text is made of itself and of special tokens that the template describes. */
    private void checkTemplate(JsonObject template) {
        JsonElement described = template.get("special_tokens");
        for (String form : List.of("single", "pair")) {
            if (!(template.get(form) instanceof JsonArray pieces)) {
                throw refused("has a TemplateProcessing without a list " + form);
            }
            for (JsonElement piece : pieces) {
                JsonElement special = member(piece, "SpecialToken");
                String id = text(member(special, "id"));
                if (special != null && member(described, id) == null) {
                    throw refused(
                            "has a TemplateProcessing of a token \""
                                    + id
                                    + "\" that special_tokens does not describe");
                }
                boolean second = text(member(member(piece, "Sequence"), "id")).equals("B");
                if (second && form.equals("single")) {
                    throw refused("has a TemplateProcessing that puts two texts into one");
                }
            }
        }
    }

    private void checkModel(JsonObject model) {
        String kind = model.has("type") ? text(model.get("type")) : "BPE"; // as GPT-2's file has it
        if (!MODELS.contains(kind)) {
            throw refused(
                    "has a model of type \""
                            + kind
                            + "\"; those that can be read are "
                            + String.join(", ", MODELS));
        }
        if (!kind.equals("BPE")) {
            return;
        }
        String prefix = text(model.get("continuing_subword_prefix"));
        if (prefix.isEmpty()) {
            return;
        }
        if (!(model.get("merges") instanceof JsonArray merges)) {
            throw refused("has a BPE without merges");
        }
        for (JsonElement merge : merges) {
            String second =
                    merge instanceof JsonArray pair
                            ? pair.size() == 2 ? text(pair.get(1)) : ""
                            : text(merge).replaceFirst("^[^ ]* ", "");
            if (!second.startsWith(prefix)) {
                throw refused(
                        "has a merge "
                                + merge
                                + " whose second token does not begin with"
                                + " continuing_subword_prefix");
            }
        }
    }

    private static JsonElement member(JsonElement element, String key) {
        return element instanceof JsonObject object ? object.get(key) : null;
    }

    private static String text(JsonElement element) {
        boolean isText = element instanceof JsonPrimitive primitive && primitive.isString();
        return isText ? element.getAsString() : "";
    }

    private static boolean isZero(JsonElement element) {
        return element instanceof JsonPrimitive number
                && number.isNumber()
                && number.getAsDouble() == 0;
    }

    private IllegalArgumentException refused(String why) {
        return new IllegalArgumentException(file + " is no tokenizer that can be read: it " + why);
    }
}
