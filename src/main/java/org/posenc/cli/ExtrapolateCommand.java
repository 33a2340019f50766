package org.posenc.cli;

import ai.djl.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.extrapolation.Extrapolation;
import org.posenc.experiment.extrapolation.ExtrapolationPlan;
import org.posenc.experiment.extrapolation.ExtrapolationReport;
import org.posenc.experiment.extrapolation.LengthMethod;
import org.posenc.experiment.extrapolation.PuzzleTask;
import org.posenc.experiment.extrapolation.ReadingTask;
import org.posenc.experiment.extrapolation.SymbolTask;
import org.posenc.experiment.extrapolation.TextTask;
import org.posenc.experiment.extrapolation.TrainedEncoding;
import org.posenc.model.TransformerConfig;
import org.posenc.report.Provenance;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc extrapolate}: how far trained decoders read beyond their training. */
@Command(
        name = "extrapolate",
        description = {
            "Trains small decoders at one length and lets them read up to 16 times as much, by every"
                    + " scaling of RoPE and beside other encodings, at once and after a short"
                    + " training: loss, passkeys, puzzles.",
            "Finished trials and weights are kept in OUT; run the same command again to go on after"
                    + " an interruption."
        },
        mixinStandardHelpOptions = true)
final class ExtrapolateCommand implements Callable<Integer> {

    private static final List<String> ENCODINGS =
            List.of(
                    "rope",
                    "rope:base=40",
                    "rope:base=1000000",
                    "none",
                    "learned",
                    "sinusoidal",
                    "alibi",
                    "t5",
                    "kerple",
                    "fire",
                    "fox",
                    "rope:nope-every=2",
                    "rope@pose");

    /** Those whose order on sorting is known. */
    private static final List<String> PUZZLE_ENCODINGS =
            List.of("rope", "none", "sinusoidal", "alibi", "t5");

    /** All that can be trained here, beyond the default. */
    private static final List<String> FURTHER =
            List.of("cope", "pope", "xpos", "sandwich", "rope:log-n=trained", "rope@randomized");

    private static final String ALL = "all";
    private static final List<String> TUNED =
            List.of("direct", "resized", "linear", "ntk-aware", "yarn", "longrope", "drope");
    private static final String BYTES = "models/tokenizer-bytes/tokenizer.json";
    private static final int LENGTH = 64;
    private static final int BATCH = 32;
    private static final int STEPS = 1000;
    private static final int PUZZLE_STEPS = 3000;
    private static final int QUICK_STEPS = 60;
    private static final int TUNING_STEPS = 100;
    private static final int SEEDS = 3;

    @Option(
            names = "--encodings",
            split = ",",
            paramLabel = "NAME[:KEY=VALUE;…][@POSITIONS]",
            description = {
                "What decoders are trained with, with commas between (default: rope at three bases,"
                        + " none, learned, sinusoidal, alibi, t5, kerple, fire, fox, RoPE in every"
                        + " other layer, and rope@pose). all: also cope, pope, xpos, sandwich,"
                        + " rope:log-n=trained, rope@randomized.",
                "POSITIONS of training: pose skips some, randomized spreads them, both over the"
                        + " longest context that is measured."
            })
    private List<String> encodings = List.of();

    @Option(
            names = "--puzzle-encodings",
            split = ",",
            paramLabel = "NAME…",
            description =
                    "The same for puzzles (default: those of --encodings where given, otherwise"
                            + " rope, none, sinusoidal, alibi, t5).")
    private List<String> puzzleEncodings = List.of();

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "NAME",
            description =
                    "How they read longer contexts, compared on the first RoPE (default: all that"
                            + " fit; --list has them).")
    private List<String> methods = List.of();

    @Option(names = "--list", description = "Prints the methods and puzzles, and ends.")
    private boolean list;

    @Option(
            names = "--puzzles",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Of sort, copy, reverse, addition, recall; or none (default: sort). Each is a"
                            + " training for each encoding and seed.")
    private List<String> puzzles = List.of("sort");

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description =
                    "Trains nothing and measures the model of a Hugging Face folder, with its"
                            + " tokenizer, from the length it is made for.")
    private Path model;

    @Option(
            names = "--length",
            paramLabel = "N",
            description = "Tokens of a training window (default: " + LENGTH + ").")
    private Integer length;

    @Option(
            names = "--factors",
            split = ",",
            paramLabel = "N",
            description = "How many times that length is read (default: 1,2,4,8,16).")
    private List<Integer> factors = List.of(1, 2, 4, 8, 16);

    @Option(
            names = "--steps",
            paramLabel = "N",
            description =
                    "Training steps of a decoder (default: "
                            + STEPS
                            + ", quick: "
                            + QUICK_STEPS
                            + ").")
    private Integer steps;

    @Option(
            names = "--puzzle-steps",
            paramLabel = "N",
            description =
                    "Training steps of a decoder of puzzles (default: "
                            + PUZZLE_STEPS
                            + ", quick: "
                            + QUICK_STEPS
                            + ").")
    private Integer puzzleSteps;

    @Option(
            names = "--finetune-steps",
            paramLabel = "N",
            description =
                    "Steps of the short training at the longer length; 0 leaves it out (default: "
                            + TUNING_STEPS
                            + ", quick: 10).")
    private Integer tuningSteps;

    @Option(
            names = "--finetune-factor",
            paramLabel = "X",
            defaultValue = "4",
            description =
                    "At how many times the training length that is (default: ${DEFAULT-VALUE}).")
    private int tuningFactor;

    @Option(
            names = "--text",
            arity = "1..*",
            paramLabel = "FILE|DIR",
            description =
                    "What to train on and to read (default: the project's own sources and"
                            + " documentation).")
    private List<Path> text;

    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            description = "A Hugging Face tokenizer.json (default: the model's, or " + BYTES + ").")
    private Path tokenizer;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "How many seeds (default: " + SEEDS + ", quick: 1).")
    private Integer seeds;

    @Option(names = "--quick", description = "A first look: few steps, short contexts, one seed.")
    private boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "out/extrapolate",
            description = "The folder for results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Mixin private RunOptions run;

    @Spec private CommandSpec spec;

    /** Runs, prints the tables, and says where the page is. */
    @Override
    public Integer call() throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        if (list) {
            LengthMethod.all().forEach(m -> print.printf("%-18s %s%n", m.name(), m.summary()));
            print.printf(
                    "puzzles: %s%n",
                    String.join(
                            ", ",
                            Arrays.stream(SymbolTask.values())
                                    .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                                    .toList()));
            print.flush();
            return 0;
        }
        ExtrapolationPlan plan = plan(run.device());
        Provenance provenance = run.provenance(plan.settings(), plan.device());
        ExtrapolationReport report;
        try (ProgressLine progress = new ProgressLine("extrapolate")) {
            report = Extrapolation.run(plan, out, provenance, progress);
        }
        run.print(report.text(120), report.page());
        return 0;
    }

    private ExtrapolationPlan plan(Device on) {
        int trainingSteps = steps != null ? steps : quick ? QUICK_STEPS : STEPS;
        int[] times = factors.stream().mapToInt(Integer::intValue).toArray();
        List<LengthMethod> chosen =
                methods.isEmpty()
                        ? LengthMethod.all()
                        : methods.stream().map(LengthMethod::named).toList();
        ModelFolder folder = model == null ? null : opened();
        return new ExtrapolationPlan(
                trained(encodings, ENCODINGS),
                trained(puzzleEncodings, encodings.isEmpty() ? PUZZLE_ENCODINGS : encodings),
                chosen,
                decoder(folder, new DecoderTraining(trainingSteps, 3e-3)),
                quick ? new ReadingTask(times, 16, 8, 3, 2) : new ReadingTask(times, 16, 40, 5, 8),
                puzzles.equals(List.of("none")) || model != null
                        ? List.of()
                        : puzzles.stream().map(ExtrapolateCommand::puzzle).toList(),
                new PuzzleTask(
                        3,
                        64,
                        4,
                        32,
                        10,
                        64,
                        new DecoderTraining(
                                puzzleSteps != null
                                        ? puzzleSteps
                                        : quick ? QUICK_STEPS : PUZZLE_STEPS,
                                1e-3),
                        new double[] {1, 1.2, 1.4, 1.6, 2, 4, 8, 16},
                        quick ? 16 : 256),
                new ExtrapolationPlan.Tuning(
                        TUNED.stream().map(LengthMethod::named).filter(chosen::contains).toList(),
                        tuningSteps != null ? tuningSteps : quick ? 10 : TUNING_STEPS,
                        tuningFactor,
                        5e-4),
                run.seed(),
                seeds != null ? seeds : quick ? 1 : SEEDS,
                text == null ? CompareCommand.ownText() : text,
                tokenizer(folder),
                Optional.ofNullable(model),
                on);
    }

    /** Those given, or the standard ones; none where a model is given. */
    private List<TrainedEncoding> trained(List<String> given, List<String> standard) {
        if (model != null) {
            return List.of();
        }
        List<String> names = given.isEmpty() ? standard : given;
        if (names.equals(List.of(ALL))) {
            names = Stream.concat(ENCODINGS.stream(), FURTHER.stream()).toList();
        }
        return names.stream().map(TrainedEncoding::parse).toList();
    }

    private ModelFolder opened() {
        if (length != null) {
            throw new IllegalArgumentException(
                    "--length is the model's own where --model is given, got " + length);
        }
        if (!encodings.isEmpty() || !puzzleEncodings.isEmpty()) {
            throw new IllegalArgumentException(
                    "--encodings are what decoders are trained with, and --model trains none");
        }
        return ModelFolder.open(model);
    }

    private TextTask decoder(ModelFolder folder, DecoderTraining training) {
        if (folder == null) {
            return new TextTask(2, 64, 4, 64, length == null ? LENGTH : length, BATCH, training);
        }
        TransformerConfig c = folder.config();
        return new TextTask(
                c.layers(),
                c.embeddingSize(),
                c.heads(),
                c.headDimension(),
                Math.toIntExact(folder.length()),
                BATCH,
                training);
    }

    private Path tokenizer(ModelFolder folder) {
        if (tokenizer != null || folder == null) {
            return tokenizer == null ? Path.of(BYTES) : tokenizer;
        }
        return folder.tokenizer()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        model + " has no tokenizer.json: give --tokenizer FILE"));
    }

    private static SymbolTask puzzle(String name) {
        return Arrays.stream(SymbolTask.values())
                .filter(kind -> kind.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "a puzzle is sort, copy, reverse, addition or recall, or"
                                                + " none for no puzzle, got \""
                                                + name
                                                + "\""));
    }
}
