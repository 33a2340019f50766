package org.posenc.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.posenc.report.Npy;

/** Rows of whole numbers, such as token ids, as the command line gives them. */
final class TokenRows {

    private TokenRows() {}

    /**
     * Reads rows.
     *
     * @param option who asks, for messages
     * @param text {@code 1,2,3;4,5,6}: numbers with commas between, rows with semicolons; or a
     *     file, text with one row a line, or .npy of shape (T) or (B, T)
     * @return the rows, of any lengths from 1
     * @throws IllegalArgumentException if something else stands there
     */
    static long[][] parse(String option, String text) {
        if (text.matches("[-+\\d\\s,;]*")) {
            return rows(option, text);
        }
        try {
            Path file = Path.of(text);
            if (text.endsWith(".npy")) {
                return npy(file);
            }
            return rows(text, Files.readString(file));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException(
                    option + " must be whole numbers or a file, got \"" + text + "\"", e);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(text + " is no text file", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long[][] rows(String source, String text) {
        long[][] rows =
                Stream.of(text.split("[;\\n\\r]"))
                        .map(String::strip)
                        .filter(row -> !row.isEmpty())
                        .map(row -> row(source, row))
                        .toArray(long[][]::new);
        if (rows.length == 0) {
            throw new IllegalArgumentException(source + " holds no numbers");
        }
        return rows;
    }

    private static long[] row(String source, String row) {
        return Stream.of(row.split("[,\\s]+"))
                .mapToLong(
                        word -> {
                            if (!word.matches("[-+]?\\d{1,18}")) {
                                throw new IllegalArgumentException(
                                        source + " must hold whole numbers, got \"" + word + "\"");
                            }
                            return Long.parseLong(word);
                        })
                .toArray();
    }

    private static long[][] npy(Path file) {
        Npy array = Npy.read(file);
        int[] shape = array.shape();
        double[] values = array.values();
        if (shape.length < 1 || shape.length > 2 || values.length == 0) {
            throw new IllegalArgumentException(
                    file + " must have the shape (T) or (B, T), got " + Arrays.toString(shape));
        }
        int width = shape[shape.length - 1];
        long[][] rows = new long[values.length / width][width];
        for (int i = 0; i < values.length; i++) {
            if (values[i] != Math.rint(values[i])) {
                throw new IllegalArgumentException(
                        file + " must hold whole numbers, got " + values[i]);
            }
            rows[i / width][i % width] = (long) values[i];
        }
        return rows;
    }
}
