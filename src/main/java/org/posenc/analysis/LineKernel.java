package org.posenc.analysis;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.SampledBasis;

/** The similarity kernel of an encoder of one coordinate, which runs over a range. */
public sealed interface LineKernel extends SimilarityKernel {

    /** Differences at which crossings of a level are looked for before they are narrowed down. */
    int LOOKED_AT = 1 << 14;

    /**
     * Returns the length of the range.
     *
     * @return R, in the units of the positions
     */
    double range();

    /**
     * Returns whether the range is closed to a circle, on which differences are taken.
     *
     * @return whether D(u) = D(u + R)
     */
    boolean periodic();

    /**
     * Returns the similarity of positions at a distance.
     *
     * @param u the difference of two positions
     * @return the normalised inner product
     */
    double at(double u);

    /** {@inheritDoc} */
    @Override
    default int axes() {
        return 1;
    }

    /** {@inheritDoc} */
    @Override
    default double similarity(double... difference) {
        if (difference.length != 1) {
            throw new IllegalArgumentException(
                    "this encoder is of 1 coordinate, got " + difference.length);
        }
        return at(difference[0]);
    }

    /**
     * {@inheritDoc}
     *
     * <p>On a circle the Gram matrix is a circulant, whose eigenvalues are the Fourier transform of
     * D; elsewhere its largest eigenvalue is computed, which takes N³ steps.
     */
    @Override
    default double stableRank(int points) {
        double[] d = similarities(points);
        if (!periodic()) {
            return points / largestEigenvalue(d);
        }
        double largest = DoubleStream.of(d).sum();
        // Of similarities that are nowhere negative the mean is the largest.
        boolean signed = DoubleStream.of(d).anyMatch(v -> v < 0);
        for (int k = 1; signed && k <= points / 2; k++) {
            double sum = 0;
            for (int j = 0; j < points; j++) {
                sum += d[j] * Math.cos(2 * Math.PI * ((long) j * k % points) / points);
            }
            largest = Math.max(largest, sum);
        }
        return points / largest;
    }

    /** {@inheritDoc} */
    @Override
    default double distancePreservation(int axis, double level) {
        if (axis != 0) {
            throw new IllegalArgumentException("this encoder has axis 0 alone, got " + axis);
        }
        double step = range() / 2 / LOOKED_AT;
        double measure = 0;
        boolean above = at(0) > level;
        for (int i = 1; i <= LOOKED_AT; i++) {
            boolean next = at(i * step) > level;
            if (above == next) {
                measure += above ? step : 0;
            } else {
                double crossing = crossing((i - 1) * step, i * step, level);
                measure += above ? crossing - (i - 1) * step : i * step - crossing;
            }
            above = next;
        }
        return measure;
    }

    /** D(0), D(R/N), …, as far as the circle or the line goes. */
    private double[] similarities(int points) {
        if (points < 1) {
            throw new IllegalArgumentException("points must be at least 1, got " + points);
        }
        return IntStream.range(0, points).mapToDouble(j -> at(j * range() / points)).toArray();
    }

    /** Where D passes a level between two differences on either side of it. */
    private double crossing(double from, double to, double level) {
        boolean above = at(from) > level;
        double low = from;
        double high = to;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (at(middle) > level == above) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The largest eigenvalue of the symmetric Toeplitz matrix with a first row. */
    private static double largestEigenvalue(double... row) {
        int n = row.length;
        double[] matrix = new double[n * n];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = row[Math.abs(i / n - i % n)];
        }
        return GramMatrix.largestEigenvalue(matrix, n);
    }

    /**
     * Shifted copies of a basis function, dense on a circle.
     *
     * @param basis ψ; a wave must close on the circle
     * @param range the length of the circle
     */
    record Shifted(BasisFunction basis, double range) implements LineKernel {

        /** Checks the values. */
        public Shifted {
            ClosedForms.checkPositive(range, "range");
        }

        /** {@inheritDoc} */
        @Override
        public boolean periodic() {
            return true;
        }

        /** {@inheritDoc} */
        @Override
        public double at(double u) {
            double nearest = u - Math.rint(u / range) * range;
            return basis instanceof BasisFunction.Square
                            || basis instanceof BasisFunction.Sine
                            || basis instanceof SampledBasis
                    ? basis.similarity(nearest)
                    : around(nearest) / around(0);
        }

        /** The similarities at a distance and at those once, twice, … around the circle. */
        private double around(double u) {
            double sum = basis.similarity(u);
            for (int k = 1; ; k++) {
                double more = basis.similarity(k * range - u) + basis.similarity(k * range + u);
                sum += more;
                if (more < 1e-18) {
                    return sum;
                }
            }
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit() {
            return basis.stableRankLimit(range);
        }
    }

    /**
     * Infinitely many random Fourier features, D(u) = exp(−2 π² σ² u²).
     *
     * @param sigma the standard deviation of the frequencies, in cycles per unit
     * @param range the length of the range, which is not closed
     */
    record RandomFourier(double sigma, double range) implements LineKernel {

        /** Checks the values. */
        public RandomFourier {
            ClosedForms.checkPositive(sigma, "sigma");
            ClosedForms.checkPositive(range, "range");
        }

        /** {@inheritDoc} */
        @Override
        public boolean periodic() {
            return false;
        }

        /** {@inheritDoc} */
        @Override
        public double at(double u) {
            return ClosedForms.randomFourierSimilarity(sigma, u);
        }

        /**
         * Returns √(2π) σ R, which holds for many cycles: 5 have 12.591 for 12.533.
         *
         * @return the limit
         */
        @Override
        public double stableRankLimit() {
            return ClosedForms.randomFourierStableRank(sigma * range);
        }
    }

    /** Fourier features of given frequencies, D(u) = 1/K Σ_k cos 2π b_k u. */
    final class Fourier implements LineKernel {

        private final double[] frequencies;
        private final double range;

        /**
         * Fourier features of given frequencies.
         *
         * @param frequencies b, K of them, in cycles per unit
         * @param range the length of the range, which is not closed
         */
        public Fourier(double[] frequencies, double range) {
            this.frequencies = frequencies.clone();
            this.range = ClosedForms.checkPositive(range, "range");
            if (frequencies.length == 0) {
                throw new IllegalArgumentException("Fourier features need a frequency");
            }
        }

        /** {@inheritDoc} */
        @Override
        public double range() {
            return range;
        }

        /** {@inheritDoc} */
        @Override
        public boolean periodic() {
            return false;
        }

        /** {@inheritDoc} */
        @Override
        public double at(double u) {
            return Arrays.stream(frequencies).map(b -> Math.cos(2 * Math.PI * b * u)).sum()
                    / frequencies.length;
        }

        /**
         * Returns K over the largest eigenvalue of the inner products of the 2K sines and cosines
         * over the range; 2K for different whole numbers of cycles.
         *
         * @return the limit
         */
        @Override
        public double stableRankLimit() {
            int k = frequencies.length;
            double[] inner = new double[4 * k * k];
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < k; j++) {
                    double apart = (frequencies[i] - frequencies[j]) * range;
                    double together = (frequencies[i] + frequencies[j]) * range;
                    inner[i * 2 * k + j] = (meanCosine(apart) - meanCosine(together)) / 2;
                    inner[(k + i) * 2 * k + k + j] = (meanCosine(apart) + meanCosine(together)) / 2;
                    double mixed = (meanSine(together) + meanSine(apart)) / 2;
                    inner[i * 2 * k + k + j] = mixed;
                    inner[(k + j) * 2 * k + i] = mixed;
                }
            }
            return k / GramMatrix.largestEigenvalue(inner, 2 * k);
        }

        /** The mean of cos 2πt x over 0 ≤ x &lt; 1. */
        private static double meanCosine(double t) {
            return t == 0 ? 1 : Math.sin(2 * Math.PI * t) / (2 * Math.PI * t);
        }

        /** The mean of sin 2πt x over 0 ≤ x &lt; 1. */
        private static double meanSine(double t) {
            return t == 0 ? 0 : (1 - Math.cos(2 * Math.PI * t)) / (2 * Math.PI * t);
        }
    }

    /** Encoders of the same coordinate, concatenated: D(u) = Σ_i w_i D_i(u). */
    final class Sum implements LineKernel {

        private final List<LineKernel> kernels;
        private final double[] shares;

        /**
         * Encoders of the same coordinate, concatenated.
         *
         * @param kernels of the encoders, over the same range
         * @param weights the squared norm of a row of each
         */
        public Sum(List<? extends LineKernel> kernels, double... weights) {
            this.kernels = List.copyOf(kernels);
            shares = ConcatenationKernel.shares(kernels.size(), weights);
            if (kernels.stream().mapToDouble(LineKernel::range).distinct().count() > 1) {
                throw new IllegalArgumentException(
                        "encoders of the same coordinate must have the same range, got "
                                + kernels.stream().map(LineKernel::range).toList());
            }
        }

        /** {@inheritDoc} */
        @Override
        public double range() {
            return kernels.get(0).range();
        }

        /** {@inheritDoc} */
        @Override
        public boolean periodic() {
            return kernels.stream().allMatch(LineKernel::periodic);
        }

        /** {@inheritDoc} */
        @Override
        public double at(double u) {
            double sum = 0;
            for (int i = 0; i < shares.length; i++) {
                sum += shares[i] * kernels.get(i).at(u);
            }
            return sum;
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit() {
            return ConcatenationKernel.limit(kernels, shares);
        }
    }
}
