package org.posenc.encoding;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An encoding's settings as text, {@code key=value}, read with their types and checked. */
public final class Settings {

    /**
     * One setting that an encoding understands.
     *
     * @param key its name
     * @param standard its value where none is given, as text
     * @param meaning what it does, with unit and range, in half a line
     */
    public record Key(String key, String standard, String meaning) {}

    private final String owner;
    private final Map<String, String> values;

    private Settings(String owner, Map<String, String> values) {
        this.owner = owner;
        this.values = values;
    }

    /**
     * Settings of an encoding: those given, and its standards for the rest.
     *
     * @param owner the encoding's name, for messages
     * @param keys what it understands
     * @param given what was given
     * @return the settings
     * @throws IllegalArgumentException if a key is not understood
     */
    public static Settings of(String owner, List<Key> keys, Map<String, String> given) {
        Map<String, String> values = new LinkedHashMap<>();
        keys.forEach(key -> values.put(key.key(), key.standard()));
        given.forEach(
                (key, value) -> {
                    if (!values.containsKey(key)) {
                        throw new IllegalArgumentException(
                                values.isEmpty()
                                        ? owner + " has no settings, got \"" + key + "\""
                                        : "unknown setting \""
                                                + key
                                                + "\" of "
                                                + owner
                                                + suggestion(key, values.keySet()));
                    }
                    values.put(key, value);
                });
        return new Settings(owner, values);
    }

    /**
     * Returns a setting as text.
     *
     * @param key one of the encoding's keys
     * @return its value
     */
    public String text(String key) {
        return values.get(key);
    }

    /**
     * Returns whether a setting was left at "auto".
     *
     * @param key one of the encoding's keys
     * @return whether the encoding is to choose
     */
    public boolean automatic(String key) {
        return text(key).equals("auto");
    }

    /**
     * Returns a setting as a number.
     *
     * @param key one of the encoding's keys
     * @return its value
     * @throws IllegalArgumentException if it is no finite number
     */
    public double number(String key) {
        try {
            double value = Double.parseDouble(text(key));
            if (Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below, as for values that are not finite
        }
        throw wrong(key, "a number");
    }

    /**
     * Returns a setting as a number, or another where it was left at "auto".
     *
     * @param key one of the encoding's keys
     * @param automatic the number for "auto"
     * @return its value
     * @throws IllegalArgumentException if it is no finite number
     */
    public double number(String key, double automatic) {
        return automatic(key) ? automatic : number(key);
    }

    /**
     * Returns a setting as a whole number.
     *
     * @param key one of the encoding's keys
     * @return its value
     * @throws IllegalArgumentException if it is none
     */
    public int integer(String key) {
        try {
            return Integer.parseInt(text(key));
        } catch (NumberFormatException e) {
            throw wrong(key, "a whole number");
        }
    }

    /**
     * Returns a setting as a whole number, or another where it was left at "auto".
     *
     * @param key one of the encoding's keys
     * @param automatic the number for "auto"
     * @return its value
     * @throws IllegalArgumentException if it is no whole number
     */
    public int integer(String key, int automatic) {
        return automatic(key) ? automatic : integer(key);
    }

    /**
     * Returns a setting as a yes or no.
     *
     * @param key one of the encoding's keys
     * @return its value
     * @throws IllegalArgumentException if it is neither "true" nor "false"
     */
    public boolean flag(String key) {
        return switch (text(key)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw wrong(key, "true or false");
        };
    }

    /**
     * Returns a setting as one of an enumeration's constants, written in lower case with hyphens.
     *
     * @param key one of the encoding's keys
     * @param type the enumeration
     * @param <T> the enumeration
     * @return its value
     * @throws IllegalArgumentException if it names none of the constants
     */
    public <T extends Enum<T>> T choice(String key, Class<T> type) {
        return Stream.of(type.getEnumConstants())
                .filter(constant -> nameOf(constant).equals(text(key)))
                .findFirst()
                .orElseThrow(
                        () ->
                                wrong(
                                        key,
                                        Stream.of(type.getEnumConstants())
                                                .map(Settings::nameOf)
                                                .collect(Collectors.joining(" or "))));
    }

    /**
     * Returns a constant's name as settings write it.
     *
     * @param constant an enumeration's constant
     * @return its name in lower case with hyphens
     */
    public static String nameOf(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns ": did you mean …?" for a name that is close to a known one, and the known ones
     * otherwise; to end a message about an unknown name.
     *
     * @param name what was given
     * @param known what there is
     * @return the end of the sentence
     */
    public static String suggestion(String name, Collection<String> known) {
        List<String> sorted = new ArrayList<>(known);
        sorted.sort((a, b) -> Integer.compare(distance(name, a), distance(name, b)));
        int tolerated = Math.max(1, name.length() / 2);
        return !sorted.isEmpty() && distance(name, sorted.get(0)) <= tolerated
                ? ": did you mean \"" + sorted.get(0) + "\"?"
                : "; there are " + quoted(known);
    }

    static String quoted(Collection<String> names) {
        return names.stream().collect(Collectors.joining("\", \"", "\"", "\""));
    }

    private IllegalArgumentException wrong(String key, String wanted) {
        return refusal(key, wanted, "");
    }

    /**
     * Returns the error that a setting's value is none of those allowed.
     *
     * @param key one of the encoding's keys
     * @param wanted what it must be, such as "a number"
     * @param hint ends the sentence, such as a {@link #suggestion}; may be empty
     * @return the error, to be thrown
     */
    public IllegalArgumentException refusal(String key, String wanted, String hint) {
        return new IllegalArgumentException(
                owner + "'s " + key + " must be " + wanted + ", got \"" + text(key) + "\"" + hint);
    }

    /**
     * The least number of single-letter insertions, deletions and replacements between two words.
     */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j - 1], row[j]) + 1);
            }
        }
        return row[b.length()];
    }
}
