package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Column;
import org.posenc.report.Explained;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.Series;
import org.posenc.report.Table;

/**
 * The stable rank of every layer of a network while it learns a row of an image, or noise (notebook
 * 1).
 */
final class Layers implements Recipe {

    private static final int DEPTH = 4;
    private static final List<String> TARGETS = List.of("image", "noise");

    private final Size size;

    /**
     * Sizes.
     *
     * @param width units of each of four layers
     * @param features d of random Fourier features and Gaussians
     * @param iterations Adam's steps
     * @param every steps between two looks at the layers
     * @param rows how many of the notebooks' rows
     * @param seeds how many
     * @param cost in words
     */
    record Size(
            int width, int features, int iterations, int every, int rows, int seeds, String cost) {

        @Override
        public String toString() {
            return "4 layers of %d, %d features, %d iterations, %d rows, %d seeds"
                    .formatted(width, features, iterations, rows, seeds);
        }
    }

    /** An encoding, its learning rate, and features that may be drawn. */
    private record Entry(String encoding, double rate, Maker maker) {}

    private interface Maker {
        Embedder embedder(long seed);
    }

    Layers(Size size) {
        this.size = size;
    }

    static Layers at(Scale scale) {
        return new Layers(
                switch (scale) {
                    case PAPER -> new Size(256, 256, 2000, 20, 10, 10, "five hours on two cores");
                    case SMALL -> new Size(128, 256, 800, 50, 2, 2, "70 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "layers",
                "Stable rank through the layers of a network, on a real row and on noise",
                "2021, notebook 1",
                size.cost,
                size.toString(),
                "Four ReLU layers, 256 samples of a row to train on and the 256 between to test."
                        + " Random Fourier features have b = 5, Gaussians σ = 0.02. The notebook"
                        + " prints means over all iterations but the last hundred, surely meant to"
                        + " be over the last hundred: the table has both. It also says that the"
                        + " stable rank grows layer by layer: the figure of layers shows that this"
                        + " is so only where the input's is low.");
    }

    private List<Entry> entries() {
        int d = size.features;
        return List.of(
                new Entry("none", 1e-3, seed -> Embedder.of(new Coordinates(1))),
                new Entry("basic", 1e-3, seed -> Embedder.of(FourierFeatures.basic(1))),
                new Entry(
                        "random-fourier",
                        1e-4,
                        seed ->
                                Embedder.of(
                                        FourierFeatures.builder()
                                                .setFrequencies(
                                                        new FourierFrequencies.Random(5, seed))
                                                .setDimension(d)
                                                .build())),
                new Entry(
                        "gaussian",
                        1e-4,
                        seed ->
                                Embedder.of(
                                        ShiftedBasis.builder()
                                                .setBasis(new BasisFunction.Gaussian(0.02))
                                                .setDimension(d)
                                                .build())));
    }

    @Override
    public List<Trial> trials(Setting setting) {
        List<Trial> trials = new ArrayList<>();
        double[][] image = Rows.of(setting.subject(), size.rows);
        double[][] noise = Rows.noise(setting.seed(), size.rows);
        for (Entry entry : entries()) {
            for (String target : TARGETS) {
                double[][] rows = target.equals("image") ? image : noise;
                for (int row = 0; row < size.rows; row++) {
                    for (long seed : setting.seeds(size.seeds)) {
                        double[] signal = rows[row];
                        trials.add(
                                new Trial(
                                        Trial.labels(
                                                "encoding",
                                                entry.encoding,
                                                "target",
                                                target,
                                                "row",
                                                "" + row,
                                                Judgement.SEED,
                                                "" + seed),
                                        size.iterations,
                                        progress -> train(entry, signal, seed, setting, progress)));
                    }
                }
            }
        }
        return trials;
    }

    private Outcome train(
            Entry entry, double[] signal, long seed, Setting setting, Progress progress)
            throws IOException, TranslateException {
        Embedder embedder = entry.maker.embedder(seed);
        try (NDManager manager = NDManager.newBaseManager(setting.device(), "PyTorch")) {
            NDArray phi = features(embedder, 0, manager); // (N, d)
            NDArray held = features(embedder, 1, manager); // (N, d)
            NDArray y = values(signal, 0, manager); // (N, 1)
            NDArray yHeld = values(signal, 1, manager); // (N, 1)
            Looks looks = new Looks();
            new NetworkTraining(DEPTH, size.width, false, entry.rate, size.iterations)
                    .run(
                            phi,
                            y,
                            seed,
                            (done, network, parameters) -> {
                                if (done % size.every != 0 && done < size.iterations) {
                                    return;
                                }
                                try (NDManager scope = manager.newSubManager()) {
                                    List<NDArray> hidden =
                                            network.hidden(in(phi, scope), parameters, false);
                                    NDArray fitted = network.of(in(phi, scope), parameters, false);
                                    NDArray between =
                                            network.of(in(held, scope), parameters, false);
                                    looks.add(
                                            done,
                                            psnr(fitted, y),
                                            psnr(between, yHeld),
                                            StableRank.ofLayers(hidden));
                                }
                            },
                            progress);
            return looks.outcome(size.iterations);
        }
    }

    /** What was seen of a network while it learned. */
    private static final class Looks {

        private final List<Double> iterations = new ArrayList<>();
        private final List<Double> train = new ArrayList<>();
        private final List<Double> test = new ArrayList<>();
        private final List<double[]> ranks = new ArrayList<>();

        void add(int done, double trainPsnr, double testPsnr, double[] stableRanks) {
            iterations.add((double) done);
            train.add(trainPsnr);
            test.add(testPsnr);
            ranks.add(stableRanks);
        }

        Outcome outcome(int steps) {
            Map<String, Double> values = new LinkedHashMap<>();
            Map<String, List<Double>> curves = new LinkedHashMap<>();
            values.put("trainPsnr", mean(train, i -> i > steps - 100));
            values.put("testPsnr", mean(test, i -> i > steps - 100));
            values.put("printedTrainPsnr", mean(train, i -> i <= Math.max(1, steps - 100)));
            values.put("printedTestPsnr", mean(test, i -> i <= Math.max(1, steps - 100)));
            curves.put("iterations", iterations);
            curves.put("trainPsnr", train);
            curves.put("testPsnr", test);
            for (int layer = 0; layer <= DEPTH; layer++) {
                int at = layer;
                List<Double> curve = ranks.stream().map(rank -> rank[at]).toList();
                values.put("stableRank" + layer, curve.get(curve.size() - 1));
                curves.put("stableRank" + layer, curve);
            }
            return new Outcome(values, curves);
        }

        private double mean(List<Double> curve, DoublePredicate counts) {
            return IntStream.range(0, curve.size())
                    .filter(i -> counts.test(iterations.get(i)))
                    .mapToDouble(curve::get)
                    .average()
                    .orElse(Double.NaN);
        }
    }

    private static NDArray features(Embedder embedder, int from, NDManager manager) {
        double[] x = Embedder.coordinates(Rows.LENGTH, from, 2);
        try (NDArray rows = embedder.rows(x, manager)) {
            return rows.toType(DataType.FLOAT32, false);
        }
    }

    private static NDArray values(double[] signal, int from, NDManager manager) {
        double[] every = Rows.every(signal, from, 2);
        try (NDArray wide = manager.create(every, new Shape(every.length, 1))) {
            return wide.toType(DataType.FLOAT32, false);
        }
    }

    /** Results belong to their first operand's manager, so a look needs handles of its own. */
    private static NDArray in(NDArray array, NDManager owner) {
        NDArray view = array.reshape(array.getShape());
        view.attach(owner);
        return view;
    }

    private static double psnr(NDArray fitted, NDArray target) {
        return -10 * Math.log10(fitted.sub(target).square().mean().getFloat());
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        List<Explained> figures = new ArrayList<>();
        figures.add(
                new Explained(
                        psnrs(results),
                        "The higher the input's stable rank, the better the training samples are"
                                + " fitted, noise too; but only rows of an image are any better"
                                + " between them. Noise has nothing there to be found."));
        figures.add(
                new Explained(
                        ranks(results),
                        "How many directions the samples fill, weighted by how far: 1 is a line."));
        for (String target : TARGETS) {
            boolean image = target.equals("image");
            Results own = results.with("target", target);
            figures.add(
                    new Explained(
                            new LineChart(
                                    "Stable rank by layer at the end, "
                                            + (image ? "rows of the image" : target),
                                    Axis.categories("layer", List.of("input", "1", "2", "3", "4")),
                                    Axis.log("stable rank"),
                                    own.values("encoding").stream()
                                            .map(name -> byLayer(own.with("encoding", name), name))
                                            .toList()),
                            image
                                    ? "A bare coordinate has a stable rank of 1, and the layers raise"
                                            + " it; an encoding starts higher, and the layers bring it"
                                            + " down. Only of the former is it true that the stable"
                                            + " rank increases layer by layer."
                                    : "The same for noise: what differs from the figure of the image is"
                                            + " the signal's doing, what is alike the encoding's."));
            figures.add(
                    new Explained(
                            new LineChart(
                                    "Held-out PSNR while it learns, "
                                            + (image ? "rows of the image" : target),
                                    Axis.linear("iterations"),
                                    Axis.linear("PSNR (dB)"),
                                    own.values("encoding").stream()
                                            .map(name -> learning(own.with("encoding", name), name))
                                            .toList()),
                            image
                                    ? "What the features of an encoding hold already the network need"
                                            + " not build up in its layers: that is why it learns"
                                            + " faster."
                                    : "Below 0 dB a fit is worse between the samples than no fit at"
                                            + " all: what memorises noise best lies lowest."));
        }
        return figures;
    }

    private static Series byLayer(Results results, String name) {
        return Series.of(
                name,
                IntStream.rangeClosed(0, DEPTH)
                        .mapToObj(layer -> results.mean("stableRank" + layer))
                        .toList());
    }

    private static Series learning(Results results, String name) {
        List<Measurement> psnr = results.curve("testPsnr");
        return new Series(
                name,
                results.curve("iterations").stream().map(Measurement::mean).toList(),
                psnr.stream().map(Measurement::mean).toList(),
                psnr.stream().map(Measurement::spread).toList());
    }

    private static Table psnrs(Results results) {
        return Table.summary(
                "PSNR at the end",
                List.of(
                        Column.label("encoding"),
                        Column.label("target"),
                        Column.value("trainPsnr", "dB", 1).headed("trained"),
                        Column.value("testPsnr", "dB", 1).headed("held out"),
                        Column.value("printedTrainPsnr", "dB", 1).headed("trained, as printed"),
                        Column.value("printedTestPsnr", "dB", 1).headed("held out, as printed")),
                results.rows());
    }

    private static Table ranks(Results results) {
        List<Column> columns =
                new ArrayList<>(
                        List.of(
                                Column.label("encoding"),
                                Column.label("target"),
                                Column.value("stableRank0", "", 1).headed("input")));
        for (int layer = 1; layer <= DEPTH; layer++) {
            columns.add(Column.value("stableRank" + layer, "", 2).headed("layer " + layer));
        }
        return Table.summary("Stable rank at the end", columns, results.rows());
    }

    @Override
    public List<Claim> claims(Results results) {
        double none = mean(results, "none", "image", "trainPsnr");
        double basic = mean(results, "basic", "image", "trainPsnr");
        double fourier = mean(results, "random-fourier", "image", "trainPsnr");
        double gaussian = mean(results, "gaussian", "image", "trainPsnr");
        double basicNoise = mean(results, "basic", "noise", "trainPsnr");
        double worstNoise =
                Stream.of("none", "basic", "random-fourier", "gaussian")
                        .mapToDouble(name -> mean(results, name, "noise", "testPsnr"))
                        .max()
                        .orElse(Double.NaN);
        return List.of(
                claim("basic above none, trained", "+7.5", basic - none, new Rule.AtLeast(2)),
                claim(
                        "random Fourier and Gaussians above basic, trained",
                        "+14",
                        Math.min(fourier, gaussian) - basic,
                        new Rule.AtLeast(5)),
                claim(
                        "Gaussians like random Fourier, held out: difference",
                        "−0.3",
                        mean(results, "gaussian", "image", "testPsnr")
                                - mean(results, "random-fourier", "image", "testPsnr"),
                        new Rule.Between(-1.5, 1.5)),
                claim(
                        "on noise basic above none, trained",
                        "+1.5",
                        basicNoise - mean(results, "none", "noise", "trainPsnr"),
                        new Rule.AtLeast(0.5)),
                claim(
                        "on noise random Fourier and Gaussians above basic, trained",
                        "+9",
                        Math.min(
                                        mean(results, "random-fourier", "noise", "trainPsnr"),
                                        mean(results, "gaussian", "noise", "trainPsnr"))
                                - basicNoise,
                        new Rule.AtLeast(3)),
                claim(
                        "on noise none generalises, held out",
                        "−0.3",
                        worstNoise,
                        new Rule.AtMost(0)));
    }

    private static Claim claim(String sentence, String paper, double here, Rule rule) {
        return new Claim(7, sentence, paper, here, "dB", rule);
    }

    private static double mean(Results results, String encoding, String target, String quantity) {
        return results.with("encoding", encoding).with("target", target).mean(quantity).mean();
    }
}
