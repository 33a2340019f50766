package org.posenc.experiment.reproduction;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Explained;

/**
 * How much depends on the draw in two dimensions, and how many features are enough: a network over
 * random Fourier features and over Gaussians along both axes (notebook 3, two dimensions).
 */
final class Variance2d implements Recipe {

    private static final double SIGMA = 0.005; // at 512 pixels
    private static final double BANDWIDTH = 22.508; // at 512 pixels
    private static final int PAPER_SIDE = 512;

    private final Size size;

    /**
     * Sizes. Widths, bandwidths and numbers of features are the paper's for 512 pixels and go with
     * the side.
     *
     * @param side n, pixels along each side
     * @param features numbers of features d at 512 pixels, ascending
     * @param width units of each of four layers
     * @param iterations Adam's steps
     * @param seeds how many
     * @param cost in words
     */
    record Size(int side, int[] features, int width, int iterations, int seeds, String cost) {

        @Override
        public String toString() {
            return "%d pixels, d = %s at 512 pixels, 4 layers of %d, %d iterations, %d seeds"
                    .formatted(side, Arrays.toString(features), width, iterations, seeds);
        }
    }

    Variance2d(Size size) {
        this.size = size;
    }

    static Variance2d at(Scale scale) {
        return new Variance2d(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    PAPER_SIDE,
                                    new int[] {100, 200, 300, 400, 500, 600, 700, 800, 900, 1000},
                                    256,
                                    2000,
                                    10,
                                    "days on two cores, an hour on a large GPU");
                    case SMALL -> new Size(64, new int[] {100, 200, 400, 1000}, 64, 600, 3, "40 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "variance-2d",
                "What the draw of random features costs in two dimensions, and where features run"
                        + " out",
                "2021, notebook 3 (2-D)",
                size.cost,
                size.toString(),
                "Four ReLU layers and a sigmoid learn every second pixel of every second row; as"
                        + " in the notebook, “all pixels” counts these too. Gaussians stand along"
                        + " both axes, σ = 0.005 at 512 pixels; random Fourier features look in"
                        + " random directions, b = 22.508. At other sizes σ, b and d go with the"
                        + " side, so that d counts centres per pixel alike: d = 100 leaves four σ"
                        + " between two centres. The stable rank of Gaussians along the axes is"
                        + " that of one axis, whatever d.");
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[] colours = setting.subject().colours(size.side);
        NetworkTraining training = new NetworkTraining(4, size.width, true, 1e-3, size.iterations);
        return ByFeatures.trials(
                size.features,
                setting.seeds(size.seeds),
                size.iterations,
                (encoding, features, seed, progress) ->
                        outcome(
                                PlaneFit.run(
                                        embedding(encoding, features, seed),
                                        colours,
                                        size.side,
                                        training,
                                        seed,
                                        setting.device(),
                                        progress)));
    }

    private static Outcome outcome(PlaneFit fit) {
        return new Outcome(
                Map.of(
                        "stableRank", fit.stableRank(),
                        "trainPsnr", fit.psnr(0, 2),
                        "testPsnr", fit.psnr(0, 1)),
                Map.of());
    }

    private PositionFeatures embedding(String encoding, int features, long seed) {
        double shrunk = (double) size.side / PAPER_SIDE;
        int d = Math.max(2, (int) Math.round(features * shrunk / 2) * 2);
        return encoding.equals(ByFeatures.FOURIER)
                ? FourierFeatures.builder()
                        .setFrequencies(new FourierFrequencies.Random(BANDWIDTH * shrunk, seed))
                        .setDimension(d)
                        .optPositionDimension(2)
                        .optNormalized(true)
                        .build()
                : ShiftedBasis.builder()
                        .setBasis(new BasisFunction.Gaussian(SIGMA / shrunk))
                        .setDimension(d)
                        .optPositionDimension(2)
                        .optNormalized(true)
                        .build();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        ByFeatures found = new ByFeatures(results, size.features);
        Axis x = Axis.linear("features d, at 512 pixels");
        Axis psnr = Axis.linear("PSNR (dB)");
        return List.of(
                new Explained(
                        found.chart("All pixels", x, psnr, "testPsnr"),
                        "Once Gaussians overlap, more of them add nothing; random frequencies gain"
                                + " as long as there are more of them, most of all on the pixels"
                                + " that trained, which are a quarter of those counted here."),
                new Explained(
                        found.chart("Training pixels", x, psnr, "trainPsnr"),
                        "Frequencies in all directions go on to memorise, Gaussians along two axes"
                                + " do not."),
                new Explained(
                        found.chart(
                                "Stable rank of the training pixels",
                                x,
                                Axis.linear("stable rank"),
                                "stableRank"),
                        "Why: features side by side of two axes have the stable rank of one axis,"
                                + " however many they are; directions between the axes add to it."));
    }

    @Override
    public List<Claim> claims(Results results) {
        ByFeatures found = new ByFeatures(results, size.features);
        int fewest = size.features[0];
        int most = size.features[size.features.length - 1];
        return List.of(
                new Claim(
                        4,
                        "random Fourier in 2-D: stable rank at d = %d over d = %d"
                                .formatted(most, fewest),
                        "5.3",
                        found.at(ByFeatures.FOURIER, most, "stableRank").mean()
                                / found.at(ByFeatures.FOURIER, fewest, "stableRank").mean(),
                        "",
                        new Rule.AtLeast(2)));
    }
}
