package org.posenc.experiment.reproduction;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/**
 * When a measured number bears a claim out, fixed before anything is measured. NaN, a measurement
 * that failed, bears out none.
 */
public sealed interface Rule {

    /**
     * Returns whether a number bears the claim out.
     *
     * @param measured the number
     * @return whether it does
     */
    boolean holdsFor(double measured);

    /**
     * Returns the rule in words.
     *
     * @return such as {@code ≥ 60}
     */
    String text();

    /**
     * Close to a number that is known.
     *
     * @param expected the number
     * @param tolerance how far it may be off, as a part of it, at least 0
     */
    record Near(double expected, double tolerance) implements Rule {

        /** Checks the values. */
        public Near {
            if (!Double.isFinite(expected) || !(tolerance >= 0)) {
                throw new IllegalArgumentException(
                        "a number must be finite and its tolerance at least 0, got "
                                + expected
                                + " and "
                                + tolerance);
            }
        }

        @Override
        public boolean holdsFor(double measured) {
            return Math.abs(measured - expected) <= tolerance * Math.abs(expected);
        }

        @Override
        public String text() {
            return number(expected) + " ± " + number(100 * tolerance) + " %";
        }
    }

    /**
     * No less than a bound.
     *
     * @param bound the bound
     */
    record AtLeast(double bound) implements Rule {

        @Override
        public boolean holdsFor(double measured) {
            return measured >= bound;
        }

        @Override
        public String text() {
            return "≥ " + number(bound);
        }
    }

    /**
     * No more than a bound.
     *
     * @param bound the bound
     */
    record AtMost(double bound) implements Rule {

        @Override
        public boolean holdsFor(double measured) {
            return measured <= bound;
        }

        @Override
        public String text() {
            return "≤ " + number(bound);
        }
    }

    /**
     * Within bounds.
     *
     * @param least the lower bound
     * @param greatest the upper bound, no less
     */
    record Between(double least, double greatest) implements Rule {

        /** Checks the values. */
        public Between {
            if (!(least <= greatest)) {
                throw new IllegalArgumentException(
                        "bounds must ascend, got " + least + " and " + greatest);
            }
        }

        @Override
        public boolean holdsFor(double measured) {
            return measured >= least && measured <= greatest;
        }

        @Override
        public String text() {
            return number(least) + " … " + number(greatest);
        }
    }

    /**
     * Returns a number with four digits that say something.
     *
     * @param value any number
     * @return such as {@code 28.21}; a dash where it is not a number
     */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "–";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "∞" : "−∞";
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(4));
        String text =
                rounded.abs().doubleValue() < 1e-4
                        ? String.format(Locale.ROOT, "%.1e", value)
                        : rounded.stripTrailingZeros().toPlainString();
        return value == 0 ? "0" : text.replace('-', '−');
    }
}
