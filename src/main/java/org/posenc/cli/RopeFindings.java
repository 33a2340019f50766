package org.posenc.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.DoublePredicate;
import java.util.stream.IntStream;
import org.posenc.analysis.RopeAnalysis;
import org.posenc.checkpoint.RopeConfig;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeFrequencies;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.Yarn;

/** What a RoPE means for its owner, in sentences that the numbers alone do not say. */
final class RopeFindings {

    /** Frequencies whose ratio is this close to 1, or to the factor, count as it. */
    private static final double SAME = 1e-9;

    /** A bfloat16 has so many times the spacing of a float32. */
    private static final double BFLOAT16 = 1 << 16;

    private final RopeView view;
    private final RopeAnalysis analysis;
    private final List<String> found = new ArrayList<>();

    private RopeFindings(RopeView view) {
        this.view = view;
        analysis = view.analysis();
    }

    static List<String> of(RopeView view) {
        RopeFindings findings = new RopeFindings(view);
        findings.turns();
        findings.scaling();
        findings.attention();
        findings.bound();
        findings.layers();
        findings.precision();
        return List.copyOf(findings.found);
    }

    private void turns() {
        long never = view.neverTurned();
        int pairs = view.pairs();
        if (never == 0) {
            say(
                    "All %d pairs turn at least once within the %,d tokens of the pre-training, so"
                            + " no position beyond brings an angle that the model has not seen.",
                    pairs, analysis.trainedLength());
            return;
        }
        long unseen = view.unseen();
        say(
                "%d of %d pairs never turn once within the %,d tokens of the pre-training (critical"
                        + " dimension %d of %d); %s.",
                never,
                pairs,
                analysis.trainedLength(),
                analysis.criticalDimension(),
                view.rope().rotaryDimension(),
                unseen == 0
                        ? "at %,d tokens none of them reaches an angle that is new to the model"
                                .formatted(view.length())
                        : "at %,d tokens %d of them %s angles that no trained position had"
                                .formatted(
                                        view.length(), unseen, unseen == 1 ? "reaches" : "reach"));
        double limit = analysis.extrapolationLimit();
        if (Double.isFinite(limit) && !isShort()) {
            say(
                    "Tuned with these frequencies, on texts as long as those of the pre-training, it"
                            + " carries to about %,d tokens, the wavelength of the first pair that"
                            + " never turned (Liu et al. 2023); further only if it is tuned on longer"
                            + " ones.",
                    Math.round(limit));
        }
    }

    /** Whether LongRoPE's short factors are shown, which nothing long is read with. */
    private boolean isShort() {
        return view.rope().scaling() instanceof LongRope longRope
                && view.length() <= longRope.originalLength();
    }

    private void scaling() {
        RopeScaling scaling = view.rope().scaling();
        if (scaling instanceof Default) {
            if (view.unseen() > 0 || view.length() > view.reach()) {
                say(
                        "There is no scaling: beyond %,d tokens the model is on its own.",
                        view.config().maxPositions());
            }
        } else if (scaling instanceof Linear linear) {
            say(
                    "Linear scaling divides every frequency by %s, in short texts too: the angle"
                            + " between neighbouring tokens is %.0f %% of what it was.",
                    number(linear.factor()), 100 * analysis.resolution());
        } else if (scaling instanceof DynamicNtk dynamic) {
            dynamic(dynamic);
        } else if (scaling instanceof Yarn yarn) {
            parts("YaRN", yarn.factor());
            say(
                    "Static YaRN is applied to short texts too, also to those that fit into the"
                            + " %,d tokens of the pre-training%s.",
                    yarn.originalLength(), yarn.factor() > 1 ? ", where models lose a little" : "");
        } else if (scaling instanceof Llama3 llama3) {
            parts("Llama 3's scaling", llama3.factor());
        } else if (scaling instanceof LongRope longRope) {
            longRope(longRope);
        } else if (scaling instanceof Proportional proportional) {
            long still =
                    Arrays.stream(analysis.scaled().inverse()).filter(theta -> theta == 0).count();
            say(
                    "Proportional RoPE lets %d of %d pairs turn; the other %d, which would be the"
                            + " slowest, compare content without position.",
                    view.pairs() - still, view.pairs(), still);
            if (proportional.factor() > 1) {
                say("Frequencies are divided by %s.", number(proportional.factor()));
            }
        }
        if (view.rope().rotaryDimension() < view.rope().headDimension()) {
            say(
                    "%d of the %d components of a head do not turn: they compare content without"
                            + " position.",
                    view.rope().headDimension() - view.rope().rotaryDimension(),
                    view.rope().headDimension());
        }
    }

    /** Which pairs a factor leaves, mixes and divides. */
    private void parts(String what, double factor) {
        double[] before = analysis.unscaled().inverse();
        double[] after = analysis.scaled().inverse();
        double[] ratios = new double[before.length];
        Arrays.setAll(ratios, i -> before[i] / after[i]);
        List<String> parts = new ArrayList<>();
        range(ratios, r -> r < 1 + SAME).ifPresent(r -> parts.add("leaves " + r + " as they are"));
        range(ratios, r -> r >= 1 + SAME && r <= factor * (1 - SAME))
                .ifPresent(r -> parts.add("mixes " + r));
        range(ratios, r -> r > factor * (1 - SAME) && r >= 1 + SAME)
                .ifPresent(r -> parts.add("divides " + r + " by " + number(factor)));
        say("%s with factor %s %s.", what, number(factor), listed(parts));
    }

    private static Optional<String> range(double[] ratios, DoublePredicate belongs) {
        int[] pairs =
                IntStream.range(0, ratios.length).filter(i -> belongs.test(ratios[i])).toArray();
        if (pairs.length == 0) {
            return Optional.empty();
        }
        int last = pairs[pairs.length - 1];
        return Optional.of(
                pairs.length == 1 ? "pair " + last : "pairs %d–%d".formatted(pairs[0], last));
    }

    private void dynamic(DynamicNtk dynamic) {
        long beyond = Math.max(view.length(), 2 * dynamic.trainedLength());
        double slowest = slowest(dynamic.trainedLength()) / slowest(beyond);
        say(
                "Dynamic NTK is plain RoPE up to %,d tokens; then the base grows with the length: at"
                        + " %,d tokens the slowest pair turns %s times slower.",
                dynamic.trainedLength(), beyond, number(slowest));
        say(
                "Keys that were cached turned are stale as soon as a text grows beyond %,d tokens:"
                        + " cache them unturned, turn them again, or declare the final length before"
                        + " the first token.",
                dynamic.trainedLength());
    }

    private double slowest(long length) {
        double[] inverse = view.rope().frequencies(length, RopePrecision.EXACT).inverse();
        return inverse[inverse.length - 1];
    }

    private void longRope(LongRope longRope) {
        double[] shorter = longRope.shortFactors();
        double[] longer = longRope.longFactors();
        double most =
                IntStream.range(0, shorter.length)
                        .mapToDouble(i -> longer[i] / shorter[i])
                        .max()
                        .orElseThrow();
        say(
                "LongRoPE switches at %,d: one token more and frequencies change by up to %s times,"
                        + " so keys that were cached turned before are wrong after it. Shown are those"
                        + " of the %s factors, for %,d tokens.",
                longRope.originalLength(),
                number(most),
                view.length() > longRope.originalLength() ? "long" : "short",
                view.length());
        if (isShort() && view.reach() > view.length()) {
            RopeAnalysis far = RopeAnalysis.of(view.rope(), analysis.trainedLength(), view.reach());
            OptionalLong bound = far.contextBound(RopeView.BOUND_LIMIT);
            say(
                    "With the long factors, at %,d tokens, %d of %d pairs reach angles that no"
                            + " trained position had, and attention looks away from like tokens %s;"
                            + " --seq-len %d shows them.",
                    view.reach(),
                    far.pairs().stream().filter(RopeAnalysis.Pair::reachesUnseenAngles).count(),
                    view.pairs(),
                    bound.isPresent()
                            ? "%,d back".formatted(bound.getAsLong())
                            : "nowhere up to %,d".formatted(RopeView.BOUND_LIMIT),
                    view.reach());
        }
        say(
                "In transformers the longest row of a batch decides for all; posenc decides row by"
                        + " row.");
    }

    private void attention() {
        double scaling = analysis.scaled().attentionScaling();
        if (scaling != 1) {
            say(
                    "Cosines and sines are multiplied by %s, and so every score by %s, at every"
                            + " length.",
                    number(scaling), number(scaling * scaling));
        }
    }

    private void bound() {
        long promised = Math.max(view.length(), view.reach());
        if (view.contextBound().isEmpty()) {
            say(
                    "With base %s attention prefers a like token at every distance up to %,d.",
                    number(view.rope().base()), RopeView.BOUND_LIMIT);
        } else {
            long bound = view.contextBound().getAsLong();
            say(
                    "With base %s alone attention looks away from like tokens %,d back, the first"
                            + " distance where B(m) < 0 (Men et al. 2024)%s.",
                    number(view.rope().base()),
                    bound,
                    bound <= promised
                            ? ", although the context is %,d long".formatted(promised)
                            : ", beyond the context of %,d".formatted(promised));
        }
        if (!view.scaledContextBound().equals(view.contextBound())) {
            say(
                    "The scaling moves this to %s.",
                    view.scaledContextBound().isPresent()
                            ? "%,d".formatted(view.scaledContextBound().getAsLong())
                            : "beyond %,d".formatted(RopeView.BOUND_LIMIT));
        }
        view.smallestBase()
                .ifPresent(
                        base ->
                                say(
                                        "Without scaling, the smallest base that carries %,d tokens"
                                                + " is %,d%s.",
                                        view.target(), (long) Math.ceil(base), besideOurs(base)));
    }

    private String besideOurs(double smallest) {
        if (smallest > view.rope().base()) {
            return ", %s times the base here".formatted(number(smallest / view.rope().base()));
        }
        return view.contextBound().isPresent() && view.contextBound().getAsLong() <= view.target()
                ? "; the greater base here does not, since B(m) depends on the base in waves"
                : ", and here it is greater";
    }

    private void layers() {
        RopeConfig config = view.config();
        for (Map.Entry<String, Optional<RopeParameters>> entry : config.parameters().entrySet()) {
            int[] layers = RopeView.layersOf(config, entry.getKey());
            String which =
                    layers.length == 0
                            ? "Layers of type %s".formatted(entry.getKey())
                            : "%d of %d layers (%s%s)"
                                    .formatted(
                                            layers.length,
                                            config.layerTypes().size(),
                                            entry.getKey().equals(RopeConfig.NONE)
                                                    ? ""
                                                    : entry.getKey() + ": ",
                                            few(layers));
            if (entry.getValue().isEmpty()) {
                say("%s have no RoPE and see the order of tokens only through the others.", which);
            } else if (!entry.getKey().equals(view.layerType())
                    && !entry.getValue().get().equals(view.rope())) {
                RopeParameters other = entry.getValue().get();
                say(
                        "%s have another RoPE: base %s, type %s; --layer shows it.",
                        which, number(other.base()), RopeConfig.ropeType(other.scaling()));
            }
        }
        if (config.layout().isEmpty()) {
            say(
                    "Which components make a pair is not known for model type \"%s\": most turn"
                            + " halves, some neighbours, and the wrong one gives plausible nonsense.",
                    config.modelType());
        }
        config.sections()
                .ifPresent(
                        sections ->
                                say(
                                        "Pairs are shared by time, height and width as %s, %s; for"
                                                + " text all three are the position.",
                                        sections.sizes(),
                                        sections.interleaved() ? "taking turns" : "in chunks"));
    }

    /** Half a unit in the last place of the angle, in float32, at the last position. */
    private void precision() {
        double angle = (view.length() - 1) * analysis.scaled().inverse()[0];
        double error = Math.ulp((float) angle) / 2;
        if (error > 1e-4) {
            say(
                    "Computed in float32, as transformers does, the fastest angle at position %,d"
                            + " is off by up to %s rad; in bfloat16 %s.",
                    view.length() - 1,
                    number(error),
                    error * BFLOAT16 > Math.PI
                            ? "it would mean nothing"
                            : "by up to " + number(error * BFLOAT16));
        }
    }

    /** Returns what differs between two, in sentences. */
    static List<String> difference(RopeView one, RopeView other) {
        List<String> found = new ArrayList<>();
        compare(found, "type", one.ropeType(), other.ropeType());
        compare(found, "base", number(one.rope().base()), number(other.rope().base()));
        compare(
                found,
                "turned components",
                one.rope().rotaryDimension(),
                other.rope().rotaryDimension());
        compare(found, "head dimension", one.rope().headDimension(), other.rope().headDimension());
        compare(found, "layout", layout(one), layout(other));
        compare(
                found,
                "longest context",
                one.config().maxPositions(),
                other.config().maxPositions());
        RopeFrequencies a = one.analysis().scaled();
        RopeFrequencies b = other.analysis().scaled();
        compare(
                found,
                "attention scaling",
                number(a.attentionScaling()),
                number(b.attentionScaling()));
        if (a.pairs() == b.pairs()) {
            found.add(frequencies(a.inverse(), b.inverse()));
        }
        return found;
    }

    private static String frequencies(double[] a, double[] b) {
        double[] ratios = new double[a.length];
        Arrays.setAll(ratios, i -> a[i] == b[i] ? 1 : Math.max(a[i] / b[i], b[i] / a[i]));
        Optional<String> differing = range(ratios, r -> r > 1 + SAME);
        if (differing.isEmpty()) {
            return "The frequencies are the same.";
        }
        return "The frequencies of %s differ, by up to %s times."
                .formatted(differing.get(), number(Arrays.stream(ratios).max().orElseThrow()));
    }

    private static String layout(RopeView view) {
        return view.config().layout().map(Settings::nameOf).orElse("not known");
    }

    private static void compare(List<String> found, String what, Object one, Object other) {
        if (!one.equals(other)) {
            found.add(
                    "The %s is %s in the first and %s in the second.".formatted(what, one, other));
        }
    }

    /** Returns a number as a reader writes it: whole with commas, else to four digits. */
    static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return String.format(Locale.ROOT, "%,d", (long) value);
        }
        double size = Math.abs(value);
        String format = size < 1e-3 ? "%.1e" : size < 1000 ? "%.4g" : "%,.0f";
        String digits = String.format(Locale.ROOT, format, value);
        return digits.contains("e") || !digits.contains(".")
                ? digits
                : digits.replaceAll("\\.?0+$", "");
    }

    private static String few(int[] layers) {
        String start =
                String.join(
                        ", ", Arrays.stream(layers).limit(6).mapToObj(Integer::toString).toList());
        return layers.length > 6 ? start + ", …" : start;
    }

    private static String listed(List<String> parts) {
        return parts.size() < 2
                ? String.join("", parts)
                : String.join(", ", parts.subList(0, parts.size() - 1))
                        + " and "
                        + parts.get(parts.size() - 1);
    }

    private void say(String format, Object... values) {
        found.add(String.format(Locale.ROOT, format, values));
    }
}
