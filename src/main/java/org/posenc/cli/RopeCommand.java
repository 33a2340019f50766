package org.posenc.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.analysis.RopeAnalysis;
import org.posenc.checkpoint.RopeConfig;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.report.Png;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc rope}: what a config.json's RoPE is, and what that means. */
@Command(
        name = "rope",
        description = {
            "Tells what RoPE a Hugging Face config.json asks for: effective parameters, frequencies,"
                    + " wavelengths against the trained length, how far attention can look, and"
                    + " what its owner should know.",
            "Reading is strict: unknown types and keys, impossible and contradictory values are"
                    + " refused."
        },
        mixinStandardHelpOptions = true)
final class RopeCommand implements Callable<Integer> {

    /** Pairs that the table shows, at equal steps. */
    private static final int ROWS = 9;

    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE|DIR",
            description = "A config.json with old or new keys, or the folder it lies in.")
    private Path config;

    @Option(
            names = "--seq-len",
            paramLabel = "N",
            description =
                    "The length in tokens at which frequencies are computed, where they depend on"
                            + " it (default: max_position_embeddings, or YaRN's factor times the"
                            + " original length; for LongRoPE the original length, as"
                            + " transformers builds a model).")
    private Long length;

    @Option(
            names = "--layer",
            paramLabel = "I",
            description =
                    "Shows the RoPE of this layer, from 0 (default: that of full attention, where"
                            + " layers differ).")
    private Integer layer;

    @Option(
            names = "--target-length",
            paramLabel = "N",
            description =
                    "Finds the smallest base that carries so many tokens (default: the longest"
                            + " context, up to 150,000).")
    private Long target;

    @Option(
            names = "--trained-length",
            paramLabel = "N",
            description =
                    "The length of the pre-training (default: original_max_position_embeddings,"
                            + " else max_position_embeddings).")
    private Long trained;

    @Option(
            names = "--compare",
            paramLabel = "FILE|DIR",
            description = "Says what is different in another config.json.")
    private Path compare;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "hugging-face",
            description =
                    "Of the frequencies shown: exact, or hugging-face, the float32 arithmetic of"
                            + " transformers (default: ${DEFAULT-VALUE}).")
    private String precision;

    @Option(names = "--json", description = "Prints JSON instead of words.")
    private boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "Writes JSON into a .json file.")
    private Path out;

    @Option(
            names = "--picture",
            paramLabel = "FILE",
            description = "Draws wavelengths and the preference of attention into a .png file.")
    private Path picture;

    @Spec private CommandSpec spec;

    /** Reads, explains and writes. */
    @Override
    public Integer call() throws IOException {
        JsonResult.checkName(out, false);
        if (picture != null && !picture.toString().endsWith(".png")) {
            throw new IllegalArgumentException(
                    "--picture must end in .png, got \"" + picture + "\"");
        }
        RopeView.Choice choice =
                new RopeView.Choice(
                        positive("--seq-len", length),
                        positive("--trained-length", trained),
                        positive("--target-length", target),
                        chosenPrecision());
        RopeConfig.Parsed parsed = RopeConfig.read(config);
        String type = layer == null ? parsed.config().mainType() : parsed.config().layerType(layer);
        if (parsed.config().parameters().get(type).isEmpty()) {
            withoutRope(parsed.config(), type);
            return 0;
        }
        RopeView view = RopeView.of(config, parsed, type, choice);
        RopeView other = compare == null ? null : other(choice);
        if (picture != null) {
            Png.write(RopeFigures.drawn(view, other), picture);
        }
        if (json || out != null) {
            Map<String, Object> fields = view.fields();
            if (other != null) {
                fields.put("other", other.fields());
                fields.put("differences", RopeFindings.difference(view, other));
            }
            JsonResult.write(fields, out, spec.commandLine().getOut());
        }
        if (!json) {
            print(view, other);
        }
        return 0;
    }

    private RopeView other(RopeView.Choice choice) throws IOException {
        RopeConfig.Parsed parsed = RopeConfig.read(compare);
        return RopeView.of(compare, parsed, parsed.config().mainType(), choice);
    }

    private static long positive(String option, Long value) {
        if (value != null && value < 1) {
            throw new IllegalArgumentException(option + " must be at least 1, got " + value);
        }
        return value == null ? 0 : value;
    }

    private RopePrecision chosenPrecision() {
        return switch (precision) {
            case "exact" -> RopePrecision.EXACT;
            case "hugging-face" -> RopePrecision.HUGGING_FACE;
            default ->
                    throw new IllegalArgumentException(
                            "--precision must be exact or hugging-face, got \"" + precision + "\"");
        };
    }

    private void withoutRope(RopeConfig read, String type) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("file", config.toString());
        fields.put("modelType", read.modelType());
        fields.put("layer", layer);
        fields.put("layerType", type);
        fields.put("ropeType", "none");
        fields.put("rotaryDim", 0);
        fields.put("invFreq", List.of());
        if (json || out != null) {
            JsonResult.write(fields, out, spec.commandLine().getOut());
        }
        if (!json) {
            PrintWriter print = spec.commandLine().getOut();
            print.printf(
                    "Layer %d (%s) has no RoPE: it sees the order of tokens only through the"
                            + " others.%n",
                    layer, type);
            print.flush();
        }
    }

    private void print(RopeView view, RopeView other) {
        PrintWriter print = spec.commandLine().getOut();
        facts(view).forEach((name, value) -> print.printf("%-20s%s%n", name, value));
        print.println();
        table(view).forEach(print::println);
        print.println();
        RopeFindings.of(view).forEach(finding -> paragraph(print, finding));
        view.parsed().remarks().forEach(remark -> paragraph(print, "Note: " + remark + "."));
        if (other != null) {
            print.println();
            print.println("Compared with " + compare + ":");
            RopeFindings.difference(view, other).forEach(finding -> paragraph(print, finding));
        }
        print.flush();
    }

    private static Map<String, String> facts(RopeView view) {
        RopeConfig config = view.config();
        RopeParameters rope = view.rope();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model type", config.modelType().isEmpty() ? "not said" : config.modelType());
        if (config.parameters().size() > 1) {
            facts.put(
                    "layers",
                    "%s, one of %s".formatted(view.layerType(), config.parameters().keySet()));
        }
        facts.put("RoPE", view.ropeType());
        facts.put(
                "head dimension",
                "%d, of which %d turn as %d pairs%s"
                        .formatted(
                                rope.headDimension(),
                                rope.rotaryDimension(),
                                view.pairs(),
                                config.layout().map(l -> ", " + Settings.nameOf(l)).orElse("")));
        facts.put("base", RopeFindings.number(rope.base()));
        facts.put(
                "context",
                "%,d tokens, from %,d".formatted(view.reach(), view.analysis().trainedLength()));
        facts.put("shown for", "%,d tokens".formatted(view.length()));
        facts.put(
                "attention scaling",
                RopeFindings.number(view.analysis().scaled().attentionScaling()));
        return facts;
    }

    private static List<String> table(RopeView view) {
        double[] inverse = view.frequencies().inverse();
        List<RopeAnalysis.Pair> pairs = view.analysis().pairs();
        List<String> rows = new ArrayList<>();
        rows.add(
                "%5s  %14s  %14s  %12s  %10s  %s"
                        .formatted(
                                "pair",
                                "frequency",
                                "wavelength",
                                "unscaled",
                                "turns",
                                "in training"));
        int last = -1;
        for (int row = 0; row < ROWS; row++) {
            int i = Math.round((inverse.length - 1) * row / (float) (ROWS - 1));
            if (i == last) {
                continue;
            }
            last = i;
            RopeAnalysis.Pair pair = pairs.get(i);
            rows.add(
                    String.format(
                            Locale.ROOT,
                            "%5d  %14.6g  %14s  %12s  %10s  %s",
                            i,
                            inverse[i],
                            wavelength(inverse[i]),
                            wavelength(pair.unscaled()),
                            RopeFindings.number(pair.turns()),
                            pair.turnedFully()
                                    ? "full turns"
                                    : pair.reachesUnseenAngles()
                                            ? "no full turn, new angles"
                                            : "no full turn"));
        }
        return rows;
    }

    private static String wavelength(double inverse) {
        return inverse == 0
                ? "does not turn"
                : String.format(Locale.ROOT, "%,.1f", 2 * Math.PI / inverse);
    }

    /** Prints a sentence with a hyphen before it, broken between words. */
    private static void paragraph(PrintWriter print, String sentence) {
        StringBuilder line = new StringBuilder("-");
        for (String word : sentence.split(" ")) {
            if (line.length() + 1 + word.length() > 100) {
                print.println(line);
                line = new StringBuilder(" ");
            }
            line.append(' ').append(word);
        }
        print.println(line);
    }
}
