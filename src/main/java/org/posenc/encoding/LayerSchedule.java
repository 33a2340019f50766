package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.posenc.encoding.rope.RotaryPart;

/**
 * An encoding of its own for each layer: layers without any ({@link NoEncoding}) among layers with
 * RoPE, as in SmolLM3 and Llama 4 (<a href="https://arxiv.org/abs/2501.18795">Yang et al.
 * 2025</a>), or RoPE with another base in layers that see the whole context, as in Gemma 3 (<a
 * href="https://arxiv.org/abs/2503.19786">2025</a>).
 *
 * <p>Layers that are given the same encoding share it and its parameters. The embed seam is before
 * all layers: there the encodings act one after the other, each once.
 *
 * <p>A trained model loses its encodings in some layers or in all of them (DroPE, <a
 * href="https://arxiv.org/abs/2512.12167">2025</a>) by {@code Transformer.withEncoding}.
 */
public final class LayerSchedule extends EncodingBlock {

    private static final byte VERSION = 1;

    private enum Parameters {
        OWN,
        SHARED
    }

    private final List<PositionalEncoding> layers;
    private final List<PositionalEncoding> distinct;

    /**
     * A schedule that names the encoding of each layer.
     *
     * @param layers the encodings of layer 0, 1, …; the same object where layers share one
     * @throws IllegalArgumentException if there are none
     */
    public LayerSchedule(List<? extends PositionalEncoding> layers) {
        super(VERSION);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException("a schedule needs at least one layer");
        }
        this.layers = List.copyOf(layers);
        distinct = this.layers.stream().distinct().toList();
        for (int i = 0; i < distinct.size(); i++) {
            addChildBlock("encoding" + i, distinct.get(i));
        }
    }

    /**
     * A schedule that repeats itself, such as three layers with RoPE and one without.
     *
     * @param layers the number of layers, at least 1
     * @param period the encodings of the first layers, in turn
     * @return a new block
     * @throws IllegalArgumentException if there are no layers or no encodings
     */
    public static LayerSchedule repeating(int layers, PositionalEncoding... period) {
        Checks.atLeast(1, layers, "layers");
        Checks.atLeast(1, period.length, "the period");
        List<PositionalEncoding> each = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            each.add(period[i % period.length]);
        }
        return new LayerSchedule(each);
    }

    /**
     * Returns the encodings of all layers.
     *
     * @return one for each layer, in order
     */
    public List<PositionalEncoding> layers() {
        return layers;
    }

    private PositionalEncoding at(LayerContext context) {
        if (context.layer() >= layers.size()) {
            throw new IllegalArgumentException(
                    "this schedule is made for "
                            + layers.size()
                            + " layers, got layer "
                            + context.layer()
                            + ", counted from 0");
        }
        return layers.get(context.layer());
    }

    /** {@inheritDoc} */
    @Override
    public NDArray embed(
            NDArray tokens, Positions positions, ParameterStore parameters, boolean training) {
        NDArray placed = tokens;
        for (PositionalEncoding encoding : distinct) {
            placed = encoding.embed(placed, positions, parameters, training);
        }
        return placed;
    }

    /** {@inheritDoc} */
    @Override
    public Optional<RotaryPart> rotaryPart(int layer) {
        return layer < layers.size() ? layers.get(layer).rotaryPart(layer) : Optional.empty();
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return at(context).rotateQueries(queries, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return at(context).rotateKeys(keys, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray products(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return at(context).products(queries, keys, queryPositions, keyPositions, context);
    }

    /**
     * Returns whether keys stay rotated in every layer.
     *
     * @return false where they do not in one of them
     */
    @Override
    public boolean keysStayRotated() {
        return distinct.stream().allMatch(PositionalEncoding::keysStayRotated);
    }

    /**
     * Returns whether keys can be turned on in every layer.
     *
     * @return false where they cannot in one of them
     */
    @Override
    public boolean canRerotateKeys() {
        return distinct.stream().allMatch(PositionalEncoding::canRerotateKeys);
    }

    /** {@inheritDoc} */
    @Override
    public boolean rowsAreIndependent(LayerContext context) {
        return at(context).rowsAreIndependent(context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray rerotateKeys(
            NDArray rotated,
            Positions positions,
            Positions before,
            Positions now,
            LayerContext context) {
        return at(context).rerotateKeys(rotated, positions, before, now, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray keyNotes(NDArray hidden, Positions positions, LayerContext context) {
        return at(context).keyNotes(hidden, positions, context);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return at(context).bias(queries, keys, queryPositions, keyPositions, context);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return layers.stream()
                .map(encoding -> String.valueOf(distinct.indexOf(encoding)))
                .collect(Collectors.joining(" ", "encodings of layers ", ""));
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        for (Block encoding : distinct) {
            encoding.initialize(manager, type, inputShapes);
        }
    }

    /** Gives a named encoding the setting {@code layers}: each of them learns its own, or not. */
    static NamedEncoding ownInEachLayer(NamedEncoding plain) {
        return with(
                plain,
                new Settings.Key(
                        "layers",
                        "own",
                        "own: each layer learns its own, as the authors' do; shared: all the same"),
                (site, settings) ->
                        settings.choice("layers", Parameters.class) == Parameters.SHARED
                                        || site.layers() == 1
                                ? plain.encoding().apply(site, settings)
                                : new LayerSchedule(
                                        IntStream.range(0, site.layers())
                                                .mapToObj(site::ofLayer)
                                                .map(one -> plain.encoding().apply(one, settings))
                                                .toList()));
    }

    /** Gives a named encoding the setting {@code nope-every}: layers that are without it. */
    static NamedEncoding leftOutOfSome(NamedEncoding plain) {
        return with(
                plain,
                new Settings.Key(
                        "nope-every",
                        "0",
                        "every n-th layer is without positions, n from 2 to the number of layers;"
                                + " 0: none"),
                (site, settings) -> {
                    PositionalEncoding made = plain.encoding().apply(site, settings);
                    int every = settings.integer("nope-every");
                    if (every == 0) {
                        return made;
                    }
                    if (every < 2 || every > site.layers()) {
                        throw settings.refusal(
                                "nope-every",
                                "0, or from 2 to the number of layers, " + site.layers(),
                                "");
                    }
                    PositionalEncoding[] period = new PositionalEncoding[every];
                    Arrays.fill(period, made);
                    period[every - 1] = new NoEncoding();
                    return repeating(site.layers(), period);
                });
    }

    private static NamedEncoding with(
            NamedEncoding plain,
            Settings.Key key,
            BiFunction<Site, Settings, PositionalEncoding> made) {
        List<Settings.Key> keys = new ArrayList<>(plain.keys());
        keys.add(key);
        return new NamedEncoding(
                plain.name(), plain.summary(), List.copyOf(keys), made, plain.features());
    }
}
