package org.posenc.signal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A signal read from a file, with what the file was beside its values.
 *
 * <p>Images (PNG, JPEG, GIF, BMP) and sounds (WAV) are recognised by their first bytes, as are
 * arrays ({@code .npy}); a table of numbers is recognised by its name ({@code .csv}, {@code .tsv},
 * {@code .txt}).
 *
 * @param signal the values
 * @param format what the file was
 */
public record SignalFile(Signal signal, SignalFormat format) {

    private enum Kind {
        PNG("PNG image", "png"),
        JPEG("JPEG image", "jpg", "jpeg", "jpe", "jfif"),
        GIF("GIF image", "gif"),
        BMP("BMP image", "bmp", "dib"),
        WAV("WAV sound", "wav", "wave"),
        NPY("NumPy array", "npy"),
        TABLE("table of numbers", "csv", "tsv", "txt");

        private final String words;
        private final List<String> endings;

        Kind(String words, String... endings) {
            this.words = words;
            this.endings = List.of(endings);
        }

        private static Kind endingIn(String ending) {
            return Arrays.stream(values())
                    .filter(kind -> kind.endings.contains(ending))
                    .findFirst()
                    .orElse(null);
        }

        private static Kind of(byte[] head) {
            String text = new String(head, StandardCharsets.ISO_8859_1);
            if (text.startsWith("\u0089PNG\r\n\u001a\n")) {
                return PNG;
            } else if (text.startsWith("\u00ff\u00d8\u00ff")) {
                return JPEG;
            } else if (text.startsWith("GIF8")) {
                return GIF;
            } else if (text.startsWith("BM")) {
                return BMP;
            } else if (text.startsWith("RIFF") && text.startsWith("WAVE", 8)) {
                return WAV;
            } else if (text.startsWith("\u0093NUMPY")) {
                return NPY;
            }
            return TABLE;
        }
    }

    private static final int HEAD = 12;

    /**
     * Reads a file; the last axis of an array holds channels where it is at most 4 long.
     *
     * @param file the file
     * @return the signal
     * @throws IllegalArgumentException if it cannot be read, is too large for Java's memory or is
     *     not a whole file of one of the kinds
     */
    public static SignalFile read(Path file) {
        return read(file, ChannelAxis.SHORT);
    }

    /**
     * Reads a file.
     *
     * @param file the file
     * @param channels whether the last axis of an array holds channels; images, sounds and tables
     *     say so themselves
     * @return the signal
     * @throws IllegalArgumentException if it cannot be read, is too large for Java's memory or is
     *     not a whole file of one of the kinds
     */
    public static SignalFile read(Path file, ChannelAxis channels) {
        Kind kind = kind(file);
        try {
            return switch (kind) {
                case PNG, JPEG, GIF, BMP -> ImageFormat.read(file);
                case WAV -> WaveFormat.read(file);
                case NPY -> ArrayFormat.read(file, channels);
                case TABLE -> CsvFormat.read(file);
            };
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static Kind kind(Path file) {
        byte[] head;
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(file + " is a folder, not a file");
        }
        try (var in = Files.newInputStream(file)) {
            head = in.readNBytes(HEAD);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file, e);
        }
        if (head.length == 0) {
            throw new IllegalArgumentException(file + " is empty");
        }
        Kind kind = Kind.of(head);
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String ending = name.substring(name.lastIndexOf('.') + 1);
        if (!kind.endings.contains(ending)) {
            Kind named = Kind.endingIn(ending);
            if (kind != Kind.TABLE) {
                throw new IllegalArgumentException(
                        file
                                + " holds a "
                                + kind.words
                                + ": its name must end in ."
                                + kind.endings.get(0));
            }
            throw new IllegalArgumentException(
                    named != null
                            ? file + " is not the " + named.words + " that its name says"
                            : file
                                    + " is no signal that can be read: there are PNG, JPEG, GIF"
                                    + " and BMP images, WAV sounds, CSV tables and NumPy arrays");
        }
        return kind;
    }

    /** Refuses what Java's memory would not hold, before anything is decoded. */
    static void requireRoom(Path file, int[] sides, int channels) {
        // The decoded bytes, the values as float32, and as much again to work with.
        long most = Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / 12);
        long count = Signal.count(sides, channels);
        if (count > most) {
            throw new IllegalArgumentException(
                    file
                            + " holds "
                            + Signal.sides(sides)
                            + " samples of "
                            + channels
                            + " values, "
                            + count
                            + " in all; Java's memory here takes at most "
                            + most
                            + " (java -Xmx gives more)");
        }
    }
}
