package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * A function ψ(u) of the distance from a centre, whose shifted copies make an embedding (<a
 * href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>), with what is known about it in
 * closed form.
 *
 * <p>The closed forms are those of densely sampled copies on a circle: the stable rank is ∫ψ² /
 * max|ψ̂|², and the similarity the normalised autocorrelation, the inner product of the embeddings
 * of two positions over that of one with itself. N positions have no stable rank above N.
 */
public sealed interface BasisFunction
        permits BasisFunction.Gaussian,
                BasisFunction.Triangle,
                BasisFunction.Square,
                BasisFunction.Sine,
                BasisFunction.Rectangle,
                BasisFunction.Impulse,
                SampledBasis {

    /** What counts as on an edge, in widths or periods: far above rounding, far below use. */
    double EDGE = 1e-6;

    /**
     * Returns ψ(u).
     *
     * @param u position − centre
     * @return the value
     */
    double value(double u);

    /**
     * Returns ψ of each element.
     *
     * @param u float64, any shape
     * @return the same shape
     */
    NDArray values(NDArray u);

    /**
     * Returns the stable rank of densely sampled positions on a circle of a given length.
     *
     * @param range the length of the circle, in the units of u
     * @return the limit; NaN where there is no closed form
     */
    double stableRankLimit(double range);

    /**
     * Returns the stable rank of densely sampled positions on the circle of length 1.
     *
     * @return the limit; NaN where there is no closed form
     */
    default double stableRankLimit() {
        return stableRankLimit(1);
    }

    /**
     * Returns the similarity of positions at a distance.
     *
     * @param u the distance, less than half the circle
     * @return the normalised inner product, 1 at u = 0; NaN where there is no closed form
     */
    double similarity(double u);

    /**
     * Returns how far ψ reaches: beyond this distance it is below 2⁻⁵³ of its greatest value.
     *
     * @return the distance; infinite where ψ does not fade
     */
    default double reach() {
        return Double.POSITIVE_INFINITY;
    }

    /**
     * exp(−u²/(2σ²)). Stable rank 1/(2√π σ), similarity exp(−u²/(4σ²)).
     *
     * @param sigma σ
     */
    record Gaussian(double sigma) implements BasisFunction {

        /** Checks the value. */
        public Gaussian {
            Checks.positive(sigma, "sigma");
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            return Math.exp(-u * u / (2 * sigma * sigma));
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            return Scalars.mul(u.mul(u), -1 / (2 * sigma * sigma)).exp();
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return range / (2 * Math.sqrt(Math.PI) * sigma);
        }

        /** {@inheritDoc} */
        @Override
        public double reach() {
            return sigma * Math.sqrt(2 * 53 * Math.log(2));
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            return Math.exp(-u * u / (4 * sigma * sigma));
        }
    }

    /**
     * max(0, 1 − |u|/w). Stable rank 2/(3w), similarity the cubic B-spline.
     *
     * @param width w, half the width of its foot
     */
    record Triangle(double width) implements BasisFunction {

        /** Checks the value. */
        public Triangle {
            Checks.positive(width, "width");
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            return Math.max(0, 1 - Math.abs(u) / width);
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            return Activation.relu(Scalars.div(u.abs(), -width).add(1));
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return 2 * range / (3 * width);
        }

        /** {@inheritDoc} */
        @Override
        public double reach() {
            return width;
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            double v = Math.abs(u) / width;
            if (v <= 1) {
                return 1 - 1.5 * v * v + 0.75 * v * v * v;
            }
            return v < 2 ? Math.pow(2 - v, 3) / 4 : 0;
        }
    }

    /**
     * 1 where sin(2πfu) &gt; 0, else the low value; on an edge, where the sine is 0, it is low.
     * Stable rank 2 and similarity 1 − 2v for a low of 0, π²/4 and 1 − 4v for −1, v being the
     * distance of fu from a whole number.
     *
     * @param frequency f, in periods per unit
     * @param low 0 or −1
     */
    record Square(double frequency, double low) implements BasisFunction {

        /** Checks the values. */
        public Square {
            Checks.positive(frequency, "frequency");
            if (low != 0 && low != -1) {
                throw new IllegalArgumentException("low must be 0 or -1, got " + low);
            }
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            double part = frequency * u - Math.floor(frequency * u);
            return part > EDGE && part < 0.5 - EDGE ? 1 : low;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            NDArray turns = Scalars.mul(u, frequency);
            NDArray part = turns.sub(turns.floor());
            NDArray high =
                    Cast.to(part.gt(EDGE).logicalAnd(part.lt(0.5 - EDGE)), DataType.FLOAT64, false);
            return low == 0 ? high : Scalars.mul(high, 2).sub(1);
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return low == 0 ? 2 : Math.PI * Math.PI / 4;
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            double v = Math.abs(frequency * u - Math.rint(frequency * u));
            return 1 - (low == 0 ? 2 : 4) * v;
        }
    }

    /**
     * sin(2πfu) + a. Stable rank (a² + ½)/max(a², ¼), similarity (a² + ½ cos 2πfu)/(a² + ½).
     *
     * @param frequency f, in periods per unit
     * @param offset a
     */
    record Sine(double frequency, double offset) implements BasisFunction {

        /** Checks the values. */
        public Sine {
            Checks.positive(frequency, "frequency");
            Checks.finite(offset, "offset");
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            return Math.sin(2 * Math.PI * frequency * u) + offset;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            NDArray sine = Scalars.mul(u, 2 * Math.PI * frequency).sin();
            return offset == 0 ? sine : sine.add(offset);
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return (offset * offset + 0.5) / Math.max(offset * offset, 0.25);
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            double square = offset * offset;
            return (square + 0.5 * Math.cos(2 * Math.PI * frequency * u)) / (square + 0.5);
        }
    }

    /**
     * 1 for −w/2 ≤ u &lt; w/2, else 0. Stable rank 1/w, similarity max(0, 1 − |u|/w).
     *
     * @param width w, the full width
     */
    record Rectangle(double width) implements BasisFunction {

        /** Checks the value. */
        public Rectangle {
            Checks.positive(width, "width");
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            return u >= -from() && u < to() ? 1 : 0;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            return Cast.to(u.gte(-from()).logicalAnd(u.lt(to())), DataType.FLOAT64, false);
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return range / width;
        }

        /** {@inheritDoc} */
        @Override
        public double reach() {
            return from();
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            return Math.max(0, 1 - Math.abs(u) / width);
        }

        private double from() {
            return width * (0.5 + EDGE);
        }

        private double to() {
            return width * (0.5 - EDGE);
        }
    }

    /**
     * 1 for |u| ≤ w, else 0: meant to be so narrow that a position meets no centre but its own. Its
     * stable rank is then the number of positions; densely sampled it is 1/(2w).
     *
     * @param width w, half the width
     */
    record Impulse(double width) implements BasisFunction {

        /** Checks the value. */
        public Impulse {
            Checks.positive(width, "width");
        }

        /** {@inheritDoc} */
        @Override
        public double value(double u) {
            return Math.abs(u) <= width * (1 + EDGE) ? 1 : 0;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray values(NDArray u) {
            return Cast.to(u.abs().lte(width * (1 + EDGE)), DataType.FLOAT64, false);
        }

        /** {@inheritDoc} */
        @Override
        public double stableRankLimit(double range) {
            return range / (2 * width);
        }

        /** {@inheritDoc} */
        @Override
        public double reach() {
            return width * (1 + EDGE);
        }

        /** {@inheritDoc} */
        @Override
        public double similarity(double u) {
            return Math.max(0, 1 - Math.abs(u) / (2 * width));
        }
    }
}
