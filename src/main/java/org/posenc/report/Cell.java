package org.posenc.report;

/** What stands in a place of a {@link Table}: words or a quantity. */
public sealed interface Cell permits Cell.Text, Measurement {

    /**
     * Words.
     *
     * @param text the words
     */
    record Text(String text) implements Cell {

        @Override
        public String text(int decimals) {
            return text;
        }
    }

    /**
     * Returns what a reader sees.
     *
     * @param decimals the digits after the point, for a quantity
     * @return the text
     */
    String text(int decimals);
}
