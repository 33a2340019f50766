package org.posenc.experiment.extrapolation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.Rope;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.ColourMap;
import org.posenc.report.Column;
import org.posenc.report.Figure;
import org.posenc.report.HeatMap;
import org.posenc.report.HtmlPage;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Png;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.report.Series;
import org.posenc.report.Table;

/** What an extrapolation experiment found: tables, pictures and a page. */
public final class ExtrapolationReport {

    private static final String ROPE = "rope";
    private static final String AT_ONCE = "at once";
    private static final String TUNED = "tuned";

    /** A chart holds no more lines than can be told apart; the tables have all. */
    private static final List<String> CHARTED =
            List.of(
                    "direct",
                    "linear",
                    "ntk-aware",
                    "dynamic",
                    "ntk-by-parts",
                    "yarn",
                    "llama3",
                    "longrope",
                    "rerope",
                    "self-extend");

    private static final List<String> FREQUENCIES =
            List.of(
                    "linear",
                    "ntk-aware",
                    "ntk-old",
                    "ntk-fixed",
                    "ntk-mixed",
                    "dynamic",
                    "ntk-by-parts",
                    "yarn",
                    "yarn-32-1",
                    "llama3");

    private final ExtrapolationPlan plan;
    private final List<Workload> workloads;
    private final Optional<Rope> rope; // whose frequencies were changed
    private final Path out;
    private final Results text;
    private final Results puzzles;
    private final Results searches; // of LongRoPE's divisors for text
    private final Provenance provenance;

    ExtrapolationReport(
            ExtrapolationPlan plan,
            List<Workload> workloads,
            Optional<Rope> rope,
            Path out,
            List<ResultRow> rows,
            Provenance provenance) {
        this.plan = plan;
        this.workloads = workloads;
        this.rope = rope;
        this.out = out;
        this.provenance = provenance;
        Results all = new Results(rows);
        text = all.with("workload", "text");
        searches = text.with("stage", "search");
        puzzles =
                new Results(
                        rows.stream()
                                .filter(row -> !"text".equals(row.labels().get("workload")))
                                .toList());
    }

    /** Returns what came of a trial, in half a line. */
    static String line(ResultRow row) {
        StringBuilder line = new StringBuilder();
        for (String label : List.of("workload", "encoding", "method", "stage")) {
            if (row.labels().containsKey(label)) {
                line.append(line.length() == 0 ? "" : ", ").append(row.labels().get(label));
            }
        }
        line.append(" (seed ").append(row.labels().get("seed")).append("):");
        for (String quantity :
                List.of(
                        "trainingLoss",
                        "loss1x",
                        "loss4x",
                        "digits1x",
                        "passkey1x",
                        "passkey4x",
                        "exact1.4x",
                        "searchedLoss4x")) {
            if (row.values().containsKey(quantity)) {
                line.append(
                        String.format(
                                Locale.ROOT, " %s %.3f", quantity, row.values().get(quantity)));
            }
        }
        return line.toString();
    }

    /**
     * Returns the tables, mean ± spread over seeds, for a terminal.
     *
     * @param width the columns of the terminal
     * @return the tables that are not empty, each with its title
     */
    public String text(int width) {
        StringBuilder print = new StringBuilder();
        for (Table table : tables()) {
            print.append(table.title()).append("\n\n").append(table.toText(width)).append('\n');
        }
        return print.toString().stripTrailing();
    }

    /**
     * Returns the page.
     *
     * @return the path of the HTML file
     */
    public Path page() {
        return out.resolve("index.html");
    }

    private List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        tables.add(methodTable(AT_ONCE));
        if (!stage(TUNED).isEmpty()) {
            tables.add(methodTable(TUNED));
        }
        if (trainedEncodings().size() > 1) {
            tables.add(encodingTable());
        }
        for (String name : puzzles.values("workload")) {
            tables.add(puzzleTable(name, AT_ONCE));
            if (!puzzle(name, TUNED).isEmpty()) {
                tables.add(puzzleTable(name, TUNED));
            }
        }
        findings().table().ifPresent(tables::add);
        return tables;
    }

    private Findings findings() {
        return new Findings(text, puzzles, plan.tuning().factor());
    }

    private Results stage(String stage) {
        return text.with("stage", stage);
    }

    /** The encoding whose methods are compared: RoPE, or that of a given model. */
    private String main() {
        List<String> encodings = trainedEncodings();
        return encodings.contains(ROPE) ? ROPE : encodings.get(0);
    }

    private List<String> trainedEncodings() {
        return stage(AT_ONCE).values("encoding");
    }

    private int[] factors() {
        return plan.reading().factors();
    }

    private double longest() {
        return factors()[factors().length - 1];
    }

    private Table methodTable(String stage) {
        String how =
                stage.equals(AT_ONCE)
                        ? "at once"
                        : "after %d steps at %s times that length"
                                .formatted(
                                        plan.tuning().steps(),
                                        Measured.times(plan.tuning().factor()));
        return Table.summary(
                "Held-out loss (nats per token) and passkeys found, %s trained at %d tokens, read %s"
                        .formatted(main(), plan.text().length(), how),
                columns("method"),
                stage(stage).with("encoding", main()).rows());
    }

    private Table encodingTable() {
        return Table.summary(
                "The same decoder trained with other encodings, read as trained",
                columns("encoding"),
                asTrained().rows());
    }

    /** Readings by which nothing is changed, but that a learned table must be stretched. */
    private Results asTrained() {
        return new Results(
                stage(AT_ONCE).rows().stream()
                        .filter(
                                row ->
                                        List.of(LengthMethod.DIRECT, "resized")
                                                .contains(row.labels().get("method")))
                        .toList());
    }

    private List<Column> columns(String first) {
        List<Column> columns = new ArrayList<>(List.of(Column.label(first)));
        for (int factor : factors()) {
            columns.add(
                    Column.value(Measured.at("loss", factor), "", 3)
                            .headed((factor == 1 ? "loss " : "") + factor + "×"));
        }
        for (int factor : factors()) {
            columns.add(
                    Column.value(Measured.at("passkey", factor), "", 2)
                            .headed((factor == 1 ? "passkey " : "") + factor + "×"));
        }
        return columns;
    }

    private Results puzzle(String name, String stage) {
        return puzzles.with("workload", name).with("stage", stage);
    }

    private Table puzzleTable(String name, String stage) {
        Workload workload = workload(name);
        List<Column> columns =
                new ArrayList<>(List.of(Column.label("encoding"), Column.label("method")));
        for (double factor : workload.factors()) {
            columns.add(
                    Column.value(Measured.at("exact", factor), "", 2)
                            .headed((factor == 1 ? "exact " : "") + Measured.times(factor) + "×"));
        }
        for (double factor : workload.factors()) {
            columns.add(
                    Column.value(Measured.at("token", factor), "", 2)
                            .headed((factor == 1 ? "token " : "") + Measured.times(factor) + "×"));
        }
        return Table.summary(
                "%s: share of puzzles solved, trained on up to %d symbols%s"
                        .formatted(
                                name,
                                plan.puzzle().size(),
                                stage.equals(AT_ONCE)
                                        ? ""
                                        : ", then %d steps on up to %d"
                                                .formatted(
                                                        plan.tuning().steps(),
                                                        Math.round(
                                                                plan.tuning().factor()
                                                                        * plan.puzzle().size()))),
                columns,
                puzzle(name, stage).rows());
    }

    private Workload workload(String name) {
        return workloads.stream().filter(w -> w.name().equals(name)).findFirst().orElseThrow();
    }

    /** Writes CSV files, pictures and the page. */
    void write() {
        HtmlPage.Builder page =
                HtmlPage.builder()
                        .title("How far does RoPE read beyond its training?")
                        .lead(lead())
                        .provenance(provenance);
        cards(page);
        atOnce(page);
        tuned(page);
        passkeys(page);
        byPosition(page);
        pairs(page);
        attention(page);
        encodings(page);
        for (String name : puzzles.values("workload")) {
            puzzle(page, name);
        }
        findings()
                .table()
                .ifPresent(
                        table -> {
                            table.writeCsv(out.resolve("findings.csv"));
                            page.section(
                                    "What the literature says",
                                    "Each finding is put to these measurements by a rule that was"
                                            + " fixed before they were made (Findings.java). These"
                                            + " are small models: where one does not hold, size is"
                                            + " the first suspect, and the table says what was"
                                            + " measured.",
                                    table);
                        });
        page.section("How it was measured", method());
        page.write(page());
    }

    private String method() {
        return "Loss is that of the same "
                + plan.reading().targets()
                + " tokens of each of "
                + plan.reading().windows()
                + " held-out windows under growing context: a sliding window, in as many places."
                + " A passkey is told once in held-out text and asked for at its end (a decoder trained"
                + " here: one of 64 tokens that the text hardly has, as it was taught in a row of"
                + " four; a given model: five digits), at "
                + plan.reading().depths()
                + " depths, "
                + plan.reading().passkeys()
                + " times each; it counts as found when the likeliest tokens are the key. A"
                + " window of n tokens is read with k = n/L, each length for itself; tuned decoders"
                + " keep the k they were tuned with. Everything else is the same: weights start from"
                + " the same numbers, data come in the same order. "
                + (plan.model().isPresent()
                        ? "The model was given. "
                        : plan.seeds() == 1
                                ? "With one seed there is no telling a small difference from"
                                        + " chance. "
                                : "± is one standard deviation over " + plan.seeds() + " seeds. ")
                + "results.jsonl beside this page has every trial.";
    }

    private String lead() {
        StringBuilder lead = new StringBuilder();
        Results once = stage(AT_ONCE).with("encoding", main());
        String far = Measured.at("loss", longest());
        best(once, far, true)
                .ifPresent(
                        name ->
                                lead.append(
                                        String.format(
                                                Locale.ROOT,
                                                "A decoder trained on %d tokens reads %s times as"
                                                        + " many best with %s (loss %s, where it"
                                                        + " has %s at its own length)",
                                                plan.text().length(),
                                                Measured.times(longest()),
                                                name,
                                                once.with("method", name).mean(far).text(3),
                                                once.with("method", name).mean("loss1x").text(3))));
        if (once.values("method").contains(LengthMethod.DIRECT)) {
            lead.append("; left as it is it has ")
                    .append(once.with("method", LengthMethod.DIRECT).mean(far).text(3));
        }
        lead.append(". ");
        Results tuned = stage(TUNED).with("encoding", main());
        String at = Measured.at("loss", plan.tuning().factor());
        best(tuned, at, true)
                .ifPresent(
                        name ->
                                lead.append(
                                        "After %d steps at %s times the length %s is best there (%s)."
                                                .formatted(
                                                        plan.tuning().steps(),
                                                        Measured.times(plan.tuning().factor()),
                                                        name,
                                                        tuned.with("method", name)
                                                                .mean(at)
                                                                .text(3))));
        return lead.toString().strip();
    }

    private void cards(HtmlPage.Builder page) {
        Results once = stage(AT_ONCE).with("encoding", main());
        Results tuned = stage(TUNED).with("encoding", main());
        for (int factor : IntStream.of(4, (int) longest()).distinct().toArray()) {
            card(page, once, "Best at once at " + factor + "×", Measured.at("loss", factor), true);
        }
        card(
                page,
                tuned,
                "Best tuned at " + Measured.times(plan.tuning().factor()) + "×",
                Measured.at("loss", plan.tuning().factor()),
                true);
        card(page, once, "Most passkeys at 4×", "passkey4x", false);
    }

    private void card(
            HtmlPage.Builder page, Results results, String label, String quantity, boolean least) {
        best(results, quantity, least)
                .ifPresent(
                        name ->
                                page.card(
                                        label,
                                        name,
                                        results.with("method", name).mean(quantity).text(3)
                                                + (least ? " nats" : " of 1")));
    }

    private static Optional<String> best(Results results, String quantity, boolean least) {
        Comparator<String> order =
                Comparator.comparingDouble(
                        name -> results.with("method", name).mean(quantity).mean());
        return results.values("method").stream()
                .filter(name -> Double.isFinite(results.with("method", name).mean(quantity).mean()))
                .min(least ? order : order.reversed());
    }

    private void atOnce(HtmlPage.Builder page) {
        Figure chart = lengthChart(AT_ONCE, "Perplexity against length, at once");
        Png.write(chart, picture("perplexity-at-once"));
        Table table = methodTable(AT_ONCE);
        table.writeCsv(out.resolve("at-once.csv"));
        page.section(
                "Without any further training",
                "Each method changes nothing but the frequencies, or the distances, with which the"
                        + " trained decoder reads. At 1× all are what was trained.",
                chart,
                table);
    }

    private void tuned(HtmlPage.Builder page) {
        if (stage(TUNED).with("encoding", main()).isEmpty()) {
            return;
        }
        Figure chart = lengthChart(TUNED, "Perplexity against length, tuned");
        Png.write(chart, picture("perplexity-tuned"));
        Table table = methodTable(TUNED);
        table.writeCsv(out.resolve("tuned.csv"));
        page.section(
                "After a short training at the longer length",
                "The same decoders after "
                        + plan.tuning().steps()
                        + " steps at "
                        + Measured.times(plan.tuning().factor())
                        + " times the length: what a method makes of few steps. Beyond that length"
                        + " it has not been tuned, and breaks anew.",
                chart,
                table);
    }

    private LineChart lengthChart(String stage, String title) {
        Results results = stage(stage).with("encoding", main());
        return new LineChart(
                title,
                Axis.categories(
                        "context, in training lengths of " + plan.text().length() + " tokens",
                        Arrays.stream(factors()).mapToObj(f -> f + "×").toList()),
                Axis.log("perplexity"),
                charted(results).stream()
                        .map(name -> overFactors(name, results.with("method", name)))
                        .toList());
    }

    private static List<String> charted(Results results) {
        List<String> charted = results.values("method").stream().filter(CHARTED::contains).toList();
        return charted.isEmpty() ? results.values("method") : charted;
    }

    private Series overFactors(String name, Results results) {
        return Series.of(
                name,
                Arrays.stream(factors())
                        .mapToObj(factor -> results.mean(Measured.at("perplexity", factor)))
                        .toList());
    }

    private void passkeys(HtmlPage.Builder page) {
        List<Figure> maps = new ArrayList<>();
        for (String stage : List.of(AT_ONCE, TUNED)) {
            Results results = stage(stage).with("encoding", main());
            for (String name : charted(results)) {
                maps.add(passkeyMap(name + ", " + stage, results.with("method", name)));
            }
        }
        for (int i = 0; i < maps.size(); i++) {
            Png.write(maps.get(i), picture("passkey-" + (i + 1)));
        }
        page.section(
                "Finding a passkey, by length and depth",
                "Bright: always found; dark: never. From left to right the context grows, from top"
                        + " to bottom the key stands nearer to the question.",
                maps.toArray(Figure[]::new));
    }

    private HeatMap passkeyMap(String title, Results results) {
        List<Measurement> cells = results.curve("passkeys"); // factor by factor, each by depth
        int depths = plan.reading().depths();
        double[][] map = new double[depths][factors().length];
        for (int factor = 0; factor < factors().length; factor++) {
            for (int depth = 0; depth < depths; depth++) {
                map[depth][factor] = cells.get(factor * depths + depth).mean();
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
                Arrays.stream(factors()).mapToObj(f -> f + "×").toList(),
                depths == 1 ? List.of("½") : List.of("start", "question"));
    }

    private void byPosition(HtmlPage.Builder page) {
        List<String> ends =
                plan.reading().positionsUpTo(plan.text().length()).stream()
                        .map(String::valueOf)
                        .toList();
        Results results = stage(AT_ONCE).with("encoding", main());
        Figure chart =
                new LineChart(
                        "Loss by position in windows of %d tokens"
                                .formatted((int) longest() * plan.text().length()),
                        Axis.categories("positions up to", ends),
                        Axis.linear("loss, nats per token"),
                        charted(results).stream()
                                .map(
                                        name ->
                                                Series.of(
                                                        name,
                                                        results.with("method", name)
                                                                .curve("lossByPosition")))
                                .toList());
        Png.write(chart, picture("loss-by-position"));
        page.section(
                "Where in the window it goes wrong",
                "Read with the k of the longest window, tokens early in it show what the method"
                        + " costs a short text, and those at the end what it gains. Each range of"
                        + " positions has a text of its own, so a line's small steps are the text's.",
                chart);
    }

    /** What each scaling does to each pair, and which pairs never saw a full turn. */
    private void pairs(HtmlPage.Builder page) {
        if (rope.isEmpty()) {
            return;
        }
        int length = (int) Math.round(8.0 * plan.text().length());
        double[] own = rope.get().frequencies(plan.text().length()).inverse();
        double[] index = IntStream.range(0, own.length).asDoubleStream().toArray();
        List<Series> ratios = new ArrayList<>();
        for (LengthMethod method : plan.methods()) {
            if (method.isSearched()) {
                List<Double> parts = meanOver(searches.curve(SearchTrial.curve(8)), d -> 1 / d);
                if (parts.size() == own.length) {
                    ratios.add(Series.of(method.name(), index, array(parts)));
                }
            } else if (FREQUENCIES.contains(method.name())) {
                PositionalEncoding changed =
                        method.at(rope.get(), plan.text().length(), length, null);
                double[] inverse = ((Rope) changed).frequencies(length).inverse();
                ratios.add(
                        Series.of(
                                method.name(),
                                index,
                                IntStream.range(0, own.length)
                                        .mapToDouble(i -> inverse[i] / own[i])
                                        .toArray()));
            }
        }
        if (ratios.isEmpty()) {
            return;
        }
        Figure moved =
                new LineChart(
                        "Frequency at 8×, as a part of the trained one",
                        Axis.linear("pair, from the fastest to the slowest"),
                        Axis.log("ratio"),
                        ratios);
        Figure turns =
                new LineChart(
                        "Turns of each pair within the training length",
                        Axis.linear("pair, from the fastest to the slowest"),
                        Axis.log("turns"),
                        List.of(
                                Series.of(
                                        "direct",
                                        index,
                                        DoubleStream.of(own)
                                                .map(f -> f * plan.text().length() / (2 * Math.PI))
                                                .toArray()),
                                Series.of(
                                        "one whole turn",
                                        index,
                                        DoubleStream.of(own).map(f -> 1).toArray())));
        List<Figure> figures = new ArrayList<>(List.of(moved, turns));
        searchedDivisors(index).ifPresent(figures::add);
        Png.write(moved, picture("frequency-pairs"));
        Png.write(turns, picture("turns"));
        long whole =
                DoubleStream.of(own).filter(f -> f * plan.text().length() >= 2 * Math.PI).count();
        page.section(
                "Which pairs of frequencies moved",
                "%d of %d pairs turned at least once within %d tokens; of the others the decoder has"
                                .formatted(whole, own.length, plan.text().length())
                        + " seen only a part of their circle, and a longer context shows it angles"
                        + " that it does not know. The scalings differ in which pairs they slow"
                        + " down. LongRoPE's divisors are found by a search on text of the training"
                        + " (64 sets at each length), a mean over seeds here; results.jsonl has"
                        + " each.",
                figures.toArray(Figure[]::new));
    }

    private Optional<Figure> searchedDivisors(double[] index) {
        List<Series> lines = new ArrayList<>();
        for (int factor : factors()) {
            List<Double> divisors = meanOver(searches.curve(SearchTrial.curve(factor)), d -> d);
            if (divisors.size() == index.length) {
                lines.add(Series.of(factor + "×", index, array(divisors)));
            }
        }
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        Figure chart =
                new LineChart(
                        "LongRoPE's divisors, as the search found them",
                        Axis.linear("pair, from the fastest to the slowest"),
                        Axis.log("divisor"),
                        lines);
        Png.write(chart, picture("longrope-divisors"));
        return Optional.of(chart);
    }

    private static List<Double> meanOver(List<Measurement> points, DoubleUnaryOperator of) {
        return points.stream().map(point -> of.applyAsDouble(point.mean())).toList();
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private void attention(HtmlPage.Builder page) {
        Results results = stage(AT_ONCE).with("encoding", main());
        int watched = plan.reading().watched();
        List<String> ranges =
                AttentionByDistance.ranges(watched * plan.text().length()).stream()
                        .map(from -> from < 2 ? "" + from : from + "–" + (2 * from - 1))
                        .toList();
        Results direct = results.with("method", LengthMethod.DIRECT);
        List<Series> lines = new ArrayList<>();
        if (!direct.isEmpty()) {
            List<Measurement> own = direct.curve("attentionAtOwnLength");
            List<Measurement> padded = new ArrayList<>(own);
            while (padded.size() < ranges.size()) {
                padded.add(Measurement.of()); // distances that its own length does not have
            }
            lines.add(Series.of("at 1×", padded));
        }
        charted(results)
                .forEach(
                        name ->
                                lines.add(
                                        Series.of(
                                                name,
                                                results.with("method", name).curve("attention"))));
        Figure chart =
                new LineChart(
                        "Share of attention by distance, at " + watched + "×",
                        Axis.categories("distance in tokens", ranges),
                        Axis.linear("share"),
                        lines);
        Png.write(chart, picture("attention-by-distance"));
        page.section(
                "Where attention goes",
                "A mean over layers, heads and the queries of the last quarter of a window. The line"
                        + " \"at 1×\" is the decoder at its own length: a method that keeps to it"
                        + " keeps what the decoder has learned of near and far.",
                chart);
    }

    private void encodings(HtmlPage.Builder page) {
        if (trainedEncodings().size() < 2) {
            return;
        }
        Results results = asTrained();
        Figure chart =
                new LineChart(
                        "Perplexity against length, encodings as they were trained",
                        Axis.categories(
                                "context, in training lengths of "
                                        + plan.text().length()
                                        + " tokens",
                                Arrays.stream(factors()).mapToObj(f -> f + "×").toList()),
                        Axis.log("perplexity"),
                        results.values("encoding").stream()
                                .map(name -> overFactors(name, results.with("encoding", name)))
                                .toList());
        Png.write(chart, picture("perplexity-encodings"));
        Table table = encodingTable();
        table.writeCsv(out.resolve("encodings.csv"));
        page.section(
                "Other encodings, trained the same way",
                "The same decoder from the same weights, but for its encoding. A learned table is"
                        + " stretched by interpolation.",
                chart,
                table);
    }

    private void puzzle(HtmlPage.Builder page, String name) {
        Workload workload = workload(name);
        Results results = puzzle(name, AT_ONCE);
        List<String> sizes =
                DoubleStream.of(workload.factors())
                        .mapToObj(f -> Math.round(f * plan.puzzle().size()))
                        .map(String::valueOf)
                        .toList();
        Figure chart =
                new LineChart(
                        name + ": puzzles solved, by size",
                        Axis.categories("symbols; trained on up to " + plan.puzzle().size(), sizes),
                        Axis.linear("share solved"),
                        results.values("encoding").stream()
                                .map(
                                        encoding ->
                                                Series.of(
                                                        encoding,
                                                        DoubleStream.of(workload.factors())
                                                                .mapToObj(
                                                                        f ->
                                                                                unchanged(
                                                                                                results,
                                                                                                encoding)
                                                                                        .mean(
                                                                                                Measured
                                                                                                        .at(
                                                                                                                "exact",
                                                                                                                f)))
                                                                .toList()))
                                .toList());
        Png.write(chart, picture("puzzle-" + name));
        List<Figure> figures = new ArrayList<>(List.of(chart));
        for (String stage : List.of(AT_ONCE, TUNED)) {
            if (!puzzle(name, stage).isEmpty()) {
                Table table = puzzleTable(name, stage);
                table.writeCsv(out.resolve(name + (stage.equals(TUNED) ? "-tuned" : "") + ".csv"));
                figures.add(table);
            }
        }
        page.section(
                "Puzzle: " + name,
                "Every symbol of the answer must be right. Trained on up to "
                        + plan.puzzle().size()
                        + " symbols, all encodings solve it there or nearly so; beyond, it shows"
                        + " whether a rule was learned or a table of positions. The chart shows each"
                        + " as it was trained.",
                figures.toArray(Figure[]::new));
    }

    private static Results unchanged(Results results, String encoding) {
        Results own = results.with("encoding", encoding);
        Results direct = own.with("method", LengthMethod.DIRECT);
        return direct.isEmpty() ? own.with("method", "resized") : direct;
    }

    private Path picture(String name) {
        return out.resolve("pictures").resolve(name + ".png");
    }
}
