package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.posenc.analysis.ClosedForms;
import org.posenc.analysis.DistanceCurve;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.experiment.Results;
import org.posenc.kernel.Autograd;
import org.posenc.report.Axis;
import org.posenc.report.Explained;
import org.posenc.report.LineChart;
import org.posenc.report.ResultRow;
import org.posenc.report.Series;

/**
 * Stable rank against the number of samples for every embedder, and against distance preservation:
 * the comparison notebook, without any training.
 */
final class TradeOff implements Recipe {

    private static final double[] SIGMAS = {0.1, 0.05, 0.01, 0.005, 0.001};
    private static final double[] BANDWIDTHS = {1, 10, 20, 40, 70};

    private final Size size;

    /**
     * Sizes.
     *
     * @param dimension shifts of an embedder
     * @param points numbers of samples N, ascending, that divide the dimension
     * @param waves random Fourier features, for the bandwidths
     * @param gridDimensions for the trade-off: features, and as many positions
     * @param draws for the trade-off: widths and bandwidths for each of those
     * @param seeds how many, for random bandwidths
     * @param cost in words
     */
    record Size(
            int dimension,
            int[] points,
            int waves,
            int[] gridDimensions,
            int draws,
            int seeds,
            String cost) {

        @Override
        public String toString() {
            return "%d shifts, %d waves, N = %s, trade-off of %s features, %d draws, %d seeds"
                    .formatted(
                            dimension,
                            waves,
                            Arrays.toString(points),
                            Arrays.toString(gridDimensions),
                            draws,
                            seeds);
        }
    }

    TradeOff(Size size) {
        this.size = size;
    }

    static TradeOff at(Scale scale) {
        int[] points = {1, 2, 4, 5, 8, 10, 16, 20, 25, 40, 50, 80, 100, 125, 200, 250, 400, 500};
        return new TradeOff(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    10_000,
                                    points,
                                    100_000,
                                    new int[] {1000, 2000, 3000, 5000},
                                    100,
                                    3,
                                    "three hours");
                    case SMALL -> new Size(2000, points, 10_000, new int[] {1000}, 20, 3, "30 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "trade-off",
                "Stable rank of every embedder as samples grow, and what it costs in distance"
                        + " preservation",
                "2021, notebook “comparison”, figure of stable ranks; 2022, figure 2",
                size.cost,
                size.toString(),
                "Embedders are circulant matrices of one shifted function; coordinates are i/N."
                        + " The square wave is 0 or 1, as in the published figure (the notebook's"
                        + " source has ±1). The sine is drawn with the notebook's offset of 0.7"
                        + " and, for the claim, without. Dashed theory: the stable rank times the"
                        + " half width of the similarity at 0.1 is √(ln 10/π) for Gaussians.");
    }

    private Map<String, Embedder> embedders(long seed) {
        int d = size.dimension;
        Map<String, Embedder> embedders = new LinkedHashMap<>();
        embedders.put("impulse", Embedder.circulant(new BasisFunction.Impulse(0.25 / d), d));
        embedders.put("square", Embedder.circulant(new BasisFunction.Square(1, 0), d));
        embedders.put("sine", Embedder.circulant(new BasisFunction.Sine(1, 0), d));
        embedders.put("sine + 0.7", Embedder.circulant(new BasisFunction.Sine(1, 0.7), d));
        embedders.put("rectangle", Embedder.circulant(new BasisFunction.Rectangle(0.2), d));
        embedders.put("triangle", Embedder.circulant(new BasisFunction.Triangle(0.1), d));
        embedders.put("gaussian", Embedder.circulant(new BasisFunction.Gaussian(0.01), d));
        embedders.put(
                "random-fourier", Embedder.fourier(new FourierFrequencies.Random(5, seed), d));
        return embedders;
    }

    @Override
    public List<Trial> trials(Setting setting) {
        List<Trial> trials = new ArrayList<>();
        embedders(setting.seed())
                .forEach(
                        (name, embedder) ->
                                trials.add(curve("samples", name, name, embedder, setting)));
        for (double sigma : SIGMAS) {
            Embedder embedder =
                    Embedder.circulant(new BasisFunction.Gaussian(sigma), size.dimension);
            trials.add(curve("widths", "gaussian", "σ = " + sigma, embedder, setting));
        }
        for (double b : BANDWIDTHS) {
            Embedder embedder =
                    Embedder.fourier(new FourierFrequencies.Random(b, setting.seed()), size.waves);
            trials.add(curve("bandwidths", "random-fourier", "b = " + (int) b, embedder, setting));
        }
        for (int d : size.gridDimensions) {
            trials.add(
                    scatter(
                            Trial.labels(
                                    "figure",
                                    "trade-off",
                                    "encoding",
                                    "gaussian",
                                    "features",
                                    "" + d),
                            d,
                            setting.seed(),
                            setting,
                            (u, draw) ->
                                    Embedder.circulant(
                                            new BasisFunction.Gaussian(Math.pow(10, 2 * u - 3)),
                                            d)));
            for (long seed : setting.seeds(size.seeds)) {
                trials.add(
                        scatter(
                                Trial.labels(
                                        "figure",
                                        "trade-off",
                                        "encoding",
                                        "random-fourier",
                                        "features",
                                        "" + d,
                                        Judgement.SEED,
                                        "" + seed),
                                d,
                                seed,
                                setting,
                                (u, draw) ->
                                        Embedder.fourier(
                                                new FourierFrequencies.Random(
                                                        Math.pow(100, u), draw),
                                                d)));
            }
        }
        Map<String, BasisFunction> planes = new LinkedHashMap<>();
        planes.put("gaussian", new BasisFunction.Gaussian(0.1));
        planes.put("triangle", new BasisFunction.Triangle(0.2));
        planes.put("rectangle", new BasisFunction.Rectangle(0.2));
        planes.put("square", new BasisFunction.Square(1, 0));
        planes.forEach((name, basis) -> trials.add(plane(name, basis, setting)));
        return trials;
    }

    /** Stable ranks of a line, and of a grid under the simple and the complex encoding. */
    private static Trial plane(String encoding, BasisFunction basis, Setting setting) {
        int n = 16; // along each side of the grid, and shifts of each axis
        return new Trial(
                Trial.labels("figure", "plane", "encoding", encoding),
                1,
                progress -> {
                    double[] x = Embedder.coordinates(n, 0, 1);
                    double[] grid = new double[2 * n * n];
                    for (int p = 0; p < n * n; p++) {
                        grid[2 * p] = x[p / n];
                        grid[2 * p + 1] = x[p % n];
                    }
                    ShiftedBasis axis = shifts(basis, n, 1);
                    double line = stableRank(axis, x, new Shape(n), setting);
                    Shape points = new Shape(n * n, 2);
                    double simple = stableRank(shifts(basis, 2 * n, 2), grid, points, setting);
                    double complex = stableRank(Kronecker.of(axis, 2), grid, points, setting);
                    progress.advanced(1);
                    return new Outcome(
                            Map.of(
                                    "stableRank", line,
                                    "simple", Math.abs(simple / line - 1),
                                    "complex", Math.abs(complex / (line * line) - 1)),
                            Map.of());
                });
    }

    private static ShiftedBasis shifts(BasisFunction basis, int features, int axes) {
        return ShiftedBasis.builder()
                .setBasis(basis)
                .setDimension(features)
                .optPositionDimension(axes)
                .optPeriodic(true)
                .build();
    }

    private static double stableRank(
            PositionFeatures features, double[] points, Shape shape, Setting setting) {
        try (NDManager manager = manager(setting);
                Autograd.Scope off = Autograd.off()) {
            Positions positions = Positions.of(manager.create(points, shape));
            features.initialize(manager, DataType.FLOAT64, shape);
            return StableRank.of(
                    features.features(positions, new ParameterStore(manager, false), false));
        }
    }

    /** Stable rank of N evenly spaced coordinates for each N. */
    private Trial curve(
            String figure, String encoding, String line, Embedder embedder, Setting setting) {
        return new Trial(
                Trial.labels("figure", figure, "encoding", encoding, "line", line),
                size.points.length,
                progress -> {
                    List<Double> ranks = new ArrayList<>();
                    try (NDManager manager = manager(setting)) {
                        for (int n : size.points) {
                            try (NDArray rows =
                                    embedder.rows(Embedder.coordinates(n, 0, 1), manager)) {
                                ranks.add(StableRank.of(rows));
                            }
                            progress.advanced(1);
                        }
                    }
                    return new Outcome(
                            Map.of("stableRank", ranks.get(ranks.size() - 1)),
                            Map.of("points", numbers(size.points), "stableRank", ranks));
                });
    }

    /** An embedder of a random width, given by a number in [0, 1). */
    private interface Family {
        Embedder of(double u, long draw);
    }

    /** Stable rank and distance preservation of d positions under d features, over widths. */
    private Trial scatter(
            Map<String, String> labels, int d, long seed, Setting setting, Family family) {
        return new Trial(
                labels,
                size.draws,
                progress -> {
                    Random random = new Random(seed);
                    double[] x = Embedder.coordinates(d, 0, 1);
                    List<double[]> points = new ArrayList<>();
                    for (int draw = 0; draw < size.draws; draw++) {
                        Embedder embedder = family.of(random.nextDouble(), random.nextLong());
                        try (NDManager manager = manager(setting)) {
                            NDArray rows = embedder.rows(x, manager); // (d, d)
                            points.add(new double[] {halfWidth(rows, x), StableRank.of(rows)});
                        }
                        progress.advanced(1);
                    }
                    points.sort(Comparator.comparingDouble(point -> point[0]));
                    double[] products =
                            points.stream()
                                    .mapToDouble(point -> point[0] * point[1])
                                    .sorted()
                                    .toArray();
                    return new Outcome(
                            Map.of("product", products[products.length / 2]),
                            Map.of(
                                    "distancePreservation",
                                    points.stream().map(point -> point[0]).toList(),
                                    "stableRank",
                                    points.stream().map(point -> point[1]).toList()));
                });
    }

    /**
     * Half the width, at 0.1, of the similarity with the middle position. Positions are counted, so
     * that it is off by up to half a spacing, to either side alike.
     */
    private static double halfWidth(NDArray rows, double[] x) {
        int d = x.length;
        NDArray middle = rows.get(d / 2); // (d)
        double norm = middle.square().sum().getDouble(); // of every row: a circle, or sines
        double[] similarities = rows.matMul(middle).toDoubleArray();
        double[] distances = new double[d];
        for (int i = 0; i < d; i++) {
            distances[i] = x[i] - x[d / 2];
            similarities[i] /= norm;
        }
        return new DistanceCurve(distances, similarities, 1.0 / d).halfWidth();
    }

    private static NDManager manager(Setting setting) {
        return NDManager.newBaseManager(setting.device(), "PyTorch");
    }

    private static List<Double> numbers(int[] values) {
        return Arrays.stream(values).asDoubleStream().boxed().toList();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        return List.of(
                new Explained(
                        samples(
                                "Stable rank of every embedder",
                                results.with("figure", "samples"),
                                50),
                        "The stable rank grows with the number of samples until the embedder has no"
                                + " more to give: impulses always have, a Gaussian of σ = 0.01 ends"
                                + " at 28, squares and sines at 2."),
                new Explained(
                        samples("Gaussians of five widths", results.with("figure", "widths"), 500),
                        "Where a line bends, neighbouring samples begin to overlap: at 1 / (2 √π σ)"
                                + " samples. Half the width, twice the height."),
                new Explained(
                        samples(
                                "Random Fourier features",
                                results.with("figure", "bandwidths"),
                                500),
                        "The same with a bandwidth b in the place of the width; a draw of finitely"
                                + " many frequencies stays somewhat below √(2 π) b."),
                new Explained(
                        tradeOff(results.with("figure", "trade-off")),
                        "Memory against smoothness: what an embedder gains in stable rank it loses in"
                                + " the distance over which it tells near from far. Gaussians lie on"
                                + " the line, random frequencies slightly below."));
    }

    private LineChart samples(String title, Results results, int most) {
        List<Series> lines = new ArrayList<>();
        for (ResultRow row : results.rows()) {
            List<Double> x = row.curves().get("points");
            int shown = (int) x.stream().filter(n -> n <= most).count();
            lines.add(
                    new Series(
                            row.labels().get("line"),
                            x.subList(0, shown),
                            row.curves().get("stableRank").subList(0, shown),
                            List.of()));
        }
        return new LineChart(title, Axis.linear("samples N"), Axis.linear("stable rank"), lines);
    }

    private LineChart tradeOff(Results results) {
        List<Series> lines = new ArrayList<>();
        double[] theory = {0.002, 0.5};
        lines.add(
                Series.of(
                        "theory",
                        theory,
                        Arrays.stream(theory)
                                .map(x -> ClosedForms.GAUSSIAN_TRADE_OFF / x)
                                .toArray()));
        for (String encoding : results.values("encoding")) {
            for (String features : results.with("encoding", encoding).values("features")) {
                List<double[]> points = new ArrayList<>();
                for (ResultRow row :
                        results.with("encoding", encoding).with("features", features).rows()) {
                    List<Double> widths = row.curves().get("distancePreservation");
                    for (int i = 0; i < widths.size(); i++) {
                        double rank = row.curves().get("stableRank").get(i);
                        points.add(new double[] {widths.get(i), rank});
                    }
                }
                points.sort(Comparator.comparingDouble(point -> point[0]));
                lines.add(
                        new Series(
                                encoding + ", " + features + " features",
                                points.stream().map(point -> point[0]).toList(),
                                points.stream().map(point -> point[1]).toList(),
                                List.of()));
            }
        }
        return new LineChart(
                "The trade-off", Axis.log("distance preservation"), Axis.log("stable rank"), lines);
    }

    @Override
    public List<Claim> claims(Results results) {
        Results samples = results.with("figure", "samples");
        List<Claim> claims = new ArrayList<>();
        claims.add(
                claim(
                        1,
                        "stable rank of Gaussians, σ = 0.01",
                        "28.2",
                        last(samples, "gaussian"),
                        new Rule.Near(new BasisFunction.Gaussian(0.01).stableRankLimit(), 0.005)));
        claims.add(
                claim(
                        1,
                        "farthest from N/θ₃ over five σ and all N, relative",
                        "exact",
                        farthest(results.with("figure", "widths")),
                        new Rule.AtMost(1e-4)));
        claims.add(
                claim(
                        2,
                        "stable rank of impulses / N",
                        "1",
                        last(samples, "impulse") / size.points[size.points.length - 1],
                        new Rule.Near(1, 1e-6)));
        claims.add(
                claim(
                        2,
                        "stable rank of sines",
                        "2",
                        last(samples, "sine"),
                        new Rule.Near(2, 1e-6)));
        claims.add(
                claim(
                        2,
                        "stable rank of sines + 0.7, the figure's",
                        "2.02",
                        last(samples, "sine + 0.7"),
                        new Rule.Near(0.99 / 0.49, 1e-4)));
        claims.add(
                claim(
                        2,
                        "stable rank of square waves, 0 or 1",
                        "2",
                        last(samples, "square"),
                        new Rule.Near(2, 0.01)));
        claims.add(
                claim(
                        2,
                        "stable rank of triangles, half width 0.1",
                        "6.6",
                        last(samples, "triangle"),
                        new Rule.Near(2 / 0.3, 0.01)));
        claims.add(
                claim(
                        2,
                        "stable rank of rectangles, width 0.2",
                        "5",
                        last(samples, "rectangle"),
                        new Rule.Near(5, 0.01)));
        Results tradeOff = results.with("figure", "trade-off");
        claims.add(
                claim(
                        3,
                        "Gaussians: stable rank × distance preservation, median",
                        "0.856",
                        tradeOff.with("encoding", "gaussian").mean("product").mean(),
                        new Rule.Near(ClosedForms.GAUSSIAN_TRADE_OFF, 0.01)));
        claims.add(
                claim(
                        3,
                        "random Fourier features: the same, below the curve",
                        "below",
                        tradeOff.with("encoding", "random-fourier").mean("product").mean(),
                        new Rule.AtMost(ClosedForms.GAUSSIAN_TRADE_OFF)));
        Results plane = results.with("figure", "plane");
        claims.add(
                claim(
                        15,
                        "complex: a grid's stable rank is a line's squared, error",
                        "exact",
                        greatest(plane, "complex"),
                        new Rule.AtMost(1e-10)));
        claims.add(
                claim(
                        15,
                        "simple: a grid's stable rank is a line's, greatest error",
                        "exact",
                        greatest(plane, "simple"),
                        new Rule.AtMost(1e-10)));
        return claims;
    }

    private static Claim claim(int number, String sentence, String paper, double here, Rule rule) {
        return new Claim(number, sentence, paper, here, "", rule);
    }

    private static double greatest(Results results, String quantity) {
        return results.rows().stream()
                .mapToDouble(row -> row.values().get(quantity))
                .max()
                .orElse(Double.NaN);
    }

    private static double last(Results samples, String encoding) {
        return samples.with("encoding", encoding).mean("stableRank").mean();
    }

    /** The greatest relative difference of a measured stable rank from the closed form. */
    private double farthest(Results widths) {
        double farthest = widths.isEmpty() ? Double.NaN : 0;
        for (int line = 0; line < widths.rows().size(); line++) {
            List<Double> ranks = widths.rows().get(line).curves().get("stableRank");
            for (int i = 0; i < ranks.size(); i++) {
                double exact = ClosedForms.gaussianStableRank(SIGMAS[line], size.points[i]);
                farthest = Math.max(farthest, Math.abs(ranks.get(i) / exact - 1));
            }
        }
        return farthest;
    }
}
