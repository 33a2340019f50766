package org.posenc.analysis;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * How long a context RoPE's base can carry (<a href="https://arxiv.org/abs/2405.14591">Men et al.
 * 2024</a>): a query attends to a key like itself rather than to a random one at distance m, in the
 * mean, only if
 *
 * <pre>
 * B(m) = (D − d) / 2 + Σ_i cos(m θ_i) ≥ 0
 * </pre>
 *
 * <p>Beyond the first m where it is not, perplexity may stay low but retrieval fails. The first
 * term is not in the paper, which turns whole heads: it is what D − d components that do not turn
 * add, half a cosine of 0 each. Where they are as many as those that turn, B is never negative.
 */
public final class ContextBound {

    /** The greatest base that is tried. */
    public static final double GREATEST_BASE = 1e15;

    /** What a search over bases may overlook: an interval of ln b as narrow as this. */
    private static final double STEP = 1e-7;

    private ContextBound() {}

    /**
     * Returns the first distance at which B is negative.
     *
     * @param inverse θ, radians per position
     * @param unturned D − d, how many components of a head do not turn, at least 0
     * @param limit the greatest distance to look at, at least 1; a million take some hundredths of
     *     a second
     * @return the first m with B(m) &lt; 0, or empty if there is none up to the limit
     */
    public static OptionalLong firstNegative(double[] inverse, int unturned, long limit) {
        atLeast(0, unturned, "the number of components that do not turn");
        atLeast(1, limit, "the limit");
        Sums sums = new Sums(inverse, unturned, 512);
        for (long from = 1; from <= limit; from += sums.size()) {
            double[] b = sums.from(from);
            for (int j = 0; j < b.length && from + j <= limit; j++) {
                if (b[j] < 0) {
                    return OptionalLong.of(from + j);
                }
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Returns the smallest base whose B is not negative at any distance up to a length.
     *
     * <p>B depends on the base in waves, so that a greater base can be worse than this one, and the
     * next ones above it usually are: look at {@link #firstNegative} of the base that is taken.
     *
     * @param rotaryDimension d, even and at least 2
     * @param unturned D − d, at least 0
     * @param length the greatest distance, at least 1; 131,072 take about a second, longer ones
     *     more than in proportion
     * @return the base, to six digits, or empty if none up to {@link #GREATEST_BASE} is enough
     */
    public static OptionalDouble smallestBase(int rotaryDimension, int unturned, long length) {
        atLeast(0, unturned, "the number of components that do not turn");
        atLeast(1, length, "the length");
        if (rotaryDimension < 2 || rotaryDimension % 2 != 0) {
            throw new IllegalArgumentException(
                    "the rotary dimension must be even and at least 2, got " + rotaryDimension);
        }
        // One m with B(m) < 0 rules a base out, and with it the bases up to where B can be 0 again.
        long witness = 1;
        double logBase = 0;
        while (logBase <= Math.log(GREATEST_BASE)) {
            double[] inverse = inverse(rotaryDimension, logBase);
            Negative found = Negative.around(witness, inverse, unturned, length);
            if (found == null) {
                return OptionalDouble.of(Math.exp(logBase));
            }
            witness = found.distance;
            logBase += Math.max(STEP, ruledOut(found, inverse));
        }
        return OptionalDouble.empty();
    }

    private static double[] inverse(int d, double logBase) {
        double[] inverse = new double[d / 2];
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = Math.exp(-2.0 * i / d * logBase);
        }
        return inverse;
    }

    /**
     * Returns how far ln b can grow before B(m) reaches 0 at the earliest: with a = 2i/d and φ = m
     * θ_i it is at most B + B' x + K x²/2 at ln b + x, where B' = Σ a φ sin φ and K = Σ a² (φ² +
     * min(φ, φ²)) bounds the second derivative there and, as φ falls, from there on.
     */
    private static double ruledOut(Negative at, double[] inverse) {
        double slope = 0;
        double bend = 0;
        for (int i = 0; i < inverse.length; i++) {
            double a = (double) i / inverse.length;
            double angle = at.distance * inverse[i];
            slope += a * angle * Math.sin(angle);
            bend += a * a * (angle * angle + Math.min(angle, angle * angle));
        }
        return bend == 0
                ? Double.POSITIVE_INFINITY
                : (Math.sqrt(slope * slope - 2 * bend * at.value) - slope) / bend;
    }

    private static void atLeast(long least, long value, String what) {
        if (value < least) {
            throw new IllegalArgumentException(
                    what + " must be at least " + least + ", got " + value);
        }
    }

    /** A distance at which B is negative. */
    private record Negative(long distance, double value) {

        /**
         * Searches outwards from a distance, as what ruled out the last base, or what lies near it,
         * mostly rules out the next one too; null if there is none from 1 to the length.
         */
        static Negative around(long distance, double[] inverse, int unturned, long length) {
            Sums sums = new Sums(inverse, unturned, 64);
            long up = Math.max(1, distance - sums.size() / 2);
            long down = up - sums.size();
            while (up <= length || down > -sums.size()) {
                Negative found = up <= length ? most(sums.from(up), up, length) : null;
                if (found == null && down > -sums.size()) {
                    found = most(sums.from(down), down, length);
                }
                if (found != null) {
                    return found;
                }
                up += sums.size();
                down -= sums.size();
            }
            return null;
        }

        /** Returns the most negative of a few, or null. */
        private static Negative most(double[] b, long from, long length) {
            Negative most = null;
            for (int j = 0; j < b.length && from + j <= length; j++) {
                if (from + j >= 1 && b[j] < (most == null ? 0 : most.value)) {
                    most = new Negative(from + j, b[j]);
                }
            }
            return most;
        }
    }

    /** B at successive distances, from cos(a + b) = cos a cos b − sin a sin b. */
    private static final class Sums {

        private final double[] inverse;
        private final double constant;
        private final double[][] cosines; // (d/2, size) of j θ_i
        private final double[][] sines;
        private final double[] sums;

        Sums(double[] inverse, int unturned, int size) {
            this.inverse = inverse;
            constant = unturned / 2.0;
            cosines = new double[inverse.length][size];
            sines = new double[inverse.length][size];
            sums = new double[size];
            for (int i = 0; i < inverse.length; i++) {
                double c = Math.cos(inverse[i]);
                double s = Math.sin(inverse[i]);
                double[] cos = cosines[i];
                double[] sin = sines[i];
                cos[0] = 1;
                for (int j = 1; j < size; j++) {
                    cos[j] = cos[j - 1] * c - sin[j - 1] * s;
                    sin[j] = cos[j - 1] * s + sin[j - 1] * c;
                }
            }
        }

        int size() {
            return sums.length;
        }

        /** Returns B(m) … B(m + size − 1), until the next call. */
        double[] from(long m) {
            Arrays.fill(sums, constant);
            for (int i = 0; i < inverse.length; i++) {
                double c = Math.cos(m * inverse[i]);
                double s = Math.sin(m * inverse[i]);
                double[] cos = cosines[i];
                double[] sin = sines[i];
                for (int j = 0; j < sums.length; j++) {
                    sums[j] += c * cos[j] - s * sin[j];
                }
            }
            return sums;
        }
    }
}
