package org.posenc.experiment.reproduction;

import ai.djl.Device;
import ai.djl.translate.TranslateException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import org.posenc.encoding.PositionFeatures;
import org.posenc.experiment.Picture;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Cell;
import org.posenc.report.Column;
import org.posenc.report.Explained;
import org.posenc.report.ImageGrid;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.ResultRow;
import org.posenc.report.ScatterChart;
import org.posenc.report.Series;
import org.posenc.report.Table;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;

/**
 * A table of the follow-up: simple and complex encodings of all kinds, with and without hidden
 * layers, trained and solved for, on one signal.
 */
abstract class FollowUp implements Recipe {

    private static final String METHOD = "method";
    private static final String ENCODING = "encoding";
    private static final String TEST = "testPsnr";
    private static final String TRAIN = "trainPsnr";
    private static final String SECONDS = "seconds";
    private static final String ORIGINAL = "original";
    private static final String FIT = "fit";

    private static final double SIMPLE_RATE = 5e-3;
    private static final double COMPLEX_RATE = 0.1;

    final Medium medium;
    final Size size;

    /**
     * Sizes. Numbers of features and all parameters of encodings are the authors' at their side,
     * and go with the side.
     *
     * @param side n, samples along each axis
     * @param width units of a hidden layer
     * @param linear Adam's steps without hidden layers
     * @param simple the same for simple networks with hidden layers
     * @param complex the same for complex ones
     * @param complexRate the learning rate of the latter
     * @param seeds how many
     * @param cost in words
     */
    record Size(
            int side,
            int width,
            int linear,
            int simple,
            int complex,
            double complexRate,
            int seeds,
            String cost) {

        @Override
        public String toString() {
            return ("side %d, width %d, %d steps without hidden layers, %d simple and %d complex"
                            + " (rate %s) with, %d seeds")
                    .formatted(side, width, linear, simple, complex, complexRate, seeds);
        }
    }

    /**
     * The authors' numbers for a method, in the order of {@link Code}.
     *
     * @param parameters of the encodings, at the authors' side
     * @param psnr on the samples held out, in dB; none where they tell none
     */
    record Authors(Code.Parameters parameters, double... psnr) {}

    FollowUp(Medium medium, Size size) {
        this.medium = medium;
        this.size = size;
    }

    /** Returns which samples train. */
    abstract Sampling sampling(long seed);

    /** Returns the methods, with what the authors found. */
    abstract Map<Method, Authors> methods();

    double shrunk() {
        return (double) size.side / medium.paperSide();
    }

    /** K, so many features along an axis as a grid of every second sample has samples. */
    int axisFeatures() {
        return size.side / 2;
    }

    /** d, a multiple of what every encoding asks for. */
    int shrunkSimpleFeatures() {
        int together = medium.axes() == 2 ? 4 : 2 * medium.axes();
        double wanted = medium.simpleFeatures() * shrunk();
        return (int) Math.max(1, Math.round(wanted / together)) * together;
    }

    @Override
    public List<Trial> trials(Setting setting) {
        Signal truth = medium.of(setting.subject(), size.side);
        List<Trial> trials = new ArrayList<>();
        methods()
                .forEach(
                        (method, authors) -> {
                            for (Code code : Code.values()) {
                                double parameter = authors.parameters().of(code, shrunk());
                                for (long seed : setting.seeds(size.seeds)) {
                                    trials.add(
                                            trial(method, code, parameter, seed, truth, setting));
                                }
                            }
                        });
        return trials;
    }

    private Trial trial(
            Method method, Code code, double parameter, long seed, Signal truth, Setting setting) {
        return new Trial(
                Trial.labels(
                        METHOD, method.label(), ENCODING, code.label(), Judgement.SEED, "" + seed),
                method.kind() == Method.Kind.SOLVED ? 1 : descent(method).iterations(),
                progress ->
                        outcome(
                                method,
                                features(method, code, parameter, seed),
                                seed,
                                truth,
                                seed == setting.seed(),
                                setting.device(),
                                progress));
    }

    private PositionFeatures features(Method method, Code code, double parameter, long seed) {
        return method.kind() == Method.Kind.SIMPLE
                ? code.simple(parameter, shrunkSimpleFeatures(), medium.axes(), seed)
                : code.axis(parameter, axisFeatures(), seed);
    }

    Descent descent(Method method) {
        boolean simple = method.kind() == Method.Kind.SIMPLE;
        if (method.depth() == 0) {
            return new Descent(simple ? SIMPLE_RATE : COMPLEX_RATE, size.linear);
        }
        return simple
                ? new Descent(SIMPLE_RATE, size.simple)
                : new Descent(size.complexRate, size.complex);
    }

    /** Fits, and looks once all steps are done. */
    Outcome outcome(
            Method method,
            PositionFeatures features,
            long seed,
            Signal truth,
            boolean drawn,
            Device device,
            Progress progress)
            throws IOException, TranslateException {
        try (GridFit fit = new GridFit(truth, sampling(seed), device)) {
            Outcome[] outcome = new Outcome[1];
            if (method.kind() == Method.Kind.SOLVED) {
                GridFit.Solution solution = fit.solved(features);
                progress.advanced(1);
                return outcome(fit, solution.fitted(), solution.seconds(), truth, drawn);
            }
            Descent descent = descent(method);
            GridFit.Watch watch =
                    (done, seconds, fitted) -> {
                        if (done == descent.iterations()) {
                            outcome[0] = outcome(fit, fitted.get(), seconds, truth, drawn);
                        }
                    };
            if (method.kind() == Method.Kind.SIMPLE) {
                fit.simple(features, method.depth(), size.width, descent, seed, watch, progress);
            } else {
                fit.complex(features, method.depth(), size.width, descent, seed, watch, progress);
            }
            return outcome[0];
        }
    }

    private static Outcome outcome(
            GridFit fit, Signal fitted, double seconds, Signal truth, boolean drawn) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put(TEST, fit.psnr(fitted, false));
        values.put(TRAIN, fit.psnr(fitted, true));
        values.put(SECONDS, seconds);
        Map<String, BufferedImage> pictures = new LinkedHashMap<>();
        if (drawn) {
            pictures.put(FIT, image(fitted));
            pictures.put(ORIGINAL, image(truth));
        }
        return new Outcome(values, Map.of(), pictures);
    }

    /** An image, or the frame in the middle of a video that no training sample belongs to. */
    private static BufferedImage image(Signal signal) {
        int[] sides = signal.sides();
        int height = sides[sides.length - 2];
        int width = sides[sides.length - 1];
        int frame = sides.length == 3 ? sides[0] / 2 | 1 : 0;
        int values = 3 * height * width;
        float[] own = Arrays.copyOfRange(signal.values(), frame * values, (frame + 1) * values);
        return new Picture(width, height, own).image();
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        List<Explained> figures = new ArrayList<>();
        figures.add(
                new Explained(
                        table(results),
                        "Read down a column: side by side and without hidden layers every encoding is"
                                + " bound to a sum of functions of single coordinates, and fails;"
                                + " hidden layers or the product of the coordinates' features mend"
                                + " it. Read along a row: which encoding it is matters where no"
                                + " hidden layer can make up for it."));
        figures.add(
                new Explained(
                        chart(results),
                        "Hidden layers make encodings alike; without them, the line of the complex"
                                + " linear map rises towards shifted copies: what a network would"
                                + " have to learn is in their features already."));
        figures.add(
                new Explained(
                        times(results),
                        "Up and to the left is better. A product of features along the axes costs the"
                                + " sides of a grid, a network all of its points."));
        for (Code code : List.of(Code.GAUSSIAN, Code.RANDOM_FOURIER)) {
            figures.add(
                    new Explained(
                            pictures(code, results, pictures),
                            code == Code.GAUSSIAN
                                    ? "Without hidden layers, features side by side draw stripes along"
                                            + " their directions; their product draws the picture."
                                    : "The same with random frequencies: the fewer there are, the more"
                                            + " depends on the draw."));
        }
        return figures;
    }

    private Table table(Results results) {
        List<Column> columns = new ArrayList<>(List.of(Column.label(METHOD)));
        for (Code code : Code.values()) {
            columns.add(Column.value(code.label(), "dB", 2));
        }
        List<List<Cell>> rows = new ArrayList<>();
        methods()
                .forEach(
                        (method, authors) -> {
                            List<Cell> ours = new ArrayList<>();
                            ours.add(new Cell.Text(method.label()));
                            for (Code code : Code.values()) {
                                ours.add(measured(results, method, code, TEST));
                            }
                            rows.add(ours);
                            if (authors.psnr().length > 0) {
                                List<Cell> theirs = new ArrayList<>();
                                theirs.add(new Cell.Text("— the authors'"));
                                for (double psnr : authors.psnr()) {
                                    theirs.add(Measurement.of(psnr));
                                }
                                rows.add(theirs);
                            }
                        });
        return new Table("PSNR of the samples held out, and the authors' on theirs", columns, rows);
    }

    private LineChart chart(Results results) {
        List<Series> lines = new ArrayList<>();
        for (Method method : methods().keySet()) {
            List<Measurement> measured =
                    Arrays.stream(Code.values())
                            .map(code -> measured(results, method, code, TEST))
                            .toList();
            lines.add(Series.of(method.label(), measured));
        }
        return new LineChart(
                "PSNR of the samples held out",
                Axis.categories(ENCODING, Arrays.stream(Code.values()).map(Code::label).toList()),
                Axis.linear("PSNR (dB)"),
                lines);
    }

    private ScatterChart times(Results results) {
        List<ScatterChart.Point> points = new ArrayList<>();
        for (Method method : methods().keySet()) {
            points.add(
                    new ScatterChart.Point(
                            method.label(),
                            measured(results, method, Code.GAUSSIAN, SECONDS).mean(),
                            measured(results, method, Code.GAUSSIAN, TEST).mean()));
        }
        return new ScatterChart(
                "What Gaussians cost, and what they are worth",
                Axis.log("training (s), trials side by side"),
                Axis.linear("PSNR of the samples held out (dB)"),
                points);
    }

    private ImageGrid pictures(Code code, Results results, Pictures pictures) {
        List<ImageGrid.Picture> fits = new ArrayList<>();
        Results own = results.with(ENCODING, code.label());
        for (Method method : methods().keySet()) {
            Optional<ResultRow> drawn =
                    own.with(METHOD, method.label()).rows().stream()
                            .filter(row -> row.labels().containsKey(Pictures.LABEL))
                            .findFirst();
            if (drawn.isPresent()) {
                ResultRow row = drawn.get();
                if (fits.isEmpty()) {
                    fits.add(new ImageGrid.Picture(ORIGINAL, "", pictures.of(row, ORIGINAL)));
                }
                String psnr = Rule.number(row.values().get(TEST)) + " dB";
                fits.add(new ImageGrid.Picture(method.label(), psnr, pictures.of(row, FIT)));
            }
        }
        return new ImageGrid("Fits with " + code.label() + " features", fits);
    }

    static Measurement measured(Results results, Method method, Code code, String quantity) {
        return results.with(METHOD, method.label()).with(ENCODING, code.label()).mean(quantity);
    }

    /** The PSNR of the samples held out, mean over the seeds; NaN where nothing was measured. */
    static double test(Results results, Method method, Code code) {
        return measured(results, method, code, TEST).mean();
    }

    /** The best encoding's. */
    static double best(Results results, Method method, Collection<Code> codes) {
        return each(results, method, codes).max().orElse(Double.NaN);
    }

    /** The worst encoding's. */
    static double worst(Results results, Method method, Collection<Code> codes) {
        return each(results, method, codes).min().orElse(Double.NaN);
    }

    /** The least gain of any encoding from one method to another. */
    static double leastGain(Results results, Method from, Method to, Collection<Code> codes) {
        return codes.stream()
                .mapToDouble(code -> test(results, to, code) - test(results, from, code))
                .min()
                .orElse(Double.NaN);
    }

    private static DoubleStream each(Results results, Method method, Collection<Code> codes) {
        return codes.stream().mapToDouble(code -> test(results, method, code));
    }

    static final List<Code> ALL = List.of(Code.values());
    static final List<Code> FOURIER = ALL.stream().filter(Code::isFourier).toList();

    static Claim decibels(int number, String sentence, String paper, double here, Rule rule) {
        return new Claim(number, sentence, paper, here, "dB", rule);
    }

    /** Claim 13, of an encoding. */
    static Claim solvedOverTrained(Results results, Code code, String paper, Rule rule) {
        double solved = test(results, Method.solved(), code);
        double trained = test(results, Method.complex(0), code);
        String sentence = code.label() + " solved for over trained";
        return decibels(13, sentence, paper, solved - trained, rule);
    }

    /** Claims 10 to 12, which every table is put to alike. */
    List<Claim> aboutComplexity(Results results, Method deepest, String[] paper) {
        Method linear = Method.complex(0);
        Method deep = Method.complex(1);
        double gaussian = test(results, linear, Code.GAUSSIAN);
        return List.of(
                decibels(
                        10,
                        "complex linear Gaussians over the best " + deepest.label(),
                        paper[0],
                        gaussian - best(results, deepest, ALL),
                        new Rule.AtLeast(0)),
                decibels(
                        11,
                        "complex linear: Gaussians over the best waves",
                        paper[1],
                        gaussian - best(results, linear, FOURIER),
                        new Rule.AtLeast(1)),
                decibels(
                        11,
                        "what depth 1 adds to complex waves, least",
                        paper[2],
                        leastGain(results, linear, deep, FOURIER),
                        new Rule.AtLeast(1)),
                decibels(
                        12,
                        "complex, depth 1: best over worst encoding",
                        paper[3],
                        best(results, deep, ALL) - worst(results, deep, ALL),
                        new Rule.AtMost(2)));
    }
}
