package org.posenc.encoding.rope;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.posenc.encoding.Settings;

/**
 * RoPE's parameters as settings in words, as the command line and experiments take them: a scaling
 * by its name and the numbers it needs. A number that the scaling does not take is refused.
 */
public final class NamedScaling {

    private static final String FACTOR = "factor";
    private static final String ORIGINAL_LENGTH = "original-length";
    private static final String BETA_FAST = "beta-fast";
    private static final String BETA_SLOW = "beta-slow";
    private static final String TRUNCATE = "truncate";
    private static final String ATTENTION_FACTOR = "attention-factor";
    private static final String MSCALE = "mscale";
    private static final String MSCALE_ALL_DIM = "mscale-all-dim";
    private static final String LOW_FREQUENCY_FACTOR = "low-frequency-factor";
    private static final String HIGH_FREQUENCY_FACTOR = "high-frequency-factor";
    private static final String EXPONENT = "exponent";
    private static final String SHORT_FACTORS = "short-factors";
    private static final String LONG_FACTORS = "long-factors";

    /** The settings beside base and part; "auto" is not given. */
    private static final List<Settings.Key> OPTIONS =
            List.of(
                    auto(FACTOR, "how many times the original length is to be reached, at least 1"),
                    auto(ORIGINAL_LENGTH, "tokens seen in pre-training; auto: the training length"),
                    auto(BETA_FAST, "turns from which on a pair stays; auto: 32"),
                    auto(BETA_SLOW, "turns up to which a pair is interpolated; auto: 1"),
                    auto(TRUNCATE, "whether YaRN's ramp ends at whole pairs; auto: true"),
                    auto(ATTENTION_FACTOR, "the attention scaling; auto: by the formula"),
                    auto(MSCALE, "YaRN's multiplier in the attention scaling"),
                    auto(MSCALE_ALL_DIM, "YaRN's multiplier below the attention scaling"),
                    auto(LOW_FREQUENCY_FACTOR, "Llama 3's bound of low frequencies; auto: 1"),
                    auto(HIGH_FREQUENCY_FACTOR, "Llama 3's bound of high frequencies; auto: 4"),
                    auto(EXPONENT, "how NTK-mixed spreads the factor; auto: 0.625"),
                    auto(SHORT_FACTORS, "LongRoPE's divisors up to the original length, a/b/c"),
                    auto(LONG_FACTORS, "LongRoPE's divisors beyond it, a/b/c"));

    /** What a scaling takes of the options, and how it is made of them. */
    private record Kind(Set<String> options, BiFunction<Settings, Integer, RopeScaling> scaling) {}

    private static final Map<String, Kind> KINDS = kinds();

    private NamedScaling() {}

    private static Settings.Key auto(String key, String meaning) {
        return new Settings.Key(key, "auto", meaning);
    }

    private static Map<String, Kind> kinds() {
        Map<String, Kind> kinds = new LinkedHashMap<>();
        kinds.put("default", new Kind(Set.of(), (s, length) -> new Default()));
        kinds.put("linear", new Kind(Set.of(FACTOR), (s, length) -> new Linear(factor(s))));
        kinds.put("ntk-aware", new Kind(Set.of(FACTOR), (s, length) -> new NtkAware(factor(s))));
        kinds.put("ntk-old", new Kind(Set.of(FACTOR), (s, length) -> new NtkOld(factor(s))));
        kinds.put("ntk-fixed", new Kind(Set.of(FACTOR), (s, length) -> new NtkFixed(factor(s))));
        kinds.put(
                "ntk-mixed",
                new Kind(
                        Set.of(FACTOR, EXPONENT),
                        (s, length) -> new NtkMixed(factor(s), s.number(EXPONENT, 0.625))));
        kinds.put(
                "dynamic",
                new Kind(
                        Set.of(FACTOR, ORIGINAL_LENGTH),
                        (s, length) -> new DynamicNtk(factor(s), original(s, length))));
        kinds.put(
                "dynamic-linear",
                new Kind(
                        Set.of(ORIGINAL_LENGTH),
                        (s, length) -> new DynamicLinear(original(s, length))));
        kinds.put("ntk-by-parts", byParts(false));
        kinds.put("yarn-paper", byParts(true));
        kinds.put(
                "ntk-by-parts-v1",
                new Kind(
                        Set.of(FACTOR, ORIGINAL_LENGTH),
                        (s, length) -> NtkByPartsV1.of(factor(s), original(s, length))));
        kinds.put(
                "yarn",
                new Kind(
                        Set.of(
                                FACTOR,
                                ORIGINAL_LENGTH,
                                BETA_FAST,
                                BETA_SLOW,
                                TRUNCATE,
                                ATTENTION_FACTOR,
                                MSCALE,
                                MSCALE_ALL_DIM),
                        NamedScaling::yarn));
        kinds.put(
                "dynamic-yarn",
                new Kind(
                        Set.of(FACTOR, ORIGINAL_LENGTH, BETA_FAST, BETA_SLOW, TRUNCATE),
                        (s, length) ->
                                new DynamicYarn(
                                        s.number(FACTOR, 1),
                                        original(s, length),
                                        s.number(BETA_FAST, 32),
                                        s.number(BETA_SLOW, 1),
                                        truncate(s))));
        kinds.put(
                "llama3",
                new Kind(
                        Set.of(
                                FACTOR,
                                ORIGINAL_LENGTH,
                                LOW_FREQUENCY_FACTOR,
                                HIGH_FREQUENCY_FACTOR),
                        (s, length) ->
                                new Llama3(
                                        factor(s),
                                        s.number(LOW_FREQUENCY_FACTOR, 1),
                                        s.number(HIGH_FREQUENCY_FACTOR, 4),
                                        original(s, length))));
        kinds.put(
                "proportional",
                new Kind(
                        Set.of(FACTOR),
                        (s, length) -> new Proportional(s.number("partial"), s.number(FACTOR, 1))));
        kinds.put(
                "longrope",
                new Kind(
                        Set.of(
                                FACTOR,
                                ORIGINAL_LENGTH,
                                ATTENTION_FACTOR,
                                SHORT_FACTORS,
                                LONG_FACTORS),
                        (s, length) ->
                                new LongRope(
                                        divisors(s, SHORT_FACTORS),
                                        divisors(s, LONG_FACTORS),
                                        original(s, length),
                                        factor(s),
                                        optional(s, ATTENTION_FACTOR))));
        return kinds;
    }

    private static Kind byParts(boolean scaleAttention) {
        return new Kind(
                Set.of(FACTOR, ORIGINAL_LENGTH, BETA_FAST, BETA_SLOW),
                (s, length) ->
                        new NtkByParts(
                                factor(s),
                                original(s, length),
                                s.number(BETA_FAST, 32),
                                s.number(BETA_SLOW, 1),
                                scaleAttention));
    }

    private static RopeScaling yarn(Settings s, int length) {
        return new Yarn(
                factor(s),
                original(s, length),
                s.number(BETA_FAST, 32),
                s.number(BETA_SLOW, 1),
                truncate(s),
                optional(s, ATTENTION_FACTOR),
                optional(s, MSCALE),
                optional(s, MSCALE_ALL_DIM));
    }

    /**
     * Returns the scalings' names.
     *
     * @return the names, related ones together
     */
    public static List<String> names() {
        return List.copyOf(KINDS.keySet());
    }

    /**
     * Returns what a scaling takes beside base and part.
     *
     * @param scaling a name
     * @return keys of its settings; none where there is no such scaling
     */
    public static Set<String> options(String scaling) {
        Kind kind = KINDS.get(scaling);
        return kind == null ? Set.of() : kind.options();
    }

    /**
     * Returns the settings that {@link #parameters} reads.
     *
     * @return base, partial, scaling and what scalings take
     */
    public static List<Settings.Key> keys() {
        return Stream.concat(
                        Stream.of(
                                new Settings.Key(
                                        "base", "10000", "base b of the frequencies, above 0"),
                                new Settings.Key(
                                        "partial",
                                        "1",
                                        "part of each head that turns, in (0, 1]; of proportional"
                                                + " scaling, part of its pairs"),
                                new Settings.Key(
                                        "scaling", "default", String.join(", ", KINDS.keySet()))),
                        OPTIONS.stream())
                .toList();
    }

    /**
     * Returns RoPE's parameters.
     *
     * @param settings values of {@link #keys}
     * @param headDimension D
     * @param trainedLength what the original length is where it is not set, in tokens
     * @return the parameters
     * @throws IllegalArgumentException if a setting is unknown, out of range, missing, or none of
     *     the scaling's
     */
    public static RopeParameters parameters(
            Settings settings, int headDimension, int trainedLength) {
        checkNumbers(settings);
        String name = settings.text("scaling");
        Kind kind = KINDS.get(name);
        if (kind == null) {
            throw settings.refusal(
                    "scaling", "the name of a scaling", Settings.suggestion(name, names()));
        }
        for (Settings.Key option : OPTIONS) {
            if (!settings.automatic(option.key()) && !kind.options().contains(option.key())) {
                throw settings.refusal(option.key(), "left out with scaling " + name, "");
            }
        }
        RopeScaling scaling = kind.scaling().apply(settings, trainedLength);
        double base = settings.number("base");
        return scaling instanceof Proportional
                ? RopeParameters.of(headDimension, base, scaling)
                : RopeParameters.partial(headDimension, settings.number("partial"), base, scaling);
    }

    /**
     * Returns RoPE's parameters of the settings that differ from the standard.
     *
     * @param given such as scaling=yarn, factor=4
     * @param headDimension D
     * @param trainedLength what the original length is where it is not set, in tokens
     * @return the parameters
     * @throws IllegalArgumentException as {@link #parameters(Settings, int, int)}
     */
    public static RopeParameters parameters(
            Map<String, String> given, int headDimension, int trainedLength) {
        return parameters(Settings.of("rope", keys(), given), headDimension, trainedLength);
    }

    /** Refuses what is no number before it is refused for being of another scaling. */
    private static void checkNumbers(Settings s) {
        s.number("base");
        s.number("partial");
        for (Settings.Key option : OPTIONS) {
            switch (option.key()) {
                case TRUNCATE -> truncate(s);
                case SHORT_FACTORS, LONG_FACTORS -> {
                    if (!s.automatic(option.key())) {
                        divisors(s, option.key());
                    }
                }
                case ORIGINAL_LENGTH -> original(s, 1);
                default -> optional(s, option.key());
            }
        }
    }

    private static double factor(Settings s) {
        if (s.automatic(FACTOR)) {
            throw s.refusal(FACTOR, "set for scaling " + s.text("scaling"), "");
        }
        return s.number(FACTOR);
    }

    private static long original(Settings s, int trainedLength) {
        return s.integer(ORIGINAL_LENGTH, trainedLength);
    }

    private static boolean truncate(Settings s) {
        return s.automatic(TRUNCATE) || s.flag(TRUNCATE);
    }

    private static OptionalDouble optional(Settings s, String key) {
        return s.automatic(key) ? OptionalDouble.empty() : OptionalDouble.of(s.number(key));
    }

    private static double[] divisors(Settings s, String key) {
        try {
            return Stream.of(s.text(key).split("/")).mapToDouble(Double::parseDouble).toArray();
        } catch (NumberFormatException e) {
            throw s.refusal(key, "numbers with / between them", "");
        }
    }
}
