package org.posenc.encoding;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * Frequencies of fixed Fourier features: rows b of a matrix B (K, M), as a pure function of K and
 * the number of coordinates M.
 */
public sealed interface FourierFrequencies {

    /**
     * Computes the frequencies.
     *
     * @param count K
     * @param positionDimension M
     * @return B (K, M)
     * @throws IllegalArgumentException if there are no K frequencies of M coordinates
     */
    double[][] matrix(int count, int positionDimension);

    /**
     * Returns whether the matrix was drawn at random. It is then saved with a model and restored
     * when the model is loaded, whatever the seed of the block that loads it.
     *
     * @return false where it follows from the configuration alone
     */
    default boolean drawn() {
        return false;
    }

    /**
     * Returns whether each row looks at one coordinate alone, the same K/M frequencies at each.
     *
     * @return true where rows are grouped by coordinate
     */
    default boolean byAxis() {
        return true;
    }

    /**
     * Random directions and lengths, B_ij ~ N(0, σ²) (<a
     * href="https://arxiv.org/abs/2006.10739">Tancik et al. 2020</a>).
     *
     * @param sigma σ, in cycles per unit
     * @param seed draws B, row by row
     */
    record Random(double sigma, long seed) implements FourierFrequencies {

        /** Checks the values. */
        public Random {
            Checks.positive(sigma, "sigma");
        }

        /** {@inheritDoc} */
        @Override
        public double[][] matrix(int count, int positionDimension) {
            double[] values =
                    SeededInitializer.normal(sigma, seed, "B").draw(count * positionDimension);
            double[][] b = new double[count][];
            for (int k = 0; k < count; k++) {
                int from = k * positionDimension;
                b[k] = Arrays.copyOfRange(values, from, from + positionDimension);
            }
            return b;
        }

        /** {@inheritDoc} */
        @Override
        public boolean drawn() {
            return true;
        }

        /** {@inheritDoc} */
        @Override
        public boolean byAxis() {
            return false;
        }
    }

    /**
     * Evenly spaced from 1 to 2^p along each axis.
     *
     * @param highest p; may be any real number
     */
    record Linear(double highest) implements FourierFrequencies {

        /** Checks the value. */
        public Linear {
            Checks.finite(highest, "exponent of the highest frequency");
        }

        /** {@inheritDoc} */
        @Override
        public double[][] matrix(int count, int positionDimension) {
            return alongAxes(
                    count, positionDimension, part -> 1 + part * (Math.pow(2, highest) - 1));
        }
    }

    /**
     * Geometric from 1 to 2^p along each axis (<a href="https://arxiv.org/abs/2003.08934">NeRF</a>
     * with L frequencies is p = L − 1).
     *
     * @param highest p; may be any real number
     */
    record Logarithmic(double highest) implements FourierFrequencies {

        /** Checks the value. */
        public Logarithmic {
            Checks.finite(highest, "exponent of the highest frequency");
        }

        /** {@inheritDoc} */
        @Override
        public double[][] matrix(int count, int positionDimension) {
            return alongAxes(count, positionDimension, part -> Math.pow(2, part * highest));
        }
    }

    /** Frequencies that are given. */
    final class Given implements FourierFrequencies {

        private final double[][] rows;

        /**
         * Frequencies that are given.
         *
         * @param rows B (K, M)
         */
        public Given(double[][] rows) {
            this.rows = Arrays.stream(rows).map(double[]::clone).toArray(double[][]::new);
        }

        /** {@inheritDoc} */
        @Override
        public double[][] matrix(int count, int positionDimension) {
            boolean fits =
                    rows.length == count
                            && Arrays.stream(rows).allMatch(r -> r.length == positionDimension);
            if (!fits) {
                throw new IllegalArgumentException(
                        rows.length
                                + " given frequencies do not make "
                                + 2 * count
                                + " features of "
                                + positionDimension
                                + " coordinates");
            }
            return rows;
        }

        /** {@inheritDoc} */
        @Override
        public boolean byAxis() {
            return false;
        }

        /** {@inheritDoc} */
        @Override
        public String toString() {
            return "Given[" + rows.length + " rows, hash " + Arrays.deepHashCode(rows) + "]";
        }
    }

    private static double[][] alongAxes(
            int count, int positionDimension, DoubleUnaryOperator frequency) {
        int each = Checks.divided(count, positionDimension, "half the number of features");
        double[][] b = new double[count][positionDimension];
        for (int k = 0; k < count; k++) {
            int i = k % each;
            double part = each == 1 ? 0 : i / (each - 1.0);
            b[k][k / each] = frequency.applyAsDouble(part);
        }
        return b;
    }
}
