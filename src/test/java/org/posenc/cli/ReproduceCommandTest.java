package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReproduceCommandTest {

    @TempDir private Path folder;

    private Console reproduce(String... options) {
        List<String> all = new ArrayList<>(List.of("reproduce", "--out", out().toString()));
        all.addAll(List.of(options));
        return Console.run(all.toArray(String[]::new));
    }

    private Path out() {
        return folder.resolve("new/out");
    }

    @Test
    void listsRecipesWithWhatTheyCost() {
        Console console = reproduce("--list");
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("trade-off", "2021, notebook", "small: ", "paper: ");
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "'trade-of', there is no recipe \"trade-of\"; there are all",
        "'trade-off trade-off', must be named once each",
        "'--scale huge', '[PAPER, SMALL]'",
        "'--seeds 0', seeds must be at least 1",
        "'--seed 9223372036854775807', leave room",
        "'--image no-such-file', there is no file no-such-file",
        "'--image LICENSE', LICENSE is no signal",
        "'--device tpu', --device must be",
    })
    void badInputIsOneSentenceAndLeavesNothing(String options, String sentence) {
        Console console = reproduce(options.split(" "));
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }
}
