package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.encoding.Space;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.ChosenEncoding;
import org.posenc.signal.NetworkPlan;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.signal.Tiles;

/**
 * Which networks fit a signal: their sizes, and the tiles that each of them is responsible for.
 *
 * <p>A complex encoding has as many features along an axis as samples that train there, so that
 * neighbouring features are as far apart as samples are; where mirrored samples train too, there
 * are features for these as well, without which few features could not meet all that they are
 * fitted to. A signal that is longer than two tiles along an axis is cut up: a closed form costs
 * the cube of a tile's side, and encodings that act locally lose nothing.
 *
 * @param network what each of the networks is
 * @param tiles what each is fitted to
 * @param width how wide the encoding is, in a few words
 * @param reason why
 * @param ends what is done where the signal ends
 */
record FitLayout(NetworkPlan network, Tiles tiles, String width, String reason, Ends ends) {

    /** Standard sides of a tile for signals of 1, 2, 3 and more axes. */
    private static final int[] SIDES = {512, 512, 128, 72};

    /** Weights of a first layer of hidden units: 64 MB in float32. */
    private static final double MOST_WEIGHTS = 1 << 24;

    private static final int SIMPLE_FEATURES = 256;

    static FitLayout of(Signal signal, FitPlan plan, EncodingChoice choice) {
        Tiles tiles = tiles(signal, plan);
        int[] lengths = lengths(tiles.tile(), plan.sampling());
        List<ChosenEncoding> encodings = new ArrayList<>();
        List<ChosenWidth> widths = new ArrayList<>();
        Ends ends = Ends.of(choice, plan.sampling(), tiles);
        if (plan.complex()) {
            int[] features =
                    IntStream.range(0, lengths.length)
                            .map(
                                    m -> {
                                        double fitted = lengths[m] * ends.grid().extent(m);
                                        int n = (int) Math.round(fitted);
                                        return features(plan, choice, n, lengths.length);
                                    })
                            .toArray();
            double[] spacings = spacings(ends.grid(), lengths);
            List<ChosenWidth> each =
                    ChosenWidth.ofAxes(choice, signal, plan, tiles, spacings, features);
            for (int m = 0; m < lengths.length; m++) {
                if (ends.single(m)) {
                    encodings.add(ends.constant(m));
                    continue;
                }
                widths.add(each.get(m));
                Space space = new Space(1, features[m], lengths[m], true, plan.seed());
                encodings.add(chosen(each.get(m), space, ends.settings(m)));
            }
        } else {
            int longest = Arrays.stream(lengths).max().orElseThrow();
            widths.add(ChosenWidth.ofSimple(choice, longest));
            int features = plan.features().orElse(SIMPLE_FEATURES * lengths.length);
            Space space = new Space(lengths.length, features, longest, true, plan.seed());
            encodings.add(chosen(widths.get(0), space, ends.settings()));
        }
        NetworkPlan network =
                new NetworkPlan(
                        encodings,
                        plan.complex(),
                        plan.depth(),
                        plan.width(),
                        plan.activation(),
                        signal.channels(),
                        false);
        return new FitLayout(
                network, tiles, ChosenWidth.summary(widths), ChosenWidth.reason(widths), ends);
    }

    private static ChosenEncoding chosen(ChosenWidth width, Space space, Map<String, String> ends) {
        Map<String, String> settings = new TreeMap<>(width.choice().settings());
        settings.putAll(ends);
        return new ChosenEncoding(width.choice().name(), space, settings);
    }

    /** The distance of samples that train, as a part of the axis; on average, of random ones. */
    private static double[] spacings(TrainingGrid grid, int[] lengths) {
        double[] spacings = new double[lengths.length];
        for (int m = 0; m < spacings.length; m++) {
            double even = (double) grid.spacing()[m] / grid.tiles().tile()[m];
            spacings[m] = Math.max(even, 1.0 / lengths[m]);
        }
        return spacings;
    }

    private static int features(FitPlan plan, EncodingChoice choice, int length, int axes) {
        if (plan.features().isPresent()) {
            return plan.features().getAsInt();
        }
        // Copies of a basis belong on the samples that train; sines and cosines come in pairs.
        Space pair = new Space(1, 2, length, true, plan.seed());
        boolean shifted =
                Encodings.named(choice.name()).features(pair, choice.settings())
                        instanceof ShiftedBasis;
        int wanted = shifted ? length : length + length % 2;
        if (plan.depth() == 0) {
            return wanted;
        }
        int most = (int) Math.pow(MOST_WEIGHTS / plan.width(), 1.0 / axes);
        return wanted <= most ? wanted : Math.max(2, most - most % 2);
    }

    private static Tiles tiles(Signal signal, FitPlan plan) {
        int step = plan.sampling() instanceof Sampling.Every every ? every.step() : 1;
        int[] sides = signal.sides();
        int side = SIDES[Math.min(sides.length, SIDES.length) - 1];
        int longest = plan.tile().orElse(side);
        if (plan.tile().isEmpty() && (!plan.complex() || signal.longest() <= 2 * side)) {
            return Tiles.whole(sides);
        }
        // What a fit does at the edge of a tile fades within so many samples that train.
        int overlap = Math.max(Tiles.OVERLAP, Math.min(longest / 4, Tiles.OVERLAP * step));
        int[] tile = Tiles.of(sides, Math.max(longest, 2 * (Tiles.OVERLAP + step)), step).tile();
        return Arrays.equals(tile, sides)
                ? Tiles.whole(sides)
                : new Tiles(sides, tile, overlap, step);
    }

    /** Returns the samples that train along each axis of a tile, if they were even. */
    static int[] lengths(int[] tile, Sampling sampling) {
        return IntStream.of(tile)
                .map(
                        side -> {
                            if (sampling instanceof Sampling.Every every) {
                                return every.indices(side).length;
                            }
                            double fraction = ((Sampling.RandomFraction) sampling).fraction();
                            long axes = IntStream.of(tile).filter(n -> n > 1).count();
                            double part = Math.pow(fraction, 1.0 / axes);
                            return (int) Math.max(1, Math.round(side * part));
                        })
                .toArray();
    }

    /**
     * Returns a signal's difference from an offset.
     *
     * @param signal of the layout's channels
     * @param offset a value for each of them
     */
    static Signal less(Signal signal, float[] offset) {
        float[] values = signal.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] -= offset[i % offset.length];
        }
        return new Signal(signal.sides(), signal.channels(), values);
    }

    /** Returns the number of features in words, such as "256 × 256". */
    String features() {
        return String.join(
                " × ",
                network.encodings().stream()
                        .map(encoding -> Integer.toString(encoding.features().featureDimension()))
                        .toList());
    }

    /**
     * Makes a network with initial weights.
     *
     * @param seed draws them
     * @param manager owns them
     */
    CoordinateMlp initialized(long seed, NDManager manager) {
        CoordinateMlp made = network.network(seed);
        int axes = network.axes();
        made.initialize(manager, DataType.FLOAT32, axes == 1 ? new Shape(1) : new Shape(1, axes));
        return made;
    }
}
