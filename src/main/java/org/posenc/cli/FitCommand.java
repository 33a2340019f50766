package org.posenc.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.posenc.experiment.fitting.EncodingChoice;
import org.posenc.experiment.fitting.FitMethod;
import org.posenc.experiment.fitting.FitPlan;
import org.posenc.experiment.fitting.FitReport;
import org.posenc.experiment.fitting.Fitting;
import org.posenc.model.CoordinateActivation;
import org.posenc.report.Provenance;
import org.posenc.signal.ChannelAxis;
import org.posenc.signal.Regularization;
import org.posenc.signal.Sampling;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code posenc fit}: a signal as a coordinate network. */
@Command(
        name = "fit",
        description = {
            "Fits an image (PNG, JPEG), a sound (WAV), a table (CSV) or an array (.npy: line,"
                    + " image, volume, video) with a coordinate network from some of its samples,"
                    + " and shows how well it guesses the others.",
            "Writes a page, the reconstruction in the format of the file, and a small file for"
                    + " `posenc decode`. An interrupted training goes on where it was when the same"
                    + " command is given again."
        },
        mixinStandardHelpOptions = true)
final class FitCommand implements Callable<Integer> {

    private static final int LINEAR_STEPS = 1000;
    private static final int DEEP_STEPS = 300;
    private static final int BATCH = 8192;

    @Parameters(paramLabel = "FILE", description = "The signal.")
    private Path file;

    @Option(
            names = "--encoding",
            split = ",",
            paramLabel = "NAME[:KEY=VALUE;…]",
            defaultValue = "gaussian",
            description =
                    "One of `posenc encodings`, with settings; or several with commas between, to"
                            + " compare them (default: ${DEFAULT-VALUE}, as wide as suits the"
                            + " samples).")
    private List<String> encodings;

    @ArgGroup private Form form;

    private static final class Form {

        @Option(
                names = "--complex",
                description =
                        "Multiplies the features of the axes, so that a linear layer does (the"
                                + " standard).")
        private boolean complex;

        @Option(names = "--simple", description = "Concatenates the features of the axes.")
        private boolean simple;
    }

    @Option(
            names = "--features",
            paramLabel = "K",
            description =
                    "Features of each axis, or with --simple of a point (default: as many as"
                            + " samples train along the axis; 256 for each axis).")
    private Integer features;

    @Option(
            names = "--depth",
            paramLabel = "0..8",
            defaultValue = "0",
            description = "Hidden layers (default: ${DEFAULT-VALUE}, a linear layer).")
    private int depth;

    @Option(
            names = "--width",
            paramLabel = "N",
            defaultValue = "256",
            description = "Size of the hidden layers (default: ${DEFAULT-VALUE}).")
    private int width;

    @Option(
            names = "--activation",
            paramLabel = "NAME[:VALUE]",
            defaultValue = "relu",
            description =
                    "relu, sine[:OMEGA] (SIREN), gaussian[:SIGMA] or finer[:OMEGA] (default:"
                            + " ${DEFAULT-VALUE}).")
    private String activation;

    @Option(
            names = "--closed-form",
            description =
                    "Solves for the weights instead of training them: the standard for a complex"
                            + " encoding without hidden layers.")
    private boolean closedForm;

    @Option(
            names = "--regularization",
            paramLabel = "NAME=VALUE",
            description =
                    "Of the closed form: cut-off=PART, ridge=LAMBDA or total-variation=LAMBDA"
                            + " (default: a cut-off that suits the encoding).")
    private String regularization;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description =
                    "Trains for so many steps (default: "
                            + LINEAR_STEPS
                            + " without hidden layers, "
                            + DEEP_STEPS
                            + " with).")
    private Integer steps;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description =
                    "The first rate of Adam (default: 0.1, with hidden layers 0.01, and 0.005 with"
                            + " --simple; 0.0005 for sine and finer).")
    private Double learningRate;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description =
                    "About how many samples a step sees (default: "
                            + BATCH
                            + ", or all without hidden layers).")
    private Integer batch;

    @Option(
            names = "--sampling",
            paramLabel = "every-N|random-PART",
            defaultValue = "every-2",
            description =
                    "Which samples train: every N-th along each axis, every-1 for all, or a part"
                            + " drawn at random, such as random-0.25 (default: ${DEFAULT-VALUE}).")
    private String sampling;

    @Option(
            names = "--channels",
            paramLabel = "short|last|none",
            defaultValue = "short",
            description =
                    "Whether the last axis of a .npy array holds channels; short: if it is at most"
                            + " 4 long (default: ${DEFAULT-VALUE}).")
    private ChannelAxis channels;

    @Option(
            names = "--tile",
            paramLabel = "N",
            description =
                    "Cuts larger signals into overlapping tiles of N samples a side, each with a"
                            + " network of its own (default: what is quick).")
    private Integer tile;

    @Option(
            names = "--upscale",
            paramLabel = "N",
            defaultValue = "1",
            description = "Also writes the reconstruction with N samples for each one.")
    private int upscale;

    @Option(
            names = "--loss",
            paramLabel = "DB",
            defaultValue = "0.1",
            description =
                    "Decibels that the small file may lose; 0 keeps float32 (default:"
                            + " ${DEFAULT-VALUE}).")
    private double loss;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "The folder for results (default: out/fit/NAME).")
    private Path out;

    @Mixin private RunOptions run;

    /** Fits, prints the table, and says where the page is. */
    @Override
    public Integer call() throws IOException {
        FitPlan plan = plan();
        Provenance provenance = run.provenance(plan.settings(), plan.device());
        FitReport report;
        try (ProgressLine progress = new ProgressLine("fit")) {
            report = Fitting.run(plan, folder(), provenance, progress);
        }
        run.print(report.text(100), report.page());
        return 0;
    }

    private Path folder() {
        if (out != null) {
            return out;
        }
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return Path.of("out", "fit", dot > 0 ? name.substring(0, dot) : name);
    }

    private FitPlan plan() {
        Sampling samples = Sampling.parse(sampling, run.seed());
        CoordinateActivation between = activation();
        return new FitPlan(
                file,
                channels,
                encodings.stream().map(EncodingChoice::parse).toList(),
                form == null || !form.simple,
                optional(features),
                depth,
                width,
                between,
                method(between),
                samples,
                optional(tile),
                upscale,
                loss,
                run.seed(),
                run.device());
    }

    private static OptionalInt optional(Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    private FitMethod method(CoordinateActivation between) {
        boolean simple = form != null && form.simple;
        boolean training = steps != null || learningRate != null || batch != null;
        boolean linear = depth == 0 && !simple;
        if (training && (closedForm || regularization != null)) {
            throw new IllegalArgumentException(
                    "--closed-form solves for the weights: it takes neither --steps nor"
                            + " --learning-rate nor --batch");
        }
        if (closedForm || regularization != null || linear && !training) {
            return new FitMethod.ClosedForm(
                    Optional.ofNullable(regularization).map(FitCommand::regularization));
        }
        return new FitMethod.Training(
                steps != null ? steps : depth == 0 ? LINEAR_STEPS : DEEP_STEPS,
                learningRate != null ? learningRate : standardRate(simple, between),
                batch != null ? batch : linear ? Integer.MAX_VALUE : BATCH);
    }

    private double standardRate(boolean simple, CoordinateActivation between) {
        boolean sines =
                between instanceof CoordinateActivation.Sine
                        || between instanceof CoordinateActivation.Finer;
        if (depth > 0 && sines) {
            return 0.0005; // ω multiplies gradients too
        }
        return simple ? 0.005 : depth == 0 ? 0.1 : 0.01;
    }

    private static Regularization regularization(String text) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? "" : text.substring(0, equals);
        if (!List.of("cut-off", "ridge", "total-variation").contains(name)) {
            throw new IllegalArgumentException(
                    "--regularization must be cut-off=PART, ridge=LAMBDA or"
                            + " total-variation=LAMBDA, got \""
                            + text
                            + "\"");
        }
        double value = number(text.substring(equals + 1), "--regularization", text);
        return switch (name) {
            case "cut-off" -> new Regularization.CutOff(value);
            case "ridge" -> new Regularization.Ridge(value);
            default -> new Regularization.TotalVariation(value);
        };
    }

    private CoordinateActivation activation() {
        int colon = activation.indexOf(':');
        boolean standard = colon < 0;
        String name = standard ? activation : activation.substring(0, colon);
        double value =
                standard ? 0 : number(activation.substring(colon + 1), "--activation", activation);
        double omega = standard ? 30 : value;
        if (name.equalsIgnoreCase("relu") && !standard) {
            throw new IllegalArgumentException(
                    "--activation relu takes no number, got \"" + activation + "\"");
        }
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "relu" -> new CoordinateActivation.Relu();
            // Coordinates run from 0 to 1 here and from −1 to 1 in the papers: half as fast.
            case "sine" -> new CoordinateActivation.Sine(2 * omega, omega);
            case "finer" -> new CoordinateActivation.Finer(2 * omega, omega, 1);
            case "gaussian" -> new CoordinateActivation.Gaussian(standard ? 0.1 : value);
            default ->
                    throw new IllegalArgumentException(
                            "--activation must be relu, sine, gaussian or finer, got \""
                                    + activation
                                    + "\"");
        };
    }

    private static double number(String text, String option, String whole) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    option + " needs a number, got \"" + whole + "\"", e);
        }
    }
}
