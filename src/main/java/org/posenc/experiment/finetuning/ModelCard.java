package org.posenc.experiment.finetuning;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.posenc.report.Provenance;

/** The {@code README.md} beside a tuned model: where it comes from, and before and after. */
final class ModelCard {

    private ModelCard() {}

    static String of(FinetuneReport report) {
        Provenance origin = report.provenance();
        FinetunePlan plan = report.plan();
        Map<String, String> facts = new TreeMap<>(origin.configuration());
        StringBuilder card = new StringBuilder();
        card.append("# ").append(FinetuneReport.name(report.out())).append("\n\n");
        card.append(
                String.format(
                        Locale.ROOT,
                        "`%s` (%,d tokens), fine-tuned for %,d tokens by posenc.%n%n",
                        FinetuneReport.name(plan.model()),
                        report.ownLength(),
                        plan.length()));
        card.append("| | |\n|---|---|\n");
        row(card, "command", "`" + origin.command() + "`");
        origin.commit().ifPresent(commit -> row(card, "at", "commit `" + commit + "`"));
        row(card, "date", origin.date().toString());
        row(card, "seed", Long.toString(origin.seed()));
        row(card, "learned from", sources(plan) + ": " + facts.remove("data"));
        facts.forEach((name, value) -> row(card, name, value));
        row(card, "device", origin.device());
        origin.versions().forEach((name, version) -> row(card, name, version));
        card.append('\n');
        table(card, report);
        card.append("\nPerplexity is that of the same held-out tokens under growing context.")
                .append(report.asked() ? " Passkeys: the share found." : "")
                .append(" `training/` holds the metrics of every step and a page.\n");
        return card.toString();
    }

    private static String sources(FinetunePlan plan) {
        List<String> names =
                Stream.concat(plan.files().text().stream(), plan.files().data().stream())
                        .map(Path::toString)
                        .toList();
        return "`" + String.join("`, `", names) + "`";
    }

    private static void row(StringBuilder card, String name, String value) {
        card.append("| ").append(name).append(" | ").append(value).append(" |\n");
    }

    private static void table(StringBuilder card, FinetuneReport report) {
        TuningLog.Reading after = report.after();
        card.append("| context |");
        after.contexts().forEach(context -> card.append(' ').append(context).append(" |"));
        card.append("\n|---|").append("---|".repeat(after.contexts().size())).append('\n');
        report.own().ifPresent(own -> reading(card, "as it came", own));
        reading(card, "before the first step", report.untuned());
        reading(card, "after the last", after);
    }

    private static void reading(StringBuilder card, String stage, TuningLog.Reading reading) {
        card.append("| perplexity ").append(stage).append(" |");
        reading.loss()
                .forEach(
                        loss -> card.append(String.format(Locale.ROOT, " %.3f |", Math.exp(loss))));
        card.append('\n');
        if (!Double.isNaN(reading.found(reading.contexts().size() - 1))) {
            card.append("| passkeys ").append(stage).append(" |");
            for (int i = 0; i < reading.contexts().size(); i++) {
                double found = reading.found(i);
                card.append(
                        Double.isNaN(found)
                                ? " – |"
                                : String.format(Locale.ROOT, " %.2f |", found));
            }
            card.append('\n');
        }
    }
}
