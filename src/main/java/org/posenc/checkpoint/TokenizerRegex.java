package org.posenc.checkpoint;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much work a regular expression of a {@code tokenizer.json} can be.
 *
 * <p>Hugging Face's library matches by Oniguruma, which goes back and tries again, and ends the
 * process once it has done so ten million times at one place of a text; whether it comes to that
 * depends on the text. So an expression is only shown to it if the times it goes back are, at
 * worst, proportional to the length of the text: no repetition without bound inside of another, or
 * of something that matches in several ways, and no two of them one after the other with something
 * behind that may fail. All that known tokenizers have is read; what goes beyond regular languages
 * (back references, recursion, conditions, callouts) is not.
 *
 * @param work how often a match goes back at worst
 * @param empty whether it can match no character
 */
record TokenizerRegex(Work work, boolean empty) {

    /** What the GPT-2 pre-tokenizer {@code ByteLevel} splits by where it is not told otherwise. */
    static final String BYTE_LEVEL =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /** How often Oniguruma goes back at one place before it gives up. */
    private static final double GIVES_UP = 1e7;

    /** Longer ones, and deeper ones, take the library seconds or its stack. */
    private static final int LONGEST = 10_000;

    private static final int DEEPEST = 20;

    /** Runs of a million characters are rare, those of 50,000 are not. */
    private static final long SHORTEST_RUN = 50_000;

    /**
     * Reads an expression.
     *
     * @throws IllegalArgumentException if it may go back too often, or is of a kind that is not
     *     read; the sentence says why, and begins with what it {@code does}
     */
    static TokenizerRegex of(String pattern) {
        if (pattern.length() > LONGEST) {
            throw new IllegalArgumentException("has more than " + LONGEST + " characters");
        }
        Piece whole = new Reader(pattern).whole();
        Work work = whole.once();
        if (work.run() < SHORTEST_RUN) {
            throw new IllegalArgumentException(
                    "may go back and try again too often for a text of ordinary length");
        }
        return new TokenizerRegex(work, whole.empty());
    }

    /**
     * At worst constant + linear · n times.
     *
     * @param constant whatever the text
     * @param linear for each of n characters in a row
     * @param more whether even n² or more
     * @param anywhere whether these may be both spaces and others
     */
    record Work(double constant, double linear, boolean more, boolean anywhere) {

        private static final Work NONE = new Work(0, 0, false, false);
        private static final Work ONE = new Work(1, 0, false, false);

        private Work plus(Work other) {
            return new Work(
                    constant + other.constant,
                    linear + other.linear,
                    more || other.more,
                    anywhere || other.anywhere);
        }

        private Work times(Work other) {
            return new Work(
                    constant * other.constant,
                    constant * other.linear + linear * other.constant,
                    more || other.more || linear * other.linear > 0,
                    anywhere || other.anywhere);
        }

        /** How long a run may be, by half of what would end the process. */
        long run() {
            double left = GIVES_UP / 2 - constant;
            return more || left < 0 ? 0 : linear == 0 ? Long.MAX_VALUE : (long) (left / linear);
        }
    }

    /**
     * A part of an expression.
     *
     * @param ways in how many ways it can match at one place
     * @param all how often it goes back until it has tried them all
     * @param once how often it goes back until it has matched for good, or failed
     * @param fails whether it may not match
     * @param empty whether it can match no character
     * @param plain whether it is characters one after the other, which never go back as they match
     * @param anywhere whether it may hold both spaces and other characters
     */
    private record Piece(
            Work ways,
            Work all,
            Work once,
            boolean fails,
            boolean empty,
            boolean plain,
            boolean anywhere) {

        private static Piece character(boolean anywhere) {
            return new Piece(Work.ONE, Work.ONE, Work.ONE, true, false, true, anywhere);
        }

        /** Something that looks at a place and takes no characters. */
        private static Piece look(Work work) {
            Work more = work.plus(Work.ONE);
            return new Piece(Work.ONE, more, more, true, true, false, false);
        }

        private Piece or(Piece other) {
            return new Piece(
                    ways.plus(other.ways),
                    all.plus(other.all),
                    once.plus(other.once),
                    fails && other.fails,
                    empty || other.empty,
                    false,
                    true);
        }

        /** As it is when no way back leads into it. */
        private Piece settled() {
            return new Piece(Work.ONE, once, once, fails, empty, plain, anywhere);
        }

        private Piece repeated(int least, int most) {
            Work waysOfAll = least == 0 ? Work.ONE : Work.NONE;
            Work tried = Work.ONE;
            Work product = Work.ONE;
            for (int k = 1; k <= most; k++) {
                tried = tried.plus(product.times(all));
                product = product.times(ways);
                waysOfAll = k < least ? waysOfAll : waysOfAll.plus(product);
            }
            return new Piece(
                    waysOfAll,
                    tried,
                    tried,
                    fails && least > 0,
                    empty || least == 0,
                    plain && least == most,
                    anywhere);
        }

        private Piece repeatedWithoutBound(int least) {
            if (!ways.equals(Work.ONE) || empty) {
                throw new IllegalArgumentException(
                        "repeats without bound what can match in several ways");
            }
            Work run = new Work(1, 1, false, anywhere);
            return new Piece(
                    run,
                    run.times(all),
                    plain ? all.plus(new Work(least + 1.0, 0, false, false)) : run.times(all),
                    fails && least > 0,
                    least == 0,
                    false,
                    anywhere);
        }
    }

    /** Reads what of Oniguruma's language is read. */
    private static final class Reader {

        private static final Pattern BOUNDS = Pattern.compile("\\{(\\d*)(,?)(\\d*)}");
        private static final Pattern CODE =
                Pattern.compile("x[0-9a-fA-F]{2}|x\\{[0-9a-fA-F]{1,6}}|u[0-9a-fA-F]{4}");
        private static final Pattern PROPERTY = Pattern.compile("[pP]\\{\\^?[A-Za-z_]+}");
        private static final Pattern POSIX = Pattern.compile("\\[:\\^?[a-z]+:]");
        private static final Pattern OPTIONS = Pattern.compile("\\?[ims]*(-[ims]+)?([:)])");

        private final String text;
        private int at;
        private int depth;
        private int unbounded; // how many repetitions without bound have been read

        Reader(String text) {
            this.text = text;
        }

        Piece whole() {
            Piece piece = choice();
            if (at < text.length()) {
                throw unread(")");
            }
            return piece;
        }

        private Piece choice() {
            if (++depth > DEEPEST) {
                throw new IllegalArgumentException("is nested too deeply");
            }
            Piece any = sequence();
            while (at < text.length() && text.charAt(at) == '|') {
                at++;
                any = any.or(sequence());
            }
            depth--;
            return any;
        }

        /**
         * Pieces one after the other. A piece is tried once more for each way of those before it,
         * as long as one that may fail is yet to come.
         */
        private Piece sequence() {
            Work ways = Work.ONE;
            Work all = Work.NONE;
            Work settled = all; // until the last piece that may fail has matched
            boolean fails = false;
            boolean empty = true;
            boolean plain = true;
            boolean anywhere = false;
            int pieces = 0;
            while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
                Piece next = piece();
                settled =
                        next.fails()
                                ? all.plus(ways.times(next.once()))
                                : settled.plus(next.once());
                all = all.plus(ways.times(next.all()));
                ways = ways.times(next.ways());
                fails |= next.fails();
                empty &= next.empty();
                plain &= next.plain();
                anywhere |= next.anywhere() || pieces++ > 0;
            }
            return new Piece(ways, all, settled, fails, empty, plain, anywhere);
        }

        private Piece piece() {
            Piece one = atom();
            if (at >= text.length()) {
                return one;
            }
            Matcher bounds = BOUNDS.matcher(text).region(at, text.length());
            char sign = text.charAt(at);
            Piece many;
            boolean counted = bounds.lookingAt() && !(bounds.group(1) + bounds.group(3)).isEmpty();
            if (counted) {
                many = counted(one, bounds);
                at = bounds.end();
            } else if (sign == '*' || sign == '+') {
                many = withoutBound(one, sign == '+' ? 1 : 0);
                at++;
            } else if (sign == '?') {
                many = one.repeated(0, 1);
                at++;
            } else {
                return one;
            }
            char next = at < text.length() ? text.charAt(at) : ' ';
            if (next == '?' && !counted) { // as few as can be
                at++;
                next = at < text.length() ? text.charAt(at) : ' ';
            } else if (next == '+' && !counted) { // and no way back
                at++;
                many = many.settled();
                next = at < text.length() ? text.charAt(at) : ' ';
            }
            if (next == '*'
                    || next == '+'
                    || next == '?'
                    || BOUNDS.matcher(text).region(at, text.length()).lookingAt()) {
                throw new IllegalArgumentException("repeats a repetition");
            }
            return many;
        }

        private Piece counted(Piece one, Matcher bounds) {
            int least = bound(bounds.group(1));
            if (bounds.group(2).isEmpty()) {
                return one.repeated(least, least);
            }
            return bounds.group(3).isEmpty()
                    ? withoutBound(one, least)
                    : one.repeated(least, bound(bounds.group(3)));
        }

        private static int bound(String digits) {
            if (digits.length() > 3) {
                throw new IllegalArgumentException("repeats more than 999 times");
            }
            return digits.isEmpty() ? 0 : Integer.parseInt(digits);
        }

        private Piece withoutBound(Piece one, int least) {
            unbounded++;
            return one.repeatedWithoutBound(least);
        }

        private Piece atom() {
            char c = text.charAt(at++);
            return switch (c) {
                case '(' -> group();
                case '[' -> {
                    int from = at;
                    set(0);
                    yield Piece.character(crosses(text.substring(from, at - 1)));
                }
                case '\\' -> escape();
                case '^', '$' -> Piece.look(Work.ONE);
                case '.' -> Piece.character(true);
                case '*', '+', '?' -> throw new IllegalArgumentException("repeats nothing");
                default -> {
                    if (Character.isHighSurrogate(c)) {
                        at++;
                    }
                    yield Piece.character(false);
                }
            };
        }

        private Piece group() {
            if (text.startsWith("?>", at)) {
                at += 2;
                return close(choice()).settled();
            }
            for (String look : new String[] {"?=", "?!", "?<=", "?<!"}) {
                if (text.startsWith(look, at)) {
                    at += look.length();
                    int before = unbounded;
                    Piece inner = close(choice());
                    if (look.contains("<") && unbounded > before) {
                        throw new IllegalArgumentException("looks back without bound");
                    }
                    return Piece.look(look.contains("<") ? inner.all() : inner.once());
                }
            }
            Matcher options = OPTIONS.matcher(text).region(at, text.length());
            if (options.lookingAt()) {
                at = options.end();
                // An option by itself is for the rest of its group, alternatives and all.
                return options.group(2).equals(")") ? choice() : close(choice());
            }
            if (text.startsWith("?", at) || text.startsWith("*", at)) {
                throw unread("(" + text.substring(at, Math.min(at + 2, text.length())));
            }
            return close(choice());
        }

        private Piece close(Piece inner) {
            if (at >= text.length()) {
                throw new IllegalArgumentException("has a ( without its )");
            }
            at++;
            return inner;
        }

        /** A set of characters, to its end. */
        private void set(int level) {
            if (level > DEEPEST) {
                throw new IllegalArgumentException("is nested too deeply");
            }
            if (text.startsWith("^", at)) {
                at++;
            }
            if (text.startsWith("]", at)) {
                throw unread("[]");
            }
            while (at < text.length()) {
                Matcher posix = POSIX.matcher(text).region(at, text.length());
                if (posix.lookingAt()) {
                    at = posix.end();
                    continue;
                }
                char c = text.charAt(at++);
                if (c == ']') {
                    return;
                } else if (c == '[') {
                    set(level + 1);
                } else if (c == '\\') {
                    escape();
                }
            }
            throw new IllegalArgumentException("has a [ without its ]");
        }

        /**
         * Whether a set may hold both spaces and other characters; yes, where that is not plain.
         */
        private static boolean crosses(String set) {
            boolean odd =
                    set.matches("(?s).*(\\\\[SWDHP]|&&|\\[|\\^.*\\^|\\\\p\\{(?![LMNPS][a-z]?})).*");
            boolean spaces = set.matches("(?s).*\\\\s.*");
            if (set.startsWith("^")) {
                return odd || !spaces;
            }
            boolean space = spaces || set.matches("(?s).*(\\s|\\\\[rntvfxu]).*");
            boolean onlySpace = set.matches("(?s)(\\s|\\\\[srntvf])+");
            boolean ranges = set.matches("(?s).*[^\\w\\\\]-.*"); // such as [ -~]
            return odd || ranges || space && !onlySpace;
        }

        private Piece escape() {
            if (at >= text.length()) {
                throw new IllegalArgumentException("ends with a \\");
            }
            for (Pattern longer : new Pattern[] {CODE, PROPERTY}) {
                Matcher matcher = longer.matcher(text).region(at, text.length());
                if (matcher.lookingAt()) {
                    at = matcher.end();
                    String name = matcher.group();
                    return Piece.character(
                            longer == PROPERTY && !name.matches("p\\{[LMNPS][a-z]?}"));
                }
            }
            char c = text.charAt(at++);
            if ("AbBzZ".indexOf(c) >= 0) {
                return Piece.look(Work.ONE);
            }
            boolean letterOrDigit = c < 128 && Character.isLetterOrDigit(c);
            if (letterOrDigit && "sSdDwWhHrntfvae".indexOf(c) < 0) {
                throw unread("\\" + c);
            }
            return Piece.character("DWH".indexOf(c) >= 0);
        }

        private static IllegalArgumentException unread(String what) {
            return new IllegalArgumentException("has " + what + ", which is not read");
        }
    }
}
