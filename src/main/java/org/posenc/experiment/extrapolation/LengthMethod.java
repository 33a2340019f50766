package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.posenc.encoding.Alibi;
import org.posenc.encoding.FeatureEncoding;
import org.posenc.encoding.LearnedTable;
import org.posenc.encoding.LogScaledQueries;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.NtkByParts;
import org.posenc.encoding.rope.NtkFixed;
import org.posenc.encoding.rope.NtkMixed;
import org.posenc.encoding.rope.NtkOld;
import org.posenc.encoding.rope.ReRope;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.SelfExtend;
import org.posenc.encoding.rope.Yarn;

/**
 * What is done to a decoder that was trained at length L so that it reads n tokens: nothing,
 * another set of RoPE's frequencies for k = n/L, or a window beyond which distances are no longer
 * told apart.
 *
 * <p>Scalings that are functions of the length ({@code dynamic-linear}, {@code dynamic-yarn}) are
 * not listed: as each length has a k of its own here, they are {@code linear} and {@code yarn}.
 * LongRoPE is listed without its divisors, which have to be searched for each decoder and length
 * ({@link LongRopeSearch}) before it can be applied.
 *
 * @param name on the command line
 * @param summary what it does, in half a line
 * @param fits whether it can be done to a decoder with this encoding
 * @param maker does it
 */
public record LengthMethod(
        String name, String summary, Predicate<PositionalEncoding> fits, Maker maker) {

    /** Makes the encoding with which n tokens are read. */
    @FunctionalInterface
    interface Maker {

        /**
         * Makes an encoding.
         *
         * @param trained the one of training
         * @param trainedLength L
         * @param length n
         * @param manager owns new parameters
         */
        PositionalEncoding at(
                PositionalEncoding trained, int trainedLength, long length, NDManager manager);
    }

    /** Makes a scaling of RoPE's frequencies. */
    @FunctionalInterface
    private interface Scaling {

        RopeScaling of(double k, int trainedLength, long length);
    }

    /** The name of the method that does nothing. */
    public static final String DIRECT = "direct";

    /** The name of the method whose divisors are searched. */
    static final String SEARCHED = "longrope";

    /** Turns within L up to which YaRN interpolates a pair. */
    private static final double SLOW = 0.5;

    private static final List<LengthMethod> ALL =
            List.of(
                    new LengthMethod(
                            DIRECT,
                            "the encoding as it was trained",
                            encoding -> !isTable(encoding),
                            (trained, trainedLength, length, manager) -> trained),
                    new LengthMethod(
                            "resized",
                            "a learned table, stretched by interpolation",
                            LengthMethod::isTable,
                            (trained, trainedLength, length, manager) ->
                                    reaching(trained, length, manager)),
                    ofRope(
                            "linear",
                            "position interpolation: every frequency divided by k",
                            LengthMethod::linear),
                    ofRope(
                            "ntk-aware",
                            "base b·k^(d/(d−2)): the lowest frequency divided by k",
                            LengthMethod::ntkAware),
                    scaled("ntk-old", "base b·k", (k, l, n) -> new NtkOld(k)),
                    scaled(
                            "ntk-fixed",
                            "the lowest frequency divided by k, the highest by k^(2/d)",
                            (k, l, n) -> new NtkFixed(k)),
                    scaled(
                            "ntk-mixed",
                            "between interpolation and ntk-fixed, exponent 0.625",
                            (k, l, n) -> new NtkMixed(k, 0.625)),
                    scaled(
                            "dynamic",
                            "Hugging Face's dynamic NTK, factor 2",
                            (k, l, n) -> new DynamicNtk(2, l)),
                    scaled(
                            "ntk-by-parts",
                            "pairs that turn often stay, the others are interpolated",
                            (k, l, n) -> new NtkByParts(k, l, fast(l), SLOW, false)),
                    scaled(
                            "yarn",
                            "the same, over the pairs' numbers, and sharper attention; β scaled"
                                    + " to L",
                            (k, l, n) -> Yarn.of(k, l).withBetas(fast(l), SLOW)),
                    scaled(
                            "yarn-32-1",
                            "YaRN with the β of long training lengths, 32 and 1",
                            (k, l, n) -> Yarn.of(k, l)),
                    scaled(
                            "llama3",
                            "Llama 3.1's bands, 1 and 4 turns",
                            (k, l, n) -> new Llama3(k, 1, 4, l)),
                    ofRope(
                            SEARCHED,
                            "a divisor for each pair, searched on text of training",
                            (rope, l, n) -> {
                                throw new IllegalStateException(
                                        "LongRoPE's divisors have not been searched");
                            }),
                    ofRope("rerope", "distances from L/2 on count as L/2", LengthMethod::rerope),
                    ofRope(
                            "leaky-rerope",
                            "distances from L/2 on are squeezed into the rest of L",
                            (rope, l, n) -> leaky(rope, l, squeeze(l, n))),
                    ofRope(
                            "self-extend",
                            "positions farther than L/2 in groups",
                            LengthMethod::selfExtend),
                    sharpened("linear", LengthMethod::linear),
                    sharpened("ntk-aware", LengthMethod::ntkAware),
                    sharpened("rerope", LengthMethod::rerope),
                    new LengthMethod(
                            "drope",
                            "RoPE taken away",
                            Rope.class::isInstance,
                            (trained, trainedLength, length, manager) -> new NoEncoding()),
                    new LengthMethod(
                            "interpolated",
                            "ALiBi's slopes divided by k",
                            Alibi.class::isInstance,
                            (trained, trainedLength, length, manager) ->
                                    Alibi.builder()
                                            .setHeads(((Alibi) trained).heads())
                                            .optCausal(true)
                                            .optInterpolation(
                                                    trainedLength,
                                                    new ContextLength.Declared(length))
                                            .build()));

    /**
     * Turns within L from which on YaRN leaves a pair. At the usual 32 every pair of a short
     * training length would be interpolated: the fastest turns L/2π times.
     */
    private static double fast(int trainedLength) {
        return Math.max(2 * SLOW, trainedLength / (4 * Math.PI));
    }

    /**
     * Returns all methods.
     *
     * @return in the order of reports
     */
    public static List<LengthMethod> all() {
        return ALL;
    }

    /**
     * Returns a method by its name.
     *
     * @param name one of {@link #all}
     * @return the method
     * @throws IllegalArgumentException if there is none of this name; the message has the nearest
     */
    public static LengthMethod named(String name) {
        List<String> names = ALL.stream().map(LengthMethod::name).toList();
        return ALL.stream()
                .filter(method -> method.name.equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "unknown method \""
                                                + name
                                                + "\""
                                                + Settings.suggestion(name, names)));
    }

    /**
     * LongRoPE with the divisors that a search has found for one decoder.
     *
     * @param divisors for each n, one for each pair
     */
    static LengthMethod longRope(Map<Long, double[]> divisors) {
        return ofRope(
                SEARCHED,
                named(SEARCHED).summary,
                (rope, l, n) -> {
                    if (!divisors.containsKey(n)) {
                        throw new IllegalArgumentException(
                                "LongRoPE's divisors were searched for lengths of "
                                        + divisors.keySet()
                                        + ", got "
                                        + n);
                    }
                    double[] found = divisors.get(n);
                    double[] none = new double[found.length];
                    Arrays.fill(none, 1);
                    return rescaled(rope, LongRope.of(none, found, l, (double) n / l), n);
                });
    }

    boolean isSearched() {
        return name.equals(SEARCHED);
    }

    /** What interpolation, NTK-aware scaling and YaRN divide each frequency by. */
    static List<double[]> divisors(Rope trained, int trainedLength, long length) {
        double k = (double) length / trainedLength;
        RopeParameters p = trained.parameters();
        double[] own = inverse(new Linear(1), p, length);
        List<double[]> divisors = new ArrayList<>();
        for (RopeScaling scaling :
                List.of(
                        new Linear(k),
                        new NtkAware(k),
                        Yarn.of(k, trainedLength).withBetas(fast(trainedLength), SLOW))) {
            double[] changed = inverse(scaling, p, length);
            double[] by = new double[own.length];
            Arrays.setAll(by, i -> own[i] / changed[i]);
            divisors.add(by);
        }
        return divisors;
    }

    private static double[] inverse(RopeScaling scaling, RopeParameters p, long length) {
        return scaling.frequencies(p.rotaryDimension(), p.base(), length, RopePrecision.EXACT)
                .inverse();
    }

    /**
     * Makes the encoding with which n tokens are read.
     *
     * @param trained the encoding of training; it must fit
     * @param trainedLength L
     * @param length n
     * @param manager owns new parameters
     * @return the trained encoding itself up to n = L, where every method leaves it alone
     */
    PositionalEncoding at(
            PositionalEncoding trained, int trainedLength, long length, NDManager manager) {
        return length <= trainedLength && !name.equals("drope")
                ? trained
                : maker.at(trained, trainedLength, length, manager);
    }

    private static LengthMethod scaled(String name, String summary, Scaling scaling) {
        return ofRope(
                name,
                summary,
                (rope, trainedLength, length) -> {
                    double k = (double) length / trainedLength;
                    return rescaled(rope, scaling.of(k, trainedLength, length), length);
                });
    }

    private static LengthMethod ofRope(String name, String summary, RopeMaker maker) {
        return new LengthMethod(
                name,
                summary,
                Rope.class::isInstance,
                (trained, trainedLength, length, manager) ->
                        maker.at((Rope) trained, trainedLength, length));
    }

    /** A {@link Maker} for RoPE. */
    @FunctionalInterface
    private interface RopeMaker {

        PositionalEncoding at(Rope trained, int trainedLength, long length);
    }

    /** Another method, with Su's log n scaling of the queries, which needs no training. */
    private static LengthMethod sharpened(String other, RopeMaker maker) {
        return ofRope(
                other + "+log-n",
                other + ", and queries multiplied by max(1, ln n / ln L)",
                (rope, trainedLength, length) ->
                        LogScaledQueries.postHoc(
                                maker.at(rope, trainedLength, length), trainedLength));
    }

    private static Rope linear(Rope trained, int trainedLength, long length) {
        return rescaled(trained, new Linear((double) length / trainedLength), length);
    }

    private static Rope ntkAware(Rope trained, int trainedLength, long length) {
        return rescaled(trained, new NtkAware((double) length / trainedLength), length);
    }

    private static ReRope rerope(Rope trained, int trainedLength, long length) {
        return leaky(trained, trainedLength, Double.POSITIVE_INFINITY);
    }

    private static Rope rescaled(Rope trained, RopeScaling scaling, long length) {
        RopeParameters p = trained.parameters();
        return Rope.builder()
                .setParameters(
                        new RopeParameters(
                                p.headDimension(), p.rotaryDimension(), p.base(), scaling))
                .setLayout(trained.layout())
                .optLength(new ContextLength.Declared(length))
                .build();
    }

    private static ReRope leaky(Rope trained, int trainedLength, double compression) {
        return ReRope.builder()
                .setRope(trained)
                .setWindow(trainedLength / 2)
                .optCompression(compression)
                .build();
    }

    /** How much distances beyond L/2 must be squeezed for the greatest to stay below L. */
    private static double squeeze(int trainedLength, long length) {
        int window = trainedLength / 2;
        return (double) (length - window) / (trainedLength - window);
    }

    private static SelfExtend selfExtend(Rope trained, int trainedLength, long length) {
        return SelfExtend.builder()
                .setRope(trained)
                .setWindow(trainedLength / 2)
                .setGroup((int) Math.ceil(squeeze(trainedLength, length)))
                .build();
    }

    private static boolean isTable(PositionalEncoding encoding) {
        return encoding instanceof FeatureEncoding embed
                && embed.features() instanceof LearnedTable;
    }

    /** Stretches a learned table that ends before n; leaves all else alone. */
    static PositionalEncoding reaching(
            PositionalEncoding encoding, long length, NDManager manager) {
        return encoding instanceof FeatureEncoding embed
                        && embed.features() instanceof LearnedTable table
                        && table.length() < length
                ? table.resized(Math.toIntExact(length), manager).added()
                : encoding;
    }
}
