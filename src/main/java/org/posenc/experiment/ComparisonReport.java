package org.posenc.experiment;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.posenc.report.Axis;
import org.posenc.report.ColourMap;
import org.posenc.report.Column;
import org.posenc.report.Figure;
import org.posenc.report.HeatMap;
import org.posenc.report.HtmlPage;
import org.posenc.report.ImageGrid;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Png;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.report.ScatterChart;
import org.posenc.report.Series;
import org.posenc.report.Table;

/** What a comparison found: tables, pictures and a page. */
public final class ComparisonReport {

    private static final String SEQUENCE = "sequence";
    private static final String IMAGE = "image";

    private final ComparisonPlan plan;
    private final Path out;
    private final List<ResultRow> rows;
    private final Provenance provenance;

    ComparisonReport(ComparisonPlan plan, Path out, List<ResultRow> rows, Provenance provenance) {
        this.plan = plan;
        this.out = out;
        this.rows = List.copyOf(rows);
        this.provenance = provenance;
    }

    /** Returns what came of a trial, in half a line. */
    static String line(ResultRow row) {
        String name = row.labels().get("encoding") + " (seed " + row.labels().get("seed") + ")";
        Map<String, Double> v = row.values();
        return IMAGE.equals(row.labels().get("side"))
                ? String.format(Locale.ROOT, "%s: %.2f dB held out", name, v.get("heldOutPsnr"))
                : String.format(
                        Locale.ROOT,
                        "%s: loss %.3f at 1×, %.3f at 8×",
                        name,
                        v.get("loss1x"),
                        v.get("loss8x"));
    }

    /**
     * Returns the tables, mean ± spread over seeds, for a terminal.
     *
     * @param width the columns of the terminal
     * @return the tables that are not empty, each with its title
     */
    public String text(int width) {
        StringBuilder text = new StringBuilder();
        for (Table table : tables()) {
            text.append(table.title()).append("\n\n").append(table.toText(width)).append('\n');
        }
        return text.toString().stripTrailing();
    }

    /**
     * Returns the page.
     *
     * @return the path of the HTML file
     */
    public Path page() {
        return out.resolve("index.html");
    }

    /** Writes CSV files, pictures and the page. */
    void write() {
        if (has(SEQUENCE)) {
            sequenceTable().writeCsv(out.resolve("sequence.csv"));
        }
        if (has(IMAGE)) {
            imageTable().writeCsv(out.resolve("image.csv"));
        }
        HtmlPage.Builder page =
                HtmlPage.builder()
                        .title("Which positional encoding should I take, and why?")
                        .lead(lead())
                        .provenance(provenance);
        cards(page);
        if (has(SEQUENCE)) {
            sequenceSections(page);
        }
        if (has(IMAGE)) {
            imageSections(page);
        }
        page.section(
                "How it was measured",
                "Everything but the encoding is the same: the weights start from the same numbers,"
                        + " the data come in the same order, the seeds are the same. "
                        + (plan.seeds() == 1
                                ? "With one seed there is no telling a small difference from"
                                        + " chance: --seeds 3 shows the spread. "
                                : "Bands and ± are one standard deviation over "
                                        + plan.seeds()
                                        + " seeds. ")
                        + "These are small models, trained briefly: read the order and the shape"
                        + " of the curves, not the last digit. Distance preservation is how far"
                        + " apart two positions can be before the encoding calls them less than a"
                        + " tenth alike: in tokens, or as a part of the image's side. Time is that"
                        + " of one trial among those that run at once. results.jsonl beside this"
                        + " page has every trial.");
        page.write(page());
    }

    private List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        if (has(SEQUENCE)) {
            tables.add(sequenceTable());
        }
        if (has(IMAGE)) {
            tables.add(imageTable());
        }
        return tables;
    }

    private Table sequenceTable() {
        List<Column> columns =
                new ArrayList<>(
                        List.of(
                                Column.label("encoding"),
                                Column.value("loss1x", "", 3).headed("loss 1×"),
                                Column.value("loss2x", "", 3).headed("2×"),
                                Column.value("loss4x", "", 3).headed("4×"),
                                Column.value("loss8x", "", 3).headed("8×"),
                                Column.value("stableRank", "", 2).headed("stable rank"),
                                Column.value("distancePreservation", "", 1)
                                        .headed("distance preservation"),
                                Column.value("parameters", "", 0),
                                Column.value("seconds", "s", 1).headed("time")));
        return Table.summary(
                "Held-out loss (nats per token) at 1, 2, 4 and 8 times the training length of "
                        + plan.sequence().length(),
                columns,
                rows(SEQUENCE));
    }

    private Table imageTable() {
        return Table.summary(
                "PSNR (dB) of an image fitted from one pixel in four",
                List.of(
                        Column.label("encoding"),
                        Column.value("heldOutPsnr", "", 2).headed("held out"),
                        Column.value("trainedPsnr", "", 2).headed("trained"),
                        Column.value("stableRank", "", 2).headed("stable rank"),
                        Column.value("distancePreservation", "", 3).headed("distance preservation"),
                        Column.value("parameters", "", 0),
                        Column.value("seconds", "s", 1).headed("time")),
                rows(IMAGE));
    }

    /** The answer, in words that follow from the numbers. */
    private String lead() {
        StringBuilder text = new StringBuilder();
        if (has(SEQUENCE)) {
            String short1 = best(SEQUENCE, "loss1x", true);
            String long8 = best(SEQUENCE, "loss8x", true);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "A decoder trained on %d tokens predicts held-out text best with %s"
                                    + " as long as the context is no longer than in training"
                                    + " (loss %s). ",
                            plan.sequence().length(),
                            short1,
                            measured(SEQUENCE, short1, "loss1x", 3)));
            text.append(tied(SEQUENCE, short1, "loss1x"));
            text.append(
                    short1.equals(long8)
                            ? String.format(
                                    Locale.ROOT,
                                    "At eight times that length it is still the best (%s). ",
                                    measured(SEQUENCE, long8, "loss8x", 3))
                            : String.format(
                                    Locale.ROOT,
                                    "At eight times that length %s is best (%s, where %s has"
                                            + " %s). ",
                                    long8,
                                    measured(SEQUENCE, long8, "loss8x", 3),
                                    short1,
                                    measured(SEQUENCE, short1, "loss8x", 3)));
            text.append(tied(SEQUENCE, long8, "loss8x"));
        }
        if (has(IMAGE)) {
            String unseen = best(IMAGE, "heldOutPsnr", false);
            String seen = best(IMAGE, "trainedPsnr", false);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "A coordinate network shows pixels it has never seen best with %s"
                                    + " (%s)",
                            unseen,
                            measured(IMAGE, unseen, "heldOutPsnr", 2) + " dB"));
            text.append(
                    seen.equals(unseen)
                            ? "."
                            : String.format(
                                    Locale.ROOT,
                                    "; %s fits those it has seen best (%s dB) and gets %s dB on"
                                            + " the others.",
                                    seen,
                                    measured(IMAGE, seen, "trainedPsnr", 2),
                                    measured(IMAGE, seen, "heldOutPsnr", 2)));
            text.append(' ').append(tied(IMAGE, unseen, "heldOutPsnr"));
        }
        if (plan.seeds() == 1) {
            text.append("From one seed only, so a small difference may be chance.");
        }
        return text.toString().strip();
    }

    /** Names what the spread over seeds does not tell from the best; empty where nothing is. */
    private String tied(String side, String best, String value) {
        Measurement first = measurement(side, best, value);
        List<String> others =
                names(side).stream()
                        .filter(name -> !name.equals(best))
                        .filter(name -> within(measurement(side, name, value), first))
                        .toList();
        return others.isEmpty()
                ? ""
                : "Within the spread over seeds of "
                        + best
                        + ": "
                        + String.join(", ", others)
                        + ". ";
    }

    private static boolean within(Measurement one, Measurement other) {
        return Math.abs(one.mean() - other.mean()) <= Math.hypot(one.spread(), other.spread());
    }

    private void cards(HtmlPage.Builder page) {
        if (has(SEQUENCE)) {
            card(page, "Best at the training length", SEQUENCE, "loss1x", true, 3, "nats");
            card(page, "Best at 8× that length", SEQUENCE, "loss8x", true, 3, "nats");
        }
        if (has(IMAGE)) {
            card(page, "Best on unseen pixels", IMAGE, "heldOutPsnr", false, 2, "dB");
            card(page, "Best on trained pixels", IMAGE, "trainedPsnr", false, 2, "dB");
        }
    }

    private void card(
            HtmlPage.Builder page,
            String label,
            String side,
            String value,
            boolean least,
            int decimals,
            String unit) {
        String winner = best(side, value, least);
        page.card(label, winner, measured(side, winner, value, decimals) + " " + unit);
    }

    private void sequenceSections(HtmlPage.Builder page) {
        Figure length =
                new LineChart(
                        "Held-out loss against context",
                        Axis.categories(
                                "context, in training lengths of "
                                        + plan.sequence().length()
                                        + " tokens",
                                Arrays.stream(SequenceTask.FACTORS)
                                        .mapToObj(f -> f + "×")
                                        .toList()),
                        Axis.linear("loss, nats per token"),
                        names(SEQUENCE).stream().map(this::lossSeries).toList());
        Png.write(length, picture("loss-against-length"));
        page.section(
                "Reading further than trained",
                "The same "
                        + plan.sequence().targets()
                        + " tokens of each held-out window are predicted from growing context, so"
                        + " a flat line means that more context does no harm and a rising one that"
                        + " the encoding breaks. A learned table ends at the training length and"
                        + " is stretched by interpolation beyond it.",
                length,
                sequenceTable());

        Figure[] maps = heatMaps(SEQUENCE, "token");
        page.section(
                "What an encoding says about positions",
                "How alike two positions look to the model, after training, before any content:"
                        + " the normalised inner product of their encodings (for ALiBi and T5, of"
                        + " the weights their biases give). A narrow bright diagonal tells"
                        + " neighbours apart; stripes off the diagonal confuse distances.",
                maps);

        Figure layers =
                new LineChart(
                        "Stable rank of the activations",
                        Axis.categories(
                                "residual stream",
                                IntStream.rangeClosed(0, plan.sequence().layers())
                                        .mapToObj(i -> i == 0 ? "embedded" : "after layer " + i)
                                        .toList()),
                        Axis.linear("stable rank"),
                        names(SEQUENCE).stream().map(this::layerSeries).toList());
        Figure spectra = spectra(SEQUENCE, "Singular values of the encodings (sequence)");
        Figure scatter =
                scatter(
                        SEQUENCE,
                        "Stable rank against loss at 8×",
                        "loss8x",
                        "loss at 8×, nats per token");
        Png.write(layers, picture("stable-rank-through-layers"));
        Png.write(spectra, picture("spectra-sequence"));
        Png.write(scatter, picture("stable-rank-against-loss"));
        page.section(
                "Stable rank, in the encoding and in the model",
                "The stable rank ‖X‖²_F / ‖X‖²₂ counts how many directions the positions really"
                        + " use. Does it say how well a model reads beyond its training length? "
                        + related(SEQUENCE, "loss8x", "the loss at 8×"),
                spectra,
                scatter,
                layers);
    }

    private void imageSections(HtmlPage.Builder page) {
        List<ImageGrid.Picture> pictures = new ArrayList<>();
        pictures.add(
                new ImageGrid.Picture(
                        "original",
                        "one pixel in four is trained on",
                        Picture.read(plan.picture(), plan.image().longest()).image()));
        for (String name : names(IMAGE)) {
            pictures.add(
                    new ImageGrid.Picture(
                            name,
                            measured(IMAGE, name, "heldOutPsnr", 2)
                                    + " dB held out, "
                                    + measured(IMAGE, name, "trainedPsnr", 2)
                                    + " trained",
                            fit(name)));
        }
        Figure grid = new ImageGrid("The image as each network sees it (first seed)", pictures);
        Figure scatter =
                scatter(
                        IMAGE,
                        "Stable rank against PSNR on unseen pixels",
                        "heldOutPsnr",
                        "PSNR held out, dB");
        Figure spectra =
                spectra(IMAGE, "Singular values of the encodings (points of the diagonal)");
        Png.write(grid, picture("fitted-images"));
        Png.write(scatter, picture("stable-rank-against-psnr"));
        Png.write(spectra, picture("spectra-image"));
        page.section(
                "Fitting an image from one pixel in four",
                "The same network learns colours from coordinates. Held-out PSNR is on the three"
                        + " pixels in four that it has never seen; a large gap to the trained"
                        + " PSNR means that it memorised instead of interpolating.",
                grid,
                imageTable());
        page.section(
                "The trade-off of Zheng et al.",
                "Their claim: an encoding needs a stable rank high enough to hold the signal, and"
                        + " distances preserved well enough to interpolate between samples. Too"
                        + " low, and the image stays blurred; too high, and every pixel is a"
                        + " stranger to its neighbours. "
                        + related(IMAGE, "heldOutPsnr", "the PSNR on unseen pixels")
                        + " A trade-off, with its best in the middle, leaves that near 0.",
                scatter,
                spectra);
        page.section(
                "Similarity along the diagonal",
                "The normalised inner product of two encoded points, along the diagonal of the"
                        + " image. Along a row, encodings that put the features of the two"
                        + " coordinates side by side would look more alike than they are, because"
                        + " one half of them does not change.",
                heatMaps(IMAGE, "point"));
    }

    private Series lossSeries(String name) {
        return Series.of(
                name,
                Arrays.stream(SequenceTask.FACTORS)
                        .mapToObj(factor -> measurement(SEQUENCE, name, "loss" + factor + "x"))
                        .toList());
    }

    private Series layerSeries(String name) {
        List<ResultRow> trials = trials(SEQUENCE, name);
        return Series.of(
                name,
                IntStream.range(0, trials.get(0).curves().get("layerStableRanks").size())
                        .mapToObj(
                                layer ->
                                        Measurement.of(
                                                trials.stream()
                                                        .mapToDouble(
                                                                row ->
                                                                        row.curves()
                                                                                .get(
                                                                                        "layerStableRanks")
                                                                                .get(layer))
                                                        .toArray()))
                        .toList());
    }

    private Figure spectra(String side, String title) {
        return LineChart.spectrum(
                title,
                names(side).stream()
                        .map(
                                name ->
                                        Series.counted(
                                                name,
                                                trials(side, name).get(0).curves().get("spectrum")))
                        .toList());
    }

    private Figure scatter(String side, String title, String quality, String label) {
        return new ScatterChart(
                title,
                Axis.log("stable rank of the encoded positions"),
                Axis.linear(label),
                names(side).stream()
                        .map(
                                name ->
                                        new ScatterChart.Point(
                                                name,
                                                measurement(side, name, "stableRank").mean(),
                                                measurement(side, name, quality).mean()))
                        .toList());
    }

    /** One map an encoding, all in the same colours. */
    private Figure[] heatMaps(String side, String what) {
        double least =
                names(side).stream()
                        .flatMap(name -> similarity(side, name).stream())
                        .mapToDouble(Double::doubleValue)
                        .filter(Double::isFinite)
                        .min()
                        .orElse(0);
        return names(side).stream()
                .map(name -> heatMap(side, name, what, Math.min(0, least)))
                .toArray(Figure[]::new);
    }

    private Figure heatMap(String side, String name, String what, double least) {
        List<Double> flat = similarity(side, name);
        int n = (int) Math.round(Math.sqrt(flat.size()));
        double[][] matrix = new double[n][n];
        for (int i = 0; i < flat.size(); i++) {
            matrix[i / n][i % n] = flat.get(i);
        }
        HeatMap map = HeatMap.of(name, what, what, matrix, least, 1, ColourMap.VIRIDIS);
        Png.write(map, picture("similarity-" + side + "-" + name));
        return map;
    }

    private List<Double> similarity(String side, String name) {
        return trials(side, name).get(0).curves().get("similarity");
    }

    private BufferedImage fit(String name) {
        try {
            return ImageIO.read(Comparison.fitted(out, trials(IMAGE, name).get(0).key()).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path picture(String name) {
        return out.resolve("pictures").resolve(name + ".png");
    }

    private boolean has(String side) {
        return !rows(side).isEmpty();
    }

    private List<ResultRow> rows(String side) {
        return rows.stream().filter(row -> side.equals(row.labels().get("side"))).toList();
    }

    private List<ResultRow> trials(String side, String encoding) {
        return rows(side).stream()
                .filter(row -> encoding.equals(row.labels().get("encoding")))
                .toList();
    }

    private List<String> names(String side) {
        return rows(side).stream().map(row -> row.labels().get("encoding")).distinct().toList();
    }

    private Measurement measurement(String side, String encoding, String value) {
        return Measurement.of(
                trials(side, encoding).stream()
                        .mapToDouble(row -> row.values().get(value))
                        .toArray());
    }

    /** How the stable rank goes with a quantity, in numbers: which way is not known beforehand. */
    private String related(String side, String value, String what) {
        double[] ranks =
                names(side).stream()
                        .mapToDouble(name -> measurement(side, name, "stableRank").mean())
                        .toArray();
        double[] values =
                names(side).stream()
                        .mapToDouble(name -> measurement(side, name, value).mean())
                        .toArray();
        double correlation = RankCorrelation.of(ranks, values);
        return ranks.length < 3 || Double.isNaN(correlation)
                ? "Too few encodings were compared here to say how it goes with " + what + "."
                : String.format(
                        Locale.ROOT,
                        "Over these %d encodings its rank correlation with %s is %.2f (0: the one"
                                + " says nothing of the other; 1 or −1: it decides).",
                        ranks.length,
                        what,
                        correlation);
    }

    private String measured(String side, String encoding, String value, int decimals) {
        return measurement(side, encoding, value).text(decimals);
    }

    private String best(String side, String value, boolean least) {
        Comparator<String> order =
                Comparator.comparingDouble(name -> measurement(side, name, value).mean());
        Optional<String> best =
                names(side).stream()
                        .filter(name -> Double.isFinite(measurement(side, name, value).mean()))
                        .min(least ? order : order.reversed());
        return best.orElse(names(side).get(0));
    }
}
