package org.posenc.report;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of one JSON object a line that grows while something long goes on, such as the metrics of
 * a training; each line is in the file once {@link #append} returns.
 *
 * <p>A line counts once its line feed is written: a last one without was torn by an interruption
 * and is ignored. A {@link ResultLog} is the like for trials.
 */
public final class JsonLines implements AutoCloseable {

    private final Path path;
    private final FileChannel file;

    private JsonLines(Path path, FileChannel file) {
        this.path = path;
        this.file = file;
    }

    /**
     * Reads the whole lines of a file.
     *
     * @param path the file
     * @return its objects; none if there is no file
     * @throws IllegalArgumentException if it cannot be read, or a whole line is not an object
     */
    public static List<JsonObject> read(Path path) {
        List<JsonObject> objects = new ArrayList<>();
        if (!Files.exists(path)) {
            return objects;
        }
        try {
            // Not a strict decoder: a line may be torn within a character.
            String text = new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
                if (!line.isBlank()) {
                    objects.add(JsonParser.parseString(line).getAsJsonObject());
                }
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException(
                    "line "
                            + (objects.size() + 1)
                            + " of "
                            + path
                            + " is not a JSON object, so it is none of posenc's",
                    e);
        }
        return objects;
    }

    /**
     * Opens a file to go on after some lines, which replace all that it held.
     *
     * @param path the file; its folder is made where it is missing
     * @param kept what the file is to begin with
     * @return the open file
     * @throws IllegalArgumentException if it cannot be written
     */
    public static JsonLines after(Path path, List<JsonObject> kept) {
        StringBuilder lines = new StringBuilder();
        kept.forEach(line -> lines.append(line).append('\n'));
        AtomicFile.write(path, lines.toString());
        try {
            return new JsonLines(
                    path,
                    FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw AtomicFile.unwritable(path, e);
        }
    }

    /**
     * Appends a line.
     *
     * @param line the object
     * @throws IllegalArgumentException if it cannot be written, such as on a full disk
     */
    public void append(JsonObject line) {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        } catch (IOException e) {
            throw AtomicFile.unwritable(path, e);
        }
    }

    /**
     * Waits until all lines are on the disk, where a loss of power leaves them.
     *
     * @throws IllegalArgumentException if they cannot be written
     */
    public void force() {
        try {
            file.force(true);
        } catch (IOException e) {
            throw AtomicFile.unwritable(path, e);
        }
    }

    /** Closes the file. */
    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw AtomicFile.unwritable(path, e);
        }
    }
}
