package org.posenc.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.DoubleSummaryStatistics;
import java.util.stream.DoubleStream;

/**
 * Where a picture's axis puts values, and what it writes at its ticks. Logarithms are taken here
 * rather than by the plotting library, which labels powers of ten alone.
 *
 * @param axis the axis
 * @param base whose powers are ticks, where it is logarithmic
 * @param least the least value shown
 * @param most the largest value shown
 */
record Scale(Axis axis, int base, double least, double most) {

    /** Below this ratio of the largest to the smallest, two powers of ten at most are in sight. */
    private static final double FEW = 100;

    private static final MathContext DIGITS = new MathContext(3);

    /** The scale of an axis that shows these values, none of which it cannot show. */
    static Scale of(Axis axis, DoubleStream values) {
        DoubleSummaryStatistics range = values.summaryStatistics();
        int base = range.getMax() / range.getMin() < FEW ? 2 : 10;
        return new Scale(axis, base, range.getMin(), range.getMax());
    }

    /** Where a value stands. */
    double place(double value) {
        return axis.log() ? Math.log(value) / Math.log(base) : value;
    }

    /**
     * How far ticks should be apart at least, so that they are powers where two are in sight.
     *
     * @param usual how far they are on any axis, in pixels
     * @param length that of the axis, within a third
     */
    int spacing(int usual, int length) {
        double first = place(least);
        double last = place(most);
        boolean several = axis.log() && Math.floor(last) - Math.ceil(first) >= 1;
        return several ? Math.max(usual, (int) (length / (last - first))) : usual;
    }

    /** What is written at a place; nothing between names. */
    String label(double place) {
        if (axis.log()) {
            double value = Math.pow(base, place);
            boolean power = place == Math.rint(place);
            return Plot.number(power ? value : new BigDecimal(value).round(DIGITS).doubleValue());
        }
        if (axis.categories().isEmpty()) {
            return Plot.number(place);
        }
        boolean named = place == Math.rint(place) && place >= 0 && place < axis.categories().size();
        return named ? axis.categories().get((int) place) : "";
    }
}
