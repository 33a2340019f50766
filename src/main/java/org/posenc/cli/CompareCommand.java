package org.posenc.cli;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.posenc.encoding.Encodings;
import org.posenc.experiment.Comparison;
import org.posenc.experiment.ComparisonPlan;
import org.posenc.experiment.ComparisonReport;
import org.posenc.experiment.ImageTask;
import org.posenc.experiment.SequenceTask;
import org.posenc.report.Provenance;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code posenc compare}: the main job. */
@Command(
        name = "compare",
        description = {
            "Trains the same small decoder on text, and fits the same coordinate network to an"
                    + " image, with each encoding, and shows which to take and why.",
            "Finished trials are kept in OUT/results.jsonl; run the same command again to go on"
                    + " after an interruption."
        },
        mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {

    private static final List<Path> OWN_TEXT =
            List.of(Path.of("src"), Path.of("examples"), Path.of("README.md"));
    private static final int STEPS = 1000;
    private static final int QUICK_STEPS = 120;
    private static final int SEEDS = 3;

    @Option(
            names = "--encodings",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Only these, with commas between (default: the standard ones of each side).")
    private List<String> encodings = List.of();

    @Option(
            names = "--text",
            arity = "1..*",
            paramLabel = "FILE|DIR",
            description =
                    "What to train on (default: the project's own sources and documentation).")
    private List<Path> text;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            defaultValue = "test-data/images/picos-de-europa.png",
            description = "The image to fit, PNG or JPEG (default: ${DEFAULT-VALUE}).")
    private Path image;

    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            defaultValue = "models/tokenizer-1024/tokenizer.json",
            description = "A Hugging Face tokenizer.json (default: ${DEFAULT-VALUE}).")
    private Path tokenizer;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description =
                    "Training steps of a decoder; an image takes a fifth (default: "
                            + STEPS
                            + ", quick: "
                            + QUICK_STEPS
                            + ").")
    private Integer steps;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "How many seeds (default: " + SEEDS + ", quick: 1).")
    private Integer seeds;

    @Option(names = "--quick", description = "A first look: few steps, one seed.")
    private boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "out/compare",
            description = "The folder for results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Mixin private RunOptions run;

    /** Compares, prints the tables, and says where the page is. */
    @Override
    public Integer call() throws IOException {
        ComparisonPlan plan = plan(run.device());
        Provenance provenance = run.provenance(plan.settings(), plan.device());
        ComparisonReport report;
        try (ProgressLine progress = new ProgressLine("compare")) {
            report = Comparison.run(plan, out, provenance, progress);
        }
        run.print(report.text(100), report.page());
        return 0;
    }

    private ComparisonPlan plan(Device on) {
        encodings.forEach(Encodings::named); // an unknown name is said before anything runs
        List<String> sequence = encodings.isEmpty() ? ComparisonPlan.SEQUENCE_ENCODINGS : encodings;
        List<String> images =
                encodings.isEmpty()
                        ? ComparisonPlan.IMAGE_ENCODINGS
                        : ComparisonPlan.forImages(encodings);
        int decoderSteps = steps != null ? steps : quick ? QUICK_STEPS : STEPS;
        return new ComparisonPlan(
                sequence,
                images,
                SequenceTask.standard(decoderSteps),
                ImageTask.standard(Math.max(1, decoderSteps / 5)),
                run.seed(),
                seeds != null ? seeds : quick ? 1 : SEEDS,
                text == null ? ownText() : text,
                tokenizer,
                image,
                on);
    }

    static List<Path> ownText() {
        if (!Files.isDirectory(Path.of("src", "main", "java", "org", "posenc"))) {
            throw new IllegalArgumentException(
                    "the standard text is posenc's own sources, which are not in this folder: give"
                            + " --text FILE|DIR, or run in the project's folder");
        }
        return OWN_TEXT.stream().filter(Files::exists).toList();
    }
}
