package org.posenc.signal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;

/**
 * Fits of samples that lie anywhere with one width of an encoding after another, in a few blocks of
 * the signal. Every eighth of a block's training samples is held back, and the fit judged by it.
 */
final class GapTrials {

    /** Sides of a block for signals of 1, 2, 3 and more axes. */
    private static final int[] SIDES = {512, 64, 20, 10};

    private static final int BLOCKS = 4;
    private static final int HELD_BACK = 8; // one in
    private static final int FEWEST = 16; // samples to fit

    private final String encoding;
    private final int[] sides; // of a block
    private final int[] dimensions; // of a block
    private final int channels;
    private final long seed;
    private final List<Block> blocks = new ArrayList<>();

    /** A block's samples, and which are fitted and which held back. */
    private record Block(float[] values, boolean[] fitted, boolean[] held) {}

    /**
     * Takes blocks of a signal.
     *
     * @param encoding the encoding's name
     * @param signal with all its samples, of which only those that train are looked at
     * @param trains which do
     * @param tile the samples along each axis that have a network of their own
     * @param dimensions K_m, the features along each axis of a tile
     * @param seed draws blocks, what is held back and random frequencies
     */
    GapTrials(
            String encoding,
            Signal signal,
            boolean[] trains,
            int[] tile,
            int[] dimensions,
            long seed) {
        this.encoding = encoding;
        this.seed = seed;
        channels = signal.channels();
        int axes = tile.length;
        int longest = SIDES[Math.min(axes, SIDES.length) - 1];
        sides = Arrays.stream(tile).map(n -> Math.min(n, longest)).toArray();
        this.dimensions = new int[axes];
        for (int m = 0; m < axes; m++) {
            int k = (int) Math.round((double) dimensions[m] * sides[m] / tile[m]);
            this.dimensions[m] = Math.max(2, k + k % 2);
        }
        SplittableRandom random = new SplittableRandom(seed);
        int all = Arrays.equals(sides, signal.sides()) ? 1 : BLOCKS;
        for (int b = 0; b < all; b++) {
            int[] from = new int[axes];
            for (int m = 0; m < axes; m++) {
                from[m] = random.nextInt(signal.sides()[m] - sides[m] + 1);
            }
            Block block = block(signal, trains, from, random);
            if (count(block.fitted) >= FEWEST && count(block.held) > 0) {
                blocks.add(block);
            }
        }
    }

    private Block block(Signal signal, boolean[] trains, int[] from, SplittableRandom random) {
        float[] values = signal.part(from, sides).values();
        boolean[] fitted = new boolean[values.length / channels];
        boolean[] held = new boolean[fitted.length];
        int[] whole = signal.sides();
        for (int n = 0; n < fitted.length; n++) {
            int at = 0;
            int rest = n;
            int stride = 1;
            for (int m = sides.length - 1; m >= 0; m--) {
                at += (from[m] + rest % sides[m]) * stride;
                rest /= sides[m];
                stride *= whole[m];
            }
            if (trains[at]) {
                held[n] = random.nextInt(HELD_BACK) == 0;
                fitted[n] = !held[n];
            }
        }
        return new Block(values, fitted, held);
    }

    private static int count(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return count;
    }

    /** Returns whether there is enough to try a width on. */
    boolean possible() {
        return !blocks.isEmpty();
    }

    /** Returns how many samples are held back. */
    int heldBack() {
        return blocks.stream().mapToInt(block -> count(block.held)).sum();
    }

    /** Returns the sides of a block. */
    int[] sides() {
        return sides.clone();
    }

    /** Returns the features along each axis of a block. */
    int[] dimensions() {
        return dimensions.clone();
    }

    /**
     * Tries a width.
     *
     * @param settings of the encoding along each axis of a block
     * @return the mean squared error of the samples that were held back
     */
    double error(List<Map<String, String>> settings) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            List<NDArray> phi = new ArrayList<>();
            PositionFeatures features = null;
            for (int m = 0; m < sides.length; m++) {
                Space space = new Space(1, dimensions[m], dimensions[m], true, seed);
                features = Encodings.named(encoding).features(space, settings.get(m));
                features.initialize(manager, DataType.FLOAT64, new Shape(sides[m]));
                double[] x = new double[sides[m]];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (double) i / x.length;
                }
                Positions positions = Positions.of(manager.create(x));
                phi.add(features.features(positions, new ParameterStore(manager, false), false));
            }
            Regularization ridge = Regularization.suitingGaps(features, phi);
            Shape grid = new Shape(Arrays.stream(sides).asLongStream().toArray());
            double squares = 0;
            for (Block block : blocks) {
                ScatteredFit fit =
                        ScatteredFit.ofGrid(
                                phi,
                                manager.create(block.values, grid.add(channels)),
                                manager.create(block.fitted, grid),
                                ridge,
                                Stopping.USUAL);
                double[] guessed = fit.onGrid(phi).toDoubleArray();
                for (int i = 0; i < guessed.length; i++) {
                    double off = guessed[i] - block.values[i];
                    squares += block.held[i / channels] ? off * off : 0;
                }
            }
            return squares / ((double) heldBack() * channels);
        }
    }
}
