package org.posenc.experiment.extrapolation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * The evolutionary search of LongRoPE (<a href="https://arxiv.org/abs/2402.13753">Ding et al.
 * 2024</a>, §3.2 and Algorithm 1) for the divisor of each frequency.
 *
 * <p>A population starts with the divisors of other scalings and mutations of them. In each
 * generation the best so far have children: mutations, in which each divisor changes with
 * probability 0.3, and crossings, which take each from one of two parents. Divisors lie in [1, 1.25
 * k], k = n/L, and never fall from a faster pair to a slower one: a child's are sorted. The paper's
 * search is larger (64 individuals, 40 generations) and also finds how many first tokens keep their
 * angles, which the scaling as Hugging Face has it does not know.
 */
final class LongRopeSearch {

    private static final int POPULATION = 16;
    private static final int PARENTS = 8;
    private static final int CHILDREN = 6; // of either kind
    private static final int GENERATIONS = 4;
    private static final double CHANGES = 0.3;
    private static final double STEP = 0.2; // of a mutation, of the logarithm
    private static final double BEYOND = 1.25;

    private final double most;
    private final ToDoubleFunction<double[]> loss;
    private final SplittableRandom random;
    private final List<Found> best = new ArrayList<>();
    private int evaluations;

    private LongRopeSearch(double k, ToDoubleFunction<double[]> loss, long seed) {
        most = BEYOND * k;
        this.loss = loss;
        random = new SplittableRandom(seed).split();
    }

    /**
     * What a search found.
     *
     * @param divisors one for each pair, from the fastest to the slowest
     * @param loss with them
     * @param evaluations how often the loss was computed
     */
    record Found(double[] divisors, double loss, int evaluations) {}

    /**
     * Searches.
     *
     * @param ancestors the divisors to start from, at least one
     * @param k n/L, above 1
     * @param loss what is to be small, by divisors
     * @param seed decides all that is drawn
     * @return the best of all, which is no worse than the best of the ancestors
     */
    static Found from(
            List<double[]> ancestors, double k, ToDoubleFunction<double[]> loss, long seed) {
        LongRopeSearch search = new LongRopeSearch(k, loss, seed);
        List<double[]> first = new ArrayList<>();
        ancestors.forEach(ancestor -> first.add(search.allowed(ancestor)));
        for (int i = 0; first.size() < POPULATION; i++) {
            first.add(search.mutation(first.get(i)));
        }
        search.keepBest(first);
        for (int generation = 0; generation < GENERATIONS; generation++) {
            List<double[]> children = new ArrayList<>();
            for (int i = 0; i < CHILDREN; i++) {
                children.add(search.mutation(search.parent()));
                children.add(search.crossing(search.parent(), search.parent()));
            }
            search.keepBest(children);
        }
        Found found = search.best.get(0);
        return new Found(found.divisors, found.loss, search.evaluations);
    }

    private void keepBest(List<double[]> individuals) {
        for (double[] divisors : individuals) {
            double found = loss.applyAsDouble(divisors);
            evaluations++;
            best.add(new Found(divisors, Double.isNaN(found) ? Double.MAX_VALUE : found, 1));
        }
        best.sort(Comparator.comparingDouble(Found::loss)); // the earlier first among equals
        best.subList(Math.min(PARENTS, best.size()), best.size()).clear();
    }

    private double[] parent() {
        return best.get(random.nextInt(best.size())).divisors;
    }

    private double[] mutation(double[] parent) {
        int always = random.nextInt(parent.length); // a child is never its parent
        double[] child = parent.clone();
        for (int i = 0; i < child.length; i++) {
            if (i == always || random.nextDouble() < CHANGES) {
                child[i] *= Math.exp(STEP * random.nextGaussian());
            }
        }
        return allowed(child);
    }

    private double[] crossing(double[] one, double[] other) {
        double[] child = one.clone();
        for (int i = 0; i < child.length; i++) {
            child[i] = random.nextBoolean() ? one[i] : other[i];
        }
        return allowed(child);
    }

    private double[] allowed(double[] divisors) {
        double[] allowed =
                Arrays.stream(divisors).map(d -> Math.min(most, Math.max(1, d))).toArray();
        Arrays.sort(allowed);
        return allowed;
    }
}
