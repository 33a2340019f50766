package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextCorpusTest {

    @TempDir private Path folder;

    @Test
    void aFoldersTextFilesComeInTheOrderOfTheirPaths() throws IOException {
        write("b.txt", "second");
        write("a/z.md", "first");
        write("c", "third: ü");
        write("blank.txt", " \n");
        write(".git/config", "hidden");
        write("target/out.txt", "built");
        write("data.json", "{}");
        Files.write(folder.resolve("image.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
        Files.write(folder.resolve("zero"), new byte[] {'a', 0, 'b'});
        TextCorpus corpus = TextCorpus.read(List.of(folder, folder.resolve("b.txt")));
        assertThat(corpus.documents()).containsExactly("first", "second", "third: ü", "second");
    }

    @Test
    void whatCannotBeReadIsNamed() throws IOException {
        Path png = folder.resolve("image.png");
        Files.write(png, new byte[] {(byte) 0x89, 'P', 'N', 'G'});
        assertThatThrownBy(() -> TextCorpus.read(List.of(png)))
                .hasMessage(png + " is not a text file in UTF-8");
        assertThatThrownBy(() -> TextCorpus.read(List.of(folder)))
                .hasMessage("the folder " + folder + " holds no text file");
        Path blank = write("blank.txt", "\n");
        assertThatThrownBy(() -> TextCorpus.read(List.of(blank)))
                .hasMessage(blank + " holds no text");
        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> TextCorpus.read(List.of(missing)))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessage(missing.toString());
    }

    @Test
    void aShareIsHeldOutEvenlyAndNothingIsLost() {
        List<String> documents = new ArrayList<>();
        for (int d = 0; d < 9; d++) {
            String line = "line of document " + d + " number ";
            StringBuilder text = new StringBuilder();
            IntStream.range(0, 300 * (d + 1))
                    .forEach(i -> text.append(line).append(i).append('\n'));
            documents.add(text.toString());
        }
        TextCorpus corpus = new TextCorpus(documents);
        TextCorpus.Split split = corpus.split(0.1);
        double held = split.heldOut().characters();
        assertThat(held / corpus.characters()).isCloseTo(0.1, Offset.offset(0.02));
        assertThat(held + split.training().characters()).isEqualTo(corpus.characters());
        assertThat(split.heldOut().documents())
                .allSatisfy(block -> assertThat(block).startsWith("line of").endsWith("\n"));
        long sources =
                split.heldOut().documents().stream()
                        .map(block -> block.substring(0, 18))
                        .distinct()
                        .count();
        assertThat(sources).isGreaterThan(3);
        assertThat(corpus.split(0.1)).isEqualTo(split);
    }

    @Test
    void aShortTextIsSplitOrRefused() {
        TextCorpus.Split split =
                new TextCorpus(List.of("one\ntwo\nthree\nfour\nfive\n")).split(0.3);
        assertThat(split.heldOut().characters()).isPositive();
        assertThatThrownBy(() -> new TextCorpus(List.of("one line")).split(0.1))
                .hasMessage("a text of 8 characters is too short to hold out 0.1");
        assertThatThrownBy(() -> new TextCorpus(List.of("a")).split(1))
                .hasMessage("the held-out share must be between 0 and 1, got 1.0");
    }

    @Test
    void aLongDocumentIsEncodedWhole() throws IOException {
        Path file = Path.of("models", "tokenizer-1024", "tokenizer.json");
        String text = Files.readString(Path.of("LICENSE"));
        try (HuggingFaceTokenizer tokenizer = TextCorpus.tokenizer(file)) {
            int[] ids = new TextCorpus(List.of(text, "abc")).encode(tokenizer);
            assertThat(ids.length).isGreaterThan(1024);
            long[] wide = IntStream.of(ids).asLongStream().toArray();
            assertThat(tokenizer.decode(wide)).isEqualTo(text + "abc");
        }
        try (HuggingFaceTokenizer truncating =
                HuggingFaceTokenizer.newInstance(file, Map.of("truncation", "true"))) {
            assertThatThrownBy(() -> new TextCorpus(List.of(text)).encode(truncating))
                    .hasMessageContaining("would truncate");
        }
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
