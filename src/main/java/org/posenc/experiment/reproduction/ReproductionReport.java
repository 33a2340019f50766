package org.posenc.experiment.reproduction;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.posenc.experiment.Results;
import org.posenc.report.Cell;
import org.posenc.report.Column;
import org.posenc.report.Explained;
import org.posenc.report.HtmlPage;
import org.posenc.report.Png;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.report.Table;

/** What a reproduction found: the claims as a table, the figures of the papers, a page. */
public final class ReproductionReport {

    /** The label of a result that names its recipe. */
    static final String RECIPE = "recipe";

    private final ReproductionPlan plan;
    private final Path out;
    private final Results results;
    private final Pictures pictures;
    private final Provenance provenance;
    private final List<Judgement> judgements; // by number

    ReproductionReport(
            ReproductionPlan plan,
            Path out,
            List<ResultRow> rows,
            Pictures pictures,
            Provenance provenance) {
        this.plan = plan;
        this.out = out;
        this.pictures = pictures;
        this.provenance = provenance;
        results = new Results(rows);
        judgements =
                plan.recipes().stream()
                        .flatMap(recipe -> Judgement.of(recipe, of(recipe)).stream())
                        .sorted(Comparator.comparingInt(judgement -> judgement.claim().number()))
                        .toList();
    }

    /** Returns what came of a trial, in half a line. */
    static String line(ResultRow row) {
        StringBuilder line = new StringBuilder(String.join(", ", words(row))).append(':');
        row.values().entrySet().stream()
                .limit(4)
                .forEach(
                        value ->
                                line.append(
                                        String.format(
                                                Locale.ROOT,
                                                " %s %s",
                                                value.getKey(),
                                                Rule.number(value.getValue()))));
        return line.toString();
    }

    private static List<String> words(ResultRow row) {
        List<String> words = new ArrayList<>();
        row.labels()
                .forEach(
                        (label, value) -> {
                            if (!label.equals(Pictures.LABEL)) {
                                words.add(
                                        label.equals(RECIPE) || label.equals("encoding")
                                                ? value
                                                : label + " " + value);
                            }
                        });
        return words;
    }

    private Results of(Recipe recipe) {
        return results.with(RECIPE, recipe.name());
    }

    /**
     * Returns the claims and what was measured.
     *
     * @return in the order of their numbers
     */
    public List<Claim> claims() {
        return judgements.stream().map(Judgement::claim).toList();
    }

    /**
     * Returns the claims with what each seed says of them.
     *
     * @return in the order of their numbers
     */
    public List<Judgement> judgements() {
        return judgements;
    }

    /**
     * Returns the table of claims for a terminal.
     *
     * @param width the columns of the terminal
     * @return the table with its title; what is known where there are no claims
     */
    public String text(int width) {
        if (judgements.isEmpty()) {
            return "the recipes show, and judge no claim";
        }
        Table table = claimTable();
        return table.title() + "\n\n" + table.toText(width).stripTrailing();
    }

    /**
     * Returns the page.
     *
     * @return the path of the HTML file
     */
    public Path page() {
        return out.resolve("index.html");
    }

    private Table claimTable() {
        List<List<Cell>> rows = new ArrayList<>();
        for (Judgement judgement : judgements) {
            Claim claim = judgement.claim();
            rows.add(
                    List.of(
                            text(claim.number() + "  " + claim.sentence()),
                            text(claim.paper()),
                            text(judgement.hereText()),
                            text(claim.holds() ? "yes" : "no"),
                            text(judgement.seedsText()),
                            text(claim.ruleText()),
                            text(judgement.recipe())));
        }
        return new Table(
                "The papers' claims, of sixteen by number, and what was measured here",
                List.of(
                        Column.label("claim"),
                        Column.label("paper"),
                        Column.label("here"),
                        Column.label("holds"),
                        Column.label("seeds"),
                        Column.label("holds if"),
                        Column.label(RECIPE)),
                rows);
    }

    private static Cell text(String words) {
        return new Cell.Text(words);
    }

    /** Writes CSV, pictures and the page. */
    void write() {
        long held = claims().stream().filter(Claim::holds).count();
        HtmlPage.Builder page =
                HtmlPage.builder()
                        .title("Do the claims of “Rethinking Positional Encoding” hold?")
                        .lead(lead(held))
                        .card("claims measured", Integer.toString(judgements.size()), "statements")
                        .card("that hold", Long.toString(held), "by rules fixed before")
                        .card("image", plan.setting().subject().identity(), "")
                        .provenance(provenance);
        if (!judgements.isEmpty()) {
            Table table = claimTable();
            table.writeCsv(out.resolve("claims.csv"));
            page.section(
                    "Claims",
                    "Each statement is put to these measurements by a rule that was fixed before"
                            + " they were made. The papers' numbers are of their photographs: on"
                            + " another image orderings and widths are to be compared, and decibels"
                            + " only roughly. ± is the standard deviation over seeds, which draw"
                            + " frequencies, random samples and initial weights; “2 of 3” says that"
                            + " the statement would hold for two of three seeds alone, “over 10”"
                            + " that only ten together can say, a dash that nothing of it is"
                            + " drawn.",
                    table);
        }
        for (Recipe recipe : plan.recipes()) {
            About about = recipe.about();
            List<Explained> figures = recipe.figures(of(recipe), pictures);
            for (int i = 0; i < figures.size(); i++) {
                Png.write(
                        figures.get(i).figure(),
                        out.resolve(about.name() + "-" + (i + 1) + ".png"));
            }
            page.section(
                    about.name(),
                    about.summary() + " (" + about.source() + "). " + about.account(),
                    figures);
        }
        page.write(page());
    }

    private String lead(long held) {
        String scale = plan.scale() == Scale.PAPER ? "the papers' sizes" : "small sizes";
        String fitted = plan.setting().subject().identity();
        return judgements.isEmpty()
                ? "What the papers' figures show, at " + scale + ", on: " + fitted + "."
                : "%d of %d statements hold at %s, measured on: %s."
                        .formatted(held, judgements.size(), scale, fitted);
    }
}
