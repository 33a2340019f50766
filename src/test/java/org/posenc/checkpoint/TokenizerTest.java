package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;

/** Against Hugging Face's tokenizers (test-data/scripts/token_texts.py). */
class TokenizerTest {

    private static final Path FOLDER = Path.of("test-data", "tokenizers");

    @TempDir private Path folder;

    /** unigram.json asks for truncation to 8 tokens and padding to 16. */
    @ParameterizedTest
    @ValueSource(strings = {"llama2", "llama3", "unigram"})
    void textsAreEncodedWholeAndComeBack(String name) throws IOException {
        JsonObject golden =
                JsonParser.parseString(Files.readString(FOLDER.resolve("expected.json")))
                        .getAsJsonObject()
                        .getAsJsonObject(name);
        try (Tokenizer tokenizer = Tokenizer.open(FOLDER.resolve(name + ".json"))) {
            for (JsonElement element : golden.getAsJsonArray("cases")) {
                JsonObject each = element.getAsJsonObject();
                long[] ids = tokenizer.encode(each.get("text").getAsString());
                double[] theirs = Goldens.flat(each.get("ids"));
                assertThat(ids).isEqualTo(Arrays.stream(theirs).mapToLong(d -> (long) d).toArray());
                String decoded = each.get("decoded").getAsString();
                assertThat(tokenizer.decode(ids)).isEqualTo(decoded);
                // Token by token the same text comes, and never half a character.
                for (int before = 0; before <= Math.min(3, ids.length); before++) {
                    assertGrows(tokenizer, ids, before, decoded);
                }
            }
            String whole = Files.readString(Path.of("LICENSE"));
            assertThat(tokenizer.encode(whole).length).isGreaterThan(2000);
        }
    }

    private static void assertGrows(Tokenizer tokenizer, long[] ids, int from, String decoded) {
        long[] before = Arrays.copyOf(ids, from);
        Tokenizer.Growing growing = tokenizer.growing(before);
        StringBuilder text = new StringBuilder(tokenizer.decode(before));
        for (int i = from; i < ids.length; i++) {
            String piece = growing.add(ids[i]);
            assertThat(piece).doesNotEndWith("\uFFFD");
            text.append(piece);
        }
        text.append(growing.end());
        if (!tokenizer.decode(before).endsWith("\uFFFD")) {
            assertThat(text.toString()).isEqualTo(decoded);
        }
    }

    @Test
    void bytesThatAreNoCharacterComeAtTheEnd() {
        try (Tokenizer tokenizer = Tokenizer.open(FOLDER.resolve("llama3.json"))) {
            long[] ids = tokenizer.encode("é");
            assertThat(ids).hasSize(3); // <s> and two bytes
            Tokenizer.Growing growing = tokenizer.growing();
            assertThat(growing.add(ids[1])).isEmpty();
            assertThat(growing.end()).isEqualTo("\uFFFD");
            Tokenizer.Growing both = tokenizer.growing();
            assertThat(both.add(ids[1]) + both.add(ids[2]) + both.end()).isEqualTo("é");
        }
    }

    /** Each of these ends the process when Hugging Face's library sees it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama2 \"start\":1,\"stop\":0 -> \"start\":1,\"stop\":1",
                "llama2 \"start\":1,\"stop\":0 -> \"start\":1e999,\"stop\":0",
                "llama2 \"content\":\" \",\"start\" -> \"content\":\"\\ud800\",\"start\"",
                "llama2 \"special_tokens\":{\"<s>\" -> \"special_tokens\":{\"<t>\"",
                "llama2 \"Sequence\":{\"id\":\"A\" -> \"Sequence\":{\"id\":\"B\"",
                "llama3 \"continuing_subword_prefix\":null -> \"continuing_subword_prefix\":\"##\"",
                "unigram \"type\":\"NFKC\" -> \"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"",
                "unigram \"type\":\"NFKC\" -> \"type\":\"NFKC\",\"type\":\"NFC\""
            })
    void whatWouldEndTheProcessIsRefusedBefore(String change) throws IOException {
        String name = change.substring(0, change.indexOf(' '));
        String[] texts = change.substring(name.length() + 1).split(" -> ");
        String whole = Files.readString(FOLDER.resolve(name + ".json"));
        assertThat(whole).contains(texts[0]);
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(file, whole.replace(texts[0], texts[1]));
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(file + " is no tokenizer that can be read: it has ");
    }

    @Test
    void aTextThatHasNoTokensIsSaid() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        String whole = Files.readString(FOLDER.resolve("unigram.json"));
        Files.writeString(file, whole.replace("\"unk_id\":0", "\"unk_id\":null"));
        try (Tokenizer tokenizer = Tokenizer.open(file)) {
            assertThatThrownBy(() -> tokenizer.encode("日"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("this tokenizer cannot encode the text: ");
        }
    }

    @Test
    void whatIsNoTokenizerCostsOneSentence() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("tokenizer.json: no such file");
        for (String text : new String[] {"", "{", "[]", "{} {}", "{\"a\": NaN}", "\u0000"}) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> Tokenizer.open(file))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith(file.toString());
        }
        ModelFolder none =
                ModelFolder.open(Path.of("test-data", "goldens", "checkpoints", "qwen3"));
        assertThatThrownBy(() -> Tokenizer.open(none))
                .hasMessageEndingWith("has no tokenizer.json");
    }
}
