package org.posenc.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.Tokenizer;
import org.posenc.experiment.language.Perplexity;
import org.posenc.experiment.language.SlidingWindow;
import org.posenc.training.TextCorpus;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc perplexity}: how well a model foretells text, at any length, under any RoPE. */
@Command(
        name = "perplexity",
        description = {
            "Measures the perplexity of texts under the model of a Hugging Face folder, read"
                    + " through a window that slides: each token but the first of a text is scored"
                    + " once, with at least window minus stride tokens before it where there are so"
                    + " many.",
            "Several windows give perplexity against context."
        },
        mixinStandardHelpOptions = true)
final class PerplexityCommand implements Callable<Integer> {

    @Mixin private ModelOptions options;

    @ArgGroup(multiplicity = "1")
    private Source source;

    private static final class Source {

        @Option(
                names = "--text",
                arity = "1..*",
                paramLabel = "FILE|DIR",
                description = "Text files, or folders of them; each file is read by itself.")
        private List<Path> text;

        @Option(
                names = "--ids",
                paramLabel = "\"1,2,3;4,5,6\"|FILE",
                description = "Token ids instead of text; each row is read by itself.")
        private String ids;
    }

    @Option(
            names = "--window",
            split = ",",
            paramLabel = "N",
            description =
                    "Tokens of the window; several with commas between (default: the longest"
                            + " context of the model).")
    private List<Integer> windows;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "By how many tokens the window moves on (default: half of it).")
    private Integer stride;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Reads the first N tokens of each text (default: all).")
    private Integer most;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many windows are read at once (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--json", description = "Prints JSON instead of words.")
    private boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "Writes JSON into a .json file.")
    private Path out;

    @Spec private CommandSpec spec;

    /** Reads, measures and prints. */
    @Override
    public Integer call() throws IOException {
        JsonResult.checkName(out, false);
        if (most != null && most < 2) {
            throw new IllegalArgumentException("--max-tokens must be at least 2, got " + most);
        }
        ModelFolder folder = options.open();
        List<long[]> texts = texts(folder);
        try (ModelOptions.Loaded loaded = options.load(folder)) {
            List<Perplexity> results = new ArrayList<>();
            for (SlidingWindow window : windows(loaded.context().length(), texts)) {
                try (ProgressLine progress = new ProgressLine("window " + window.length())) {
                    results.add(Perplexity.of(loaded.model(), texts, window, batch, progress));
                }
            }
            if (json || out != null) {
                JsonResult.write(fields(loaded, texts, results), out, spec.commandLine().getOut());
            }
            if (!json) {
                print(loaded, texts, results);
            }
        }
        return 0;
    }

    private List<long[]> texts(ModelFolder folder) throws IOException {
        List<long[]> texts = new ArrayList<>();
        if (source.ids != null) {
            texts.addAll(Arrays.asList(TokenRows.parse("--ids", source.ids)));
        } else {
            TextCorpus corpus = TextCorpus.read(source.text);
            try (Tokenizer tokenizer = Tokenizer.open(folder)) {
                corpus.documents().forEach(text -> texts.add(tokenizer.encode(text)));
            }
        }
        if (most != null) {
            texts.replaceAll(text -> Arrays.copyOf(text, Math.min(most, text.length)));
        }
        return texts;
    }

    private List<SlidingWindow> windows(long context, List<long[]> texts) {
        int longest = texts.stream().mapToInt(text -> text.length).max().orElse(0);
        List<Integer> lengths =
                windows == null ? List.of((int) Math.max(2, Math.min(context, longest))) : windows;
        return lengths.stream()
                .map(
                        length ->
                                new SlidingWindow(
                                        length, stride == null ? Math.max(1, length / 2) : stride))
                .toList();
    }

    private Map<String, Object> fields(
            ModelOptions.Loaded loaded, List<long[]> texts, List<Perplexity> results) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", loaded.folder().folder().toString());
        fields.put("rope", loaded.context().rope().toString());
        fields.put("length", loaded.context().length());
        fields.put("texts", texts.size());
        fields.put("tokens", texts.stream().mapToLong(text -> text.length).sum());
        List<Map<String, Object>> measures = new ArrayList<>();
        for (Perplexity result : results) {
            Map<String, Object> measure = new LinkedHashMap<>();
            measure.put("window", result.window().length());
            measure.put("stride", result.window().stride());
            measure.put("windows", result.windows());
            measure.put("scored", result.tokens());
            measure.put("loss", result.loss());
            measure.put("perplexity", finite(result.value()));
            measures.add(measure);
        }
        fields.put("measures", measures);
        return fields;
    }

    /** JSON has no infinity. */
    private static Object finite(double value) {
        return Double.isFinite(value) ? value : Double.toString(value);
    }

    private void print(ModelOptions.Loaded loaded, List<long[]> texts, List<Perplexity> results) {
        PrintWriter print = spec.commandLine().getOut();
        print.printf(
                Locale.ROOT,
                "%s, %,d tokens in %s, RoPE %s%n%n",
                loaded.folder().folder(),
                texts.stream().mapToLong(text -> text.length).sum(),
                texts.size() == 1 ? "one text" : texts.size() + " texts",
                loaded.context().words());
        print.printf(
                "%8s  %8s  %9s  %8s  %12s%n", "window", "stride", "scored", "loss", "perplexity");
        for (Perplexity result : results) {
            print.printf(
                    Locale.ROOT,
                    "%,8d  %,8d  %,9d  %8.4f  %12.4f%n",
                    result.window().length(),
                    result.window().stride(),
                    result.tokens(),
                    result.loss(),
                    result.value());
        }
        print.flush();
    }
}
