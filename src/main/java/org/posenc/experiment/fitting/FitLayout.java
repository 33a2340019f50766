package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.Positions;
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
 * neighbouring features are as far apart as samples are. A signal that is longer than two tiles
 * along an axis is cut up: a closed form costs the cube of a tile's side, and encodings that act
 * locally lose nothing.
 *
 * @param network what each of the networks is
 * @param tiles what each is fitted to
 * @param reason why the encoding is as wide as it is
 */
record FitLayout(NetworkPlan network, Tiles tiles, String reason) {

    /** Standard sides of a tile for signals of 1, 2, 3 and more axes. */
    private static final int[] SIDES = {512, 512, 128, 72};

    /** Weights of a first layer of hidden units: 64 MB in float32. */
    private static final double MOST_WEIGHTS = 1 << 24;

    private static final int SIMPLE_FEATURES = 256;

    static FitLayout of(Signal signal, FitPlan plan, EncodingChoice choice) {
        Tiles tiles = tiles(signal, plan);
        int[] lengths = lengths(tiles.tile(), plan.sampling());
        List<ChosenEncoding> encodings = new ArrayList<>();
        StandardWidth width = null;
        if (plan.complex()) {
            for (int length : lengths) {
                width = StandardWidth.of(choice, 1.0 / length, plan);
                Space space =
                        new Space(
                                1,
                                features(plan, choice, length, lengths.length),
                                length,
                                true,
                                plan.seed());
                encodings.add(new ChosenEncoding(choice.name(), space, width.choice().settings()));
            }
        } else {
            int longest = Arrays.stream(lengths).max().orElseThrow();
            width = StandardWidth.of(choice, 1.0 / longest, plan);
            int features = plan.features().orElse(SIMPLE_FEATURES * lengths.length);
            Space space = new Space(lengths.length, features, longest, true, plan.seed());
            encodings.add(new ChosenEncoding(choice.name(), space, width.choice().settings()));
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
        return new FitLayout(network, tiles, width.reason());
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
                            double part = Math.pow(fraction, 1.0 / tile.length);
                            return (int) Math.max(1, Math.round(side * part));
                        })
                .toArray();
    }

    /**
     * Returns which samples of a tile train.
     *
     * @param trains which samples of the signal do
     * @param tile the tile's number
     */
    boolean[] trains(boolean[] trains, int tile) {
        int[] sides = tiles.sides();
        int[] extent = tiles.tile();
        int[] from = tiles.from(tile);
        boolean[] own = new boolean[IntStream.of(extent).reduce(1, (a, b) -> a * b)];
        for (int n = 0; n < own.length; n++) {
            int at = 0;
            int rest = n;
            int stride = 1;
            for (int m = sides.length - 1; m >= 0; m--) {
                at += (from[m] + rest % extent[m]) * stride;
                rest /= extent[m];
                stride *= sides[m];
            }
            own[n] = trains[at];
        }
        return own;
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

    /**
     * Returns the coordinates of samples along an axis of a tile.
     *
     * @param axis m
     * @param samples which, from 0
     * @param manager owns them
     * @return (samples), float64
     */
    Positions positions(int axis, int[] samples, NDManager manager) {
        double side = tiles.tile()[axis];
        return Positions.of(
                manager.create(Arrays.stream(samples).mapToDouble(i -> i / side).toArray()));
    }
}
