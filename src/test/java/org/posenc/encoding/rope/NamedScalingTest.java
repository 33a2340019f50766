package org.posenc.encoding.rope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamedScalingTest {

    private static RopeScaling scaling(String... keysAndValues) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            given.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return NamedScaling.parameters(given, 8, 64).scaling();
    }

    @Test
    void everyNameMakesItsScaling() {
        OptionalDouble none = OptionalDouble.empty();
        Map<String, RopeScaling> expected = new HashMap<>();
        expected.put("default", new Default());
        expected.put("linear", new Linear(4));
        expected.put("ntk-aware", new NtkAware(4));
        expected.put("ntk-old", new NtkOld(4));
        expected.put("ntk-fixed", new NtkFixed(4));
        expected.put("ntk-mixed", new NtkMixed(4, 0.625));
        expected.put("dynamic", new DynamicNtk(4, 64));
        expected.put("dynamic-linear", new DynamicLinear(64));
        expected.put("ntk-by-parts", NtkByParts.of(4, 64));
        expected.put("ntk-by-parts-v1", NtkByPartsV1.of(4, 64));
        expected.put("yarn-paper", NtkByParts.yarnPaper(4, 64));
        expected.put("yarn", Yarn.of(4, 64));
        expected.put("dynamic-yarn", new DynamicYarn(4, 64, 32, 1, true));
        expected.put("llama3", new Llama3(4, 1, 4, 64));
        expected.put("proportional", new Proportional(1, 4));
        double[] divisors = {1, 1.5, 2, 2.5};
        expected.put("longrope", new LongRope(divisors, divisors, 64, 4, none));
        assertThat(expected.keySet()).containsExactlyInAnyOrderElementsOf(NamedScaling.names());
        expected.forEach(
                (name, wanted) -> {
                    RopeScaling made =
                            switch (name) {
                                case "default", "dynamic-linear" -> scaling("scaling", name);
                                case "longrope" ->
                                        scaling(
                                                "scaling",
                                                name,
                                                "factor",
                                                "4",
                                                "short-factors",
                                                "1/1.5/2/2.5",
                                                "long-factors",
                                                "1/1.5/2/2.5");
                                default -> scaling("scaling", name, "factor", "4");
                            };
                    assertThat(made).as(name).isEqualTo(wanted);
                });
    }

    @Test
    void everyNumberOfYarnIsRead() {
        assertThat(
                        scaling(
                                "scaling",
                                "yarn",
                                "factor",
                                "2",
                                "original-length",
                                "32",
                                "beta-fast",
                                "16",
                                "beta-slow",
                                "0.5",
                                "truncate",
                                "false",
                                "attention-factor",
                                "1.2",
                                "mscale",
                                "0.7",
                                "mscale-all-dim",
                                "0.9"))
                .isEqualTo(
                        new Yarn(
                                2,
                                32,
                                16,
                                0.5,
                                false,
                                OptionalDouble.of(1.2),
                                OptionalDouble.of(0.7),
                                OptionalDouble.of(0.9)));
        assertThat(
                        scaling(
                                "scaling",
                                "llama3",
                                "factor",
                                "8",
                                "low-frequency-factor",
                                "2",
                                "high-frequency-factor",
                                "3"))
                .isEqualTo(new Llama3(8, 2, 3, 64));
        assertThat(scaling("scaling", "ntk-mixed", "factor", "8", "exponent", "0.75"))
                .isEqualTo(new NtkMixed(8, 0.75));
    }

    @Test
    void proportionalTakesThePartOfItsPairs() {
        RopeParameters p =
                NamedScaling.parameters(
                        Map.of("scaling", "proportional", "partial", "0.5", "base", "500"), 8, 64);
        assertThat(p).isEqualTo(RopeParameters.of(8, 500, new Proportional(0.5, 1)));
        RopeParameters q = NamedScaling.parameters(Map.of("partial", "0.5"), 8, 64);
        assertThat(q).isEqualTo(RopeParameters.partial(8, 0.5, 10_000, new Default()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "scaling=yarm,factor=2|rope's scaling must be the name of a scaling, got \"yarm\":"
                        + " did you mean \"yarn\"?",
                "scaling=linear|rope's factor must be set for scaling linear, got \"auto\"",
                "factor=2|rope's factor must be left out with scaling default, got \"2\"",
                "scaling=linear,factor=2,beta-fast=3|rope's beta-fast must be left out with scaling"
                        + " linear, got \"3\"",
                "scaling=linear,factor=0.5|the factor must be finite and at least 1.0, got 0.5",
                "scaling=linear,factor=two|rope's factor must be a number, got \"two\"",
                "scaling=longrope,factor=2|rope's short-factors must be numbers with / between"
                        + " them, got \"auto\"",
                "scaling=longrope,factor=2,short-factors=1/1,long-factors=1/2|LongRoPE has 2"
                        + " factors, a rotary dimension of 8 needs 4",
                "scaling=yarn,factor=2,original-length=0|the original length must be at least 1,"
                        + " got 0",
                "base=0|the base must be positive and finite, got 0.0",
                "partial=0.4|RoPE turns pairs: the rotary dimension must be even and at least 2, got 3",
                "scalling=linear|unknown setting \"scalling\" of rope: did you mean \"scaling\"?",
            })
    void saysWhatIsWrong(String settings, String message) {
        Map<String, String> given = new HashMap<>();
        for (String setting : settings.split(",")) {
            given.put(setting.split("=")[0], setting.split("=")[1]);
        }
        assertThatThrownBy(() -> NamedScaling.parameters(given, 8, 64))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
