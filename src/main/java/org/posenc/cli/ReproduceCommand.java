package org.posenc.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.posenc.experiment.reproduction.About;
import org.posenc.experiment.reproduction.Recipe;
import org.posenc.experiment.reproduction.Recipes;
import org.posenc.experiment.reproduction.Reproduction;
import org.posenc.experiment.reproduction.ReproductionPlan;
import org.posenc.experiment.reproduction.ReproductionReport;
import org.posenc.experiment.reproduction.Scale;
import org.posenc.experiment.reproduction.Setting;
import org.posenc.experiment.reproduction.Subject;
import org.posenc.report.Provenance;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code posenc reproduce}: the experiments of the shifted-basis papers. */
@Command(
        name = "reproduce",
        description = {
            "Runs the experiments of \"Rethinking Positional Encoding\" and \"Trading Positional"
                    + " Complexity vs. Deepness\" again, draws their figures, and says of each claim"
                    + " whether it holds.",
            "Finished trials are kept in OUT/results.jsonl; run the same command again to go on"
                    + " after an interruption."
        },
        mixinStandardHelpOptions = true)
final class ReproduceCommand implements Callable<Integer> {

    private static final String ALL = "all";

    @Parameters(
            arity = "0..*",
            paramLabel = "NAME",
            description = "The recipes, or all (default: all; --list has them).")
    private List<String> names = List.of();

    @Option(names = "--list", description = "Prints the recipes and what they cost, and ends.")
    private boolean list;

    @Option(
            names = "--scale",
            paramLabel = "small|paper",
            defaultValue = "small",
            description =
                    "small: within a minute a recipe; paper: the papers' sizes (default:"
                            + " ${DEFAULT-VALUE}).")
    private Scale scale;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "The image to fit, PNG or JPEG, its middle square (default: a synthetic image"
                            + " like a photograph).")
    private Path image;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "How many seeds (default: as many as the recipe takes at its scale).")
    private Integer seeds;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "out/reproduce",
            description = "The folder for results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Mixin private RunOptions run;

    @Spec private CommandSpec spec;

    /** Runs, prints the table of claims, and says where the page is. */
    @Override
    public Integer call() {
        PrintWriter print = spec.commandLine().getOut();
        if (list) {
            list(print);
            return 0;
        }
        ReproductionPlan plan = plan();
        Provenance provenance = run.provenance(plan.settings(), plan.setting().device());
        ReproductionReport report;
        try (ProgressLine progress = new ProgressLine("reproduce")) {
            report = Reproduction.run(plan, out, provenance, progress);
        }
        run.print(report.text(140), report.page());
        return 0;
    }

    private static void list(PrintWriter print) {
        for (Recipe recipe : Recipes.all(Scale.SMALL)) {
            About about = recipe.about();
            print.printf("%-14s %s%n", about.name(), about.summary());
            print.printf("%14s %s%n", "", about.source());
            print.printf(
                    "%14s small: %s; paper: %s%n",
                    "", about.cost(), Recipes.named(about.name(), Scale.PAPER).about().cost());
        }
        print.flush();
    }

    private ReproductionPlan plan() {
        List<Recipe> recipes =
                names.isEmpty() || names.equals(List.of(ALL))
                        ? Recipes.all(scale)
                        : names.stream().map(name -> Recipes.named(name, scale)).toList();
        return new ReproductionPlan(
                recipes,
                scale,
                new Setting(
                        image == null ? new Subject.Synthetic(1) : new Subject.Photograph(image),
                        run.seed(),
                        seeds == null ? OptionalInt.empty() : OptionalInt.of(seeds),
                        run.device()));
    }
}
