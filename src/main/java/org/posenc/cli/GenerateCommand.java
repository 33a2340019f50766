package org.posenc.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.Tokenizer;
import org.posenc.experiment.language.StoppedText;
import org.posenc.model.Generation;
import org.posenc.model.Sampling;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc generate}: text that a model writes, as it writes it. */
@Command(
        name = "generate",
        description = {
            "Continues a prompt with the model of a Hugging Face folder and prints each word when"
                    + " it is chosen. Without --prompt or --ids the prompt is read from the standard"
                    + " input, without its last line break.",
            "A prompt is taken as it is: chat templates are not applied."
        },
        mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {

    @Mixin private ModelOptions options;

    @ArgGroup private Prompt prompt;

    private static final class Prompt {

        @Option(names = "--prompt", paramLabel = "TEXT", description = "What to continue.")
        private String text;

        @Option(
                names = "--ids",
                paramLabel = "1,2,3|FILE",
                description = "Token ids instead of text; ids are printed too.")
        private String ids;
    }

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "256",
            description = "The most tokens to write (default: ${DEFAULT-VALUE}).")
    private int most;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 takes the best token each time (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Draws from the K best tokens; 0: from all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description =
                    "Draws from the fewest tokens whose probabilities sum to P (default:"
                            + " ${DEFAULT-VALUE}).")
    private double topP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            defaultValue = "1",
            description =
                    "Above 1, tokens that are there already lose (default: ${DEFAULT-VALUE}).")
    private double penalty;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Decides what is drawn (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description =
                    "Ends before this text; may be given several times. The folder's own end tokens"
                            + " always end.")
    private List<String> stops = new ArrayList<>();

    @Spec private CommandSpec spec;

    /** Writes as long as the model does. */
    @Override
    public Integer call() throws IOException {
        Sampling sampling = new Sampling(temperature, topK, topP, penalty);
        boolean bare = prompt != null && prompt.ids != null;
        if (bare && !stops.isEmpty()) {
            throw new IllegalArgumentException("--stop is a text, and --ids writes none");
        }
        StoppedText text = new StoppedText(stops);
        ModelFolder folder = options.open();
        try (Tokenizer tokenizer = bare ? null : Tokenizer.open(folder)) {
            long[] ids = bare ? ids() : tokenizer.encode(prompt());
            if (ids.length == 0) {
                throw new IllegalArgumentException(
                        "the prompt has no tokens, so there is nothing to continue");
            }
            try (ModelOptions.Loaded loaded = options.load(folder)) {
                Meter meter = new Meter(ids.length, loaded.context().length());
                Generation generation =
                        Generation.builder()
                                .setModel(loaded.model())
                                .setMostTokens(most)
                                .optSampling(sampling)
                                .optSeed(seed)
                                .optStopTokens(ends(folder))
                                .build();
                meter.say(
                        bare
                                ? writeIds(generation, ids, meter)
                                : writeText(generation, ids, tokenizer.growing(ids), text, meter));
            }
        }
        return 0;
    }

    private long[] ids() {
        long[][] rows = TokenRows.parse("--ids", prompt.ids);
        if (rows.length != 1) {
            throw new IllegalArgumentException(
                    "--ids must be one row, since one text is written, got " + rows.length);
        }
        return rows[0];
    }

    private String prompt() throws IOException {
        if (prompt != null) {
            return prompt.text;
        }
        String read = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        return read.replaceFirst("\\R\\z", ""); // which ends a line, not the prompt
    }

    private static long[] ends(ModelFolder folder) {
        return folder.endTokens().stream().mapToLong(Long::longValue).toArray();
    }

    private Generation.End writeIds(Generation generation, long[] ids, Meter meter) {
        Generation.End end =
                write(
                        generation,
                        ids,
                        meter,
                        token -> meter.tokens == 1 ? "" + token : "," + token,
                        () -> true);
        spec.commandLine().getOut().println();
        return end;
    }

    private Generation.End writeText(
            Generation generation,
            long[] ids,
            Tokenizer.Growing growing,
            StoppedText text,
            Meter meter) {
        Generation.End end =
                write(
                        generation,
                        ids,
                        meter,
                        token -> text.add(growing.add(token)),
                        () -> !text.stopped());
        spec.commandLine().getOut().println(text.add(growing.end()) + text.end());
        return end;
    }

    /**
     * Prints what a token adds as soon as it is chosen.
     *
     * @param words what a token adds
     * @param goesOn whether more tokens are wanted
     */
    private Generation.End write(
            Generation generation,
            long[] ids,
            Meter meter,
            LongFunction<String> words,
            BooleanSupplier goesOn) {
        PrintWriter print = spec.commandLine().getOut();
        Generation.Listener listener =
                (row, token) -> {
                    meter.count();
                    print.print(words.apply(token));
                    print.flush();
                    return goesOn.getAsBoolean();
                };
        return generation.generate(List.of(ids), listener).get(0).end();
    }

    /** Counts what is written, and how fast. */
    private final class Meter {

        private final long start = System.nanoTime();
        private final int read;
        private final long length;
        private long first;
        private long tokens;

        Meter(int read, long length) {
            this.read = read;
            this.length = length;
        }

        void count() {
            tokens++;
            if (tokens == 1) {
                first = System.nanoTime();
                warn();
            }
        }

        private void warn() {
            if (read + (long) most > length) {
                PrintWriter err = spec.commandLine().getErr();
                err.printf(
                        Locale.ROOT,
                        "prompt and text may come to %,d tokens, and the model is made for %,d:"
                                + " beyond, expect little (--rope stretches it)%n",
                        read + (long) most,
                        length);
                err.flush();
            }
        }

        void say(Generation.End end) {
            PrintWriter err = spec.commandLine().getErr();
            spec.commandLine().getOut().flush();
            err.printf(
                    Locale.ROOT,
                    "%,d tokens read in %.2f s, %,d written at %.1f a second; ended by %s%n",
                    read,
                    (first - start) / 1e9,
                    tokens,
                    (tokens - 1) / Math.max(1e-9, (System.nanoTime() - first) / 1e9),
                    switch (end) {
                        case STOP_TOKEN -> "the model";
                        case MOST_TOKENS -> "--max-tokens";
                        case LISTENER -> "--stop";
                    });
            err.flush();
        }
    }
}
