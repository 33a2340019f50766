package org.posenc.experiment.finetuning;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.posenc.report.AtomicFile;
import org.posenc.report.Axis;
import org.posenc.report.Cell;
import org.posenc.report.ColourMap;
import org.posenc.report.Column;
import org.posenc.report.Figure;
import org.posenc.report.HeatMap;
import org.posenc.report.HtmlPage;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Png;
import org.posenc.report.Provenance;
import org.posenc.report.Series;
import org.posenc.report.Table;

/** What a fine-tuning did: a table, pictures, a page, and a card beside the model. */
public final class FinetuneReport {

    /** Points of the curve of losses, each a mean. */
    private static final int POINTS = 200;

    private final FinetunePlan plan;
    private final Path out;
    private final long ownLength;
    private final List<TuningLog.Step> steps;
    private final List<TuningLog.Reading> readings;
    private final Provenance provenance;

    FinetuneReport(
            FinetunePlan plan, Path out, long ownLength, TuningLog log, Provenance provenance) {
        this.plan = plan;
        this.out = out;
        this.ownLength = ownLength;
        steps = log.steps();
        readings = log.readings();
        this.provenance = provenance;
    }

    /** Where everything is that is not the model itself. */
    static Path folder(Path out) {
        return out.resolve("training");
    }

    /** Returns what came of a reading, in half a line. */
    static String line(TuningLog.Reading reading) {
        StringBuilder line = new StringBuilder(stage(reading)).append(": perplexity");
        for (int i = 0; i < reading.contexts().size(); i++) {
            line.append(
                    String.format(
                            Locale.ROOT,
                            "%s %.3f at %d",
                            i == 0 ? "" : ",",
                            Math.exp(reading.loss().get(i)),
                            reading.contexts().get(i)));
        }
        int longest = reading.contexts().size() - 1;
        if (!Double.isNaN(reading.found(longest))) {
            line.append(
                    String.format(Locale.ROOT, "; passkeys %.0f %%", 100 * reading.found(longest)));
        }
        return line.toString();
    }

    private static String stage(TuningLog.Reading reading) {
        if (reading.ownRope()) {
            return "as it came";
        }
        return reading.step() == 0 ? "before the first step" : "after step " + reading.step();
    }

    /**
     * Returns the table and where the model is, for a terminal.
     *
     * @param width the columns of the terminal
     * @return the lines
     */
    public String text(int width) {
        return table().title()
                + "\n\n"
                + table().toText(width)
                + "\n"
                + (plan.saving().adapterAlone() ? "adapter: " : "model: ")
                + out;
    }

    /**
     * Returns the page.
     *
     * @return the path of the HTML file
     */
    public Path page() {
        return folder(out).resolve("index.html");
    }

    /** Writes table, pictures, page and card. */
    void write() {
        table().writeCsv(folder(out).resolve("readings.csv"));
        HtmlPage.Builder page =
                HtmlPage.builder()
                        .title("What did fine-tuning do to " + name(plan.model()) + "?")
                        .lead(lead())
                        .provenance(provenance);
        cards(page);
        page.section(
                "Perplexity against context",
                "The same held-out tokens, read after more and more of the text before them: a"
                        + " model that uses its context falls to the right; one that is lost beyond"
                        + " what it was trained for rises.",
                save("perplexity.png", perplexity()));
        if (asked()) {
            page.section(
                    "Passkeys",
                    "The share of keys found that were told at a depth of the context (top: at its"
                            + " beginning) and asked for at its end.",
                    passkeyMaps());
        }
        page.section(
                "Training",
                "The loss of the rows that each step trained on"
                        + (steps.size() > POINTS ? ", means over neighbouring steps." : "."),
                save("loss.png", losses()),
                save("gradient.png", gradients()));
        page.section("All readings", "Perplexity and share of passkeys found.", table());
        page.write(page());
        AtomicFile.write(out.resolve("README.md"), ModelCard.of(this));
    }

    private Figure save(String picture, Figure figure) {
        Png.write(figure, folder(out).resolve(picture));
        return figure;
    }

    static String name(Path folder) {
        return folder.toAbsolutePath().normalize().getFileName().toString();
    }

    FinetunePlan plan() {
        return plan;
    }

    Path out() {
        return out;
    }

    Provenance provenance() {
        return provenance;
    }

    long ownLength() {
        return ownLength;
    }

    /** The reading with the RoPE that the model came with, where it got another. */
    Optional<TuningLog.Reading> own() {
        return readings.stream().filter(TuningLog.Reading::ownRope).findFirst();
    }

    /** The reading of the model as it came. */
    private TuningLog.Reading before() {
        return own().orElse(untuned());
    }

    /** The reading before the first step. */
    TuningLog.Reading untuned() {
        return readings.stream()
                .filter(r -> r.step() == 0 && !r.ownRope())
                .findFirst()
                .orElseThrow();
    }

    TuningLog.Reading after() {
        return readings.get(readings.size() - 1);
    }

    boolean asked() {
        return after().passkeys().stream().anyMatch(found -> !found.isEmpty());
    }

    double perplexity(TuningLog.Reading reading) {
        return Math.exp(reading.loss().get(reading.loss().size() - 1));
    }

    private double found(TuningLog.Reading reading) {
        return reading.found(reading.contexts().size() - 1);
    }

    private int longest() {
        return after().contexts().get(after().contexts().size() - 1);
    }

    private String lead() {
        StringBuilder lead = new StringBuilder();
        lead.append(
                String.format(
                        Locale.ROOT,
                        "In %d steps (%s) its perplexity at %,d tokens went from %s to %s",
                        steps.size(),
                        plan.tuning(),
                        longest(),
                        number(perplexity(before())),
                        number(perplexity(after()))));
        if (own().isPresent()) {
            lead.append(
                    String.format(
                            Locale.ROOT,
                            ", where its new RoPE alone, without training, gives %s",
                            number(perplexity(untuned()))));
        }
        if (asked()) {
            lead.append(
                    String.format(
                            Locale.ROOT,
                            "; of passkeys it finds %.0f %%, after %.0f %% before",
                            100 * found(after()),
                            100 * found(before())));
        }
        return lead.append('.').toString();
    }

    private static String number(double perplexity) {
        return String.format(Locale.ROOT, perplexity < 100 ? "%.3f" : "%,.0f", perplexity);
    }

    private void cards(HtmlPage.Builder page) {
        page.card(
                "Perplexity at " + longest() + " tokens",
                number(perplexity(after())),
                number(perplexity(before())) + " before");
        if (asked()) {
            page.card(
                    "Passkeys at " + longest() + " tokens",
                    String.format(Locale.ROOT, "%.0f %%", 100 * found(after())),
                    String.format(Locale.ROOT, "%.0f %% before", 100 * found(before())));
        }
        double seconds = steps.stream().mapToDouble(TuningLog.Step::seconds).sum();
        long tokens = steps.stream().mapToLong(TuningLog.Step::tokens).sum();
        page.card(
                "Speed",
                String.format(Locale.ROOT, "%,.0f", tokens / seconds),
                String.format(Locale.ROOT, "tokens/s, %.0f s in all", seconds));
        long memory = steps.stream().mapToLong(TuningLog.Step::memory).max().orElse(0);
        if (memory > 0) {
            page.card("Memory", String.format(Locale.ROOT, "%,d", memory >> 20), "MB at most");
        }
    }

    private LineChart perplexity() {
        List<Series> lines = new ArrayList<>();
        for (TuningLog.Reading reading : readings) {
            lines.add(
                    new Series(
                            stage(reading),
                            reading.contexts().stream().map(Integer::doubleValue).toList(),
                            reading.loss().stream().map(Math::exp).toList(),
                            List.of()));
        }
        return new LineChart(
                "Perplexity against context",
                Axis.log("context in tokens"),
                Axis.log("perplexity"),
                lines);
    }

    private Figure[] passkeyMaps() {
        List<Figure> maps = new ArrayList<>();
        if (own().isPresent()) {
            maps.add(save("passkeys-own.png", passkeyMap("As it came", before())));
        }
        maps.add(save("passkeys-before.png", passkeyMap("Before the first step", untuned())));
        maps.add(save("passkeys-after.png", passkeyMap("After the last", after())));
        return maps.toArray(Figure[]::new);
    }

    private HeatMap passkeyMap(String title, TuningLog.Reading reading) {
        int depths = plan.measures().depths();
        double[][] map = new double[depths][reading.contexts().size()];
        for (int context = 0; context < reading.contexts().size(); context++) {
            List<Double> found = reading.passkeys().get(context);
            for (int depth = 0; depth < depths; depth++) {
                map[depth][context] = found.isEmpty() ? Double.NaN : found.get(depth);
            }
        }
        return new HeatMap(
                title,
                "context",
                "depth",
                map,
                0,
                1,
                ColourMap.VIRIDIS,
                reading.contexts().stream().map(String::valueOf).toList(),
                depths == 1 ? List.of("½") : List.of("start", "question"));
    }

    private LineChart losses() {
        return curve("Loss of the training", "nats a token", TuningLog.Step::loss);
    }

    private LineChart gradients() {
        return curve("Norm of the gradient", "norm", TuningLog.Step::gradientNorm);
    }

    private LineChart curve(String title, String unit, ToDoubleFunction<TuningLog.Step> quantity) {
        int points = Math.min(POINTS, steps.size());
        double[] x = new double[points];
        double[] y = new double[points];
        for (int i = 0; i < points; i++) {
            int from = (int) ((long) i * steps.size() / points);
            int to = (int) ((i + 1L) * steps.size() / points);
            x[i] = steps.get(to - 1).step();
            y[i] =
                    IntStream.range(from, to)
                            .mapToDouble(k -> quantity.applyAsDouble(steps.get(k)))
                            .average()
                            .orElseThrow();
        }
        return new LineChart(
                title, Axis.linear("step"), Axis.linear(unit), List.of(Series.of(unit, x, y)));
    }

    /** A row for each reading: perplexity at each context, and passkeys. */
    Table table() {
        List<Column> columns = new ArrayList<>(List.of(Column.label("reading")));
        for (int context : after().contexts()) {
            columns.add(Column.value("perplexity at " + context, "", 3));
        }
        if (asked()) {
            for (int context : after().contexts()) {
                columns.add(Column.value("passkeys at " + context, "", 2));
            }
        }
        List<List<Cell>> rows = new ArrayList<>();
        for (TuningLog.Reading reading : readings) {
            List<Cell> row = new ArrayList<>(List.of(new Cell.Text(stage(reading))));
            reading.loss().forEach(loss -> row.add(Measurement.of(Math.exp(loss))));
            if (asked()) {
                for (int i = 0; i < reading.contexts().size(); i++) {
                    row.add(Measurement.of(reading.found(i)));
                }
            }
            rows.add(row);
        }
        return new Table("Held-out text and passkeys", columns, rows);
    }
}
