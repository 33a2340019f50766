package org.posenc.experiment.language;

import java.util.List;

/**
 * A text that comes in pieces and ends before the first of some words, which may come in pieces
 * too: what could be the beginning of one is held back until it is known.
 */
public final class StoppedText {

    private final List<String> stops;
    private String held = "";
    private boolean stopped;

    /**
     * A text without anything in it yet.
     *
     * @param stops what ends it, none of them empty
     */
    public StoppedText(List<String> stops) {
        if (stops.contains("")) {
            throw new IllegalArgumentException("a text cannot stop at an empty word");
        }
        this.stops = List.copyOf(stops);
    }

    /**
     * Adds a piece.
     *
     * @param piece what came
     * @return what of the text is certain now and was not told before
     */
    public String add(String piece) {
        if (stopped) {
            return "";
        }
        String text = held + piece;
        int end = text.length();
        for (String stop : stops) {
            int at = text.indexOf(stop);
            if (at >= 0 && at < end) {
                end = at;
                stopped = true;
            }
        }
        if (stopped) {
            held = "";
            return text.substring(0, end);
        }
        int certain = text.length() - longestBeginning(text);
        held = text.substring(certain);
        return text.substring(0, certain);
    }

    /**
     * Returns whether one of the words has come.
     *
     * @return whether the text has ended
     */
    public boolean stopped() {
        return stopped;
    }

    /**
     * Returns what is held back, where nothing more will come.
     *
     * @return the end of the text
     */
    public String end() {
        String rest = held;
        held = "";
        return rest;
    }

    /** How much of the end of a text may be the beginning of a word that stops it. */
    private int longestBeginning(String text) {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, text.length()); n > longest; n--) {
                if (text.endsWith(stop.substring(0, n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}
