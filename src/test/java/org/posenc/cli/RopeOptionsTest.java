package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.NamedScaling;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.Yarn;
import picocli.CommandLine;

class RopeOptionsTest {

    private static final Path GOLDENS = Path.of("test-data", "goldens", "checkpoints");

    private static RopeOptions.Context context(String folder, String... options) {
        RopeOptions rope = new RopeOptions();
        new CommandLine(CommandLine.Model.CommandSpec.forAnnotatedObject(rope)).parseArgs(options);
        return rope.of(ModelFolder.open(GOLDENS.resolve(folder)));
    }

    /** The golden folders' original length is 16, mistral's is 64. */
    static Stream<Arguments> chosen() {
        return Stream.of(
                Arguments.of("mistral", "", new Default(), 64),
                Arguments.of("llama_yarn", "", Yarn.of(4, 16), 64),
                Arguments.of("llama_yarn", "--length 32", Yarn.of(4, 16), 32),
                Arguments.of("llama_yarn", "--rope default", new Default(), 16),
                Arguments.of("mistral", "--rope yarn --factor 4", Yarn.of(4, 64), 256),
                Arguments.of("mistral", "--rope yarn --length 96", Yarn.of(1.5, 64), 96),
                Arguments.of("mistral", "--rope linear --length 32", new Linear(1), 32),
                Arguments.of("mistral", "--rope yarn --factor 4 --length 200", Yarn.of(4, 64), 200),
                // The scaling of the folder goes, and the length of its pre-training stays.
                Arguments.of("llama_yarn", "--rope yarn --factor 8", Yarn.of(8, 16), 128),
                Arguments.of(
                        "mistral",
                        "--rope yarn --factor 2 --original-length 32 --rope-option beta-fast=20"
                                + " --rope-option beta-slow=2",
                        Yarn.of(2, 32).withBetas(20, 2),
                        64),
                Arguments.of(
                        "mistral",
                        "--rope llama3 --factor 8 --rope-option high-frequency-factor=3",
                        new Llama3(8, 1, 3, 64),
                        512),
                Arguments.of("mistral", "--rope dynamic --factor 2", new DynamicNtk(2, 64), 64),
                Arguments.of(
                        "mistral",
                        "--rope dynamic --factor 2 --length 256",
                        new DynamicNtk(2, 64),
                        256));
    }

    @ParameterizedTest
    @MethodSource("chosen")
    void optionsDecideScalingAndLength(
            String folder, String options, RopeScaling scaling, long length) {
        RopeOptions.Context context =
                context(folder, options.isEmpty() ? new String[0] : options.split(" "));
        assertThat(context.rope().scaling()).isEqualTo(scaling);
        assertThat(context.length()).isEqualTo(length);
        assertThat(((Rope) context.encoding()).parameters()).isEqualTo(context.rope());
    }

    @Test
    void theBaseMayChangeAlone() {
        RopeOptions.Context context = context("llama_yarn", "--base", "5e5");
        assertThat(context.rope().base()).isEqualTo(5e5);
        assertThat(context.rope().scaling()).isEqualTo(Yarn.of(4, 16));
    }

    /** A quarter of GPT-NeoX's heads turns, under every scaling. */
    @Test
    void aPartThatTurnsStaysAsItIs() {
        RopeOptions.Context context =
                context("gpt_neox_partial025", "--rope", "yarn", "--factor", "2");
        RopeOptions.Context own = context("gpt_neox_partial025");
        assertThat(context.rope().rotaryDimension()).isEqualTo(own.rope().rotaryDimension());
        assertThat(own.rope().rotaryDimension()).isLessThan(own.rope().headDimension());
    }

    @Test
    void everyScalingCanBeChosen() {
        for (String name : NamedScaling.names()) {
            String divisors = "1/2/3/4/5/6/7/8";
            RopeOptions.Context context =
                    name.equals("longrope")
                            ? context(
                                    "llama_gqa8_2",
                                    "--rope=longrope",
                                    "--factor=4",
                                    "--rope-option=short-factors=1/1/1/1",
                                    "--rope-option=long-factors=" + divisors.substring(0, 7))
                            : NamedScaling.options(name).contains("factor")
                                    ? context("llama_gqa8_2", "--rope=" + name, "--factor=4")
                                    : context("llama_gqa8_2", "--rope=" + name);
            assertThat(context.encoding()).isInstanceOf(Rope.class);
        }
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of("--rope yarn", "--rope yarn needs --factor or --length"),
                Arguments.of("--rope dynamic", "--rope dynamic needs --factor"),
                Arguments.of("--rope yarm --factor 2", "did you mean \"yarn\"?"),
                Arguments.of("--factor 2", "belong to a scaling, which --rope names"),
                Arguments.of("--rope linear --factor 0.5", "at least 1.0, got 0.5"),
                Arguments.of("--rope linear --factor x", "factor must be a number, got \"x\""),
                Arguments.of("--length 0", "--length must be at least 1, got 0"),
                Arguments.of("--base -1", "the base must be positive and finite, got -1.0"),
                Arguments.of(
                        "--rope linear --factor 2 --rope-option beta-fast=3",
                        "beta-fast must be left out with scaling linear, got \"3\""),
                Arguments.of(
                        "--rope yarn --rope-option factor=3",
                        "--rope-option factor is an option of its own, --factor"),
                Arguments.of("--rope-length far", "each-row, whole-batch or a number of tokens"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatIsWrongCostsOneSentence(String options, String message) {
        assertThatThrownBy(() -> context("mistral", options.split(" ")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
