package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.posenc.encoding.BasisFunction;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Explained;
import org.posenc.report.LineChart;
import org.posenc.report.Series;

/**
 * One linear layer over shifted Gaussians of every width: where it memorises, where it generalises,
 * where it collapses (notebook 2, Gaussian).
 */
final class SigmaSweep implements Recipe {

    /**
     * The notebook's formula for the rate reads a width left over from an earlier cell, so that all
     * widths had the rate of 10⁻⁴.
     */
    private static final double RATE = 5e-4;

    private static final double MEMORISED = 60; // dB on the training samples

    private final Size size;

    /**
     * Sizes.
     *
     * @param features d
     * @param iterations Adam's steps
     * @param steps training takes every 2k-th of 512 samples
     * @param sigmas widths, for each k
     * @param rows how many of the notebooks' rows
     * @param seeds how many
     * @param cost in words
     */
    record Size(
            int features,
            int iterations,
            int[] steps,
            Sigmas sigmas,
            int rows,
            int seeds,
            String cost) {

        @Override
        public String toString() {
            return "%d features, %d iterations, k = %s, %s, %d rows, %d seeds"
                    .formatted(features, iterations, Arrays.toString(steps), sigmas, rows, seeds);
        }
    }

    /**
     * Widths in equal ratios.
     *
     * @param least the least
     * @param greatest the greatest
     * @param count how many
     * @param spacings whether they are in spacings of the training samples, or in units of x
     */
    record Sigmas(double least, double greatest, int count, boolean spacings) {

        double[] over(double spacing) {
            double unit = spacings ? spacing : 1;
            return IntStream.range(0, count)
                    .mapToDouble(i -> unit * least * Math.pow(greatest / least, i / (count - 1.0)))
                    .toArray();
        }

        @Override
        public String toString() {
            return "%d widths %s … %s%s"
                    .formatted(
                            count,
                            Rule.number(least),
                            Rule.number(greatest),
                            spacings ? " spacings" : "");
        }
    }

    SigmaSweep(Size size) {
        this.size = size;
    }

    static SigmaSweep at(Scale scale) {
        return new SigmaSweep(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    10_000,
                                    4000,
                                    new int[] {1, 2, 3, 4, 6, 8, 11, 16},
                                    new Sigmas(1e-4, 1e-1, 50, false),
                                    10,
                                    2,
                                    "two hours on two cores");
                    case SMALL ->
                            new Size(
                                    2000,
                                    2000,
                                    new int[] {1, 4},
                                    new Sigmas(0.06, 3, 11, true),
                                    4,
                                    2,
                                    "60 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "sigma-sweep",
                "One linear layer over Gaussians of every width: plateau and collapse",
                "2021, notebook 2 (Gaussian), cell 9",
                size.cost,
                size.toString() + ", rate " + RATE,
                "Widths are drawn in spacings h of the training samples, in which the"
                        + " notebook's curves for every number of samples fall together; the"
                        + " corner of the stable rank lies at 0.28 h. The learning rate is "
                        + RATE
                        + ", which the notebook's run had for all widths. Adam stops before the"
                        + " least squares are reached where Gaussians are wide; narrow ones keep"
                        + " their initial random weights between the samples. How early the"
                        + " plateau begins is a matter of the signal: where the samples lie too"
                        + " far apart for its details it is flat from 0.11 h on, as in the"
                        + " notebook (64 samples of a photograph's rows: 20.1 to 20.8 dB from 0.11"
                        + " h to 1.5 h). Where they resolve them there is something to"
                        + " interpolate, and wider Gaussians do it better (256 samples of the same"
                        + " rows: 30.2 dB at 0.2 h, 32.6 dB at 0.8 h), unless there is noise,"
                        + " which nothing interpolates (with noise of 0.03 added, 25.8 dB from"
                        + " 0.16 h to 0.5 h, 26.4 dB at 1.2 h). The notebook's image has 30 dB at"
                        + " best.");
    }

    @Override
    public List<Trial> trials(Setting setting) {
        double[][] rows = Rows.of(setting.subject(), size.rows);
        List<Trial> trials = new ArrayList<>();
        for (int step : size.steps) {
            for (double sigma : size.sigmas.over(2.0 * step / Rows.LENGTH)) {
                for (long seed : setting.seeds(size.seeds)) {
                    trials.add(trial(rows, step, sigma, seed, setting));
                }
            }
        }
        return trials;
    }

    private Trial trial(double[][] rows, int step, double sigma, long seed, Setting setting) {
        RowFit.Split split = RowFit.Split.halfWay(step);
        double spacing = 2.0 * step / Rows.LENGTH;
        return new Trial(
                Trial.labels(
                        "samples",
                        "" + split.training().length,
                        "sigma",
                        Rule.number(sigma),
                        Judgement.SEED,
                        "" + seed),
                size.iterations,
                progress -> {
                    RowFit fit =
                            RowFit.run(
                                    rows,
                                    split,
                                    x ->
                                            Embedder.shifted(
                                                    new BasisFunction.Gaussian(sigma),
                                                    size.features,
                                                    x),
                                    RATE,
                                    size.iterations,
                                    seed,
                                    setting.device(),
                                    progress);
                    return new Outcome(
                            Map.of(
                                    "spacings",
                                    sigma / spacing,
                                    "stableRank",
                                    fit.stableRank(),
                                    "trainPsnr",
                                    fit.trainPsnr(),
                                    "testPsnr",
                                    fit.testPsnr()),
                            Map.of());
                });
    }

    /** What was measured at one number of samples, from the narrowest width to the widest. */
    record Curve(String samples, double[] widths, double[] train, double[] test) {

        /** Means over the seeds. */
        static Curve of(Results results, String samples) {
            Results own = results.with("samples", samples);
            List<Results> widths =
                    own.values("sigma").stream()
                            .map(sigma -> own.with("sigma", sigma))
                            .sorted(
                                    Comparator.comparingDouble(
                                            rows -> rows.mean("spacings").mean()))
                            .toList();
            return new Curve(
                    samples,
                    means(widths, "spacings"),
                    means(widths, "trainPsnr"),
                    means(widths, "testPsnr"));
        }

        private static double[] means(List<Results> widths, String name) {
            return widths.stream().mapToDouble(rows -> rows.mean(name).mean()).toArray();
        }

        /** Nothing measured. */
        private static Curve none() {
            double[] nothing = new double[0];
            return new Curve("", nothing, nothing, nothing);
        }

        private int best() {
            int best = 0;
            for (int i = 1; i < test.length; i++) {
                best = test[i] > test[best] ? i : best;
            }
            return best;
        }

        /** The widest Gaussians that memorise the training samples. */
        double memorising() {
            for (int i = train.length - 1; i >= 0; i--) {
                if (train[i] >= MEMORISED) {
                    return i == train.length - 1 ? widths[i] : crossing(train, i, i + 1, MEMORISED);
                }
            }
            return Double.NaN;
        }

        /** Where, left of the best width, the test has lost so many decibels. */
        double narrowest(double loss) {
            if (widths.length == 0) {
                return Double.NaN;
            }
            double level = test[best()] - loss;
            for (int i = best(); i > 0; i--) {
                if (test[i - 1] < level) {
                    return crossing(test, i, i - 1, level);
                }
            }
            return widths[0];
        }

        /** Where, right of the best width, the test has lost so many decibels. */
        double widest(double loss) {
            if (widths.length == 0) {
                return Double.NaN;
            }
            double level = test[best()] - loss;
            for (int i = best(); i < test.length - 1; i++) {
                if (test[i + 1] < level) {
                    return crossing(test, i, i + 1, level);
                }
            }
            return widths[test.length - 1];
        }

        /** Between two neighbours, on a logarithmic axis. */
        private double crossing(double[] heights, int inside, int outside, double level) {
            double part = (heights[inside] - level) / (heights[inside] - heights[outside]);
            return widths[inside] * Math.pow(widths[outside] / widths[inside], part);
        }
    }

    private static List<Curve> curves(Results results) {
        return results.values("samples").stream().map(n -> Curve.of(results, n)).toList();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        return List.of(
                new Explained(
                        chart("Held-out samples", results, Curve::test),
                        "Left of a tenth of a spacing no Gaussian reaches from one training sample to"
                                + " the next, and what lies between keeps its random weights. Right"
                                + " of about two spacings there are too few independent Gaussians"
                                + " for the details. Between, the width matters less the more of the"
                                + " signal cannot be foretold from its neighbours."),
                new Explained(
                        chart("Training samples", results, Curve::train),
                        "At the same width in spacings, whatever N, the layer goes from fitting"
                                + " roughly to fitting exactly: the stable rank has then come to a"
                                + " good part of the number of samples."));
    }

    private static LineChart chart(
            String title, Results results, Function<Curve, double[]> heights) {
        return new LineChart(
                title,
                Axis.log("σ / spacing of the training samples"),
                Axis.linear("PSNR (dB)"),
                curves(results).stream()
                        .map(
                                curve ->
                                        Series.of(
                                                "N = " + curve.samples,
                                                curve.widths,
                                                heights.apply(curve)))
                        .toList());
    }

    @Override
    public List<Claim> claims(Results results) {
        List<Curve> curves = curves(results);
        Curve densest = curves.isEmpty() ? Curve.none() : curves.get(0);
        Curve sparsest = curves.isEmpty() ? Curve.none() : curves.get(curves.size() - 1);
        List<Claim> claims = new ArrayList<>();
        claims.add(
                width(
                        "the widest σ with more than 60 dB on the training samples",
                        "0.75",
                        densest.memorising(),
                        new Rule.Between(0.5, 1)));
        claims.add(
                width(
                        "the plateau (held out, −1 dB) begins at σ, most samples",
                        "0.13",
                        densest.narrowest(1),
                        new Rule.AtMost(0.28)));
        claims.add(width("and ends at σ", "1.8", densest.widest(1), new Rule.AtLeast(1.2)));
        claims.add(
                width(
                        "held-out PSNR has collapsed (−6 dB) at σ",
                        "0.10",
                        densest.narrowest(6),
                        new Rule.Between(0.05, 0.2)));
        if (size.steps.length > 1) {
            claims.add(
                    width(
                            "with the fewest samples the plateau begins at σ",
                            "0.13",
                            sparsest.narrowest(1),
                            new Rule.AtMost(0.28)));
            claims.add(
                    new Claim(
                            5,
                            "the 60 dB widths for all N, in h: largest / least",
                            "1.04",
                            ratio(curves, Curve::memorising),
                            "",
                            new Rule.AtMost(1.25)));
        }
        return claims;
    }

    private static Claim width(String sentence, String paper, double here, Rule rule) {
        return new Claim(5, sentence, paper + " h", here, "h", rule);
    }

    private static double ratio(List<Curve> curves, ToDoubleFunction<Curve> width) {
        DoubleSummaryStatistics widths = curves.stream().mapToDouble(width).summaryStatistics();
        return widths.getMax() / widths.getMin();
    }
}
