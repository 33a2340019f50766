package org.posenc.signal;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A table of numbers as its file held it: a line a sample, a column a channel. A signal of
 * (samples, C).
 *
 * <p>A first column that rises in equal steps, with others beside it, is the coordinate (the time)
 * and no channel; it is written again, in smaller steps where there are more samples. Each channel
 * is taken from its own range to [0, 1].
 *
 * @param separator between columns: a comma, semicolon, tab or space
 * @param header the names of all columns, or none
 * @param low each channel's lowest value
 * @param high each channel's highest value
 * @param time where the coordinate starts and its step, or nothing where there is none
 */
public record CsvFormat(
        char separator, List<String> header, List<Double> low, List<Double> high, List<Double> time)
        implements SignalFormat {

    // As many as a float32 carries, which is what the values are.
    private static final int DIGITS = 8;
    private static final int TIME_DIGITS = 12;
    private static final int LONGEST = 15;

    /** Copies the lists. */
    public CsvFormat {
        header = List.copyOf(header);
        low = List.copyOf(low);
        high = List.copyOf(high);
        time = List.copyOf(time);
        if (low.isEmpty() || low.size() != high.size() || time.size() != 0 && time.size() != 2) {
            throw new IllegalArgumentException(
                    "a table must have a lowest and a highest value a channel, got "
                            + low
                            + " and "
                            + high);
        }
    }

    @Override
    public String extension() {
        return separator == '\t' ? "tsv" : "csv";
    }

    @Override
    public String description() {
        return "table of "
                + (low.size() == 1 ? "one channel" : low.size() + " channels")
                + (time.isEmpty() ? "" : " over a coordinate in steps of " + time.get(1));
    }

    @Override
    public SignalFormat resampled(double factor) {
        return time.isEmpty()
                ? this
                : new CsvFormat(
                        separator, header, low, high, List.of(time.get(0), time.get(1) / factor));
    }

    /**
     * Returns a value of the table.
     *
     * @param channel c
     * @param share where it lies in the channel's range, from 0 to 1
     * @return the value in its own unit
     */
    public double value(int channel, double share) {
        return low.get(channel) + range(channel) * share;
    }

    /**
     * Returns where a value of the table lies in its channel's range.
     *
     * @param channel c
     * @param value in its own unit
     * @return from 0 to 1, or beyond
     */
    public double share(int channel, double value) {
        return (value - low.get(channel)) / range(channel);
    }

    static SignalFile read(Path file) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is no text of numbers", e);
        }
        int first = 0;
        while (first < lines.size() && skipped(lines.get(first))) {
            first++;
        }
        if (first == lines.size()) {
            throw new IllegalArgumentException(file + " holds no numbers");
        }
        char separator = separator(lines.get(first));
        List<String> header = List.of();
        if (!Arrays.stream(fields(lines.get(first), separator)).allMatch(CsvFormat::isNumber)) {
            header = List.of(fields(lines.get(first), separator));
            first++;
        }
        List<double[]> rows = new ArrayList<>();
        for (int i = first; i < lines.size(); i++) {
            if (!skipped(lines.get(i))) {
                rows.add(row(file, lines.get(i), separator, i + 1));
                if (rows.get(0).length != rows.get(rows.size() - 1).length) {
                    throw new IllegalArgumentException(
                            file
                                    + " must have as many columns in every line, got "
                                    + rows.get(rows.size() - 1).length
                                    + " in line "
                                    + (i + 1)
                                    + " and "
                                    + rows.get(0).length
                                    + " before");
                }
            }
        }
        if (rows.isEmpty()) {
            throw new IllegalArgumentException(file + " holds no numbers");
        }
        return of(separator, header, rows);
    }

    private static boolean skipped(String line) {
        return line.isBlank() || line.startsWith("#");
    }

    private static char separator(String line) {
        for (char candidate : new char[] {'\t', ';', ','}) {
            if (line.indexOf(candidate) >= 0) {
                return candidate;
            }
        }
        return ' ';
    }

    private static String[] fields(String line, char separator) {
        String mark = separator == ' ' ? "\\s+" : "\\s*" + separator + "\\s*";
        return Stream.of(line.replace("\uFEFF", "").strip().split(mark, -1))
                .map(field -> field.replaceAll("^\"(.*)\"$", "$1"))
                .toArray(String[]::new);
    }

    private static boolean isNumber(String field) {
        try {
            Double.parseDouble(field);
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static double[] row(Path file, String line, char separator, int number) {
        String[] fields = fields(line, separator);
        double[] row = new double[fields.length];
        for (int c = 0; c < row.length; c++) {
            row[c] = isNumber(fields[c]) ? Double.parseDouble(fields[c]) : Double.NaN;
            if (!Double.isFinite(row[c])) {
                throw new IllegalArgumentException(
                        file
                                + " must hold finite numbers, got \""
                                + fields[c]
                                + "\" in line "
                                + number
                                + ", column "
                                + (c + 1));
            }
        }
        return row;
    }

    private static SignalFile of(char separator, List<String> header, List<double[]> rows) {
        int columns = rows.get(0).length;
        List<Double> time = columns > 1 ? time(rows) : List.of();
        int first = time.isEmpty() ? 0 : 1;
        int channels = columns - first;
        List<Double> low = new ArrayList<>();
        List<Double> high = new ArrayList<>();
        for (int c = first; c < columns; c++) {
            int column = c;
            low.add(rows.stream().mapToDouble(row -> row[column]).min().orElseThrow());
            high.add(rows.stream().mapToDouble(row -> row[column]).max().orElseThrow());
        }
        CsvFormat format = new CsvFormat(separator, header, low, high, time);
        float[] values = new float[rows.size() * channels];
        for (int i = 0; i < values.length; i++) {
            int c = i % channels;
            values[i] = (float) format.share(c, rows.get(i / channels)[first + c]);
        }
        return new SignalFile(new Signal(new int[] {rows.size()}, channels, values), format);
    }

    /** Where the first column starts, and its step, if it rises in equal steps. */
    private static List<Double> time(List<double[]> rows) {
        int last = rows.size() - 1;
        double start = rows.get(0)[0];
        double step = (rows.get(last)[0] - start) / Math.max(1, last);
        for (int i = 0; i <= last; i++) {
            double error = rows.get(i)[0] - (start + i * step);
            // Times are often written with few digits.
            if (last < 2 || !(step > 0) || Math.abs(error) > 0.01 * step) {
                return List.of();
            }
        }
        return List.of(start, step);
    }

    /**
     * Returns the format of differences between two such tables.
     *
     * @return the same, with 0 for no difference
     */
    public CsvFormat ofDifferences() {
        List<Double> ranges = IntStream.range(0, low.size()).mapToObj(this::range).toList();
        return new CsvFormat(separator, header, Collections.nCopies(low.size(), 0.0), ranges, time);
    }

    /** A constant channel keeps its value and a range of 1. */
    private double range(int channel) {
        double range = high.get(channel) - low.get(channel);
        return range > 0 ? range : 1;
    }

    @Override
    public void encode(Signal signal, OutputStream out) throws IOException {
        SignalFormat.require(
                signal.axes() == 1 && signal.channels() == low.size(),
                signal,
                "a " + description());
        Writer text = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
        String mark = String.valueOf(separator);
        if (!header.isEmpty()) {
            text.write(String.join(mark, header) + "\n");
        }
        for (int i = 0; i < signal.samples(); i++) {
            List<String> fields = new ArrayList<>();
            if (!time.isEmpty()) {
                fields.add(digits(time.get(0) + i * time.get(1), TIME_DIGITS));
            }
            for (int c = 0; c < low.size(); c++) {
                double value = signal.values()[i * low.size() + c];
                fields.add(digits(value(c, value), DIGITS));
            }
            text.write(String.join(mark, fields) + "\n");
        }
        text.flush();
    }

    private static String digits(double value, int digits) {
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(digits));
        BigDecimal shortest = rounded.stripTrailingZeros();
        boolean tens = shortest.scale() < 0 && shortest.scale() > -LONGEST; // 20, not 2E+1
        return tens ? shortest.toPlainString() : shortest.toString();
    }
}
