package org.posenc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.rope.NamedScaling;

/** What the README says of the code is so. */
class ReadmeTest {

    private static final String README = read(Path.of("README.md"));

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> lines(String code) {
        return code.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    /** Each is followed by the example it is from. */
    @Test
    void itsSnippetsAreInExamplesAndSoCompileAndRun() {
        Matcher block =
                Pattern.compile("```java\n(.*?)```\n\n\\(`(examples/\\w+\\.java)`", Pattern.DOTALL)
                        .matcher(README);
        int count = 0;
        while (block.find()) {
            assertThat(lines(read(Path.of(block.group(2)))))
                    .containsSubsequence(lines(block.group(1)));
            count++;
        }
        assertThat(count).isEqualTo(README.split("```java\n", -1).length - 1).isPositive();
    }

    @Test
    void itNamesEveryEncodingAndEveryExample() throws IOException {
        assertThat(Encodings.names()).allSatisfy(name -> assertThat(README).contains("`" + name));
        try (Stream<Path> examples = Files.list(Path.of("examples"))) {
            assertThat(examples)
                    .allSatisfy(
                            file ->
                                    assertThat(README)
                                            .contains(
                                                    "`"
                                                            + file.getFileName()
                                                                    .toString()
                                                                    .replace(".java", "`")));
        }
    }

    @Test
    void itNamesEveryScalingOfRope() {
        assertThat(NamedScaling.names())
                .allSatisfy(name -> assertThat(README).contains("`" + name));
    }

    @Test
    void itsPicturesAndFilesAreThere() {
        Matcher link =
                Pattern.compile("\\]\\(((?:src|examples|models|test-data)[^)]*)\\)")
                        .matcher(README);
        int count = 0;
        while (link.find()) {
            assertThat(Path.of(link.group(1))).exists();
            count++;
        }
        assertThat(count).isPositive();
    }
}
