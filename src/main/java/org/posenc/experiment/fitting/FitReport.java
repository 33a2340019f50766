package org.posenc.experiment.fitting;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.posenc.report.Axis;
import org.posenc.report.Column;
import org.posenc.report.Figure;
import org.posenc.report.HtmlPage;
import org.posenc.report.ImageGrid;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Png;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.report.Series;
import org.posenc.report.Table;
import org.posenc.signal.ArrayFormat;
import org.posenc.signal.ChannelAxis;
import org.posenc.signal.CsvFormat;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalFile;
import org.posenc.signal.SignalFormat;
import org.posenc.signal.WaveFormat;

/** What a fit found: a table, pictures and a page. */
public final class FitReport {

    /** Charts of a signal along one axis are drawn for so many channels. */
    private static final int CHANNELS = 2;

    /** The part of an axis's singular values below which its features are called deficient. */
    private static final double DEFICIENT = 0.25;

    private final FitPlan plan;
    private final SignalFile file;
    private final Path out;
    private final List<ResultRow> rows;
    private final Map<String, FitFiles> files;
    private final Provenance provenance;
    private final Map<String, Signal> shown = new LinkedHashMap<>(); // by encoding

    FitReport(
            FitPlan plan,
            SignalFile file,
            Path out,
            List<ResultRow> rows,
            Map<String, FitFiles> files,
            Provenance provenance) {
        this.plan = plan;
        this.file = file;
        this.out = out;
        this.rows = List.copyOf(rows);
        this.files = files;
        this.provenance = provenance;
        ChannelAxis channels =
                file.format() instanceof ArrayFormat array && array.channelAxis()
                        ? ChannelAxis.LAST
                        : ChannelAxis.NONE;
        for (ResultRow row : rows) {
            shown.put(encoding(row), like(SignalFile.read(of(row).reconstruction(), channels)));
        }
    }

    /** Numbers of a table or an array, whose own range may be another than the signal's. */
    private Signal like(SignalFile read) {
        float[] values = read.signal().values().clone();
        int channels = read.signal().channels();
        for (int i = 0; i < values.length; i++) {
            if (file.format() instanceof CsvFormat own
                    && read.format() instanceof CsvFormat other) {
                int c = i % channels;
                values[i] = (float) own.share(c, other.value(c, values[i]));
            } else if (file.format() instanceof ArrayFormat own
                    && read.format() instanceof ArrayFormat other) {
                values[i] = (float) own.share(other.value(values[i]));
            }
        }
        return new Signal(read.signal().sides(), channels, values);
    }

    private static String encoding(ResultRow row) {
        return row.labels().get("encoding");
    }

    private FitFiles of(ResultRow row) {
        return files.get(row.key());
    }

    /** Returns what came of a trial, in half a line. */
    static String line(ResultRow row) {
        return String.format(
                Locale.ROOT,
                "%s: %s unseen, %s seen, %.2f s",
                encoding(row),
                decibels(row.values().get("testPsnr")),
                decibels(row.values().get("trainPsnr")),
                row.values().get("seconds"));
    }

    private static String decibels(double psnr) {
        return Double.isNaN(psnr) ? "–" : Measurement.of(psnr).text(2) + " dB";
    }

    /**
     * Returns the table and where the files are, for a terminal.
     *
     * @param width the columns of the terminal
     * @return the lines
     */
    public String text(int width) {
        StringBuilder text = new StringBuilder();
        text.append(table().title()).append("\n\n").append(table().toText(width)).append('\n');
        for (ResultRow row : rows) {
            text.append(encoding(row)).append(": ").append(row.labels().get("width")).append('\n');
        }
        text.append('\n');
        for (ResultRow row : rows) {
            FitFiles own = of(row);
            List<Path> written = new ArrayList<>(List.of(own.reconstruction()));
            if (plan.upscale() > 1) {
                written.add(own.upscaled(plan.upscale()));
            }
            written.add(own.code());
            written.forEach(path -> text.append(path).append('\n'));
            warnings(row).forEach(warning -> text.append(warning).append('\n'));
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

    /** Writes the table, error maps and the page. */
    void write() {
        table().writeCsv(out.resolve("table.csv"));
        HtmlPage.Builder page =
                HtmlPage.builder()
                        .title("How well does a coordinate network show " + name() + "?")
                        .lead(lead())
                        .provenance(provenance);
        cards(page);
        switch (Math.min(3, file.signal().axes())) {
            case 1 -> soundSections(page);
            case 2 -> imageSections(page);
            default -> volumeSections(page);
        }
        if (plan.method() instanceof FitMethod.Training) {
            page.section(
                    "Training",
                    "PSNR over the samples that the steps between two points trained on. A curve"
                            + " that still rises at the end wants more --steps.",
                    save("training.png", training()));
        }
        page.section("The encoding", widths(), save("spectrum.png", spectrum()));
        page.section("All numbers", legend(), table());
        page.write(page());
    }

    private String name() {
        return plan.file().getFileName().toString();
    }

    private ResultRow best() {
        String quantity =
                Double.isNaN(rows.get(0).values().get("testPsnr")) ? "trainPsnr" : "testPsnr";
        return rows.stream()
                .max(Comparator.comparingDouble(row -> row.values().get(quantity)))
                .orElseThrow();
    }

    private String kind() {
        return switch (file.signal().axes()) {
            case 1 -> "samples";
            case 2 -> "pixels";
            default -> "voxels";
        };
    }

    private String share() {
        boolean[] trains = plan.sampling().trains(file.signal().sides());
        int count = 0;
        for (boolean one : trains) {
            count += one ? 1 : 0;
        }
        return String.format(
                Locale.ROOT,
                "%.3g %% of its %s %s",
                100.0 * count / trains.length,
                sides(),
                kind());
    }

    private String sides() {
        return String.join(
                " × ", Arrays.stream(file.signal().sides()).mapToObj(Integer::toString).toList());
    }

    private String lead() {
        ResultRow best = best();
        double test = best.values().get("testPsnr");
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "From %s, %s%s (%s, %s) shows ",
                        share(),
                        rows.size() > 1 ? "the best of " + rows.size() + " encodings, " : "",
                        encoding(best),
                        best.labels().get("network"),
                        best.labels().get("method")));
        text.append(
                Double.isNaN(test)
                        ? "them at "
                        : "those that it has never seen at "
                                + decibels(test)
                                + " and those that it has seen at ");
        text.append(decibels(best.values().get("trainPsnr"))).append(". ");
        text.append(
                String.format(
                        Locale.ROOT,
                        "That took %.2f s. The same signal as a file of %,d bytes can be decoded"
                                + " at any resolution with posenc decode. ",
                        best.values().get("seconds"),
                        best.values().get("codeBytes").longValue()));
        return text.append(String.join(" ", warnings(best))).toString().strip();
    }

    /** Says what a user would not expect, and what would mend it. */
    private List<String> warnings(ResultRow row) {
        List<String> warnings = new ArrayList<>();
        double resolved = row.values().get("resolved");
        boolean given = ChosenWidth.isGiven(EncodingChoice.parse(encoding(row)));
        if (plan.complex() && given && resolved < DEFICIENT) {
            warnings.add(
                    String.format(
                            Locale.ROOT,
                            "%s is too wide for these samples: all but %.2g %% of the singular"
                                    + " values of its features along an axis are faint, so that"
                                    + " neighbours cannot be told apart.",
                            encoding(row),
                            100 * resolved));
        }
        double bytes = row.values().get("codeBytes");
        double compression = row.values().get("compression");
        if (compression < 1) {
            double parameters = row.values().get("parameters");
            String why =
                    bytes > 2 * Float.BYTES * parameters
                            ? "most of it says what the network is."
                            : String.format(
                                    Locale.ROOT,
                                    "the network has %,.0f parameters. Fewer --features%s or a"
                                            + " greater --loss make it smaller.",
                                    parameters,
                                    plan.depth() > 0
                                            ? ", no hidden layers (--depth 0), a smaller --width"
                                            : "");
            warnings.add(
                    String.format(
                            Locale.ROOT,
                            "The small file is larger than %s with its %,.0f bytes: %s",
                            name(),
                            compression * bytes,
                            why));
        }
        return warnings;
    }

    private void cards(HtmlPage.Builder page) {
        ResultRow best = best();
        Map<String, Double> v = best.values();
        String by = rows.size() > 1 ? encoding(best) : "";
        if (!Double.isNaN(v.get("testPsnr"))) {
            page.card("Unseen " + kind(), Measurement.of(v.get("testPsnr")).text(2), "dB " + by);
        }
        page.card("Seen " + kind(), Measurement.of(v.get("trainPsnr")).text(2), "dB " + by);
        if (v.containsKey("ssim")) {
            page.card(
                    "Structural similarity",
                    String.format(Locale.ROOT, "%.4f", v.get("ssim")),
                    "1 is equal");
        }
        page.card("Time", String.format(Locale.ROOT, "%.2f", v.get("seconds")), "s");
        page.card(
                "Small file",
                String.format(Locale.ROOT, "%.2f", v.get("bitsPerValue")),
                String.format(
                        Locale.ROOT,
                        "bits a value, %.2f × %s than the file",
                        Math.max(v.get("compression"), 1 / v.get("compression")),
                        v.get("compression") < 1 ? "larger" : "smaller"));
    }

    private void imageSections(HtmlPage.Builder page) {
        Signal truth = file.signal();
        List<ImageGrid.Picture> pictures = new ArrayList<>();
        pictures.add(picture("original", file.format().description(), truth));
        Signal seen = SignalPictures.sampled(truth, plan.sampling());
        pictures.add(picture("what was seen", share(), seen));
        shown.forEach(
                (encoding, signal) -> pictures.add(picture(encoding, note(encoding), signal)));
        double greatest = greatest();
        List<ImageGrid.Picture> errors = new ArrayList<>();
        for (ResultRow row : rows) {
            Signal error = SignalPictures.error(shown.get(encoding(row)), truth);
            Png.write(SignalPictures.heat(error, greatest), of(row).error(2));
            errors.add(
                    new ImageGrid.Picture(
                            "error" + (rows.size() > 1 ? " of " + encoding(row) : ""),
                            String.format(
                                    Locale.ROOT, "yellow: %.3f of the range or more", greatest),
                            SignalPictures.heat(SignalPictures.reduced(error), greatest)));
        }
        if (rows.size() == 1) {
            pictures.addAll(errors);
        }
        page.section(
                "Side by side",
                "The network was given the colours of the "
                        + kind()
                        + " that were seen and their places, nothing else; all others it has to"
                        + " guess. The error map is the absolute difference from the original,"
                        + " averaged over the channels.",
                save("pictures.png", new ImageGrid(name(), pictures)));
        page.section(
                "Between the pixels",
                "A network can be asked anywhere, so the reconstruction is shown at four times the"
                        + " resolution here, where the image changes most. What looks like a wave"
                        + " beside an edge is what the samples could not decide.",
                save("details.png", details()));
        if (rows.size() > 1) {
            page.section(
                    "Where they are wrong",
                    "Absolute differences from the original, in the same colours for all.",
                    save("errors.png", new ImageGrid("Error maps", errors)));
        }
    }

    private String note(String encoding) {
        ResultRow row =
                rows.stream().filter(r -> encoding(r).equals(encoding)).findFirst().orElseThrow();
        double test = row.values().get("testPsnr");
        return Double.isNaN(test)
                ? decibels(row.values().get("trainPsnr"))
                : decibels(test) + " unseen";
    }

    private double greatest() {
        return shown.values().stream()
                .map(signal -> SignalPictures.error(signal, file.signal()))
                .mapToDouble(SignalPictures::largeError)
                .max()
                .orElse(0);
    }

    private static ImageGrid.Picture picture(String caption, String note, Signal image) {
        return new ImageGrid.Picture(
                caption, note, SignalPictures.image(SignalPictures.reduced(image)));
    }

    private ImageGrid details() {
        Signal truth = file.signal();
        Detail detail = Detail.of(truth);
        List<ImageGrid.Picture> pictures = new ArrayList<>();
        Signal own = truth.part(detail.from(), detail.extent());
        pictures.add(picture("original", "its own pixels", own));
        if (plan.sampling() instanceof Sampling.Every every) {
            pictures.add(picture("what was seen", "", SignalPictures.sampled(own, every)));
        }
        for (ResultRow row : rows) {
            pictures.add(
                    new ImageGrid.Picture(encoding(row), "at four times", read(of(row).detail())));
        }
        return new ImageGrid(
                "Detail at row %d, column %d".formatted(detail.from()[0], detail.from()[1]),
                pictures);
    }

    private static BufferedImage read(Path picture) {
        try {
            return ImageIO.read(picture.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void soundSections(HtmlPage.Builder page) {
        writeErrors();
        List<Figure> overviews = new ArrayList<>();
        List<Figure> closeUps = new ArrayList<>();
        List<Figure> spectra = new ArrayList<>();
        for (int c = 0; c < Math.min(CHANNELS, file.signal().channels()); c++) {
            SoundFigures figures =
                    SoundFigures.of(file.signal(), shown, c, channel(c), file.format());
            overviews.add(save("overview" + c + ".png", figures.overview()));
            closeUps.add(save("close-up" + c + ".png", figures.closeUp()));
            spectra.add(save("frequencies" + c + ".png", figures.spectrum()));
        }
        page.section(
                "The signal",
                "Bands reach from the lowest to the highest sample of a stretch. "
                        + sampled()
                        + " and the others are guessed.",
                overviews.toArray(Figure[]::new));
        page.section(
                "Sample by sample",
                "Where the lines part, the signal changes faster than its samples tell.",
                closeUps.toArray(Figure[]::new));
        page.section(
                "Frequencies",
                "Where the error comes up to the original, nothing of it is left: beyond a quarter"
                        + " of the sample rate every second sample does not tell a frequency from"
                        + " a lower one.",
                spectra.toArray(Figure[]::new));
    }

    private String sampled() {
        if (!(plan.sampling() instanceof Sampling.Every every)) {
            return "A random part of the samples trains";
        }
        return switch (every.step()) {
            case 1 -> "All samples train";
            case 2 -> "Every second sample trains";
            default -> "One sample in " + every.step() + " trains";
        };
    }

    private String channel(int channel) {
        if (file.signal().channels() == 1) {
            return "";
        }
        if (file.format() instanceof CsvFormat table && !table.header().isEmpty()) {
            return table.header().get(channel + (table.time().isEmpty() ? 0 : 1));
        }
        return "channel " + (channel + 1);
    }

    private void volumeSections(HtmlPage.Builder page) {
        writeErrors();
        Signal truth = file.signal();
        double greatest = greatest();
        int depth = truth.sides()[0];
        for (ResultRow row : rows) {
            List<ImageGrid.Picture> pictures = new ArrayList<>();
            Signal own = shown.get(encoding(row));
            Signal error = SignalPictures.error(own, truth);
            for (int quarter = 1; quarter <= 3; quarter++) {
                int at = Math.min(depth - 1, depth * quarter / 4 | 1); // an unseen one, if any
                String where = "slice " + at;
                pictures.add(picture("original", where, SignalPictures.slice(truth, at)));
                pictures.add(picture("reconstruction", where, SignalPictures.slice(own, at)));
                pictures.add(
                        new ImageGrid.Picture(
                                "error",
                                String.format(Locale.ROOT, "yellow: %.3f or more", greatest),
                                SignalPictures.heat(
                                        SignalPictures.reduced(SignalPictures.slice(error, at)),
                                        greatest)));
            }
            page.section(
                    "Slices: " + encoding(row),
                    "Three slices along the first axis, those at odd places, which a sampling of"
                            + " every second sample leaves out whole.",
                    save(
                            "slices-" + row.key().replace('/', '-') + ".png",
                            new ImageGrid(encoding(row), pictures)));
        }
    }

    /** The original minus the reconstruction, as a file of the signal's own kind. */
    private void writeErrors() {
        for (ResultRow row : rows) {
            float[] shownValues = shown.get(encoding(row)).values();
            float[] differences = file.signal().values().clone();
            // Silence lies in the middle of a sound's range.
            float none = file.format() instanceof WaveFormat ? 0.5f : 0;
            for (int i = 0; i < differences.length; i++) {
                differences[i] += none - shownValues[i];
            }
            Signal signal = file.signal();
            SignalFormat format = file.format();
            if (format instanceof CsvFormat table) {
                format = table.ofDifferences();
            } else if (format instanceof ArrayFormat array) {
                format = array.ofDifferences();
            }
            format.write(
                    new Signal(signal.sides(), signal.channels(), differences),
                    of(row).error(signal.axes()));
        }
    }

    private LineChart training() {
        List<Series> lines = new ArrayList<>();
        for (ResultRow row : rows) {
            lines.add(
                    new Series(
                            encoding(row),
                            row.curves().get("steps"),
                            row.curves().get("psnr"),
                            List.of()));
        }
        return new LineChart(
                "PSNR while training", Axis.linear("step"), Axis.linear("PSNR (dB)"), lines);
    }

    private LineChart spectrum() {
        return LineChart.spectrum(
                "Singular values of the features" + (plan.complex() ? " along the first axis" : ""),
                rows.stream()
                        .map(row -> Series.counted(encoding(row), row.curves().get("spectrum")))
                        .toList());
    }

    private String widths() {
        StringBuilder text = new StringBuilder();
        String reason = "";
        for (ResultRow row : rows) {
            if (!row.labels().get("reason").equals(reason)) {
                text.append(reason.isEmpty() ? "" : reason + "\n");
                reason = row.labels().get("reason");
            }
            text.append(encoding(row)).append(": ").append(row.labels().get("width")).append(". ");
        }
        text.append(reason).append('\n');
        return text.append(
                        "The stable rank counts how many directions of the features are strong;"
                                + " distance preservation is how far apart two points can be before"
                                + " their features have nothing to say about each other. What is"
                                + " gained of one is lost of the other.")
                .toString();
    }

    private String legend() {
        return "PSNR is −10 log₁₀ of the mean squared error, with values from 0 to 1; structural"
                + " similarity is Wang's, over windows of 7 samples a side. Time is that of the"
                + " fit, without reading and writing. The small file loses at most "
                + plan.codeLoss()
                + " dB against the network; compression is against the file that was fitted."
                + " results.jsonl beside this page has every number.";
    }

    private Table table() {
        List<Column> columns = new ArrayList<>();
        columns.add(Column.label("encoding"));
        columns.add(Column.value("testPsnr", "dB", 2).headed("unseen"));
        columns.add(Column.value("trainPsnr", "dB", 2).headed("seen"));
        if (rows.get(0).values().containsKey("ssim")) {
            columns.add(Column.value("ssim", "", 4).headed("SSIM"));
        }
        columns.add(Column.value("seconds", "s", 2).headed("time"));
        columns.add(Column.value("stableRank", "", 1).headed("stable rank"));
        columns.add(Column.value("distancePreservation", "", 2).headed("distance preservation"));
        columns.add(Column.value("parameters", "", 0));
        columns.add(Column.value("codeBytes", "bytes", 0).headed("small file"));
        columns.add(Column.value("compression", "×", 2));
        return Table.summary(
                name() + ": " + share() + ", " + plan.network() + ", " + plan.method(),
                columns,
                rows);
    }

    private <F extends Figure> F save(String picture, F figure) {
        Path path = out.resolve("pictures").resolve(picture);
        Png.write(figure, path);
        return figure;
    }
}
