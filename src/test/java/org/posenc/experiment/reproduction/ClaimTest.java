package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClaimTest {

    @ParameterizedTest
    @CsvSource({
        "100, true",
        "101, true",
        "99, true",
        "101.01, false",
        "98.99, false",
        "NaN, false",
    })
    void nearIsApartByNoMoreThanItsTolerance(double here, boolean holds) {
        assertThat(claim(here, new Rule.Near(100, 0.01)).holds()).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({"-100.5, true", "-102, false"})
    void aToleranceIsPartOfANegativeNumberToo(double here, boolean holds) {
        assertThat(claim(here, new Rule.Near(-100, 0.01)).holds()).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({"60, true", "59.999, false", "Infinity, true", "NaN, false"})
    void atLeast(double here, boolean holds) {
        assertThat(claim(here, new Rule.AtLeast(60)).holds()).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({"60, true", "60.001, false", "-Infinity, true", "NaN, false"})
    void atMost(double here, boolean holds) {
        assertThat(claim(here, new Rule.AtMost(60)).holds()).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({"1, true", "2, true", "0.99, false", "2.01, false", "NaN, false"})
    void between(double here, boolean holds) {
        assertThat(claim(here, new Rule.Between(1, 2)).holds()).isEqualTo(holds);
    }

    @Test
    void isShownWithItsUnit() {
        Claim claim = new Claim(5, "train PSNR", "> 60", 131.416, "dB", new Rule.AtLeast(60));
        assertThat(claim.hereText()).isEqualTo("131.4 dB");
        assertThat(claim.ruleText()).isEqualTo("≥ 60 dB");
    }

    @ParameterizedTest
    @CsvSource({
        "28.2094, 28.21",
        "-0.5, −0.5",
        "1234567, 1235000",
        "0, 0",
        "0.0003, 0.0003",
        "0.0000123, 1.2e−05",
        "NaN, –",
        "-Infinity, −∞",
    })
    void numbersHaveFourDigits(double value, String text) {
        assertThat(Rule.number(value)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"0", "17"})
    void thereAreSixteen(int number) {
        assertThatThrownBy(() -> new Claim(number, "s", "", 1, "", new Rule.AtLeast(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("claims are numbered 1 to 16, got " + number);
    }

    @Test
    void rulesThatNothingCanMeetAreRefused() {
        assertThatThrownBy(() -> new Rule.Between(2, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2.0 and 1.0");
        assertThatThrownBy(() -> new Rule.Near(Double.NaN, 0.1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NaN");
    }

    private static Claim claim(double here, Rule rule) {
        return new Claim(1, "something", "", here, "", rule);
    }
}
