package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.posenc.encoding.Positions;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.signal.Tiles;

/**
 * The grid of samples that a fit looks at, the same in each tile: along each axis those that train
 * where they are regular, else all, of which some train.
 *
 * <p>It may reach beyond a tile by a margin. There the k-th sample beyond an end has the value of
 * the k-th before it, as if the ends were mirrors.
 *
 * @param tiles where they are
 * @param spacing of the grid along each axis, in samples of the signal
 * @param places where the grid's samples lie along each axis, in samples of a tile; in a margin
 *     below 0 or beyond the tile
 * @param sources which sample of a tile has their value
 */
record TrainingGrid(Tiles tiles, int[] spacing, int[][] places, int[][] sources) {

    /**
     * Lays the grid out.
     *
     * @param tiles where to
     * @param sampling which samples train
     * @param margin how many samples of the grid lie beyond each end
     */
    static TrainingGrid of(Tiles tiles, Sampling sampling, int margin) {
        int[] sides = tiles.tile();
        int[] spacing = new int[sides.length];
        int[][] places = new int[sides.length][];
        int[][] sources = new int[sides.length][];
        for (int m = 0; m < sides.length; m++) {
            int step = sampling instanceof Sampling.Every every ? every.step() : 1;
            int h = Math.min(step, sides[m]);
            int n = (sides[m] + h - 1) / h;
            int[] grid = IntStream.range(-margin, n + margin).toArray();
            spacing[m] = h;
            places[m] = Arrays.stream(grid).map(i -> i * h).toArray();
            sources[m] = Arrays.stream(grid).map(i -> mirrored(i, n) * h).toArray();
        }
        return new TrainingGrid(tiles, spacing, places, sources);
    }

    /** Which of n samples is seen at i, between mirrors half a sample beyond the first and last. */
    private static int mirrored(int i, int n) {
        int turned = Math.floorMod(i, 2 * n);
        return turned < n ? turned : 2 * n - 1 - turned;
    }

    /** The grid's own sides. */
    int[] sides() {
        return Arrays.stream(places).mapToInt(axis -> axis.length).toArray();
    }

    /**
     * Returns how many samples the grid has along an axis for each that lies within the tile.
     *
     * @param axis m
     */
    double extent(int axis) {
        int tile = tiles.tile()[axis];
        return (double) places[axis].length
                / Arrays.stream(places[axis]).filter(at -> at >= 0 && at < tile).count();
    }

    /** The number of the grid's samples. */
    int count() {
        return Arrays.stream(sides()).reduce(1, Math::multiplyExact);
    }

    /**
     * Returns the coordinate of a sample.
     *
     * @param axis m
     * @param index of the grid
     * @return in [0, 1) within the tile
     */
    double coordinate(int axis, int index) {
        return (double) places[axis][index] / tiles.tile()[axis];
    }

    /**
     * Returns the coordinates along an axis.
     *
     * @param axis m
     * @param manager owns them
     * @return (samples), float64
     */
    Positions positions(int axis, NDManager manager) {
        double[] x = new double[places[axis].length];
        Arrays.setAll(x, i -> coordinate(axis, i));
        return Positions.of(manager.create(x));
    }

    /**
     * Returns the samples of a tile.
     *
     * @param signal the whole signal, or what is fitted of it
     * @param tile the tile's number
     */
    Signal samples(Signal signal, int tile) {
        int[] from = sources(tile);
        int channels = signal.channels();
        float[] values = new float[from.length * channels];
        for (int n = 0; n < from.length; n++) {
            System.arraycopy(signal.values(), from[n] * channels, values, n * channels, channels);
        }
        return new Signal(sides(), channels, values);
    }

    /**
     * Returns which samples of a tile train.
     *
     * @param trains which samples of the signal do
     * @param tile the tile's number
     */
    boolean[] trains(boolean[] trains, int tile) {
        int[] from = sources(tile);
        boolean[] own = new boolean[from.length];
        for (int n = 0; n < own.length; n++) {
            own[n] = trains[from[n]];
        }
        return own;
    }

    /** Which sample of the signal each sample of a tile's grid is, row-major. */
    private int[] sources(int tile) {
        int[] whole = tiles.sides();
        int[] begin = tiles.from(tile);
        int[] found = {0};
        for (int m = 0; m < whole.length; m++) {
            int[] axis = sources[m];
            int[] wider = new int[Math.multiplyExact(found.length, axis.length)];
            for (int i = 0; i < wider.length; i++) {
                wider[i] = found[i / axis.length] * whole[m] + begin[m] + axis[i % axis.length];
            }
            found = wider;
        }
        return found;
    }
}
