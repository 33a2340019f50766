package org.posenc.experiment.reproduction;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.experiment.Picture;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Explained;
import org.posenc.report.ImageGrid;
import org.posenc.report.LineChart;
import org.posenc.report.ResultRow;
import org.posenc.report.Series;

/**
 * What Gaussians that are too wide, right and too narrow make of a signal and of an image
 * (notebooks 4).
 */
final class Qualitative implements Recipe {

    private static final double RATE = 1e-3;
    private static final double[] LINE_SIGMAS = {0.01, 0.002, 0.0003};
    private static final int ROWS = 3;
    private static final String SIGMA = "sigma";
    private static final String[] LINE_TEXTS = {
        "Too wide, 2.6 spacings of the training samples: edges are rounded off, because no sum of so"
                + " wide Gaussians turns so fast without huge weights, which Adam does not reach.",
        "Half a spacing: the training samples are met, and a Gaussian reaches far enough to carry"
                + " them to the samples between.",
        "Too narrow, 0.08 spacings: the training samples are met as well, but no Gaussian that was"
                + " trained reaches the samples between, where the initial weights stay."
    };

    private final Size size;

    /**
     * Sizes.
     *
     * @param features d of a signal
     * @param iterations Adam's steps for a signal
     * @param seeds how many, for the signals
     * @param side pixels along each side of the image
     * @param sigmas σ for the image
     * @param planeFeatures d of the image
     * @param width units of each of four layers
     * @param planeIterations Adam's steps for the image
     * @param cost in words
     */
    record Size(
            int features,
            int iterations,
            int seeds,
            int side,
            double[] sigmas,
            int planeFeatures,
            int width,
            int planeIterations,
            String cost) {

        @Override
        public String toString() {
            return ("%d features, %d iterations, %d seeds; %d pixels, σ = %s, %d features, 4 layers of"
                            + " %d, %d iterations")
                    .formatted(
                            features,
                            iterations,
                            seeds,
                            side,
                            Arrays.toString(sigmas),
                            planeFeatures,
                            width,
                            planeIterations);
        }
    }

    Qualitative(Size size) {
        this.size = size;
    }

    static Qualitative at(Scale scale) {
        return new Qualitative(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    10_000,
                                    2000,
                                    3,
                                    512,
                                    new double[] {0.07, 0.003, 0.001},
                                    1000,
                                    256,
                                    2000,
                                    "three hours on two cores, a minute on a GPU");
                    case SMALL ->
                            new Size(
                                    2000,
                                    2000,
                                    3,
                                    128,
                                    new double[] {0.07, 0.012, 0.004},
                                    250,
                                    64,
                                    500,
                                    "40 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "qualitative",
                "What too wide, right and too narrow Gaussians make of a signal and an image",
                "2021, notebooks 4",
                size.cost,
                size.toString(),
                "One linear layer fits three rows from every second of 512 samples; a network of"
                        + " four layers and a sigmoid fits the image from every second pixel of"
                        + " every second row, with Gaussians along both axes, and is measured on"
                        + " the pixels diagonally between. On smaller images the two narrow widths"
                        + " are as many pixels as the notebook's at 512, and the wide one as large"
                        + " a part of the image.");
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[][] rows = Rows.of(setting.subject(), ROWS);
        double[] colours = setting.subject().colours(size.side);
        List<Trial> trials = new ArrayList<>();
        for (double sigma : LINE_SIGMAS) {
            for (long seed : setting.seeds(size.seeds)) {
                trials.add(
                        new Trial(
                                Trial.labels(
                                        "of",
                                        "signal",
                                        SIGMA,
                                        Rule.number(sigma),
                                        Judgement.SEED,
                                        "" + seed),
                                size.iterations,
                                progress -> line(sigma, rows, seed, setting, progress)));
            }
        }
        for (double sigma : size.sigmas) {
            trials.add(
                    new Trial(
                            Trial.labels("of", "image", SIGMA, Rule.number(sigma)),
                            size.planeIterations,
                            progress -> plane(sigma, colours, setting, progress)));
        }
        return trials;
    }

    private Outcome line(
            double sigma, double[][] rows, long seed, Setting setting, Progress progress) {
        RowFit fit =
                RowFit.run(
                        rows,
                        RowFit.Split.everywhere(),
                        x -> Embedder.shifted(new BasisFunction.Gaussian(sigma), size.features, x),
                        RATE,
                        size.iterations,
                        seed,
                        setting.device(),
                        progress);
        return new Outcome(
                Map.of("trainPsnr", fit.trainPsnr(), "testPsnr", fit.testPsnr()),
                Map.of("signal", list(rows[0]), "fit", list(fit.layers().predictions()[0])));
    }

    private Outcome plane(double sigma, double[] colours, Setting setting, Progress progress)
            throws IOException, TranslateException {
        ShiftedBasis features =
                ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Gaussian(sigma))
                        .setDimension(size.planeFeatures)
                        .optPositionDimension(2)
                        .optNormalized(true)
                        .build();
        PlaneFit fit =
                PlaneFit.run(
                        features,
                        colours,
                        size.side,
                        new NetworkTraining(4, size.width, true, RATE, size.planeIterations),
                        setting.seed(),
                        setting.device(),
                        progress);
        float[] original = new float[colours.length];
        for (int i = 0; i < original.length; i++) {
            original[i] = (float) colours[i];
        }
        return new Outcome(
                Map.of("trainPsnr", fit.psnr(0, 2), "testPsnr", fit.psnr(1, 2)),
                Map.of(),
                Map.of(
                        "fit",
                        fit.picture().image(),
                        "original",
                        new Picture(size.side, size.side, original).image()));
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        List<Explained> figures = new ArrayList<>();
        List<Double> x = list(Embedder.coordinates(Rows.LENGTH, 0, 1));
        for (int i = 0; i < LINE_SIGMAS.length; i++) {
            String sigma = Rule.number(LINE_SIGMAS[i]);
            Results own = results.with("of", "signal").with(SIGMA, sigma);
            ResultRow row = own.rows().get(0);
            figures.add(
                    new Explained(
                            new LineChart(
                                    "σ = %s: trained %.1f dB, all samples %.1f dB"
                                            .formatted(
                                                    sigma,
                                                    own.mean("trainPsnr").mean(),
                                                    own.mean("testPsnr").mean()),
                                    Axis.linear("x"),
                                    Axis.linear("grey value"),
                                    List.of(
                                            new Series(
                                                    "row",
                                                    x,
                                                    row.curves().get("signal"),
                                                    List.of()),
                                            new Series(
                                                    "gaussian",
                                                    x,
                                                    row.curves().get("fit"),
                                                    List.of()))),
                            LINE_TEXTS[i]));
        }
        List<ResultRow> planes = results.with("of", "image").rows();
        List<ImageGrid.Picture> fits = new ArrayList<>();
        fits.add(new ImageGrid.Picture("image", "", pictures.of(planes.get(0), "original")));
        for (ResultRow row : planes) {
            fits.add(
                    new ImageGrid.Picture(
                            "σ = " + row.labels().get(SIGMA),
                            "trained %s, between %s"
                                    .formatted(
                                            decibels(row, "trainPsnr"), decibels(row, "testPsnr")),
                            pictures.of(row, "fit")));
        }
        figures.add(
                new Explained(
                        new ImageGrid("The image from every second pixel", fits),
                        "The same in two dimensions: too wide blurs, too narrow leaves to chance"
                                + " what lies between the pixels."));
        return figures;
    }

    private static String decibels(ResultRow row, String quantity) {
        return String.format(Locale.ROOT, "%.1f dB", row.values().get(quantity));
    }

    @Override
    public List<Claim> claims(Results results) {
        double[] test =
                DoubleStream.of(LINE_SIGMAS)
                        .map(
                                sigma ->
                                        results.with("of", "signal")
                                                .with(SIGMA, Rule.number(sigma))
                                                .mean("testPsnr")
                                                .mean())
                        .toArray();
        return List.of(
                new Claim(
                        5,
                        "signals: σ = 0.002 above 0.01, all samples",
                        "+3.7",
                        test[1] - test[0],
                        "dB",
                        new Rule.AtLeast(1)),
                new Claim(
                        5,
                        "signals: σ = 0.002 above 0.0003, all samples",
                        "+17.6",
                        test[1] - test[2],
                        "dB",
                        new Rule.AtLeast(6)));
    }
}
