package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.testing.Goldens;
import org.posenc.training.TextCorpus;

/** Against Hugging Face's trainer (test-data/scripts/bpe.py). */
class BytePairEncodingTest {

    private static final JsonObject GOLDEN = Goldens.read("training/bpe.json");

    @TempDir private Path folder;

    private static BytePairEncoding learned() throws IOException {
        List<String> texts =
                List.of(Files.readString(Path.of("LICENSE")), GOLDEN.get("mixed").getAsString());
        return BytePairEncoding.learn(texts, GOLDEN.get("size").getAsInt());
    }

    @Test
    void learnsWhatHuggingFaceLearns() throws IOException {
        BytePairEncoding encoding = learned();
        assertThat(encoding.merges())
                .isEqualTo(
                        stream(GOLDEN.get("merges"))
                                .map(JsonElement::getAsJsonArray)
                                .map(
                                        pair ->
                                                new BytePairEncoding.Merge(
                                                        pair.get(0).getAsString(),
                                                        pair.get(1).getAsString()))
                                .toList());
        assertThat(encoding.vocabulary())
                .isEqualTo(stream(GOLDEN.get("vocabulary")).map(JsonElement::getAsString).toList());
    }

    @Test
    void huggingFacesTokenizerReadsItAndAnyTextComesBack() throws IOException {
        Path file = folder.resolve("new/tokenizer.json");
        learned().write(file);
        assertThat(file.getParent()).isDirectoryContaining("glob:**/tokenizer.json");
        String sample = GOLDEN.get("sample").getAsString();
        try (HuggingFaceTokenizer tokenizer = TextCorpus.tokenizer(file)) {
            long[] ids = tokenizer.encode(sample).getIds();
            assertThat(ids)
                    .isEqualTo(
                            stream(GOLDEN.get("ids")).mapToLong(JsonElement::getAsLong).toArray());
            Random random = new Random(1);
            for (int i = 0; i < 200; i++) {
                StringBuilder text = new StringBuilder();
                random.ints(40, 1, i < 100 ? 0x250 : 0x20000)
                        .filter(c -> c < 0xD800 || c > 0xDFFF)
                        .forEach(text::appendCodePoint);
                long[] encoded = tokenizer.encode(text.toString()).getIds();
                assertThat(tokenizer.decode(encoded)).isEqualTo(text.toString());
            }
        }
    }

    @Test
    void stopsWhereThereIsNothingLeftToMerge() {
        BytePairEncoding encoding = BytePairEncoding.learn(List.of("abab abab"), 1000);
        assertThat(encoding.merges())
                .containsExactly(
                        new BytePairEncoding.Merge("a", "b"),
                        new BytePairEncoding.Merge("ab", "ab"),
                        new BytePairEncoding.Merge("Ġ", "abab"));
        assertThat(encoding.vocabulary()).hasSize(259);
        assertThatThrownBy(() -> BytePairEncoding.learn(List.of("a"), 255))
                .hasMessage("a byte-level vocabulary needs at least 256 tokens, got 255");
    }

    private static Stream<JsonElement> stream(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false);
    }
}
