package org.posenc.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.posenc.report.Npy;

/**
 * Positions as the command line gives them.
 *
 * @param points N rows of M finite coordinates
 */
record PositionList(double[][] points) {

    private static final int LIMIT = 1 << 24;

    /**
     * Reads positions.
     *
     * @param text {@code 0,0.1,0.2}; {@code FROM:TO} or {@code FROM:TO:STEP} without the end; or a
     *     file, text or .npy. Text of one line are positions on a line, of several lines one point
     *     each.
     * @throws IllegalArgumentException if there are none, or one is not a finite number
     */
    static PositionList parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("--positions is empty");
        }
        if (text.matches("[^\\p{Alpha}:]*|[^:]*,.*|.*\\R.*") && !isFile(text)) {
            return ofText(text, "--positions");
        }
        if (text.indexOf(':') > 0 && !isFile(text)) {
            return range(text);
        }
        return ofFile(text);
    }

    /** Returns M. */
    int dimension() {
        return points[0].length;
    }

    /** Returns the coordinates, point by point. */
    double[] flat() {
        return Arrays.stream(points).flatMapToDouble(Arrays::stream).toArray();
    }

    /** Returns how many positions a square grid of as many points has along each axis. */
    int side() {
        return (int) Math.round(Math.pow(points.length, 1.0 / dimension()));
    }

    /**
     * Returns whether the points are those of a regular grid, at i/n of an extent along each axis,
     * the last coordinate fastest.
     */
    boolean fillGrid(double extent) {
        int n = side();
        int m = dimension();
        if (Math.round(Math.pow(n, m)) != points.length) {
            return false;
        }
        for (int i = 0; i < points.length; i++) {
            int rest = i;
            for (int axis = m - 1; axis >= 0; axis--) {
                double there = extent * (rest % n) / n;
                if (Math.abs(points[i][axis] - there) > 1e-9 * extent) {
                    return false;
                }
                rest /= n;
            }
        }
        return true;
    }

    /** Returns whether every coordinate is a whole number. */
    boolean whole() {
        return Arrays.stream(flat()).allMatch(x -> x == Math.rint(x) && Math.abs(x) < 1L << 53);
    }

    /** Returns whether every coordinate lies in [0, 1]. */
    boolean withinUnit() {
        return Arrays.stream(flat()).allMatch(x -> x >= 0 && x <= 1);
    }

    private static boolean isFile(String text) {
        try {
            return text.indexOf('\n') < 0 && Files.exists(Path.of(text));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static PositionList ofFile(String name) {
        Path file = Path.of(name);
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new IllegalArgumentException(
                    "--positions \"" + name + "\" is neither numbers nor a file that can be read");
        }
        if (name.endsWith(".npy")) {
            Npy array = Npy.read(file);
            int[] shape = array.shape();
            if (shape.length < 1 || shape.length > 2) {
                throw new IllegalArgumentException(
                        name + " must have the shape (N) or (N, M), got " + Arrays.toString(shape));
            }
            int m = shape.length == 1 ? 1 : shape[1];
            double[] values = array.values();
            double[][] points = new double[shape[0]][];
            for (int i = 0; i < points.length; i++) {
                points[i] = Arrays.copyOfRange(values, i * m, (i + 1) * m);
            }
            return checked(points, name);
        }
        try {
            return ofText(Files.readString(file), name);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(name + " is no text file", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PositionList ofText(String text, String source) {
        List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
        if (lines.size() == 1) {
            double[] line = numbers(lines.get(0), source);
            return checked(
                    Arrays.stream(line).mapToObj(x -> new double[] {x}).toArray(double[][]::new),
                    source);
        }
        return checked(
                lines.stream().map(line -> numbers(line, source)).toArray(double[][]::new), source);
    }

    private static PositionList range(String text) {
        double[] parts =
                Stream.of(text.split(":", -1)).mapToDouble(part -> number(part, text)).toArray();
        double from = parts[0];
        double step = parts.length == 3 ? parts[2] : 1;
        double count = parts.length > 3 ? 0 : Math.ceil((parts[1] - from) / step - 1e-9);
        if (!(count >= 1 && count <= LIMIT)) {
            throw new IllegalArgumentException(
                    "--positions FROM:TO:STEP must give between 1 and "
                            + LIMIT
                            + " positions, got "
                            + text);
        }
        double[][] points = new double[(int) count][];
        for (int i = 0; i < points.length; i++) {
            points[i] = new double[] {from + i * step};
        }
        return checked(points, text);
    }

    private static double[] numbers(String line, String source) {
        return Stream.of(line.strip().split("\\s*[,;\\s]\\s*", -1))
                .mapToDouble(word -> number(word, source))
                .toArray();
    }

    private static double number(String word, String source) {
        try {
            return new BigDecimal(word).doubleValue();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    source + " must hold finite numbers, got \"" + word + "\"", e);
        }
    }

    private static PositionList checked(double[][] points, String source) {
        if (points.length == 0 || points[0].length == 0) {
            throw new IllegalArgumentException(source + " holds no positions");
        }
        for (int i = 0; i < points.length; i++) {
            if (points[i].length != points[0].length) {
                throw new IllegalArgumentException(
                        source
                                + " must have as many coordinates in each line: the first has "
                                + points[0].length
                                + ", number "
                                + (i + 1)
                                + " has "
                                + points[i].length);
            }
            for (double x : points[i]) {
                if (!Double.isFinite(x)) {
                    throw new IllegalArgumentException(
                            source + " must hold finite numbers, got " + x);
                }
            }
        }
        return new PositionList(points);
    }
}
