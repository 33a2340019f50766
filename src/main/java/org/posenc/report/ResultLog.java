package org.posenc.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The finished trials of a run, one JSON object a line ({@code results.jsonl}), so that an
 * interrupted run resumes where it stopped: a trial whose key is there need not run again.
 *
 * <p>A line counts once its line feed is written. A last line without one was torn by the
 * interruption: it is ignored when reading and cut off when appending. NaN and infinities stand as
 * {@code NaN}, {@code Infinity}, which Python's reader takes too.
 */
public final class ResultLog {

    private static final Gson GSON =
            new GsonBuilder().serializeSpecialFloatingPointValues().disableHtmlEscaping().create();

    private final Path path;

    /**
     * Creates the log of a file.
     *
     * @param path the file; it need not exist yet
     */
    public ResultLog(Path path) {
        this.path = path;
    }

    /**
     * Reads all finished trials.
     *
     * @return the rows in the order they were appended; none if there is no file
     * @throws IllegalArgumentException if a whole line is not a result
     */
    public List<ResultRow> read() {
        List<ResultRow> rows = new ArrayList<>();
        if (!Files.exists(path)) {
            return rows;
        }
        String text;
        try {
            // Not a strict decoder: a line may be torn within a character.
            text = new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        }
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        int number = 0;
        for (String line : whole.split("\n")) {
            number++;
            if (!line.isBlank()) {
                rows.add(parse(line, number));
            }
        }
        return rows;
    }

    private ResultRow parse(String line, int number) {
        try {
            ResultRow row = GSON.fromJson(line, ResultRow.class);
            if (row != null) {
                return row;
            }
        } catch (RuntimeException e) {
            // Whatever Gson makes of what the record's constructor throws.
            throw notAResult(number, e);
        }
        throw notAResult(number, null);
    }

    private IllegalArgumentException notAResult(int number, RuntimeException cause) {
        return new IllegalArgumentException(
                "line " + number + " of " + path + " is not a result of posenc", cause);
    }

    /**
     * Returns the keys of all finished trials.
     *
     * @return the keys
     */
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        read().forEach(row -> keys.add(row.key()));
        return keys;
    }

    /**
     * Appends a finished trial and waits until it is on disk.
     *
     * @param row the trial
     * @throws IllegalArgumentException if the file cannot be written
     */
    public synchronized void append(ResultRow row) {
        byte[] line = (GSON.toJson(row) + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            if (!Files.exists(path)) {
                AtomicFile.write(path, out -> out.write(line));
                return;
            }
            try (FileChannel file =
                    FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                file.truncate(endOfLastLine(file));
                file.position(file.size());
                ByteBuffer bytes = ByteBuffer.wrap(line);
                while (bytes.hasRemaining()) {
                    file.write(bytes);
                }
                file.force(true);
            }
        } catch (IOException e) {
            throw AtomicFile.unwritable(path, e);
        }
    }

    private static long endOfLastLine(FileChannel file) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        for (long end = file.size(); end > 0; end--) {
            one.clear();
            file.read(one, end - 1);
            if (one.get(0) == '\n') {
                return end;
            }
        }
        return 0;
    }

    /**
     * Returns a row as its line, without the line feed.
     *
     * @param row the row
     * @return one line of JSON
     */
    public static String toJson(ResultRow row) {
        return GSON.toJson(row);
    }
}
