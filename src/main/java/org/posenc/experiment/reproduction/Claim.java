package org.posenc.experiment.reproduction;

/**
 * Something that the papers say and a recipe measured.
 *
 * @param number which of the sixteen it belongs to, 1 to 16
 * @param sentence what is said, as a quantity
 * @param paper what the papers found, in short; empty where they give no number
 * @param here what was measured here
 * @param unit the unit of that; empty for a pure number
 * @param rule when it holds
 */
public record Claim(
        int number, String sentence, String paper, double here, String unit, Rule rule) {

    /** How many claims there are. */
    public static final int COUNT = 16;

    /** Checks the values. */
    public Claim {
        if (number < 1 || number > COUNT) {
            throw new IllegalArgumentException(
                    "claims are numbered 1 to " + COUNT + ", got " + number);
        }
        if (sentence.isBlank()) {
            throw new IllegalArgumentException("a claim must say something");
        }
    }

    /**
     * Returns whether it holds here.
     *
     * @return what the rule says of the measured number
     */
    public boolean holds() {
        return rule.holdsFor(here);
    }

    /** Returns the measured number with its unit. */
    String hereText() {
        return withUnit(Rule.number(here));
    }

    /** Returns the rule with the unit. */
    String ruleText() {
        return withUnit(rule.text());
    }

    private String withUnit(String text) {
        return unit.isEmpty() ? text : text + " " + unit;
    }
}
