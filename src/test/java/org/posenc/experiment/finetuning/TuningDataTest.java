package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.training.TokenDocument;

class TuningDataTest {

    private static final ModelFolder FOLDER =
            ModelFolder.open(Path.of("test-data", "goldens", "checkpoints", "llama_default"));

    @TempDir private Path folder;

    private TuningData read(double heldOut, int[]... documents) throws IOException {
        Path file = folder.resolve("ids.jsonl");
        Files.writeString(
                file,
                Arrays.stream(documents).map(Arrays::toString).collect(Collectors.joining("\n")));
        DataFiles files = new DataFiles(List.of(), List.of(file), "text", List.of(), heldOut);
        return TuningData.read(files, FOLDER);
    }

    private static List<Integer> firsts(List<TokenDocument> documents) {
        return documents.stream().map(document -> document.ids()[0]).toList();
    }

    @Test
    void wholeDocumentsSpreadEvenlyAreHeldOut() throws IOException {
        int[][] documents =
                IntStream.rangeClosed(1, 20)
                        .mapToObj(i -> IntStream.range(0, 10).map(t -> i).toArray())
                        .toArray(int[][]::new);
        TuningData data = read(0.1, documents);
        assertThat(firsts(data.heldOut())).containsExactly(10, 20);
        assertThat(firsts(data.training())).hasSize(18).doesNotContain(10, 20);
        assertThat(data.tokens()).isEqualTo(180);
        assertThat(data.heldOutTokens()).hasSize(20);
        assertThat(firsts(read(0.25, documents).heldOut())).containsExactly(4, 8, 12, 16, 20);
        assertThat(read(0.1, documents).hash()).isEqualTo(data.hash());
        documents[7][3] = 60;
        assertThat(read(0.1, documents).hash()).isNotEqualTo(data.hash());
    }

    @Test
    void ofASingleDocumentTheEndIs() throws IOException {
        int[] document = IntStream.range(0, 61).toArray();
        TuningData data = read(0.1, document);
        assertThat(data.training()).hasSize(1);
        assertThat(data.training().get(0).ids()).isEqualTo(Arrays.copyOf(document, 54));
        assertThat(data.heldOutTokens()).containsExactly(54, 55, 56, 57, 58, 59, 60);
    }
}
