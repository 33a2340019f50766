package org.posenc.report;

/**
 * A column of a {@link Table}.
 *
 * @param name the key of its value in a {@link ResultRow}
 * @param heading what a reader sees above it
 * @param unit the unit of its quantities; empty for words and pure numbers
 * @param decimals the digits after the point; −1 for a column of words
 */
public record Column(String name, String heading, String unit, int decimals) {

    /** Checks the values. */
    public Column {
        if (decimals < -1 || decimals > 12) {
            throw new IllegalArgumentException(
                    "decimals of column \"" + name + "\" must be -1 … 12, got " + decimals);
        }
    }

    /**
     * Makes a column of words.
     *
     * @param name its label in a row, and its heading
     * @return the column
     */
    public static Column label(String name) {
        return new Column(name, name, "", -1);
    }

    /**
     * Makes a column of quantities.
     *
     * @param name its value in a row, and its heading
     * @param unit the unit; may be empty
     * @param decimals the digits after the point
     * @return the column
     */
    public static Column value(String name, String unit, int decimals) {
        return new Column(name, name, unit, decimals);
    }

    /**
     * Returns the same column under another heading.
     *
     * @param heading what a reader sees
     * @return the column
     */
    public Column headed(String heading) {
        return new Column(name, heading, unit, decimals);
    }

    /**
     * Returns whether the column holds quantities.
     *
     * @return false for words
     */
    public boolean isNumeric() {
        return decimals >= 0;
    }

    /**
     * Returns the heading with its unit.
     *
     * @return such as {@code time (s)}
     */
    public String title() {
        return unit.isEmpty() ? heading : heading + " (" + unit + ")";
    }
}
