package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.testing.Goldens;

class SamplingTest {

    static List<JsonObject> cases() {
        return Goldens.cases("generation/processors.json");
    }

    private static double number(JsonObject params, String key, double standard) {
        return params.has(key) ? params.get(key).getAsDouble() : standard;
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        IntStream.range(0, floats.length).forEach(i -> floats[i] = (float) values[i]);
        return floats;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void probabilitiesAreHuggingFaces(JsonObject golden) {
        JsonObject params = golden.getAsJsonObject("params");
        Sampling sampling =
                new Sampling(
                        number(params, "temperature", 1),
                        (int) number(params, "top_k", 0),
                        number(params, "top_p", 1),
                        number(params, "repetition_penalty", 1));
        float[] scores = floats(Goldens.flat(golden.get("logits")));
        double[] past = Goldens.flat(golden.get("past"));
        long[] tokens = new long[past.length];
        IntStream.range(0, past.length).forEach(i -> tokens[i] = (long) past[i]);
        double[] expected = Goldens.flat(golden.get("probabilities"));
        double[] ours = sampling.probabilities(scores, tokens);
        assertThat(ours).containsExactly(expected, Offset.offset(1e-6));
        for (int i = 0; i < ours.length; i++) { // what is dropped is dropped
            assertThat(ours[i] == 0).isEqualTo(expected[i] == 0);
        }
    }

    @Test
    void drawsHaveTheProbabilities() {
        float[] scores = {1, 0, -1, 2, 0.5f, -30};
        Sampling sampling = Sampling.ofTemperature(1.3).withTopK(4);
        double[] p = sampling.probabilities(scores);
        int draws = 40_000;
        int[] counts = new int[p.length];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < draws; i++) {
            counts[sampling.next(scores, new long[0], random)]++;
        }
        for (int i = 0; i < p.length; i++) {
            double deviation = Math.sqrt(draws * p[i] * (1 - p[i]));
            assertThat((double) counts[i])
                    .isBetween(draws * p[i] - 4 * deviation, draws * p[i] + 4 * deviation);
        }
    }

    @Test
    void temperatureZeroTakesTheBestThatIsNotRepeated() {
        float[] scores = {1, 3, 2.5f, -2};
        SplittableRandom unused = new SplittableRandom(0);
        assertThat(Sampling.greedy().next(scores, new long[] {1}, unused)).isEqualTo(1);
        Sampling averse = Sampling.greedy().withRepetitionPenalty(1.5);
        assertThat(averse.next(scores, new long[] {1}, unused)).isEqualTo(2);
        assertThat(averse.probabilities(scores, 1, 2, 2)).containsExactly(0, 1, 0, 0);
        assertThat(unused.nextLong()).isEqualTo(new SplittableRandom(0).nextLong());
    }

    @Test
    void equalScoresStayTogether() {
        float[] scores = {1, 2, 2, 2, 0};
        double third = 1.0 / 3;
        assertThat(Sampling.ofTemperature(1).withTopK(2).probabilities(scores))
                .containsExactly(new double[] {0, third, third, third, 0}, Offset.offset(1e-15));
        assertThat(Sampling.ofTemperature(1).withTopP(0.01).probabilities(scores))
                .containsExactly(new double[] {0, third, third, third, 0}, Offset.offset(1e-15));
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 1, 1, 'temperature must be finite and at least 0, got -1.0'",
        "Infinity, 0, 1, 1, 'temperature must be finite and at least 0, got Infinity'",
        "1, -1, 1, 1, 'top-k must be at least 1, or 0 for all tokens, got -1'",
        "1, 0, 0, 1, 'top-p must be in (0, 1], got 0.0'",
        "1, 0, 1.1, 1, 'top-p must be in (0, 1], got 1.1'",
        "1, 0, 1, 0, 'repetition penalty must be positive and finite, got 0.0'",
    })
    void saysWhatIsOutOfRange(double t, int k, double p, double r, String message) {
        assertThatThrownBy(() -> new Sampling(t, k, p, r))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void scoresOfABrokenModelAreRefused() {
        SplittableRandom random = new SplittableRandom(0);
        for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] scores = {0, broken};
            assertThatThrownBy(() -> Sampling.greedy().next(scores, new long[0], random))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(broken + " for token 1");
        }
        float[] barred = {Float.NEGATIVE_INFINITY, 1};
        assertThat(Sampling.ofTemperature(1).probabilities(barred)).containsExactly(0, 1);
    }
}
