package org.posenc.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.NamedScaling;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import picocli.CommandLine.Option;

/** The options that give a model of a folder another RoPE than that of its configuration. */
final class RopeOptions {

    private static final String FACTOR = "factor";
    private static final String LENGTH = "length";

    /** Scalings that have a factor of 1 where none is given. */
    private static final Set<String> FACTOR_MAY_MISS = Set.of("dynamic-yarn", "proportional");

    /** Settings of a scaling that are not given by --rope-option. */
    private static final Map<String, String> OF_THEIR_OWN =
            Map.of(
                    "scaling",
                    "--rope",
                    "base",
                    "--base",
                    FACTOR,
                    "--factor",
                    "original-length",
                    "--original-length");

    @Option(
            names = "--rope",
            paramLabel = "SCALING",
            description =
                    "Scales the frequencies in this way instead of the folder's: default (not at"
                            + " all), linear, ntk-aware, ntk-old, ntk-fixed, ntk-mixed,"
                            + " ntk-by-parts, ntk-by-parts-v1, yarn, yarn-paper, llama3, longrope,"
                            + " proportional, dynamic, dynamic-linear or dynamic-yarn.")
    private String scaling;

    @Option(
            names = "--factor",
            paramLabel = "S",
            description =
                    "How many times the length of the pre-training is to be reached, at least 1"
                            + " (default: --length over that length).")
    private String factor;

    @Option(
            names = "--length",
            paramLabel = "N",
            description =
                    "The longest context that the model is to have, in tokens (default: the factor"
                            + " times the length of the pre-training, or the folder's).")
    private Long length;

    @Option(
            names = "--original-length",
            paramLabel = "N",
            description =
                    "The length of the pre-training (default:"
                            + " original_max_position_embeddings, else max_position_embeddings).")
    private Long original;

    @Option(
            names = "--base",
            paramLabel = "B",
            description = "The base of the frequencies (default: the folder's rope_theta).")
    private Double base;

    @Option(
            names = "--rope-option",
            paramLabel = "KEY=VALUE",
            description =
                    "What a scaling takes beside, as often as needed: beta-fast, beta-slow,"
                            + " truncate, attention-factor, mscale, mscale-all-dim (yarn),"
                            + " low-frequency-factor, high-frequency-factor (llama3), exponent"
                            + " (ntk-mixed), short-factors, long-factors (longrope, a/b/c), partial"
                            + " (proportional).")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--rope-length",
            paramLabel = "each-row|whole-batch|N",
            defaultValue = "each-row",
            description =
                    "The length at which frequencies are taken that depend on it: each row's own,"
                            + " the longest row's as in transformers, or a number of tokens"
                            + " (default: ${DEFAULT-VALUE}).")
    private String frequencies;

    /**
     * What positions do in a model, and how far it is to read.
     *
     * @param rope the parameters of all layers that have RoPE
     * @param length the longest context in tokens: {@code max_position_embeddings}
     * @param encoding a new block of these parameters for one model of the folder
     */
    record Context(RopeParameters rope, long length, PositionalEncoding encoding) {

        /** Returns the scaling's name and how far it is to read, such as "yarn to 256 tokens". */
        String words() {
            String name = rope.scaling().getClass().getSimpleName();
            return String.format(
                    Locale.ROOT,
                    "%s to %,d tokens",
                    name.replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(Locale.ROOT),
                    length);
        }
    }

    /**
     * Returns what a folder's model gets: what its configuration says, but for the options given.
     *
     * @throws IllegalArgumentException if an option is out of its range or none of the scaling's
     */
    Context of(ModelFolder folder) {
        positive("--length", length);
        positive("--original-length", original);
        RopeParameters own = folder.rope();
        long trained = original == null ? folder.originalLength() : original;
        RopeScaling chosen = scaling == null ? unscaled(own) : scaling(own, trained);
        RopeParameters rope =
                new RopeParameters(
                        own.headDimension(),
                        own.rotaryDimension(),
                        base == null ? own.base() : base,
                        chosen);
        PositionalEncoding encoding = folder.encoding(rope, frequencyLength());
        return new Context(rope, length == null ? reach(folder, trained) : length, encoding);
    }

    /** The folder's own scaling, where no other is asked for. */
    private RopeScaling unscaled(RopeParameters own) {
        if (factor != null || original != null || !settings.isEmpty()) {
            throw new IllegalArgumentException(
                    "--factor, --original-length and --rope-option belong to a scaling, which"
                            + " --rope names");
        }
        return own.scaling();
    }

    private RopeScaling scaling(RopeParameters own, long trained) {
        if (trained > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "--original-length must be at most 2147483647, got " + trained);
        }
        Map<String, String> given = new LinkedHashMap<>(settings);
        OF_THEIR_OWN.forEach(
                (key, option) -> {
                    if (given.containsKey(key)) {
                        throw new IllegalArgumentException(
                                "--rope-option " + key + " is an option of its own, " + option);
                    }
                });
        given.put("scaling", scaling);
        given.put("base", Double.toString(base == null ? own.base() : base));
        boolean factored = NamedScaling.options(scaling).contains(FACTOR);
        if (factor != null) {
            given.put(FACTOR, factor);
        } else if (factored && !dynamic() && length != null) {
            given.put(FACTOR, Double.toString(Math.max(1, (double) length / trained)));
        } else if (factored && !FACTOR_MAY_MISS.contains(scaling)) {
            throw new IllegalArgumentException(
                    "--rope " + scaling + " needs --factor" + (dynamic() ? "" : " or --length"));
        }
        // As a whole head: the scaling sees the components that turn, and no others.
        return NamedScaling.parameters(given, own.rotaryDimension(), (int) trained).scaling();
    }

    /** Dynamic scalings grow with the text, from the length of the pre-training on. */
    private boolean dynamic() {
        return scaling.startsWith("dynamic");
    }

    /** How far a model is to read where nobody says it. */
    private long reach(ModelFolder folder, long trained) {
        if (scaling == null) {
            return folder.length();
        }
        return factor == null || dynamic()
                ? trained
                : Math.round(Double.parseDouble(factor) * trained);
    }

    private ContextLength frequencyLength() {
        List<Settings.Key> key = List.of(new Settings.Key(LENGTH, "each-row", ""));
        return ContextLength.of(Settings.of("RoPE", key, Map.of(LENGTH, frequencies)));
    }

    private static void positive(String option, Long value) {
        if (value != null && value < 1) {
            throw new IllegalArgumentException(option + " must be at least 1, got " + value);
        }
    }
}
