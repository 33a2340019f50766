package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Explained;

/**
 * How much depends on the draw: one linear layer over random Fourier features and over Gaussians of
 * equal similarity, from many seeds (notebook 3, one dimension).
 */
final class Variance1d implements Recipe {

    private static final String FOURIER = "random-fourier";
    private static final String GAUSSIAN = "gaussian";
    private static final double SIGMA = 0.005;
    private static final double BANDWIDTH = 22.508;
    private static final double RATE = 1e-3;
    private static final int ROW = 200;

    private final Size size;

    /**
     * Sizes.
     *
     * @param features numbers of features d, ascending
     * @param iterations Adam's steps
     * @param seeds how many
     * @param cost in words
     */
    record Size(int[] features, int iterations, int seeds, String cost) {

        @Override
        public String toString() {
            return "d = %s, %d iterations, %d seeds"
                    .formatted(Arrays.toString(features), iterations, seeds);
        }
    }

    Variance1d(Size size) {
        this.size = size;
    }

    static Variance1d at(Scale scale) {
        return new Variance1d(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    new int[] {100, 200, 300, 400, 500, 600, 700, 800, 900, 1000},
                                    2000,
                                    10,
                                    "four minutes on two cores");
                    case SMALL -> new Size(new int[] {100, 200, 400, 1000}, 2000, 10, "30 s");
                });
    }

    @Override
    public String name() {
        return "variance-1d";
    }

    @Override
    public String summary() {
        return "What the draw of random features costs: spread over seeds in one dimension";
    }

    @Override
    public String source() {
        return "2021, notebook 3 (1-D)";
    }

    @Override
    public String cost() {
        return size.cost;
    }

    @Override
    public String size() {
        return size.toString();
    }

    @Override
    public String account() {
        return "Row 200 of the image, 256 samples to train one linear layer on and the 256 between"
                + " to test. Gaussians have σ = 0.005, random Fourier features b = 22.508, which"
                + " makes their similarities equal. Bands are one standard deviation over seeds,"
                + " which draw the frequencies and the initial weights. (The notebook prints random"
                + " Fourier's numbers for Gaussians too; the Gaussians' are in its figure.)";
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[] row = setting.subject().greyRows(new int[] {ROW}, Rows.LENGTH)[0];
        List<Trial> trials = new ArrayList<>();
        for (int features : size.features) {
            for (String encoding : List.of(FOURIER, GAUSSIAN)) {
                for (long seed : setting.seeds(size.seeds)) {
                    trials.add(
                            new Trial(
                                    Trial.labels(
                                            "encoding",
                                            encoding,
                                            "features",
                                            "" + features,
                                            Judgement.SEED,
                                            "" + seed),
                                    size.iterations,
                                    progress ->
                                            train(
                                                    encoding, features, seed, row, setting,
                                                    progress)));
                }
            }
        }
        return trials;
    }

    private Outcome train(
            String encoding,
            int features,
            long seed,
            double[] row,
            Setting setting,
            Progress progress) {
        double[] x = Embedder.coordinates(Rows.LENGTH, 0, 2);
        Embedder embedder =
                encoding.equals(FOURIER)
                        ? Embedder.fourier(new FourierFrequencies.Random(BANDWIDTH, seed), features)
                        : Embedder.shifted(new BasisFunction.Gaussian(SIGMA), features, x);
        try (NDManager manager = NDManager.newBaseManager(setting.device(), "PyTorch")) {
            NDArray phi = embedder.rows(x, manager);
            NDArray held = embedder.rows(Embedder.coordinates(Rows.LENGTH, 1, 2), manager);
            LinearTraining.Fit fit =
                    new LinearTraining(RATE, size.iterations, Math.min(100, size.iterations))
                            .run(
                                    phi,
                                    held,
                                    Rows.signals(new double[][] {row}, 1, 1, 2, seed),
                                    progress);
            return new Outcome(
                    Map.of(
                            "stableRank",
                            StableRank.of(phi),
                            "trainPsnr",
                            fit.trainPsnr()[0],
                            "testPsnr",
                            fit.testPsnr()[0]),
                    Map.of());
        }
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        ByFeatures found = new ByFeatures(results, size.features);
        Axis x = Axis.linear("features d");
        Axis psnr = Axis.linear("PSNR (dB)");
        return List.of(
                new Explained(
                        found.chart("Held-out samples", x, psnr, "testPsnr"),
                        "Gaussians stand at even distances and are as good from every seed; random"
                                + " frequencies leave gaps and cluster, so that a fit is a matter of"
                                + " luck where they are few, and needs more of them to be as good."),
                new Explained(
                        found.chart("Training samples", x, psnr, "trainPsnr"),
                        "The samples that trained show the same: it is the features that are"
                                + " missing, not generalisation."),
                new Explained(
                        found.chart(
                                "Stable rank of the training samples",
                                x,
                                Axis.linear("stable rank"),
                                "stableRank"),
                        "Both have the same similarity, but only infinitely many random frequencies"
                                + " have the stable rank that belongs to it; Gaussians have it from"
                                + " about one in every two samples on."));
    }

    @Override
    public List<Claim> claims(Results results) {
        ByFeatures found = new ByFeatures(results, size.features);
        int fewest = size.features[0];
        int most = size.features[size.features.length - 1];
        double few = found.at(FOURIER, fewest, "stableRank").mean();
        double many = found.at(FOURIER, most, "stableRank").mean();
        double gaussian = found.at(GAUSSIAN, most, "stableRank").mean();
        return List.of(
                new Claim(
                        4,
                        "stable rank of random Fourier, d = " + fewest,
                        "22",
                        few,
                        "",
                        new Rule.Between(17, 28)),
                new Claim(4, "and d = " + most, "41", many, "", new Rule.Between(35, 48)),
                new Claim(
                        4,
                        "which stays below the Gaussians': share of it",
                        "0.73",
                        many / gaussian,
                        "",
                        new Rule.AtMost(1)),
                new Claim(
                        8,
                        "spread over seeds, held out: Gaussian / random Fourier",
                        "< 0.5",
                        found.spread(GAUSSIAN, "testPsnr") / found.spread(FOURIER, "testPsnr"),
                        "",
                        new Rule.AtMost(0.5)));
    }
}
