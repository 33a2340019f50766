package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.analysis.ClosedForms;
import org.posenc.signal.WidthChoice.Method;
import org.posenc.testing.Goldens;

class WidthChoiceTest {

    private static final Path PHOTOGRAPH = Path.of("test-data", "images", "picos-de-europa.png");

    /** Signals to fit from every second sample, smooth and rough, of one to three axes. */
    private static Signal signal(String name) {
        int n = 256;
        return switch (name) {
            case "smooth" ->
                    line(
                            n,
                            i ->
                                    0.5
                                            + 0.3
                                                    * Math.sin(6.6 * Math.PI * i / n)
                                                    * Math.exp(-i / (double) n)
                                            + 0.15 * Math.cos(14.2 * Math.PI * i / n));
            case "sines" ->
                    line(
                            n,
                            i ->
                                    0.5
                                            + 0.15 * Math.sin(2 * Math.PI * 5 * i / n)
                                            + 0.12 * Math.sin(2 * Math.PI * 17 * i / n + 0.4)
                                            + 0.1 * Math.sin(2 * Math.PI * 37 * i / n + 1));
            case "walk" -> {
                Random random = new Random(4);
                double[] at = {0.5};
                yield line(n, i -> at[0] += 0.02 * random.nextGaussian());
            }
            case "leaf-row" -> {
                double[] grey = DeadLeaves.grey(512, 1);
                yield line(512, i -> grey[260 * 512 + i]);
            }
            case "photograph" -> photograph();
            case "photograph-rows" -> { // every 16th, as channels of one line
                Signal whole = photograph();
                int side = whole.sides()[1];
                int rows = 8;
                float[] values = new float[side * rows];
                for (int j = 0; j < side; j++) {
                    for (int r = 0; r < rows; r++) {
                        values[j * rows + r] =
                                whole.values()[((16 * r + 8) * side + j) * whole.channels()];
                    }
                }
                yield new Signal(new int[] {side}, rows, values);
            }
            case "leaves" -> {
                double[] image = DeadLeaves.image(64, 3);
                float[] values = new float[image.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) image[i];
                }
                yield new Signal(new int[] {64, 64}, 3, values);
            }
            case "volume" -> {
                int side = 32;
                float[] values = new float[side * side * side];
                for (int i = 0; i < values.length; i++) {
                    double z = i / side / side / (double) side;
                    double y = i / side % side / (double) side;
                    double x = i % side / (double) side;
                    double wave =
                            Math.sin(2 * Math.PI * (2 * x + 1.3 * y)) * Math.cos(3.4 * Math.PI * z);
                    double ball = Math.hypot(Math.hypot(x - 0.5, y - 0.45), z - 0.5);
                    // An edge as soft as a sample is wide, as a scanner sees it.
                    values[i] =
                            (float) (0.5 + 0.2 * wave + 0.25 / (1 + Math.exp((ball - 0.3) * 64)));
                }
                yield new Signal(new int[] {side, side, side}, 1, values);
            }
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Signal photograph() {
        return SignalFile.read(PHOTOGRAPH).signal();
    }

    private static Signal line(int n, IntToDoubleFunction value) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) value.applyAsDouble(i);
        }
        return new Signal(new int[] {n}, 1, values);
    }

    @ParameterizedTest
    @CsvSource({
        "gaussian, smooth",
        "gaussian, sines",
        "gaussian, walk",
        "gaussian, leaf-row",
        "gaussian, photograph-rows",
        "gaussian, photograph",
        "gaussian, leaves",
        "gaussian, volume",
        "triangle, walk",
        "triangle, photograph",
        "triangle, volume",
        "random-fourier, walk",
        "random-fourier, photograph",
        "random-fourier, leaves",
        "linear-frequencies, walk",
        "linear-frequencies, photograph",
        "linear-frequencies, leaves",
        "log-frequencies, leaf-row",
        "log-frequencies, walk",
        "log-frequencies, photograph",
        "log-frequencies, leaves",
    })
    void theChoiceIsWithinHalfADecibelOfTheBestOfASweep(String encoding, String name) {
        WidthSweep.Result result = WidthSweep.of(signal(name), encoding);
        assertThat(result.lost()).as("%s: %s", name, result).isLessThan(0.5);
    }

    /** Signals that had no part in how the rules were made; those that take little time. */
    @ParameterizedTest
    @CsvSource({
        "gaussian, chirp",
        "gaussian, temperature",
        "gaussian, telegraph",
        "gaussian, pink-noise",
        "gaussian, white-noise",
        "gaussian, leaves-7",
        "gaussian, clouds",
        "gaussian, bricks",
        "gaussian, tissue",
        "triangle, telegraph",
        "triangle, clouds",
        "triangle, tissue",
        "random-fourier, pink-noise",
        "random-fourier, clouds",
        "random-fourier, tissue",
        "linear-frequencies, clouds",
        "log-frequencies, clouds",
        "log-frequencies, bricks",
    })
    void holdsForSignalsThatItWasNotMadeFor(String encoding, String name) {
        WidthSweep.Result result = WidthSweep.of(UnseenSignals.of(name), encoding);
        assertThat(result.lost()).as("%s: %s", name, result).isLessThan(0.5);
    }

    /**
     * Of the 60 cases 50 held when this was written. Speech is lost, whose resonances lie beyond
     * what its samples can tell apart and are seen turned over; so is white noise by waves.
     */
    @Test
    @Tag("slow")
    void holdsForFiveOfSixUnseenCases() {
        List<String> failed = new ArrayList<>();
        double most = 0;
        for (String name : UnseenSignals.NAMES) {
            for (String encoding : WidthChoice.ENCODINGS) {
                WidthSweep.Result result = WidthSweep.of(UnseenSignals.of(name), encoding);
                most = Math.max(most, result.lost());
                if (result.lost() >= 0.5) {
                    failed.add(name + ": " + result);
                }
            }
        }
        assertThat(failed).hasSizeLessThanOrEqualTo(10);
        assertThat(most).isLessThan(1.7);
    }

    /** Adam with PyTorch's standards, full batch, by its definition: the weights of Ŝ = A W Bᵀ. */
    private static double[] trained(
            double[][] a, double[][] b, double[] samples, double rate, int steps) {
        int rows = a[0].length;
        int columns = b[0].length;
        int n = b.length;
        double[] w = new double[rows * columns];
        double bound = 1 / Math.sqrt(w.length);
        Random random = new Random(3);
        Arrays.setAll(w, i -> bound * (2 * random.nextDouble() - 1));
        double[] m = new double[w.length];
        double[] v = new double[w.length];
        for (int step = 1; step <= steps; step++) {
            double[] off = grid(a, w, b);
            double[][] left = new double[rows][n]; // Aᵀ (Ŝ − S)
            for (int i = 0; i < a.length; i++) {
                for (int j = 0; j < n; j++) {
                    off[i * n + j] -= samples[i * n + j];
                    for (int r = 0; r < rows; r++) {
                        left[r][j] += a[i][r] * off[i * n + j];
                    }
                }
            }
            double first = 1 - Math.pow(0.9, step);
            double second = 1 - Math.pow(0.999, step);
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    double g = 0;
                    for (int j = 0; j < n; j++) {
                        g += left[r][j] * b[j][c];
                    }
                    g *= 2.0 / off.length;
                    int k = r * columns + c;
                    m[k] = 0.9 * m[k] + 0.1 * g;
                    v[k] = 0.999 * v[k] + 0.001 * g * g;
                    w[k] -= rate * m[k] / first / (Math.sqrt(v[k] / second) + 1e-8);
                }
            }
        }
        return w;
    }

    /** A W Bᵀ. */
    private static double[] grid(double[][] a, double[] w, double[][] b) {
        int columns = b[0].length;
        double[] out = new double[a.length * b.length];
        double[] row = new double[columns];
        for (int i = 0; i < a.length; i++) {
            Arrays.fill(row, 0);
            for (int r = 0; r < a[i].length; r++) {
                for (int c = 0; c < columns; c++) {
                    row[c] += a[i][r] * w[r * columns + c];
                }
            }
            for (int j = 0; j < b.length; j++) {
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += row[c] * b[j][c];
                }
                out[i * b.length + j] = sum;
            }
        }
        return out;
    }

    private static double[][] gaussians(int side, double sigma, int step) {
        int k = side / 2;
        double[][] phi = new double[side / step][k];
        double norm = Math.sqrt(k * sigma * Math.sqrt(Math.PI));
        for (int i = 0; i < phi.length; i++) {
            for (int j = 0; j < k; j++) {
                double u = (double) i * step / side - (double) j / k;
                phi[i][j] = Math.exp(-u * u / (2 * sigma * sigma)) / norm;
            }
        }
        return phi;
    }

    /** A line's weights are trained as a plane's, whose other axis are its channels. */
    private static double afterTraining(Signal signal, double sigma) {
        boolean plane = signal.axes() == 2;
        int rows = signal.sides()[0];
        int columns = plane ? signal.sides()[1] : signal.channels();
        double[][] a = gaussians(rows, sigma, 2);
        double[][] identity = new double[columns][columns];
        for (int c = 0; c < columns; c++) {
            identity[c][c] = 1;
        }
        double[][] b = plane ? gaussians(columns, sigma, 2) : identity;
        Signal samples = WidthSweep.training(signal);
        double[] s = new double[samples.values().length];
        Arrays.setAll(s, i -> samples.values()[i]);
        double[] w = trained(a, b, s, plane ? 0.1 : 0.01, plane ? 600 : 1000);
        double[][] all = plane ? gaussians(columns, sigma, 1) : identity;
        return WidthSweep.psnrHeldOut(signal, grid(gaussians(rows, sigma, 1), w, all));
    }

    @ParameterizedTest
    @ValueSource(strings = {"photograph-rows", "leaves"})
    void theChoiceForTrainingIsWithinHalfADecibelOfTheBestTrained(String name) {
        Signal signal = name.equals("leaves") ? signal(name).channel(1) : signal(name);
        Signal samples = WidthSweep.training(signal);
        int n = samples.longest();
        WidthChoice choice = WidthSweep.choices("gaussian", samples, Method.TRAINING).get(0);
        WidthChoice usual = WidthChoice.forSpacing("gaussian", 1.0 / n, Method.TRAINING);
        double best = Double.NEGATIVE_INFINITY;
        double at = 0;
        for (double sigma : WidthSweep.geometric(0.5 / n, 3.0 / n, 1.35)) {
            double there = afterTraining(signal, sigma);
            if (there > best) {
                best = there;
                at = sigma;
            }
        }
        for (WidthChoice each : List.of(choice, usual)) {
            assertThat(afterTraining(signal, each.value()))
                    .as("the best is %.2f dB at %s; %s", best, at, each.reason())
                    .isGreaterThan(best - 0.5);
        }
    }

    /** The reference's sweep in closed form, 64 × 64 pixels, no optimiser. */
    @Test
    void theSpacingAloneIsWithinHalfADecibelOfTheReferencesBest() {
        double best = 0;
        for (JsonElement row :
                Goldens.read("shifted-basis/synth_image_closed_form.json")
                        .getAsJsonObject("closed_form")
                        .getAsJsonArray("rows")) {
            JsonArray columns = row.getAsJsonArray();
            if (columns.get(0).getAsString().equals("gau")) {
                best = Math.max(best, columns.get(4).getAsDouble());
            }
        }
        assertThat(best).isGreaterThan(23);
        WidthChoice choice = WidthChoice.forSpacing("gaussian", 1.0 / 32, Method.CLOSED_FORM);
        assertThat(WidthSweep.heldOut(signal("leaves"), "gaussian", List.of(choice.settings())))
                .isGreaterThan(best - 0.5);
    }

    /** Nothing but the spacing is known, so that a smooth or a rough signal costs something. */
    @ParameterizedTest
    @CsvSource({"photograph, 0.6", "walk, 1.6"})
    void theSpacingAloneIsNearTheBestOfASweep(String name, double decibels) {
        Signal signal = signal(name);
        int n = WidthSweep.training(signal).longest();
        for (String encoding : List.of("gaussian", "triangle", "random-fourier")) {
            WidthChoice choice = WidthChoice.forSpacing(encoding, 1.0 / n, Method.CLOSED_FORM);
            double best =
                    Arrays.stream(WidthSweep.values(encoding, n))
                            .map(
                                    v ->
                                            WidthSweep.heldOut(
                                                    signal,
                                                    encoding,
                                                    List.of(Map.of(choice.key(), "" + v))))
                            .max()
                            .orElseThrow();
            assertThat(WidthSweep.heldOut(signal, encoding, List.of(choice.settings())))
                    .as("%s of %.2f dB: %s", encoding, best, choice.reason())
                    .isGreaterThan(best - decibels);
        }
    }

    @Test
    void predictsWhatTheTradeOffSays() {
        WidthChoice choice = WidthChoice.forSpacing("gaussian", 0.01, Method.CLOSED_FORM);
        double sigma = choice.value();
        assertThat(sigma).isBetween(0.006, 0.011); // the plateau of facts: 0.6 to 1.1 spacings
        assertThat(choice.key()).isEqualTo("sigma");
        assertThat(choice.stableRank())
                .isCloseTo(ClosedForms.gaussianStableRank(sigma, 100), within(1e-9));
        assertThat(choice.distancePreservation())
                .isCloseTo(2 * sigma * Math.sqrt(Math.log(10)), within(1e-12));
        assertThat(choice.summary()).contains("0.71 spacings", "stable rank");
        assertThat(choice.reason()).contains("0.01 apart", "50 cycles");
        assertThat(WidthChoice.forSpacing("gaussian", 0.01, Method.TRAINING).value())
                .isGreaterThan(sigma);
        for (String encoding : WidthChoice.ENCODINGS) {
            WidthChoice any = WidthChoice.forSpacing(encoding, 0.01, Method.TRAINING);
            assertThat(any.stableRank()).as(encoding).isBetween(5.0, 100.0);
            assertThat(any.settings()).containsOnlyKeys(any.key());
        }
    }

    @Test
    void aSignalOfLessBandwidthGetsAWiderEncoding() {
        double h = 1.0 / 128;
        double whole = WidthChoice.forSpacing("gaussian", h, Method.CLOSED_FORM).value();
        WidthChoice half = WidthChoice.forBandwidth("gaussian", h, 32, Method.CLOSED_FORM);
        assertThat(half.value()).isCloseTo(2 * whole, within(1e-12));
        WidthChoice beyond = WidthChoice.forBandwidth("gaussian", h, 500, Method.CLOSED_FORM);
        assertThat(beyond.value()).isEqualTo(whole);
        assertThat(beyond.reason()).contains("reaches 500 cycles", "the 64 that");
        // Sines up to 37 of 64 cycles, whose bandwidth is known.
        Signal sines = signal("sines");
        WidthChoice known = WidthChoice.forBandwidth("gaussian", h, 37, Method.CLOSED_FORM);
        double asKnown = WidthSweep.heldOut(sines, "gaussian", List.of(known.settings()));
        double asUsual =
                WidthSweep.heldOut(sines, "gaussian", List.of(Map.of("sigma", "" + whole)));
        assertThat(asKnown).isGreaterThan(asUsual);
    }

    @Test
    void eachAxisMayHaveItsOwn() {
        Signal wall = WidthSweep.training(UnseenSignals.of("bricks"));
        int rows = wall.sides()[0];
        int columns = wall.sides()[1];
        float[] turned = new float[rows * columns];
        for (int i = 0; i < turned.length; i++) {
            turned[i % columns * rows + i / columns] = wall.values()[i];
        }
        List<WidthChoice> each = WidthSweep.choices("gaussian", wall, Method.CLOSED_FORM);
        List<WidthChoice> other =
                WidthSweep.choices(
                        "gaussian",
                        new Signal(new int[] {columns, rows}, 1, turned),
                        Method.CLOSED_FORM);
        assertThat(each.get(0)).isEqualTo(other.get(1)).isNotEqualTo(each.get(1));
        assertThat(each.get(0).value()).isGreaterThan(1.2 * each.get(1).value());
    }

    @Test
    void saysWhatIsWrong() {
        for (double spacing : new double[] {0, -0.1, Double.NaN, 1.5}) {
            assertThatThrownBy(
                            () -> WidthChoice.forSpacing("gaussian", spacing, Method.CLOSED_FORM))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "the spacing of samples must be positive and at most 1, the whole"
                                    + " axis, got "
                                    + spacing);
        }
        assertThatThrownBy(() -> WidthChoice.forSpacing("rope", 0.1, Method.TRAINING))
                .hasMessageContaining("gaussian, triangle")
                .hasMessageContaining("got \"rope\"");
        assertThatThrownBy(
                        () ->
                                WidthChoice.forBandwidth(
                                        "gaussian", 0.1, Double.NaN, Method.TRAINING))
                .hasMessage("the bandwidth must be positive and finite, got NaN");
        Signal line = line(9, i -> i);
        assertThatThrownBy(
                        () ->
                                WidthChoice.forSignal(
                                        "gaussian",
                                        line,
                                        new int[] {10},
                                        new double[] {0.1},
                                        new int[] {9},
                                        Method.TRAINING,
                                        0))
                .hasMessageContaining("no larger, got 10 with 9 features");
        assertThatThrownBy(() -> WidthSweep.choices("gaussian", line, Method.SIMPLE))
                .hasMessageContaining("for a spacing only");
        assertThatThrownBy(
                        () ->
                                WidthChoice.forGaps(
                                        "gaussian",
                                        line,
                                        new boolean[3],
                                        new int[] {9},
                                        new int[] {9},
                                        0))
                .hasMessage("which samples train must be told of 9, got 3");
        assertThatThrownBy(() -> line(9, i -> i == 4 ? Double.NaN : 1))
                .hasMessageContaining("finite, got NaN at [4]");
    }

    /** A constant signal has no spectrum, but a choice. */
    @Test
    void nothingHappensToAConstant() {
        Signal constant = line(32, i -> 0.25);
        WidthChoice choice = WidthSweep.choices("gaussian", constant, Method.CLOSED_FORM).get(0);
        assertThat(choice.value()).isFinite().isPositive();
    }

    @Test
    void fewSamplesGetWhatIsUsualForTheirSpacing() {
        Signal few = new Signal(new int[] {7, 1}, 1, new float[7]);
        List<WidthChoice> choices = WidthSweep.choices("triangle", few, Method.CLOSED_FORM);
        assertThat(choices.get(0))
                .isEqualTo(WidthChoice.forSpacing("triangle", 1 / 7.0, Method.CLOSED_FORM));
        assertThat(choices.get(1).value()).isEqualTo(2);
    }

    /** A long sound is looked at in parts, and widths scale with its length. */
    @Test
    void aLongLineIsLookedAtInParts() {
        Signal once = WidthSweep.training(UnseenSignals.of("temperature")); // 360 samples
        float[] values = new float[8 * once.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = once.values()[i % once.values().length];
        }
        Signal often = new Signal(new int[] {8 * 360}, 2, values);
        double own = WidthSweep.choices("gaussian", once, Method.CLOSED_FORM).get(0).value() * 360;
        int[] tile = {256};
        double tiled =
                WidthChoice.forSignal(
                                        "gaussian",
                                        often,
                                        tile,
                                        new double[] {1.0 / 256},
                                        tile,
                                        Method.CLOSED_FORM,
                                        0)
                                .get(0)
                                .value()
                        * 256;
        double whole =
                WidthSweep.choices("gaussian", often, Method.CLOSED_FORM).get(0).value() * 8 * 360;
        assertThat(tiled).isCloseTo(own, withinPercentage(20));
        assertThat(whole).isCloseTo(tiled, withinPercentage(1e-6));
    }

    /** Fits of a quarter of the samples, drawn at random, judged by all the others. */
    @ParameterizedTest
    @CsvSource({"gaussian, leaves-7", "gaussian, clouds", "triangle, bricks", "gaussian, tissue"})
    void theChoiceForGapsIsWithinHalfADecibelOfTheBestOfASweep(String encoding, String name) {
        Signal signal = UnseenSignals.of(name);
        int axes = signal.axes();
        int[] sides = signal.sides();
        double fraction = axes == 2 ? 0.25 : 0.125;
        boolean[] trains = new Sampling.RandomFraction(fraction, 5).trains(sides);
        int[] k = Arrays.stream(sides).map(n -> n / 2).toArray();
        List<WidthChoice> choices = WidthChoice.forGaps(encoding, signal, trains, sides, k, 0);
        double chosen =
                WidthSweep.fromGaps(
                        signal,
                        trains,
                        encoding,
                        k,
                        choices.stream().map(WidthChoice::settings).toList());
        double best = Double.NEGATIVE_INFINITY;
        for (double spacings = 0.6; spacings < 5; spacings *= 1.3) {
            List<Map<String, String>> settings = new ArrayList<>();
            for (int own : k) {
                settings.add(Map.of(choices.get(0).key(), "" + spacings / own));
            }
            best = Math.max(best, WidthSweep.fromGaps(signal, trains, encoding, k, settings));
        }
        assertThat(chosen).as("%s", choices).isGreaterThan(best - 0.5);
    }
}
