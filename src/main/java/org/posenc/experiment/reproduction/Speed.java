package org.posenc.experiment.reproduction;

import ai.djl.Device;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.posenc.encoding.PositionFeatures;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Axis;
import org.posenc.report.Cell;
import org.posenc.report.Column;
import org.posenc.report.Explained;
import org.posenc.report.LineChart;
import org.posenc.report.Measurement;
import org.posenc.report.ResultRow;
import org.posenc.report.Series;
import org.posenc.report.Table;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;

/**
 * Time against PSNR: the deep network over simple random Fourier features, the linear map over
 * complex Gaussians, trained and solved for, one after the other on the same image.
 */
final class Speed implements Recipe {

    private static final int PAPER_SIDE = 512;
    private static final int SIMPLE_FEATURES = 512;
    private static final int DEPTH = 4;
    private static final int WIDTH = 256;
    private static final double SIMPLE_BANDWIDTH = 14; // in cycles, at 512 pixels
    private static final double TRAINED_SIGMA = 0.004; // at 512 pixels
    private static final double SOLVED_SIGMA = 0.0025; // at 512 pixels
    private static final int SOLUTIONS = 15;

    private static final String METHOD = "method";
    private static final String SIMPLE = "simple, depth 4, random Fourier";
    private static final String COMPLEX = "complex, linear, Gaussian";
    private static final String SOLVED = "complex, solved, Gaussian";
    private static final String TIMES = "seconds";
    private static final String PSNR = "psnr";
    private static final String STEPS = "steps";

    private final Size size;

    /**
     * Sizes. Features and parameters of encodings go with the side; the network's four layers of
     * 256 units do not.
     *
     * @param side n, pixels along each side
     * @param simple Adam's steps of the deep network
     * @param complex Adam's steps of the linear map
     * @param seeds how many
     * @param cost in words
     */
    record Size(int side, int simple, int complex, int seeds, String cost) {

        @Override
        public String toString() {
            return ("%d pixels, 4 layers of %d, %d steps simple and %d complex, %d solutions, %d"
                            + " seeds")
                    .formatted(side, WIDTH, simple, complex, SOLUTIONS, seeds);
        }
    }

    Speed(Size size) {
        this.size = size;
    }

    static Speed at(Scale scale) {
        return new Speed(
                switch (scale) {
                    case PAPER ->
                            new Size(
                                    PAPER_SIDE,
                                    2000,
                                    2000,
                                    1,
                                    "hours on two cores, minutes on a GPU");
                    case SMALL -> new Size(128, 120, 300, 3, "60 s");
                });
    }

    @Override
    public About about() {
        return new About(
                "speed",
                "How long the deep network, the complex linear map and its closed form take to the"
                        + " same PSNR",
                "2022, notebook “demo” and figure of time against PSNR",
                size.cost,
                size.toString(),
                "Every second pixel in both directions trains; PSNR is that of the others, looked"
                        + " at between steps while the clock stands. A step's time is the median"
                        + " of all steps, so that a burst of other work does not count; a closed"
                        + " form's is that of fifteen after a first one that warms the engine,"
                        + " each with singular vectors, weights and the whole image. A method has"
                        + " reached a PSNR with the step at which it is first seen at it; the PSNR"
                        + " of a comparison is the best that both reach. The network is the"
                        + " authors' at any side, so that ratios grow with the side. Nothing else"
                        + " of a reproduction runs beside it.");
    }

    @Override
    public boolean timed() {
        return true;
    }

    @Override
    public List<Trial> trials(Setting setting) {
        Signal truth = Medium.IMAGE.of(setting.subject(), size.side);
        return setting.seeds(size.seeds).stream()
                .map(
                        seed ->
                                new Trial(
                                        Trial.labels("of", "image", Judgement.SEED, "" + seed),
                                        size.simple + size.complex + SOLUTIONS + 1,
                                        progress ->
                                                measured(truth, seed, setting.device(), progress)))
                .toList();
    }

    /** Times of the steps of one method, and the PSNRs it was seen at. */
    static final class Course {

        private final List<Double> times = new ArrayList<>(); // of each step
        private final List<Integer> seen = new ArrayList<>(); // after so many steps
        private final List<Double> psnr = new ArrayList<>();
        private double last; // the clock after the step before

        void step(double clock) {
            times.add(clock - last);
            last = clock;
        }

        void look(double found) {
            seen.add(times.size());
            psnr.add(found);
        }

        /** The median. */
        double stepTime() {
            return times.stream().sorted().toList().get(times.size() / 2);
        }

        List<Double> seconds() {
            return seen.stream().map(steps -> steps * stepTime()).toList();
        }

        double best() {
            return psnr.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
        }

        /** When a PSNR was first seen; NaN if never. */
        double reached(double wanted) {
            for (int i = 0; i < psnr.size(); i++) {
                if (psnr.get(i) >= wanted) {
                    return seconds().get(i);
                }
            }
            return Double.NaN;
        }
    }

    private Outcome measured(Signal truth, long seed, Device device, Progress progress)
            throws IOException, TranslateException {
        double shrunk = (double) size.side / PAPER_SIDE;
        int k = size.side / 2;
        Course simple = new Course();
        Course complex = new Course();
        Course solved = new Course();
        try (GridFit fit = new GridFit(truth, Sampling.EVERY_SECOND, device)) {
            fit.complex(
                    Code.GAUSSIAN.axis(TRAINED_SIGMA / shrunk, k, seed),
                    0,
                    WIDTH,
                    new Descent(0.1, size.complex),
                    seed,
                    watch(fit, complex, size.complex),
                    progress);
            int d = (int) Math.round(SIMPLE_FEATURES * shrunk / 4) * 4;
            fit.simple(
                    Code.RANDOM_FOURIER.simple(SIMPLE_BANDWIDTH * shrunk, d, 2, seed),
                    DEPTH,
                    WIDTH,
                    new Descent(5e-3, size.simple),
                    seed,
                    watch(fit, simple, size.simple),
                    progress);
            PositionFeatures axis = Code.GAUSSIAN.axis(SOLVED_SIGMA / shrunk, k, seed);
            List<Double> times = new ArrayList<>();
            for (int i = -1; i < SOLUTIONS; i++) {
                GridFit.Solution solution = fit.solved(axis);
                if (i >= 0) {
                    times.add(solution.seconds());
                }
                if (i == SOLUTIONS - 1) {
                    Collections.sort(times);
                    solved.step(times.get(SOLUTIONS / 2));
                    solved.look(fit.psnr(solution.fitted(), false));
                }
                progress.advanced(1);
            }
        }
        return outcome(simple, complex, solved);
    }

    /** Looks about thirty times, and at the first and the last step. */
    private static GridFit.Watch watch(GridFit fit, Course course, int steps) {
        int every = Math.max(1, steps / 30);
        return (done, seconds, fitted) -> {
            course.step(seconds);
            if (done % every == 0 || done == 1 || done == steps) {
                course.look(fit.psnr(fitted.get(), false));
            }
        };
    }

    private Outcome outcome(Course simple, Course complex, Course solved) {
        double both = Math.min(simple.best(), complex.best());
        double bothSolved = Math.min(simple.best(), solved.best());
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("simpleStep", simple.stepTime());
        values.put("complexStep", complex.stepTime());
        values.put("stepRatio", values.get("simpleStep") / values.get("complexStep"));
        values.put("psnrOfBoth", both);
        values.put("equalRatio", simple.reached(both) / complex.reached(both));
        values.put("solvedRatio", simple.reached(bothSolved) / solved.stepTime());
        Map<String, List<Double>> curves = new LinkedHashMap<>();
        put(curves, SIMPLE, simple);
        put(curves, COMPLEX, complex);
        put(curves, SOLVED, solved);
        return new Outcome(values, curves);
    }

    private static void put(Map<String, List<Double>> curves, String method, Course course) {
        curves.put(method + ": " + TIMES, course.seconds());
        curves.put(method + ": " + PSNR, course.psnr);
    }

    @Override
    public List<Explained> figures(Results results, Pictures pictures) {
        ResultRow first = results.rows().get(0);
        List<Series> lines = new ArrayList<>();
        List<List<Cell>> rows = new ArrayList<>();
        for (String method : List.of(SIMPLE, COMPLEX, SOLVED)) {
            lines.add(
                    new Series(
                            method,
                            first.curves().get(method + ": " + TIMES),
                            first.curves().get(method + ": " + PSNR),
                            List.of()));
            rows.add(
                    List.of(
                            new Cell.Text(method),
                            over(results, method, TIMES, Speed::last),
                            over(results, method, PSNR, Speed::last),
                            over(results, method, PSNR, Collections::max)));
        }
        return List.of(
                new Explained(
                        new LineChart(
                                "Time against PSNR (the first seed)",
                                Axis.log("training (s)"),
                                Axis.linear("PSNR of the pixels held out (dB)"),
                                lines),
                        "The network learns to be smooth; the linear map over a product of Gaussians"
                                + " is smooth to begin with, and solving for its weights takes one"
                                + " step, the dot at the left."),
                new Explained(
                        new Table(
                                "What each method costs and comes to (± over seeds)",
                                List.of(
                                        Column.label(METHOD),
                                        Column.value(TIMES, "s", 3).headed("all " + STEPS),
                                        Column.value("last", "dB", 2),
                                        Column.value("best", "dB", 2)),
                                rows),
                        "A network's last step need not be its best: from some step on it learns the"
                                + " training pixels by heart."));
    }

    private static Measurement over(
            Results results, String method, String curve, ToDoubleFunction<List<Double>> value) {
        return Measurement.of(
                results.rows().stream()
                        .mapToDouble(
                                row -> value.applyAsDouble(row.curves().get(method + ": " + curve)))
                        .toArray());
    }

    private static double last(List<Double> curve) {
        return curve.get(curve.size() - 1);
    }

    @Override
    public List<Claim> claims(Results results) {
        return List.of(
                times(
                        "time of a step, simple of depth 4 over complex linear",
                        "43",
                        results.mean("stepRatio").mean(),
                        10),
                times(
                        "time to equal PSNR, simple of depth 4 over complex linear",
                        "",
                        results.mean("equalRatio").mean(),
                        40),
                times(
                        "time to equal PSNR, simple of depth 4 over the closed form",
                        "919",
                        results.mean("solvedRatio").mean(),
                        500));
    }

    private static Claim times(String sentence, String paper, double here, double bound) {
        return new Claim(14, sentence, paper, here, "times", new Rule.AtLeast(bound));
    }
}
