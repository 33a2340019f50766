package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.Encodings;
import picocli.CommandLine.Command;

class PosencTest {

    @Test
    void helpAndVersionGoToTheStandardOutput() {
        Console help = Console.run("--help");
        assertThat(help.code()).isZero();
        assertThat(help.out()).contains("encodings").contains("130");
        assertThat(help.err()).isEmpty();
        assertThat(Console.run("--version").out()).matches("(?s)posenc \\d+\\.\\d+\\.\\d+.*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "encoding",
                "--verzion",
                "encodings sinusoidel",
                "encodings --json",
            })
    void badInputIsOneSentence(String line) {
        Console console = Console.run(line.isEmpty() ? new String[0] : line.split(" "));
        console.assertBadInput();
    }

    @Test
    void namesTheNearest() {
        assertThat(Console.run("encodings", "sinusoidel").err()).contains("\"sinusoidal\"?");
        assertThat(Console.run("encodigns").err()).contains("encodings");
    }

    @Test
    void listsEveryEncodingWithItsSettings() {
        Console console = Console.run("encodings");
        assertThat(console.code()).isZero();
        for (String name : Encodings.names()) {
            assertThat(console.out()).containsPattern("(?m)^" + name + " +\\S");
            Encodings.named(name)
                    .keys()
                    .forEach(
                            key ->
                                    assertThat(console.out())
                                            .contains(key.key() + "=" + key.standard()));
        }
    }

    @Test
    void aFailureIsASentenceAndACode() {
        Console missing = failing(new NoSuchFileException("a/b.txt"));
        missing.assertBadInput();
        assertThat(missing.err()).contains("there is no a/b.txt");
        failing(new IllegalArgumentException("sigma must be positive,\n got -1")).assertBadInput();
        assertThat(failing(new CancellationException()).code()).isEqualTo(130);
        assertThat(failing(new InterruptedException()).code()).isEqualTo(130);
        Console bug = failing(new IllegalStateException("an invariant broke"));
        assertThat(bug.code()).isEqualTo(1);
        assertThat(bug.err()).contains("internal error").contains("an invariant broke");
        failing(new IOException("disk full")).assertBadInput();
    }

    private static Console failing(Exception e) {
        @Command(name = "fail")
        class Fail implements java.util.concurrent.Callable<Integer> {
            @Override
            public Integer call() throws Exception {
                throw e;
            }
        }

        return Console.run(Posenc.commandLine().addSubcommand(new Fail()), "fail");
    }
}
