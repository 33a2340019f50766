package org.posenc.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.posenc.analysis.RopeAnalysis;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.ModelSize;
import org.posenc.checkpoint.RopeConfig;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.model.TransformerConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code posenc inspect}: what is in a Hugging Face folder. */
@Command(
        name = "inspect",
        description = {
            "Tells what is in a Hugging Face folder: files, family, parameters, memory at each"
                    + " precision, effective RoPE, and what a longer context would need.",
            "Configuration and headers are checked in full; no weight is read, but for an output"
                    + " that is tied to the embeddings and stored beside them."
        },
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {

    /** How many times its context a model is looked at, where no length is asked for. */
    private static final List<Integer> TIMES = List.of(1, 2, 4, 8, 16);

    /** Longer targets take seconds. */
    private static final long QUICK_TARGET = 150_000;

    private static final int LAYERS_NAMED = 6;

    private static final int SINGLE = 4;
    private static final int HALF = 2;

    @Parameters(paramLabel = "DIR", description = "The folder.")
    private Path path;

    @Option(
            names = "--length",
            split = ",",
            paramLabel = "N",
            description =
                    "Contexts to look at, in tokens (default: 1, 2, 4, 8 and 16 times the model's).")
    private List<Long> lengths = List.of();

    @Option(names = "--json", description = "Prints JSON instead of words.")
    private boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "Writes JSON into a .json file.")
    private Path out;

    @Spec private CommandSpec spec;

    /**
     * A context and what it asks for.
     *
     * @param tokens its length
     * @param factor of the length of the pre-training
     * @param smallestBase the smallest base that carries it, where that is quickly found
     */
    private record Reach(long tokens, double factor, OptionalDouble smallestBase) {}

    /** Opens, counts and prints. */
    @Override
    public Integer call() throws IOException {
        JsonResult.checkName(out, false);
        for (long length : lengths) {
            if (length < 1) {
                throw new IllegalArgumentException("--length must be at least 1, got " + length);
            }
        }
        ModelFolder folder = ModelFolder.open(path);
        List<Reach> reaches = reaches(folder);
        if (json || out != null) {
            JsonResult.write(fields(folder, reaches), out, spec.commandLine().getOut());
        }
        if (!json) {
            print(folder, reaches);
        }
        return 0;
    }

    private List<Reach> reaches(ModelFolder folder) {
        List<Long> asked =
                lengths.isEmpty() ? TIMES.stream().map(n -> n * folder.length()).toList() : lengths;
        long trained = folder.originalLength();
        return asked.stream()
                .map(
                        tokens ->
                                new Reach(
                                        tokens,
                                        Math.max(1, (double) tokens / trained),
                                        tokens <= QUICK_TARGET
                                                ? RopeAnalysis.of(folder.rope(), trained, tokens)
                                                        .smallestBase(tokens)
                                                : OptionalDouble.empty()))
                .toList();
    }

    private static Map<String, Long> types(ModelFolder folder) {
        Map<String, Long> types = new TreeMap<>();
        folder.weights()
                .names()
                .forEach(name -> types.merge(folder.weights().type(name).name(), 1L, Long::sum));
        return types;
    }

    private static long bytes(ModelFolder folder) throws IOException {
        long bytes = 0;
        for (Path file : folder.weights().files()) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    private static long layersWithoutRope(ModelFolder folder) {
        RopeConfig rope = folder.ropeConfig();
        return Stream.iterate(0, i -> i + 1)
                .limit(folder.config().layers())
                .filter(layer -> rope.layer(layer).isEmpty())
                .count();
    }

    private Map<String, Object> fields(ModelFolder folder, List<Reach> reaches) throws IOException {
        TransformerConfig c = folder.config();
        ModelSize size = folder.size();
        RopeParameters rope = folder.rope();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("folder", path.toString());
        fields.put("modelType", folder.modelType());
        fields.put("layers", c.layers());
        fields.put("embeddingSize", c.embeddingSize());
        fields.put("feedForwardSize", c.feedForwardSize());
        fields.put("heads", c.heads());
        fields.put("keyValueHeads", c.keyValueHeads());
        fields.put("headDimension", c.headDimension());
        fields.put("vocabulary", c.vocabulary());
        fields.put("tiedOutput", c.tiedOutput());
        fields.put("parameters", size.parameters());
        fields.put("vocabularyParameters", size.vocabularyParameters());
        fields.put("files", folder.weights().files().stream().map(f -> name(f)).toList());
        fields.put("fileBytes", bytes(folder));
        fields.put("tensorsByType", types(folder));
        fields.put("float32Bytes", size.weightBytes(SINGLE));
        fields.put("float16Bytes", size.weightBytes(HALF));
        fields.put("trainingBytes", size.trainingBytes());
        fields.put("cacheBytesPerToken", size.cacheBytes(SINGLE, 1));
        fields.put("ropeType", RopeConfig.ropeType(rope.scaling()));
        fields.put("ropeBase", rope.base());
        fields.put("rotaryDimension", rope.rotaryDimension());
        fields.put("layersWithoutRope", layersWithoutRope(folder));
        fields.put("windows", c.windows());
        fields.put("length", folder.length());
        fields.put("originalLength", folder.originalLength());
        fields.put("tokenizer", folder.tokenizer().map(InspectCommand::name).orElse(null));
        fields.put("endTokens", folder.endTokens());
        fields.put("remarks", folder.remarks());
        List<Map<String, Object>> contexts = new ArrayList<>();
        for (Reach reach : reaches) {
            Map<String, Object> context = new LinkedHashMap<>();
            context.put("tokens", reach.tokens());
            context.put("factor", reach.factor());
            context.put("cacheFloat32Bytes", size.cacheBytes(SINGLE, reach.tokens()));
            context.put("cacheFloat16Bytes", size.cacheBytes(HALF, reach.tokens()));
            context.put(
                    "smallestBase",
                    reach.smallestBase().isPresent() ? reach.smallestBase().getAsDouble() : null);
            contexts.add(context);
        }
        fields.put("contexts", contexts);
        return fields;
    }

    private void print(ModelFolder folder, List<Reach> reaches) throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        facts(folder).forEach((name, value) -> print.printf("%-14s%s%n", name, value));
        ModelSize size = folder.size();
        print.printf("%n%-30s%14s%14s%14s%n", "memory", "float32", "float16", "bfloat16");
        long single = size.weightBytes(SINGLE);
        long half = size.weightBytes(HALF);
        row(print, "weights", single, half, single + half); // a narrow copy beside them
        long token = size.cacheBytes(SINGLE, 1);
        row(print, "cache, a token", token, size.cacheBytes(HALF, 1), token);
        print.printf("%-30s%14s%n", "tuning in full, but activations", bytes(size.trainingBytes()));
        print.printf(
                "%n%-12s%10s%14s%14s%16s%n",
                "context", "factor", "cache float32", "float16", "smallest base");
        for (Reach reach : reaches) {
            print.printf(
                    Locale.ROOT,
                    "%,-12d%10s%14s%14s%16s%n",
                    reach.tokens(),
                    RopeFindings.number(reach.factor()),
                    bytes(size.cacheBytes(SINGLE, reach.tokens())),
                    bytes(size.cacheBytes(HALF, reach.tokens())),
                    reach.smallestBase().isPresent()
                            ? RopeFindings.number(reach.smallestBase().getAsDouble())
                            : "");
        }
        print.println();
        advice(folder, reaches).forEach(print::println);
        folder.remarks().forEach(remark -> print.println("Note: " + remark + "."));
        print.flush();
    }

    private static void row(PrintWriter print, String what, long single, long half, long narrow) {
        print.printf("%-30s%14s%14s%14s%n", what, bytes(single), bytes(half), bytes(narrow));
    }

    private Map<String, String> facts(ModelFolder folder) throws IOException {
        TransformerConfig c = folder.config();
        RopeParameters rope = folder.rope();
        long without = layersWithoutRope(folder);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("family", folder.modelType());
        facts.put(
                "layers",
                "%d, each with %d heads of %d components%s"
                        .formatted(
                                c.layers(),
                                c.heads(),
                                c.headDimension(),
                                c.keyValueHeads() == c.heads()
                                        ? ""
                                        : " and %d of keys and values"
                                                .formatted(c.keyValueHeads())));
        facts.put(
                "sizes",
                "embedding %d, feed-forward %d (%s), %s"
                        .formatted(
                                c.embeddingSize(),
                                c.feedForwardSize(),
                                Settings.nameOf(c.activation()),
                                Settings.nameOf(c.norm())));
        facts.put(
                "vocabulary",
                String.format(
                        Locale.ROOT,
                        "%,d tokens, the output %s",
                        c.vocabulary(),
                        c.tiedOutput() ? "tied to the embeddings" : "on its own"));
        facts.put(
                "parameters",
                String.format(
                        Locale.ROOT,
                        "%,d, of them %,d of the vocabulary",
                        folder.size().parameters(),
                        folder.size().vocabularyParameters()));
        List<String> files = folder.weights().files().stream().map(InspectCommand::name).toList();
        facts.put(
                "weights",
                "%s: %d tensors (%s), %s"
                        .formatted(
                                files.size() == 1 ? files.get(0) : files.size() + " files",
                                folder.weights().names().size(),
                                String.join(", ", types(folder).keySet()),
                                bytes(bytes(folder))));
        facts.put(
                "RoPE",
                "%s, base %s, %d of %d components turn%s"
                        .formatted(
                                RopeConfig.ropeType(rope.scaling()),
                                RopeFindings.number(rope.base()),
                                rope.rotaryDimension(),
                                rope.headDimension(),
                                without == 0 ? "" : ", %d layers without".formatted(without)));
        facts.put(
                "context",
                String.format(
                        Locale.ROOT,
                        "%,d tokens%s",
                        folder.length(),
                        folder.originalLength() == folder.length()
                                ? ""
                                : String.format(
                                        Locale.ROOT, ", from %,d", folder.originalLength())));
        if (!c.windows().isEmpty()) {
            facts.put("window", window(c.windows()));
        }
        facts.put(
                "tokenizer",
                folder.tokenizer().map(InspectCommand::name).orElse("none")
                        + Optional.of(folder.endTokens())
                                .filter(ends -> !ends.isEmpty())
                                .map(ends -> ", a text ends with " + ends)
                                .orElse(""));
        return facts;
    }

    /** How far back queries look, and in which layers. */
    private static String window(List<Integer> windows) {
        int widest = Collections.max(windows);
        List<Integer> narrow =
                IntStream.range(0, windows.size()).filter(i -> windows.get(i) > 0).boxed().toList();
        String where =
                narrow.size() == windows.size()
                        ? "in every layer"
                        : "in %d of %d layers (%s%s)"
                                .formatted(
                                        narrow.size(),
                                        windows.size(),
                                        narrow.stream()
                                                .limit(LAYERS_NAMED)
                                                .map(String::valueOf)
                                                .collect(Collectors.joining(", ")),
                                        narrow.size() > LAYERS_NAMED ? ", …" : "");
        return String.format(
                Locale.ROOT,
                "tokens see the last %,d, their own too, %s; the cache keeps all",
                widest,
                where);
    }

    /** What the table means for the longest context that is asked for. */
    private List<String> advice(ModelFolder folder, List<Reach> reaches) {
        List<String> advice = new ArrayList<>();
        double base = folder.rope().base();
        reaches.stream()
                .filter(reach -> reach.smallestBase().isPresent())
                .filter(reach -> reach.smallestBase().getAsDouble() > base)
                .findFirst()
                .ifPresent(
                        reach ->
                                advice.add(
                                        String.format(
                                                Locale.ROOT,
                                                "From %,d tokens on the base of %s is too small for"
                                                        + " attention to prefer like tokens over"
                                                        + " others (`posenc rope` says more).",
                                                reach.tokens(),
                                                RopeFindings.number(base))));
        reaches.stream()
                .filter(reach -> reach.tokens() > folder.length())
                .findFirst()
                .ifPresent(
                        reach ->
                                advice.add(
                                        String.format(
                                                Locale.ROOT,
                                                "A context of %,d tokens: --rope yarn --factor %s,"
                                                        + " for posenc perplexity, generate and"
                                                        + " finetune.",
                                                reach.tokens(),
                                                plain(reach.factor()))));
        return advice;
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    /** As an option takes it. */
    private static String plain(double factor) {
        return factor == Math.rint(factor) ? Long.toString((long) factor) : Double.toString(factor);
    }

    private static String bytes(long bytes) {
        String[] units = {"B", "kB", "MB", "GB", "TB"};
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return unit == 0
                ? bytes + " B"
                : String.format(
                        Locale.ROOT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    }
}
