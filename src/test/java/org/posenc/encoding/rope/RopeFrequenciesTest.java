package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;

/** The scalings against Hugging Face's transformers, jquesnelle/yarn and closed forms. */
class RopeFrequenciesTest {

    private static final List<String> HUGGING_FACE_FILES =
            List.of(
                    "default",
                    "linear",
                    "dynamic",
                    "yarn",
                    "longrope",
                    "llama3",
                    "partial",
                    "presets",
                    "cos_sin",
                    "random",
                    "powers");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default",
                "linear",
                "dynamic",
                "yarn",
                "longrope",
                "llama3",
                "partial",
                "presets",
                "cos_sin",
                "yarn_repo",
                "random",
                "powers"
            })
    void float32ArithmeticEqualsTheReferenceToTheLastBit(String file) {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rope/" + file + ".json")) {
            if (file.equals("yarn_repo")) {
                for (Step step : repositorySteps(c)) {
                    RopeFrequencies own = step.own(RopePrecision.HUGGING_FACE);
                    assertThat(own.inverse()).containsExactly(asFloats(step.expected));
                    compared++;
                }
            } else {
                boolean number = !text(c, "seq_len_kind").equals("tensor");
                RopePrecision precision =
                        number ? RopePrecision.HUGGING_FACE_INT_LENGTH : RopePrecision.HUGGING_FACE;
                assertThat(frequencies(c, precision).inverse())
                        .containsExactly(asFloats(Goldens.flat(c.get("inv_freq"))));
                compared++;
            }
        }
        assertThat(compared).isPositive();
    }

    private static double[] asFloats(double[] decimals) {
        return Arrays.stream(decimals).map(x -> (float) x).toArray();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default",
                "linear",
                "dynamic",
                "yarn",
                "longrope",
                "llama3",
                "partial",
                "presets"
            })
    void doubleArithmeticEqualsTheIndependentEvaluation(String file) {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rope/" + file + ".json")) {
            if (c.has("inv_freq_f64")) {
                double[] expected = Goldens.flat(c.get("inv_freq_f64"));
                assertClose(frequencies(c, RopePrecision.EXACT).inverse(), expected, 1e-12);
                compared++;
            }
        }
        assertThat(compared).isPositive();
    }

    @Test
    void attentionScalingEqualsTheReference() {
        for (String file : HUGGING_FACE_FILES) {
            for (JsonObject c : Goldens.cases("rope/" + file + ".json")) {
                for (RopePrecision precision : RopePrecision.values()) {
                    assertThat(frequencies(c, precision).attentionScaling())
                            .isCloseTo(c.get("attention_scaling").getAsDouble(), within(1e-9));
                }
            }
        }
    }

    @Test
    void whatHuggingFaceLacksEqualsTheAuthorsRepository() {
        List<String> seen = new ArrayList<>();
        for (JsonObject c : Goldens.cases("rope/yarn_repo.json")) {
            for (Step step : repositorySteps(c)) {
                for (RopePrecision precision :
                        List.of(RopePrecision.EXACT, RopePrecision.HUGGING_FACE)) {
                    RopeFrequencies own = step.own(precision);
                    assertClose(own.inverse(), step.expected, 2e-6);
                    assertThat(own.attentionScaling()).isCloseTo(step.scaled, within(1e-9));
                }
            }
            seen.add(c.get("type").getAsString().split(" ")[0]);
        }
        assertThat(seen).contains("ntk", "ntk-by-parts", "yarn", "dynamic-yarn");
    }

    @Test
    void suAndPaperFormsEqualTheReference() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/rope_scaling.json")) {
            JsonObject p = c.getAsJsonObject("params");
            JsonObject out = c.getAsJsonObject("outputs");
            if (!out.has("ntk_aware_base")) {
                continue;
            }
            int d = p.get("head_dim").getAsInt();
            double base = p.get("base").getAsDouble();
            double k = p.get("k").getAsDouble();
            long original = p.get("original_length").getAsLong();
            Object[][] pairs = {
                {"rope", new Default()},
                {"pi", new Linear(k)},
                {"ntk_aware_bloc97", new NtkAware(k)},
                {"ntk_old_su", new NtkOld(k)},
                {"ntk_fixed_su", new NtkFixed(k)},
                {"ntk_mixed_su_b0625", new NtkMixed(k, 0.625)},
                {"ntk_mixed_su_b075", new NtkMixed(k, 0.75)},
                {"ntk_mixed_b1_equals_fixed", new NtkMixed(k, 1)},
                {"ntk_mixed_b0_equals_pi", new NtkMixed(k, 0)},
                {"yarn_paper", NtkByParts.yarnPaper(k, original)},
                {"yarn_hf_truncated", Yarn.of(k, original)},
                {"yarn_hf_untruncated", Yarn.of(k, original).withTruncate(false)},
                {"p_rope_075", new Proportional(0.75, 1)},
                {"p_rope_025", new Proportional(0.25, 1)},
            };
            for (Object[] pair : pairs) {
                double[] own =
                        ((RopeScaling) pair[1])
                                .frequencies(d, base, original, RopePrecision.EXACT)
                                .inverse();
                assertClose(own, Goldens.flat(out.get((String) pair[0])), 1e-12);
                compared++;
            }
            compared += dynamic(out, "dynamic_ntk_hf", new DynamicNtk(k, original), d, base);
            compared += dynamic(out, "dynamic_ntk_paper", new DynamicNtk(1, original), d, base);
            assertThat(new NtkAware(k).scaledBase(d, base))
                    .isCloseTo(out.get("ntk_aware_base").getAsDouble(), Offset.offset(1e-6));
            double attention = out.get("yarn_attention_factor").getAsDouble();
            for (RopeScaling yarn :
                    List.of(Yarn.of(k, original), NtkByParts.yarnPaper(k, original))) {
                assertThat(yarn.frequencies(d, base, 1, RopePrecision.EXACT).attentionScaling())
                        .isCloseTo(attention, within(1e-12));
            }
        }
        assertThat(compared).isGreaterThan(30);
    }

    @Test
    void proportionalKeepsTheHighestFrequenciesOfTheWholeHead() {
        JsonObject out =
                Goldens.cases("encodings/rope_scaling.json").stream()
                        .map(c -> c.getAsJsonObject("outputs"))
                        .filter(o -> o.has("zeros_from"))
                        .findFirst()
                        .orElseThrow();
        double[] own =
                RopeParameters.of(512, 1e6, new Proportional(0.25, 1))
                        .frequencies(1, RopePrecision.EXACT)
                        .inverse();
        int rotated = out.get("number_rotated").getAsInt();
        assertClose(Arrays.copyOf(own, 4), Goldens.flat(out.get("first4")), 1e-12);
        assertThat(own[rotated - 1])
                .isCloseTo(out.get("last_rotated").getAsDouble(), within(1e-12));
        assertThat(Arrays.copyOfRange(own, out.get("zeros_from").getAsInt(), own.length))
                .hasSize(256 - rotated)
                .containsOnly(0);
    }

    @Test
    void dynamicLinearKeepsTheLastPositionWithinTheTrainedOnes() {
        RopeScaling scaling = new DynamicLinear(100);
        double[] plain = scaling.frequencies(8, 1e4, 100, RopePrecision.EXACT).inverse();
        assertThat(plain).isEqualTo(inverse(new Default(), 8, 1e4, 1));
        assertThat(inverse(scaling, 8, 1e4, 250)).isEqualTo(inverse(new Linear(2.5), 8, 1e4, 1));
    }

    @Test
    void dynamicYarnStaysAtLeastAtTheFactorItWasTunedWith() {
        DynamicYarn tuned = new DynamicYarn(4, 64, 32, 1, true);
        assertThat(at(tuned, 64)).isEqualTo(at(Yarn.of(4, 64), 1));
        assertThat(at(tuned, 256)).isEqualTo(at(Yarn.of(4, 64), 1));
        assertThat(at(tuned, 512)).isEqualTo(at(Yarn.of(8, 64), 1));
        assertThat(at(DynamicYarn.of(64), 64)).isEqualTo(at(new Default(), 1));
    }

    @Test
    void longRopeChangesBeyondTheOriginalLength() {
        LongRope scaling = LongRope.of(new double[] {1, 2}, new double[] {4, 8}, 100, 16);
        assertThat(inverse(scaling, 4, 1e4, 100)).containsExactly(1, 0.005);
        assertThat(inverse(scaling, 4, 1e4, 101)).containsExactly(0.25, 0.00125);
        assertThat(scaling.frequencies(4, 1e4, 1, RopePrecision.EXACT).attentionScaling())
                .isCloseTo(Math.sqrt(1 + Math.log(16) / Math.log(100)), within(1e-15));
    }

    @Test
    void llama3WithEqualFactorsHasNothingBetween() {
        double[] plain = inverse(new Default(), 64, 1e4, 1);
        double[] scaled = inverse(new Llama3(8, 2, 2, 1024), 64, 1e4, 1);
        for (int i = 0; i < plain.length; i++) {
            boolean turnsTwice = 2 * Math.PI / plain[i] <= 512;
            assertThat(scaled[i]).isEqualTo(turnsTwice ? plain[i] : plain[i] / 8);
        }
    }

    @Test
    void lengthsUpToTheTrainedOneLeaveRopeUnchanged() {
        for (RopePrecision precision : RopePrecision.values()) {
            RopeFrequencies plain = new Default().frequencies(64, 1e4, 1, precision);
            for (RopeScaling scaling :
                    List.of(
                            new DynamicNtk(1.1, 4096),
                            new DynamicLinear(4096),
                            DynamicYarn.of(4096))) {
                assertThat(scaling.dependsOnLength()).isTrue();
                for (long n : new long[] {1, 4095, 4096}) {
                    assertThat(scaling.frequencies(64, 1e4, n, precision)).isEqualTo(plain);
                }
                assertThat(scaling.frequencies(64, 1e4, 4097, precision)).isNotEqualTo(plain);
            }
        }
    }

    @Test
    void aFactorOfOneChangesNothing() {
        double[] plain = inverse(new Default(), 64, 1e4, 1);
        for (RopeScaling scaling :
                List.of(
                        new Linear(1),
                        new NtkAware(1),
                        new NtkOld(1),
                        new NtkFixed(1),
                        new NtkMixed(1, 0.625),
                        NtkByParts.yarnPaper(1, 512),
                        NtkByPartsV1.of(1, 512),
                        Yarn.of(1, 512),
                        new Llama3(1, 1, 4, 512),
                        new Proportional(1, 1))) {
            RopeFrequencies own = scaling.frequencies(64, 1e4, 1, RopePrecision.EXACT);
            assertClose(own.inverse(), plain, 1e-14);
            assertThat(own.attentionScaling()).isEqualTo(1);
            assertThat(scaling.dependsOnLength()).isFalse();
        }
    }

    @Test
    void onlyBothMultipliersOfMscaleCount() {
        Yarn plain = Yarn.of(40, 4096);
        double scaling = at(plain, 1).attentionScaling();
        assertThat(at(plain.withMscale(0.707, 0), 1).attentionScaling()).isEqualTo(scaling);
        assertThat(at(plain.withMscale(0, 0.707), 1).attentionScaling()).isEqualTo(scaling);
        assertThat(at(plain.withMscale(0.707, 0.707), 1).attentionScaling()).isEqualTo(1);
        assertThat(at(plain.withMscale(1, 1).withAttentionFactor(0.8), 1).attentionScaling())
                .isEqualTo(0.8);
    }

    @Test
    void equalNumbersAreEqualKeys() {
        RopeParameters a = RopeParameters.of(8, 1e4, longRope());
        RopeParameters b = RopeParameters.of(8, 1e4, longRope());
        assertThat(a).isEqualTo(b).hasSameHashCodeAs(b);
        RopeFrequencies f = a.frequencies(10, RopePrecision.EXACT);
        RopeFrequencies g = b.frequencies(10, RopePrecision.EXACT);
        assertThat(f).isEqualTo(g).hasSameHashCodeAs(g).hasToString(g.toString());
        assertThat(f).isNotEqualTo(a.frequencies(2000, RopePrecision.EXACT));
        assertThat(f).isNotEqualTo(new RopeFrequencies(f.inverse(), 1));
        assertThat(longRope().toString()).contains("1.5").contains("32");
    }

    @Test
    void arraysGivenAndTakenAreCopies() {
        double[] given = {1, 1.5};
        LongRope scaling = LongRope.of(given, new double[] {2, 3}, 16, 2);
        given[0] = 7;
        scaling.shortFactors()[1] = 7;
        scaling.longFactors()[1] = 7;
        assertThat(scaling)
                .isEqualTo(LongRope.of(new double[] {1, 1.5}, new double[] {2, 3}, 16, 2));
        RopeFrequencies frequencies = scaling.frequencies(4, 1e4, 1, RopePrecision.EXACT);
        frequencies.inverse()[0] = 7;
        assertThat(frequencies.inverse()[0]).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void impossibleValuesAreRefused(Runnable made, String message) {
        assertThatThrownBy(made::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    static Stream<Arguments> refused() {
        double nan = Double.NaN;
        double[] two = {1, 2};
        return Stream.of(
                refused(() -> new Linear(0), "the factor must be finite and at least 1.0, got 0.0"),
                refused(() -> new Linear(-2), "got -2.0"),
                refused(() -> new Linear(0.5), "got 0.5"),
                refused(() -> new Linear(nan), "got NaN"),
                refused(() -> new Linear(Double.POSITIVE_INFINITY), "got Infinity"),
                refused(() -> new NtkAware(0.9), "the factor"),
                refused(() -> new NtkOld(nan), "the factor"),
                refused(() -> new NtkFixed(0), "the factor"),
                refused(() -> new NtkMixed(0, 0.6), "the factor"),
                refused(() -> new NtkMixed(2, -1), "the exponent must be"),
                refused(() -> new NtkMixed(2, nan), "the exponent must be"),
                refused(() -> new DynamicNtk(0, 16), "the factor"),
                refused(() -> new DynamicNtk(2, 0), "the trained length must be at least 1, got 0"),
                refused(() -> new DynamicLinear(-1), "the trained length"),
                refused(() -> Yarn.of(0.5, 16), "the factor"),
                refused(() -> Yarn.of(2, 0), "the original length must be at least 1, got 0"),
                refused(() -> Yarn.of(2, 16).withBetas(1, 32), "at least betaSlow, got 1.0 and 32"),
                refused(() -> Yarn.of(2, 16).withBetas(0, 0), "betaFast must be positive"),
                refused(() -> Yarn.of(2, 16).withBetas(32, -1), "betaSlow must be positive"),
                refused(() -> Yarn.of(2, 16).withAttentionFactor(0), "the attention factor"),
                refused(() -> Yarn.of(2, 16).withMscale(-1, 1), "mscale must be"),
                refused(() -> Yarn.of(2, 16).withMscale(1, nan), "mscaleAllDim must be"),
                refused(() -> DynamicYarn.of(0), "the original length"),
                refused(() -> new DynamicYarn(0.5, 16, 32, 1, true), "the factor"),
                refused(() -> new DynamicYarn(1, 16, 1, 2, true), "betaFast"),
                refused(() -> new NtkByParts(2, 16, 1, 1, false), "betaFast must be above"),
                refused(() -> new NtkByParts(2, 16, 32, -1, false), "betaSlow"),
                refused(() -> new NtkByPartsV1(2, 16, 1.5, 1), "the NTK factor must be in [0, 1]"),
                refused(() -> new NtkByPartsV1(2, 16, 1, nan), "the extrapolation factor"),
                refused(() -> LongRope.of(two, new double[1], 16, 2), "got 2 and 1"),
                refused(() -> LongRope.of(new double[0], new double[0], 16, 2), "got 0 and 0"),
                refused(() -> LongRope.of(two, new double[] {1, 0}, 16, 2), "each long factor"),
                refused(() -> LongRope.of(new double[] {-1, 1}, two, 16, 2), "each short factor"),
                refused(
                        () -> LongRope.of(two, two, 1, 2),
                        "the original length must be at least 2"),
                refused(() -> LongRope.of(two, two, 16, 0), "the factor must be positive"),
                refused(
                        () -> new LongRope(two, two, 16, 2, OptionalDouble.of(-1)),
                        "the attention factor"),
                refused(() -> new Llama3(0, 1, 4, 16), "the factor"),
                refused(() -> new Llama3(8, 0, 4, 16), "the low frequency factor must be positive"),
                refused(() -> new Llama3(8, 4, 1, 16), "at least the low one, got 1.0 and 4.0"),
                refused(() -> new Llama3(8, 1, nan, 16), "the high frequency factor"),
                refused(() -> new Llama3(8, 1, 4, 0), "the original length"),
                refused(() -> new Proportional(0, 1), "the part that turns must be in (0, 1]"),
                refused(() -> new Proportional(1.5, 1), "got 1.5"),
                refused(() -> new Proportional(0.5, 0), "the factor"),
                refused(
                        () -> RopeParameters.of(7, 1e4, new Default()),
                        "even and at least 2, got 7"),
                refused(() -> RopeParameters.of(8, 0, new Default()), "the base must be positive"),
                refused(() -> RopeParameters.of(8, nan, new Default()), "the base"),
                refused(() -> RopeParameters.of(8, 1e4, null), "needs a scaling"),
                refused(() -> new RopeParameters(8, 16, 1e4, new Default()), "at most the head"),
                refused(() -> RopeParameters.partial(8, 0, 1e4, new Default()), "in (0, 1], got 0"),
                refused(() -> RopeParameters.partial(8, 0.4, 1e4, new Default()), "got 3"),
                refused(
                        () -> RopeParameters.partial(8, 0.5, 1e4, new Proportional(0.5, 1)),
                        "proportional RoPE's rotary dimension is the head dimension of 8, got 4"),
                refused(() -> RopeParameters.of(4, 1e4, new Proportional(0.25, 1)), "no pair"),
                refused(() -> RopeParameters.of(2, 1e4, new NtkAware(2)), "at least 4, got 2"),
                refused(() -> RopeParameters.of(2, 1e4, new DynamicNtk(2, 16)), "at least 4"),
                refused(() -> RopeParameters.of(2, 1e4, NtkByPartsV1.of(2, 16)), "at least 4"),
                refused(() -> RopeParameters.of(8, 1, Yarn.of(2, 16)), "a base above 1, got 1.0"),
                refused(
                        () -> RopeParameters.of(8, 1e4, LongRope.of(two, two, 16, 2)),
                        "LongRoPE has 2 factors, a rotary dimension of 8 needs 4"),
                refused(
                        () ->
                                RopeParameters.of(8, 1e4, new Default())
                                        .frequencies(0, RopePrecision.EXACT),
                        "the length must be at least 1, got 0"),
                refused(() -> new RopeFrequencies(new double[] {nan}, 1), "a frequency must be"),
                refused(() -> new RopeFrequencies(new double[0], 1), "at least one frequency"),
                refused(() -> new RopeFrequencies(two, 0), "the attention scaling"));
    }

    private static Arguments refused(Runnable made, String message) {
        return Arguments.of(made, message);
    }

    private static LongRope longRope() {
        return LongRope.of(new double[] {1, 1.5, 2, 3}, new double[] {2, 8, 16, 32}, 1024, 8);
    }

    private static RopeFrequencies at(RopeScaling scaling, long length) {
        return scaling.frequencies(128, 5e5, length, RopePrecision.EXACT);
    }

    private static double[] inverse(RopeScaling scaling, int d, double base, long length) {
        return scaling.frequencies(d, base, length, RopePrecision.EXACT).inverse();
    }

    private static int dynamic(
            JsonObject out, String key, RopeScaling scaling, int d, double base) {
        JsonObject byLength = out.getAsJsonObject(key);
        for (String n : byLength.keySet()) {
            assertClose(
                    inverse(scaling, d, base, Long.parseLong(n)),
                    Goldens.flat(byLength.get(n)),
                    1e-12);
        }
        return byLength.size();
    }

    private static void assertClose(double[] own, double[] expected, double relative) {
        assertThat(own).hasSameSizeAs(expected);
        for (int i = 0; i < own.length; i++) {
            assertThat(own[i]).isCloseTo(expected[i], within(relative * expected[i]));
        }
    }

    /** What the authors' repository gives at one length. */
    private record Step(
            RopeScaling scaling,
            int d,
            double base,
            long length,
            double[] expected,
            double scaled) {

        RopeFrequencies own(RopePrecision precision) {
            return scaling.frequencies(d, base, length, precision);
        }
    }

    private static List<Step> repositorySteps(JsonObject c) {
        int d = c.get("head_dim").getAsInt();
        double base = c.get("base").getAsDouble();
        String type = c.get("type").getAsString();
        List<Step> steps = new ArrayList<>();
        if (type.startsWith("dynamic-yarn")) {
            RopeScaling scaling =
                    DynamicYarn.of(c.get("original_max_position_embeddings").getAsLong());
            for (JsonElement e : c.getAsJsonArray("steps")) {
                JsonObject s = e.getAsJsonObject();
                // The repository never shrinks: its frequencies are those of the longest so far.
                steps.add(step(scaling, d, base, s.get("max_seq_len_cached").getAsLong(), s));
            }
            return steps;
        }
        RopeScaling scaling;
        if (type.startsWith("ntk (static")) {
            scaling = new NtkAware(c.get("alpha").getAsDouble());
        } else {
            double s = c.get("scale").getAsDouble();
            long original = c.get("original_max_position_embeddings").getAsLong();
            if (type.startsWith("yarn")) {
                scaling = Yarn.of(s, original);
            } else if (type.startsWith("ntk-by-parts (v1")) {
                scaling =
                        new NtkByPartsV1(
                                s,
                                original,
                                c.get("ntk_factor").getAsDouble(),
                                c.get("extrapolation_factor").getAsDouble());
            } else {
                throw new AssertionError("no scaling for " + type);
            }
        }
        steps.add(step(scaling, d, base, 1, c));
        return steps;
    }

    private static Step step(
            RopeScaling scaling, int d, double base, long length, JsonObject expected) {
        return new Step(
                scaling,
                d,
                base,
                length,
                Goldens.flat(expected.get("inv_freq")),
                expected.get("attention_scaling").getAsDouble());
    }

    private static RopeFrequencies frequencies(JsonObject c, RopePrecision precision) {
        JsonObject p =
                c.has("normalized_rope_parameters")
                        ? c.getAsJsonObject("normalized_rope_parameters")
                        : c.getAsJsonObject("config").getAsJsonObject("rope_parameters");
        double longest = c.getAsJsonObject("config").get("max_position_embeddings").getAsLong();
        int d =
                c.has("rotary_dim")
                        ? c.get("rotary_dim").getAsInt()
                        : 2 * c.getAsJsonArray("inv_freq").size();
        long length =
                c.has("seq_len") && !c.get("seq_len").isJsonNull()
                        ? c.get("seq_len").getAsLong()
                        : 1;
        return scaling(p, longest)
                .frequencies(d, p.get("rope_theta").getAsDouble(), length, precision);
    }

    private static RopeScaling scaling(JsonObject p, double longest) {
        double original = number(p, "original_max_position_embeddings", longest);
        double factor = number(p, "factor", longest / original);
        return switch (text(p, "rope_type")) {
            case "default" -> new Default();
            case "linear" -> new Linear(factor);
            case "dynamic" -> new DynamicNtk(factor, (long) longest);
            case "yarn" ->
                    new Yarn(
                            factor,
                            (long) original,
                            number(p, "beta_fast", 32),
                            number(p, "beta_slow", 1),
                            !p.has("truncate") || p.get("truncate").getAsBoolean(),
                            optional(p, "attention_factor"),
                            optional(p, "mscale"),
                            optional(p, "mscale_all_dim"));
            case "longrope" ->
                    new LongRope(
                            Goldens.flat(p.get("short_factor")),
                            Goldens.flat(p.get("long_factor")),
                            (long) original,
                            factor,
                            optional(p, "attention_factor"));
            case "llama3" ->
                    new Llama3(
                            factor,
                            number(p, "low_freq_factor", Double.NaN),
                            number(p, "high_freq_factor", Double.NaN),
                            (long) original);
            case "proportional" ->
                    new Proportional(number(p, "partial_rotary_factor", 1), number(p, "factor", 1));
            default -> throw new AssertionError("no scaling for " + p);
        };
    }

    private static OptionalDouble optional(JsonObject p, String key) {
        return p.has(key) && !p.get(key).isJsonNull()
                ? OptionalDouble.of(p.get(key).getAsDouble())
                : OptionalDouble.empty();
    }

    private static double number(JsonObject p, String key, double otherwise) {
        return optional(p, key).orElse(otherwise);
    }

    private static String text(JsonObject p, String key) {
        return p.has(key) && !p.get(key).isJsonNull() ? p.get(key).getAsString() : "";
    }
}
