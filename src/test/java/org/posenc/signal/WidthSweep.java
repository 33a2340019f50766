package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;

/**
 * What {@link WidthChoice} is measured by: every width of a sweep is fitted to every second sample
 * along each axis, and what was left out is compared with the signal.
 */
final class WidthSweep {

    /** A width and what it reached, in dB. */
    record Best(double value, double psnr) {}

    /** What a choice reached beside the best of its sweep. */
    record Result(List<WidthChoice> choices, double psnr, Best best) {

        /** In dB. */
        double lost() {
            return best.psnr - psnr;
        }

        @Override
        public String toString() {
            return String.format(
                    "%.2f dB, the sweep's best is %.2f dB at %.4g; %s",
                    psnr, best.psnr, best.value, choices);
        }
    }

    private WidthSweep() {}

    /** Chooses widths and sweeps. */
    static Result of(Signal signal, String encoding) {
        List<WidthChoice> choices =
                choices(encoding, training(signal), WidthChoice.Method.CLOSED_FORM);
        double psnr =
                heldOut(signal, encoding, choices.stream().map(WidthChoice::settings).toList());
        return new Result(choices, psnr, best(signal, encoding, choices.get(0).key()));
    }

    /** Chooses for samples with as many features. */
    static List<WidthChoice> choices(String encoding, Signal samples, WidthChoice.Method method) {
        int[] sides = samples.sides();
        int[] features = Arrays.stream(sides).map(n -> features(encoding, n)).toArray();
        double[] spacings = Arrays.stream(sides).mapToDouble(n -> 1.0 / n).toArray();
        return WidthChoice.forSignal(encoding, samples, sides, spacings, features, method, 0);
    }

    private static int features(String encoding, int samples) {
        return isLocal(encoding) ? samples : samples + samples % 2; // waves come in pairs
    }

    private static boolean isLocal(String encoding) {
        return encoding.equals("gaussian") || encoding.equals("triangle");
    }

    /** Every second sample along each axis. */
    static Signal training(Signal signal) {
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

    /** Widths for so many samples along an axis. */
    static double[] values(String encoding, int samples) {
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

    static double[] geometric(double from, double to, double ratio) {
        return DoubleStream.iterate(from, v -> v <= to, v -> v * ratio).toArray();
    }

    /**
     * The best width of the sweep, which is the same for all axes, as parts of them or, where their
     * lengths differ, in samples.
     */
    static Best best(Signal signal, String encoding, String key) {
        int[] sides = training(signal).sides();
        double[][] values =
                Arrays.stream(sides).mapToObj(n -> values(encoding, n)).toArray(double[][]::new);
        int count = Arrays.stream(values).mapToInt(v -> v.length).min().orElseThrow();
        int longest =
                IntStream.range(0, sides.length)
                        .reduce((a, b) -> sides[b] > sides[a] ? b : a)
                        .orElseThrow();
        Best best = new Best(Double.NaN, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < count; i++) {
            List<Map<String, String>> settings = new ArrayList<>();
            for (double[] axis : values) {
                settings.add(Map.of(key, Double.toString(axis[axis.length - count + i])));
            }
            double psnr = heldOut(signal, encoding, settings);
            if (psnr > best.psnr) {
                best = new Best(values[longest][values[longest].length - count + i], psnr);
            }
        }
        return best;
    }

    /**
     * The held-out PSNR of the complex encoding's fit in closed form.
     *
     * @param settings of each axis, or of all
     */
    static double heldOut(Signal signal, String encoding, List<Map<String, String>> settings) {
        try (NDManager manager = NDManager.newBaseManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            List<NDArray> trained = new ArrayList<>();
            List<NDArray> all = new ArrayList<>();
            List<NDArray> extend = new ArrayList<>();
            PositionFeatures axis = null;
            for (int m = 0; m < signal.axes(); m++) {
                int side = signal.sides()[m];
                int n = (side + 1) / 2;
                int k = features(encoding, n);
                Map<String, String> own =
                        new TreeMap<>(settings.get(Math.min(m, settings.size() - 1)));
                int margin = isLocal(encoding) ? 0 : 2; // what a fit does at the ends
                if (isLocal(encoding)) {
                    own.put("mirrored", "true");
                    own.put("from", "" + -1.0 / side);
                    own.put("to", "" + (2.0 * n - 1) / side);
                }
                axis = Encodings.named(encoding).features(new Space(1, k, n, true, 0), own);
                axis.initialize(manager, DataType.FLOAT64, new Shape(n));
                double[] x = IntStream.range(0, side).mapToDouble(i -> (double) i / side).toArray();
                double[] t =
                        IntStream.range(-margin, n + margin)
                                .mapToDouble(i -> 2.0 * i / side)
                                .toArray();
                NDArray phi = axis.features(Positions.of(manager.create(x)), parameters, false);
                all.add(phi);
                trained.add(axis.features(Positions.of(manager.create(t)), parameters, false));
                if (margin > 0) {
                    long[] mirror =
                            IntStream.range(-margin, n + margin)
                                    .mapToLong(i -> i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i)
                                    .toArray();
                    extend.add(manager.create(mirror));
                }
            }
            Signal samples = training(signal);
            NDArray s = samples.array(manager).toType(DataType.FLOAT64, false);
            for (int m = 0; m < extend.size(); m++) {
                s = s.swapAxes(0, m).get(extend.get(m)).swapAxes(0, m);
            }
            double[] fitted =
                    SeparableFit.of(trained, s, Regularization.suiting(axis))
                            .onGrid(all)
                            .toDoubleArray();
            return psnrHeldOut(signal, fitted);
        }
    }

    /** The PSNR of a fit of some samples in all others. */
    static double fromGaps(
            Signal signal,
            boolean[] trains,
            String encoding,
            int[] features,
            List<Map<String, String>> settings) {
        try (NDManager manager = NDManager.newBaseManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            List<NDArray> phi = new ArrayList<>();
            PositionFeatures axis = null;
            for (int m = 0; m < features.length; m++) {
                int side = signal.sides()[m];
                Space space = new Space(1, features[m], features[m], true, 0);
                axis = Encodings.named(encoding).features(space, settings.get(m));
                axis.initialize(manager, DataType.FLOAT64, new Shape(side));
                double[] x = IntStream.range(0, side).mapToDouble(i -> (double) i / side).toArray();
                phi.add(axis.features(Positions.of(manager.create(x)), parameters, false));
            }
            NDArray samples = signal.array(manager);
            Shape sides = samples.getShape().slice(0, signal.axes());
            double[] fitted =
                    ScatteredFit.ofGrid(
                                    phi,
                                    samples,
                                    manager.create(trains, sides),
                                    Regularization.suitingGaps(axis, phi),
                                    Stopping.USUAL)
                            .onGrid(phi)
                            .toDoubleArray();
            return psnr(signal, trains, fitted);
        }
    }

    static double psnrHeldOut(Signal signal, double... fitted) {
        return psnr(signal, Sampling.EVERY_SECOND.trains(signal.sides()), fitted);
    }

    private static double psnr(Signal signal, boolean[] trains, double[] fitted) {
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
}
