package org.posenc.report;

import java.awt.Color;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One fixed look for each encoding in every chart: a family has a hue and a marker, its members
 * differ in shade and dash. The hues are those of <a href="https://jfly.uni-koeln.de/color/">Okabe
 * and Ito</a>, told apart by colour-blind readers, the light ones darkened so that a thin line
 * stands out on white and on black.
 */
final class Palette {

    /** How a series looks. {@code dash} and {@code symbol} count from 0. */
    record Look(Color colour, int dash, int symbol) {

        /** Returns the colour as in CSS. */
        String hex() {
            return String.format("#%06x", colour.getRGB() & 0xffffff);
        }

        Color translucent(int alpha) {
            return new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), alpha);
        }
    }

    private static final String[][] FAMILIES = {
        {"8a8f98", "none"},
        {"d08a00", "learned"},
        {"1f77b4", "sinusoidal", "cape"},
        {"0a9e73", "fourier", "random-fourier", "linear-frequencies", "log-frequencies", "basic"},
        {"c7609f", "gaussian", "triangle", "square", "sine", "rectangle", "impulse", "noise"},
        {"d55e00", "rope", "xpos"},
        {"35a0d6", "alibi", "kerple"},
        {"8067c4", "t5", "fire"},
        // Methods of reading longer contexts, which are compared among themselves.
        {"7a7f88", "direct", "resized"},
        {"c08a1e", "linear", "linear+log-n"},
        {"2a7fbf", "ntk-aware", "ntk-mixed", "ntk-old", "ntk-fixed", "dynamic", "ntk-aware+log-n"},
        {"cf5a10", "yarn", "ntk-by-parts", "llama3", "yarn-32-1"},
        {"14946f", "rerope", "leaky-rerope", "self-extend", "rerope+log-n"},
        {"8a70c9", "drope"},
        {"b8478f", "longrope"},
    };

    private static final int SYMBOLS = 8;

    /** Families whose hues are told apart best, in turn. */
    private static final int[] TURNS = {2, 5, 3, 4, 1, 7, 6, 0};

    private static final Map<String, Look> LOOKS = new LinkedHashMap<>();

    static {
        for (int family = 0; family < FAMILIES.length; family++) {
            Color hue = new Color(Integer.parseInt(FAMILIES[family][0], 16));
            for (int member = 1; member < FAMILIES[family].length; member++) {
                int rank = member - 1;
                LOOKS.put(
                        FAMILIES[family][member],
                        new Look(shade(hue, rank), rank % 4, family % SYMBOLS));
            }
        }
    }

    private Palette() {}

    /** Returns whether a text is the name of an encoding with a look of its own. */
    static boolean knows(String name) {
        return LOOKS.containsKey(name);
    }

    /**
     * Returns the look of a series. A name that begins with an encoding's, such as {@code rope
     * (yarn)}, is shown in the colour of that one; any other gets one that depends on the name
     * only.
     */
    static Look of(String name) {
        Look known = LOOKS.get(name);
        if (known != null) {
            return known;
        }
        String nearest = "";
        for (String start : LOOKS.keySet()) {
            if (name.startsWith(start) && start.length() > nearest.length()) {
                nearest = start;
            }
        }
        int hash = Math.floorMod(name.hashCode() * 31, 1 << 16);
        if (nearest.isEmpty()) {
            Color hue =
                    new Color(Integer.parseInt(FAMILIES[hash % FAMILIES.length][0], 16)).darker();
            return new Look(hue, hash / 8 % 4, hash % SYMBOLS);
        }
        Look family = LOOKS.get(nearest);
        return new Look(family.colour(), 1 + hash % 3, family.symbol());
    }

    /**
     * Returns the look of a line among others. Names that say no encoding, such as {@code N = 64},
     * take the hues in turn, so that no two lines of a chart look alike.
     *
     * @param name the line's name
     * @param chart the names of all lines of the chart, in its order
     */
    static Look of(String name, List<String> chart) {
        List<String> strangers = chart.stream().filter(Palette::isStranger).distinct().toList();
        int place = strangers.indexOf(name);
        if (place < 0) {
            return of(name);
        }
        Color hue = new Color(Integer.parseInt(FAMILIES[TURNS[place % TURNS.length]][0], 16));
        return new Look(hue, place / TURNS.length % 4, place % SYMBOLS);
    }

    private static boolean isStranger(String name) {
        return LOOKS.keySet().stream().noneMatch(name::startsWith);
    }

    private static Color shade(Color hue, int rank) {
        int towards = rank % 2 == 1 ? 0 : 255;
        double part = rank == 0 ? 0 : 0.18 + 0.07 * rank;
        return new Color(
                mix(hue.getRed(), towards, part),
                mix(hue.getGreen(), towards, part),
                mix(hue.getBlue(), towards, part));
    }

    private static int mix(int from, int to, double part) {
        return (int) Math.round(from + (to - from) * part);
    }
}
