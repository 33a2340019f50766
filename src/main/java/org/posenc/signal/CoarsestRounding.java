package org.posenc.signal;

import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.model.CoordinateMlp;

/**
 * The coarsest rounding of a fitted signal's parameters whose error is no greater than is allowed:
 * a step is guessed by bisection from a few tiles and samples, and made finer until the error of
 * the whole signal fits.
 *
 * @param fitted the networks
 * @param signal what they were fitted to
 * @param loss how many decibels may be lost, above 0
 * @param manager on the networks' device
 */
record CoarsestRounding(FittedSignal fitted, Signal signal, double loss, NDManager manager) {

    /** Steps are sought in eighths of a factor of 2, from 2⁻¹⁴ to 2 of the numbers' size. */
    private static final int FINEST = -14 * 8;

    private static final int COARSEST = 8;

    /** Tiles and samples of each from which a step is guessed. */
    private static final int FEW_TILES = 4;

    private static final int FEW_SAMPLES = 1 << 15;

    /**
     * Coefficients of a signal are also rounded towards 0, by this part of a step. They are worth
     * less than they seem: where not all samples trained, part of them is what the fit makes of
     * detail that the samples could not show, and to shrink it does no harm. The smaller code wins.
     */
    private static final double TOWARDS_ZERO = 0.3;

    /** Returns the rounded parameters, or as they are where no step is fine enough. */
    List<CodedTensor> tensors() {
        List<CodedTensor> smallest = NetworkCode.exact(fitted.networks());
        try (NetworkCode code = new NetworkCode(fitted.plan(), manager);
                AxisFeatures features = new AxisFeatures(fitted.networks().get(0), manager)) {
            NetworkCode.Numbers numbers = code.new Numbers(fitted.networks());
            double allowed = factor() * error(fitted, signal, 1, features);
            boolean signalItself = code.areCoefficientsOfSignal();
            for (double zero : signalItself ? new double[] {0, TOWARDS_ZERO} : new double[] {0}) {
                List<CodedTensor> tensors = coarsest(numbers, zero, allowed, features);
                smallest = bytes(tensors) < bytes(smallest) ? tensors : smallest;
            }
        }
        return smallest;
    }

    private static long bytes(List<CodedTensor> tensors) {
        return tensors.stream().mapToLong(t -> t.code().length).sum();
    }

    private List<CodedTensor> coarsest(
            NetworkCode.Numbers numbers, double zero, double allowed, AxisFeatures features) {
        for (int k = guess(numbers, zero, features); k >= FINEST; k--) {
            List<CoordinateMlp> rounded = numbers.rounded(step(k), zero);
            if (error(with(fitted.tiles(), rounded), signal, 1, features) <= allowed) {
                return numbers.coded(step(k), zero);
            }
        }
        return NetworkCode.exact(fitted.networks());
    }

    private double factor() {
        return Math.pow(10, loss / 10);
    }

    private static double step(int eighths) {
        return Math.pow(2, eighths / 8.0);
    }

    private FittedSignal with(Tiles tiles, List<CoordinateMlp> networks) {
        return new FittedSignal(fitted.plan(), tiles, networks, fitted.offset());
    }

    private int guess(NetworkCode.Numbers numbers, double zero, AxisFeatures features) {
        Tiles tiles = fitted.tiles();
        int count = Math.min(FEW_TILES, tiles.count());
        int[] few =
                IntStream.range(0, count)
                        .map(i -> (int) ((long) i * tiles.count() / count))
                        .toArray();
        List<CoordinateMlp> own =
                IntStream.of(few).mapToObj(i -> fitted.networks().get(i)).toList();
        NetworkCode.Numbers theirs = numbers.of(few);
        double allowed = factor() * error(few, own, features);
        int fine = FINEST;
        int coarse = COARSEST;
        while (coarse - fine > 1) {
            int middle = Math.floorDiv(fine + coarse, 2);
            boolean fits = error(few, theirs.rounded(step(middle), zero), features) <= allowed;
            fine = fits ? middle : fine;
            coarse = fits ? coarse : middle;
        }
        return fine;
    }

    /** The mean squared error of some tiles, each for itself, at some samples. */
    private double error(int[] few, List<CoordinateMlp> networks, AxisFeatures features) {
        Tiles tiles = fitted.tiles();
        Tiles one = Tiles.whole(tiles.tile());
        int stride = stride(tiles.tile());
        double sum = 0;
        for (int i = 0; i < few.length; i++) {
            Signal part = signal.part(tiles.from(few[i]), tiles.tile());
            sum += error(with(one, List.of(networks.get(i))), part, stride, features);
        }
        return sum / few.length;
    }

    /** An odd number, so that samples of every phase of a regular sampling are met. */
    private static int stride(int[] sides) {
        int stride = 1;
        while (Signal.count(thinned(sides, stride), 1) > FEW_SAMPLES) {
            stride += 2;
        }
        return stride;
    }

    private static int[] thinned(int[] sides, int stride) {
        return Arrays.stream(sides).map(n -> Math.max(1, n / stride)).toArray();
    }

    /** The mean squared error at every so many samples along each axis. */
    private double error(FittedSignal decoded, Signal truth, int stride, AxisFeatures features) {
        int[] whole = truth.sides();
        int[] few = thinned(whole, stride);
        int[] extent = new int[few.length];
        Arrays.setAll(extent, m -> few[m] == 1 ? whole[m] : few[m] * stride);
        Grid grid = Grid.part(whole, new int[few.length], extent, few);
        Signal values = decoded.sample(grid, features, manager);
        int channels = truth.channels();
        double sum = 0;
        int[] place = new int[few.length];
        for (int n = 0; n < values.samples(); n++) {
            int at = 0;
            for (int m = 0; m < few.length; m++) {
                at = at * whole[m] + place[m] * stride;
            }
            for (int c = 0; c < channels; c++) {
                double e = values.values()[n * channels + c] - truth.values()[at * channels + c];
                sum += e * e;
            }
            for (int m = few.length - 1; m >= 0 && ++place[m] == few[m]; m--) {
                place[m] = 0;
            }
        }
        return sum / values.values().length;
    }
}
