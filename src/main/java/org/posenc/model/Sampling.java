package org.posenc.model;

import java.util.Arrays;
import java.util.BitSet;
import java.util.random.RandomGenerator;

/**
 * How the next token is drawn from a model's scores z (V).
 *
 * <p>In this order, which is Hugging Face's: tokens that are there already get z/ρ (<a
 * href="https://arxiv.org/abs/1909.05858">Keskar et al. 2019</a>, §4.1), and z·ρ where z is below
 * 0, which the paper forgets; z becomes z/τ; all but the k best are dropped (<a
 * href="https://arxiv.org/abs/1805.04833">Fan et al. 2018</a>); all but the fewest whose
 * probabilities sum to p or more are dropped (<a href="https://arxiv.org/abs/1904.09751">Holtzman
 * et al. 2020</a>); one is drawn from softmax(z) of the rest. Tokens of equal score are kept or
 * dropped together.
 *
 * @param temperature τ, at least 0; 0 takes the best token, without a draw
 * @param topK k, at least 1, or 0 to drop none
 * @param topP p, in (0, 1]
 * @param repetitionPenalty ρ, positive; above 1 it discourages repetition, 1 has no effect
 */
public record Sampling(double temperature, int topK, double topP, double repetitionPenalty) {

    /** Checks the values. */
    public Sampling {
        if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "temperature must be finite and at least 0, got " + temperature);
        }
        if (topK < 0) {
            throw new IllegalArgumentException(
                    "top-k must be at least 1, or 0 for all tokens, got " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top-p must be in (0, 1], got " + topP);
        }
        if (!(repetitionPenalty > 0 && repetitionPenalty < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "repetition penalty must be positive and finite, got " + repetitionPenalty);
        }
    }

    /**
     * The best token each time.
     *
     * @return temperature 0
     */
    public static Sampling greedy() {
        return new Sampling(0, 0, 1, 1);
    }

    /**
     * A draw from all tokens.
     *
     * @param temperature τ, at least 0
     * @return a sampling that drops and penalises nothing
     */
    public static Sampling ofTemperature(double temperature) {
        return new Sampling(temperature, 0, 1, 1);
    }

    /**
     * Returns the same with another k.
     *
     * @param k at least 1, or 0 to drop none
     * @return a new sampling
     */
    public Sampling withTopK(int k) {
        return new Sampling(temperature, k, topP, repetitionPenalty);
    }

    /**
     * Returns the same with another p.
     *
     * @param p in (0, 1]
     * @return a new sampling
     */
    public Sampling withTopP(double p) {
        return new Sampling(temperature, topK, p, repetitionPenalty);
    }

    /**
     * Returns the same with another penalty.
     *
     * @param penalty ρ, positive
     * @return a new sampling
     */
    public Sampling withRepetitionPenalty(double penalty) {
        return new Sampling(temperature, topK, topP, penalty);
    }

    /** Returns whether the best token is enough to know. */
    boolean takesTheBest() {
        return temperature == 0 && repetitionPenalty == 1;
    }

    /**
     * Returns what each token is drawn with.
     *
     * @param scores z (V)
     * @param past the tokens that are there already, in [0, V), in any order
     * @return probabilities (V); at temperature 0, 1 for the best token
     * @throws IllegalArgumentException if a score is NaN or infinite
     */
    public double[] probabilities(float[] scores, long... past) {
        double[] z = penalised(scores, past);
        if (temperature == 0) {
            double[] one = new double[z.length];
            one[best(z)] = 1;
            return one;
        }
        for (int i = 0; i < z.length; i++) {
            z[i] /= temperature;
        }
        if (topK > 0 && topK < z.length) {
            double[] sorted = z.clone();
            Arrays.sort(sorted);
            drop(z, sorted[z.length - topK]);
        }
        if (topP < 1) {
            drop(z, least(z));
        }
        return softmax(z);
    }

    /**
     * Draws the next token.
     *
     * @param scores z (V)
     * @param past the tokens that are there already, in [0, V), in any order
     * @param random gives one number, unless the temperature is 0
     * @return a token in [0, V)
     * @throws IllegalArgumentException if a score is NaN or infinite
     */
    public int next(float[] scores, long[] past, RandomGenerator random) {
        if (temperature == 0) {
            return best(penalised(scores, past));
        }
        double[] p = probabilities(scores, past);
        double left = random.nextDouble();
        int drawn = -1;
        for (int i = 0; i < p.length && left >= 0; i++) {
            if (p[i] > 0) {
                drawn = i; // the last one also where rounding leaves a rest
                left -= p[i];
            }
        }
        return drawn;
    }

    private double[] penalised(float[] scores, long[] past) {
        double[] z = new double[scores.length];
        for (int i = 0; i < z.length; i++) {
            if (!(scores[i] < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "scores must be finite or minus infinity, got "
                                + scores[i]
                                + " for token "
                                + i);
            }
            z[i] = scores[i];
        }
        if (repetitionPenalty != 1) {
            BitSet there = new BitSet(z.length);
            for (long token : past) {
                there.set(Math.toIntExact(token));
            }
            there.stream()
                    .forEach(
                            i ->
                                    z[i] =
                                            z[i] < 0
                                                    ? z[i] * repetitionPenalty
                                                    : z[i] / repetitionPenalty);
        }
        return z;
    }

    private static int best(double[] z) {
        int best = 0;
        for (int i = 1; i < z.length; i++) {
            if (z[i] > z[best]) {
                best = i;
            }
        }
        return best;
    }

    /** The lowest score among the fewest tokens whose probabilities sum to p or more. */
    private double least(double[] z) {
        double[] sorted = z.clone();
        Arrays.sort(sorted);
        double[] p = softmax(sorted);
        double sum = 0;
        int i = p.length;
        while (i > 0 && sum < topP) {
            sum += p[--i];
        }
        return sorted[i];
    }

    private static void drop(double[] z, double least) {
        for (int i = 0; i < z.length; i++) {
            if (z[i] < least) {
                z[i] = Double.NEGATIVE_INFINITY;
            }
        }
    }

    private static double[] softmax(double[] z) {
        double greatest = z[best(z)];
        double[] p = new double[z.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp(z[i] - greatest);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }
}
