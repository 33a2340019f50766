package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExtrapolateCommandTest {

    @TempDir private Path folder;

    private Console extrapolate(String... options) {
        List<String> all = new ArrayList<>(List.of("extrapolate", "--out", out().toString()));
        all.addAll(List.of(options));
        if (!all.contains("--text")) {
            all.addAll(List.of("--text", "README.md"));
        }
        return Console.run(all.toArray(String[]::new));
    }

    private Path out() {
        return folder.resolve("new/out");
    }

    @Test
    void trainsReadsAndWritesThePage() throws IOException {
        Console console =
                extrapolate(
                        "--quick",
                        "--encodings=rope",
                        "--methods=direct,yarn",
                        "--factors=1,2",
                        "--finetune-factor=2",
                        "--finetune-steps=1",
                        "--steps=1",
                        "--puzzles=none");
        assertThat(console.err()).isEmpty();
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("direct", "yarn", "passkey", "page: ");
        assertThat(console.out().lines()).allMatch(line -> line.length() <= 120);
        assertThat(Files.readString(out().resolve("index.html"))).contains("--methods=direct,yarn");
        // One training, two methods, each at once and tuned.
        assertThat(Files.readAllLines(out().resolve("results.jsonl"))).hasSize(5);
    }

    @Test
    void listsMethodsAndPuzzles() {
        Console console = Console.run("extrapolate", "--list");
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("ntk-by-parts", "rerope", "recall");
    }

    @ParameterizedTest
    @CsvSource({
        "'--encodings none --methods yarn', none of the methods [yarn] can be applied to [none]",
        "'--model models/rope-64 --encodings rope', --model trains none",
        "'--model models/rope-64 --puzzle-encodings rope', --model trains none",
        "'--model models/rope-64 --length 32', the model's own",
        "'--model models/rope-64 --methods resized', none of the methods [resized]",
        "'--model no-such-folder', cannot read no-such-folder",
    })
    void optionsThatDoNotGoTogetherAreRefusedBeforeAnythingRuns(String options, String sentence) {
        Console console = extrapolate(options.split(" "));
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "--encodings, ropee, did you mean \"rope\"",
        "--encodings, rope:bass=3, did you mean \"base\"",
        "--encodings, rope:base, key=value",
        "--encodings, rope@skip, positions of training are",
        "--puzzle-encodings, ropee, did you mean \"rope\"",
        "--methods, yarm, did you mean \"yarn\"",
        "--puzzles, chess, a puzzle is sort",
        "--factors, '2,4', must begin with 1",
        "--factors, '1,4,2', ascend",
        "--length, 4, a passkey needs",
        "--steps, 0, steps must be at least 1",
        "--finetune-steps, -1, at least 0",
        "--finetune-factor, 1, above that of training",
        "--seeds, 0, seeds must be at least 1",
        "--text, no-such-file, there is no no-such-file",
        "--tokenizer, LICENSE, is not a tokenizer.json",
        "--device, tpu, --device must be",
        "--out, LICENSE/out, cannot write",
    })
    void badInputIsOneSentenceAndLeavesNothing(String option, String value, String sentence) {
        Console console =
                option.equals("--out")
                        ? Console.run("extrapolate", option, value, "--steps", "1")
                        : extrapolate(option, value);
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }
}
