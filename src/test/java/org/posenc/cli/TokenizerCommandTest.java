package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.training.TextCorpus;

class TokenizerCommandTest {

    @TempDir private Path folder;

    @Test
    void writesATokenizer() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        Console console = learn("LICENSE", "300", file);
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("300 tokens from 1 documents");
        String text = Files.readString(Path.of("LICENSE"));
        try (HuggingFaceTokenizer tokenizer = TextCorpus.tokenizer(file)) {
            long[] ids = tokenizer.encode(text).getIds();
            assertThat(ids.length).isLessThan(text.length() * 3 / 4);
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
    }

    @Test
    void badInputLeavesNothingBehind() throws IOException {
        Path file = folder.resolve("new/tokenizer.json");
        learn("LICENSE", "255", file).assertBadInput();
        learn("no-such-file", "300", file).assertBadInput();
        Path blank = Files.writeString(folder.resolve("blank"), "\n");
        learn(blank.toString(), "300", file).assertBadInput();
        learn("LICENSE", "300", blank.resolve("tokenizer.json")).assertBadInput();
        assertThat(folder).isDirectoryNotContaining("glob:**/new");
    }

    private static Console learn(String text, String size, Path out) {
        return Console.run(
                "tokenizer", "--text", text, "--vocabulary", size, "--out", out.toString());
    }
}
