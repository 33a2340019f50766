package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Cell;
import org.posenc.report.Column;
import org.posenc.report.Explained;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Series;
import org.posenc.report.Table;

/**
 * One linear layer over each encoding of one coordinate: what it memorises and what it generalises
 * (notebooks 2, with the embedders of notebook 3 beside them).
 */
final class OneLinearLayer implements Recipe {

    private static final String IMAGE = "image";
    private static final String NOISE = "noise";

    private final Size size;

    /**
     * Sizes.
     *
     * @param shifts d of the circulant embedders (impulse, noise, sine, square)
     * @param iterations Adam's steps on those
     * @param features d of the others
     * @param featureIterations Adam's steps on the others, as in notebook 3
     * @param steps for impulses and noise: training takes every 2k-th of 512 samples
     * @param rows how many of the notebooks' rows
     * @param seeds how many
     * @param cost in words
     */
    record Size(
            int shifts,
            int iterations,
            int features,
            int featureIterations,
            int[] steps,
            int rows,
            int seeds,
            String cost) {

        @Override
        public String toString() {
            return "%d shifts, %d iterations; %d features, %d iterations; k = %s, %d rows, %d seeds"
                    .formatted(
                            shifts,
                            iterations,
                            features,
                            featureIterations,
                            Arrays.toString(steps),
                            rows,
                            seeds);
        }
    }

    /** An encoding and how it is trained. */
    private record Entry(
            String encoding, int iterations, double rate, double noiseRate, Maker maker) {}

    /** Some encodings are drawn, some are scaled over the training coordinates. */
    private interface Maker {
        Embedder embedder(long seed, double[] training);
    }

    OneLinearLayer(Size size) {
        this.size = size;
    }

    static OneLinearLayer at(Scale scale) {
        return new OneLinearLayer(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    10_000,
                                    4000,
                                    1000,
                                    2000,
                                    new int[] {1, 2, 3, 4, 6, 8, 11, 16},
                                    10,
                                    10,
                                    "an hour on two cores");
                    case SMALL -> new Size(2000, 4000, 1000, 2000, new int[] {1, 4}, 4, 2, "70 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "linear",
                "One linear layer over each encoding: which memorise, which generalise",
                "2021, notebooks 2 (impulse, noise, square, sine, Gaussian) and 3",
                size.cost,
                size.toString(),
                "Rows of the image, 512 samples; training takes every second one, or fewer, and"
                        + " the test the samples between. Impulse, noise, sine and square are"
                        + " circulant matrices; random Fourier features have b = 22.508, Gaussians"
                        + " σ = 0.005 (equal similarity), triangles a half width of 0.01. PSNRs"
                        + " are means over the last 100 steps; Gaussians, triangles and waves"
                        + " train for 2000, as in notebook 3, whose rate they have. Longer"
                        + " training parts triangles by their width: of 2, 2.56 and 3 spacings of"
                        + " the samples they are 0.1 dB above Gaussians, 1.7 and 0.4 dB below"
                        + " after 4000 steps (0.01 is 2.56), because only whole numbers of"
                        + " spacings add up to straight lines between the samples.");
    }

    private List<Entry> entries() {
        int d = size.shifts;
        int f = size.features;
        int longer = size.iterations;
        int shorter = size.featureIterations;
        // A step of Adam moves all weights alike, and so an output by rate · Σ|φ| ∝ rate · √d.
        double fewer = Math.sqrt(10_000.0 / d);
        return List.of(
                new Entry("none", shorter, 1e-3, 0, (s, x) -> (at, m) -> column(at, m)),
                new Entry(
                        "basic",
                        shorter,
                        1e-3,
                        0,
                        (s, x) -> Embedder.fourier(new FourierFrequencies.Linear(0), 2)),
                new Entry(
                        "sine",
                        longer,
                        1e-3,
                        0,
                        (s, x) -> Embedder.circulant(new BasisFunction.Sine(1, 0), d)),
                new Entry(
                        "square",
                        longer,
                        1e-3,
                        0,
                        (s, x) -> Embedder.circulant(new BasisFunction.Square(1, 0), d)),
                new Entry(
                        "random-fourier",
                        shorter,
                        1e-3,
                        0,
                        (s, x) -> Embedder.fourier(new FourierFrequencies.Random(22.508, s), f)),
                new Entry(
                        "gaussian",
                        shorter,
                        1e-3,
                        0,
                        (s, x) -> Embedder.shifted(new BasisFunction.Gaussian(0.005), f, x)),
                new Entry(
                        "triangle",
                        shorter,
                        1e-3,
                        0,
                        (s, x) -> Embedder.shifted(new BasisFunction.Triangle(0.01), f, x)),
                new Entry(
                        "impulse",
                        longer,
                        1e-3,
                        3e-3,
                        (s, x) -> Embedder.circulant(new BasisFunction.Impulse(0.25 / d), d)),
                new Entry(
                        NOISE, longer, 1e-4 * fewer, 2e-4 * fewer, (s, x) -> Embedder.noise(d, s)));
    }

    private static NDArray column(double[] x, NDManager manager) {
        try (NDArray borrowed = manager.create(x)) {
            return borrowed.expandDims(-1).duplicate();
        }
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[][] image = Rows.of(setting.subject(), size.rows);
        List<Trial> trials = new ArrayList<>();
        for (Entry entry : entries()) {
            boolean memorises = entry.noiseRate > 0;
            int[] steps = memorises ? size.steps : new int[] {1};
            for (int step : steps) {
                for (long seed : setting.seeds(size.seeds)) {
                    trials.add(trial(entry, IMAGE, image, entry.rate, step, seed, setting));
                    if (memorises) {
                        double[][] noise = Rows.noise(seed, size.rows);
                        trials.add(
                                trial(entry, NOISE, noise, entry.noiseRate, step, seed, setting));
                    }
                }
            }
        }
        return trials;
    }

    private static Trial trial(
            Entry entry,
            String target,
            double[][] rows,
            double rate,
            int step,
            long seed,
            Setting setting) {
        RowFit.Split split = RowFit.Split.halfWay(step);
        return new Trial(
                Trial.labels(
                        "encoding",
                        entry.encoding,
                        "target",
                        target,
                        "samples",
                        "" + split.training().length,
                        Judgement.SEED,
                        "" + seed),
                entry.iterations,
                progress -> {
                    RowFit fit =
                            RowFit.run(
                                    rows,
                                    split,
                                    x -> entry.maker.embedder(seed, x),
                                    rate,
                                    entry.iterations,
                                    seed,
                                    setting.device(),
                                    progress);
                    return new Outcome(
                            Map.of(
                                    "stableRank",
                                    fit.stableRank(),
                                    "trainPsnr",
                                    fit.trainPsnr(),
                                    "testPsnr",
                                    fit.testPsnr()),
                            Map.of(
                                    "trainPsnr",
                                    list(fit.layers().trainPsnr()),
                                    "testPsnr",
                                    list(fit.layers().testPsnr()),
                                    "stableRank",
                                    List.of(fit.stableRank())));
                });
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        return List.of(
                new Explained(
                        table(results),
                        "A stable rank near 1 or 2 leaves a linear layer nothing to fit details with."
                                + " Impulses and noise have so much of it that the training samples"
                                + " are met to 100 dB, and say nothing about those between. What"
                                + " generalises lies between the two."),
                new Explained(
                        against(
                                "Impulses and noise memorise, and do not generalise",
                                "PSNR (dB)",
                                results,
                                List.of("trainPsnr", "testPsnr")),
                        "Trained lines stay high for any number of samples, of an image and of noise"
                                + " alike; held-out lines stay where untrained random weights put"
                                + " them: no sample's weights are shared with its neighbours."),
                new Explained(
                        against(
                                "Stable rank of impulses and noise",
                                "stable rank",
                                results.with("target", IMAGE),
                                List.of("stableRank")),
                        "Impulses are orthogonal, so their stable rank is the number of samples,"
                                + " the most there can be; noise comes near to it."));
    }

    private static Table table(Results results) {
        Results dense = results.with("target", IMAGE).with("samples", "" + Rows.LENGTH / 2);
        List<List<Cell>> rows = new ArrayList<>();
        for (String encoding : dense.values("encoding")) {
            Results own = dense.with("encoding", encoding);
            rows.add(
                    List.of(
                            new Cell.Text(encoding),
                            measured(own, "stableRank"),
                            measured(own, "trainPsnr"),
                            measured(own, "testPsnr")));
        }
        return new Table(
                "Rows of the image, 256 samples to train on (± over rows and seeds)",
                List.of(
                        Column.label("encoding"),
                        Column.value("stable rank", "", 2),
                        Column.value("trained", "dB", 1),
                        Column.value("held out", "dB", 1)),
                rows);
    }

    /** Over rows and seeds. */
    private static Measurement measured(Results results, String curve) {
        return Measurement.of(
                results.rows().stream()
                        .flatMap(row -> row.curves().get(curve).stream())
                        .mapToDouble(Double::doubleValue)
                        .toArray());
    }

    private static LineChart against(
            String title, String label, Results results, List<String> quantities) {
        List<Series> lines = new ArrayList<>();
        for (String encoding : List.of("impulse", NOISE)) {
            Results own = results.with("encoding", encoding);
            for (String target : own.values("target")) {
                Results fitted = own.with("target", target);
                List<Double> samples =
                        fitted.values("samples").stream().map(Double::valueOf).sorted().toList();
                for (String quantity : quantities) {
                    List<Measurement> measured =
                            samples.stream()
                                    .map(n -> fitted.with("samples", "" + n.intValue()))
                                    .map(rows -> measured(rows, quantity))
                                    .toList();
                    lines.add(
                            new Series(
                                    quantities.size() == 1
                                            ? encoding
                                            : encoding
                                                    + " on "
                                                    + target
                                                    + (quantity.equals("trainPsnr")
                                                            ? ", trained"
                                                            : ", held out"),
                                    samples,
                                    measured.stream().map(Measurement::mean).toList(),
                                    measured.stream().map(Measurement::spread).toList()));
                }
            }
        }
        return new LineChart(title, Axis.log("training samples"), Axis.linear(label), lines);
    }

    @Override
    public List<Claim> claims(Results results) {
        double fourier = test(results, "random-fourier", IMAGE);
        double gaussian = test(results, "gaussian", IMAGE);
        double best =
                Stream.of("none", "basic", "sine", "square")
                        .mapToDouble(encoding -> test(results, encoding, IMAGE))
                        .max()
                        .orElse(Double.NaN);
        List<Claim> claims = new ArrayList<>();
        claims.add(
                decibels(
                        "random Fourier above none, basic, sine, square; held out",
                        "",
                        fourier - best,
                        new Rule.AtLeast(3)));
        claims.add(
                decibels(
                        "Gaussians above random Fourier, held out",
                        "+2",
                        gaussian - fourier,
                        new Rule.AtLeast(0)));
        claims.add(
                decibels(
                        "triangles like Gaussians, held out: difference",
                        "",
                        test(results, "triangle", IMAGE) - gaussian,
                        new Rule.Between(-1, 1)));
        for (String encoding : List.of("impulse", NOISE)) {
            boolean impulse = encoding.equals("impulse");
            String name = impulse ? "impulses" : "noise features";
            claims.add(
                    decibels(
                            name + " memorise: trained, the least over N",
                            impulse ? "126" : "114",
                            least(results, encoding),
                            new Rule.AtLeast(100)));
            claims.add(
                    decibels(
                            name + " do not generalise: held out",
                            impulse ? "11" : "7",
                            test(results, encoding, IMAGE),
                            new Rule.Between(5, 15)));
            claims.add(
                    decibels(
                            name + " fitted to noise: held out",
                            impulse ? "−0.4 … 0.4" : "−0.3 … 0.6",
                            test(results, encoding, NOISE),
                            new Rule.AtMost(1)));
        }
        return claims;
    }

    private static Claim decibels(String sentence, String paper, double here, Rule rule) {
        return new Claim(6, sentence, paper, here, "dB", rule);
    }

    /** Held-out PSNR at 256 training samples. */
    private static double test(Results results, String encoding, String target) {
        return results.with("samples", "" + Rows.LENGTH / 2)
                .with("encoding", encoding)
                .with("target", target)
                .mean("testPsnr")
                .mean();
    }

    private static double least(Results results, String encoding) {
        return results.with("encoding", encoding).with("target", IMAGE).rows().stream()
                .mapToDouble(row -> row.values().get("trainPsnr"))
                .min()
                .orElse(Double.NaN);
    }
}
