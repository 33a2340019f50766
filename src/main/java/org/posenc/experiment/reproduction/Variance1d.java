package org.posenc.experiment.reproduction;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Explained;

/**
 * How much depends on the draw: one linear layer over random Fourier features and over Gaussians of
 * equal similarity, from many seeds (notebook 3, one dimension).
 */
final class Variance1d implements Recipe {

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
    public About about() {
        return new About(
                "variance-1d",
                "What the draw of random features costs: spread over seeds in one dimension",
                "2021, notebook 3 (1-D)",
                size.cost,
                size.toString(),
                "Row 200 of the image, 256 samples to train one linear layer on and the 256"
                        + " between to test. Gaussians have σ = 0.005, random Fourier features b ="
                        + " 22.508, which makes their similarities equal. Bands are one standard"
                        + " deviation over seeds, which draw the frequencies and the initial"
                        + " weights. (The notebook prints random Fourier's numbers for Gaussians"
                        + " too; the Gaussians' are in its figure.)");
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[] row = setting.subject().greyRows(new int[] {ROW}, Rows.LENGTH)[0];
        return ByFeatures.trials(
                size.features,
                setting.seeds(size.seeds),
                size.iterations,
                (encoding, features, seed, progress) ->
                        outcome(
                                RowFit.run(
                                        new double[][] {row},
                                        RowFit.Split.halfWay(1),
                                        x -> embedder(encoding, features, seed, x),
                                        RATE,
                                        size.iterations,
                                        seed,
                                        setting.device(),
                                        progress)));
    }

    private static Embedder embedder(String encoding, int features, long seed, double[] training) {
        return encoding.equals(ByFeatures.FOURIER)
                ? Embedder.fourier(new FourierFrequencies.Random(BANDWIDTH, seed), features)
                : Embedder.shifted(new BasisFunction.Gaussian(SIGMA), features, training);
    }

    private static Outcome outcome(RowFit fit) {
        return new Outcome(
                Map.of(
                        "stableRank", fit.stableRank(),
                        "trainPsnr", fit.trainPsnr(),
                        "testPsnr", fit.testPsnr()),
                Map.of());
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
        double few = found.at(ByFeatures.FOURIER, fewest, "stableRank").mean();
        double many = found.at(ByFeatures.FOURIER, most, "stableRank").mean();
        double gaussian = found.at(ByFeatures.GAUSSIAN, most, "stableRank").mean();
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
                        found.spread(ByFeatures.GAUSSIAN, "testPsnr")
                                / found.spread(ByFeatures.FOURIER, "testPsnr"),
                        "",
                        new Rule.AtMost(0.5)));
    }
}
