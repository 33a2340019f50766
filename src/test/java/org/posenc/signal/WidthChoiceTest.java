package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.analysis.ClosedForms;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;
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

    /** Every second sample along each axis. */
    private static Signal training(Signal signal) {
        int[] sides = Arrays.stream(signal.sides()).map(n -> (n + 1) / 2).toArray();
        float[] kept =
                new float[Arrays.stream(sides).reduce(1, (a, b) -> a * b) * signal.channels()];
        boolean[] trains = Sampling.EVERY_SECOND.trains(signal.sides());
        int at = 0;
        for (int i = 0; i < trains.length; i++) {
            for (int c = 0; trains[i] && c < signal.channels(); c++) {
                kept[at++] = signal.values()[i * signal.channels() + c];
            }
        }
        return new Signal(sides, signal.channels(), kept);
    }

    private static double[] sweep(String encoding, int samples) {
        double h = 1.0 / samples;
        return switch (encoding) {
            case "gaussian" -> geometric(0.25 * h, 8 * h, 1.15);
            case "triangle" ->
                    DoubleStream.of(0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8)
                            .map(w -> w * h)
                            .toArray();
            case "random-fourier" -> geometric(0.02 * samples, 0.5 * samples, 1.2);
            default ->
                    DoubleStream.iterate(
                                    1, p -> p <= Math.log(samples) / Math.log(2), p -> p + 0.25)
                            .toArray();
        };
    }

    private static double[] geometric(double from, double to, double ratio) {
        return DoubleStream.iterate(from, v -> v <= to, v -> v * ratio).toArray();
    }

    /** The held-out PSNR of the complex encoding's fit in closed form. */
    private static double heldOut(Signal signal, String encoding, Map<String, String> settings) {
        try (NDManager manager = NDManager.newBaseManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            List<NDArray> trained = new ArrayList<>();
            List<NDArray> all = new ArrayList<>();
            PositionFeatures axis = null;
            for (int side : signal.sides()) {
                int n = (side + 1) / 2;
                axis = Encodings.named(encoding).features(new Space(1, n, n, true, 0), settings);
                axis.initialize(manager, DataType.FLOAT64, new Shape(n));
                double[] x = IntStream.range(0, side).mapToDouble(i -> (double) i / side).toArray();
                NDArray phi = axis.features(Positions.of(manager.create(x)), parameters, false);
                all.add(phi);
                trained.add(phi.get("::2"));
            }
            Signal samples = training(signal);
            NDArray s = samples.array(manager).toType(DataType.FLOAT64, false);
            double[] fitted =
                    SeparableFit.of(trained, s, Regularization.suiting(axis))
                            .onGrid(all)
                            .toDoubleArray();
            return psnrHeldOut(signal, fitted);
        }
    }

    private static double psnrHeldOut(Signal signal, double... fitted) {
        boolean[] trains = Sampling.EVERY_SECOND.trains(signal.sides());
        double squares = 0;
        int count = 0;
        for (int i = 0; i < fitted.length; i++) {
            if (!trains[i / signal.channels()]) {
                double off = fitted[i] - signal.values()[i];
                squares += off * off;
                count++;
            }
        }
        return -10 * Math.log10(squares / count);
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
        Signal signal = signal(name);
        Signal samples = training(signal);
        int n = samples.longest();
        WidthChoice choice = WidthChoice.forSignal(encoding, samples, n, Method.CLOSED_FORM);
        double chosen = heldOut(signal, encoding, choice.settings());
        double best = Double.NEGATIVE_INFINITY;
        double at = 0;
        for (double value : sweep(encoding, n)) {
            double there = heldOut(signal, encoding, Map.of(choice.key(), "" + value));
            if (there > best) {
                best = there;
                at = value;
            }
        }
        assertThat(chosen)
                .as("%s, the sweep's best is %.2f dB at %s; %s", name, best, at, choice.reason())
                .isGreaterThan(best - 0.5);
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
        Signal samples = training(signal);
        double[] s = new double[samples.values().length];
        Arrays.setAll(s, i -> samples.values()[i]);
        double[] w = trained(a, b, s, plane ? 0.1 : 0.01, plane ? 600 : 1000);
        double[][] all = plane ? gaussians(columns, sigma, 1) : identity;
        return psnrHeldOut(signal, grid(gaussians(rows, sigma, 1), w, all));
    }

    @ParameterizedTest
    @ValueSource(strings = {"photograph-rows", "leaves"})
    void theChoiceForTrainingIsWithinHalfADecibelOfTheBestTrained(String name) {
        Signal signal = name.equals("leaves") ? signal(name).channel(1) : signal(name);
        Signal samples = training(signal);
        int n = samples.longest();
        WidthChoice choice = WidthChoice.forSignal("gaussian", samples, n, Method.TRAINING);
        WidthChoice usual = WidthChoice.forSpacing("gaussian", 1.0 / n, Method.TRAINING);
        double best = Double.NEGATIVE_INFINITY;
        double at = 0;
        for (double sigma : geometric(0.5 / n, 3.0 / n, 1.35)) {
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
        assertThat(heldOut(signal("leaves"), "gaussian", choice.settings()))
                .isGreaterThan(best - 0.5);
    }

    /** Nothing but the spacing is known, so that a smooth or a rough signal costs something. */
    @ParameterizedTest
    @CsvSource({"photograph, 0.6", "walk, 1.6"})
    void theSpacingAloneIsNearTheBestOfASweep(String name, double decibels) {
        Signal signal = signal(name);
        int n = training(signal).longest();
        for (String encoding : List.of("gaussian", "triangle", "random-fourier")) {
            WidthChoice choice = WidthChoice.forSpacing(encoding, 1.0 / n, Method.CLOSED_FORM);
            double best =
                    Arrays.stream(sweep(encoding, n))
                            .map(v -> heldOut(signal, encoding, Map.of(choice.key(), "" + v)))
                            .max()
                            .orElseThrow();
            assertThat(heldOut(signal, encoding, choice.settings()))
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
        assertThat(choice.forecast()).isNaN();
        assertThat(choice.stableRank())
                .isCloseTo(ClosedForms.gaussianStableRank(sigma, 100), within(1e-9));
        assertThat(choice.distancePreservation())
                .isCloseTo(2 * sigma * Math.sqrt(Math.log(10)), within(1e-12));
        assertThat(choice.reason())
                .contains("0.01 apart", "50 cycles", "0.966 spacings", "stable rank");
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
        double known =
                heldOut(
                        sines,
                        "gaussian",
                        WidthChoice.forBandwidth("gaussian", h, 37, Method.CLOSED_FORM).settings());
        assertThat(known)
                .isGreaterThan(heldOut(sines, "gaussian", Map.of("sigma", "" + whole)) + 3);
    }

    @Test
    void eachAxisMayHaveItsOwn() {
        int rows = 64;
        int columns = 32;
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            double y = i / columns / (double) rows;
            double x = i % columns / (double) columns;
            values[i] = (float) (Math.sin(4 * Math.PI * y) + Math.cos(26 * Math.PI * x));
        }
        Signal signal = new Signal(new int[] {rows, columns}, 1, values);
        WidthChoice slow = WidthChoice.forAxis("gaussian", signal, 0, 64, Method.CLOSED_FORM);
        WidthChoice fast = WidthChoice.forAxis("gaussian", signal, 1, 32, Method.CLOSED_FORM);
        assertThat(slow.value() * rows).isGreaterThan(2 * fast.value() * columns);
        assertThat(slow.forecast()).isGreaterThan(30);
    }

    @Test
    void saysWhatIsWrong() {
        for (double spacing : new double[] {0, -0.1, Double.NaN, 0.6}) {
            assertThatThrownBy(
                            () -> WidthChoice.forSpacing("gaussian", spacing, Method.CLOSED_FORM))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "the spacing of samples must be positive and at most 0.5 of the axis,"
                                    + " got "
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
        Signal few = line(7, i -> i);
        assertThatThrownBy(() -> WidthChoice.forSignal("gaussian", few, 7, Method.TRAINING))
                .hasMessage("a width can be chosen from at least 8 samples along an axis, got 7");
        assertThatThrownBy(() -> WidthChoice.forAxis("gaussian", few, 1, 7, Method.TRAINING))
                .hasMessageContaining("no axis 1");
        assertThatThrownBy(() -> line(9, i -> i == 4 ? Double.NaN : 1))
                .hasMessageContaining("finite, got NaN at [4]");
    }

    /** A constant signal has no spectrum, but a choice. */
    @Test
    void nothingHappensToAConstant() {
        WidthChoice choice =
                WidthChoice.forSignal("gaussian", line(32, i -> 0.25), 32, Method.CLOSED_FORM);
        assertThat(choice.value()).isFinite().isPositive();
    }
}
