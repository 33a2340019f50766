package org.posenc.signal;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.posenc.report.AtomicFile;

/** What a signal's file was beside its values, so that another signal is written alike. */
public sealed interface SignalFormat permits ImageFormat, WaveFormat, CsvFormat, ArrayFormat {

    /**
     * Returns the ending of such files' names.
     *
     * @return such as {@code png}, without a dot
     */
    String extension();

    /**
     * Returns what it is in words.
     *
     * @return such as "16-bit grey PNG"
     */
    String description();

    /**
     * Writes the bytes of a file. Values beyond what the format holds are clipped.
     *
     * @param signal the signal, of as many axes and channels as the one that was read
     * @param out where to; the caller closes it
     * @throws IOException if writing fails
     * @throws IllegalArgumentException if the format does not hold such a signal
     */
    void encode(Signal signal, OutputStream out) throws IOException;

    /**
     * Returns the format of the same signal sampled more or less densely.
     *
     * @param factor samples for each one before, along each axis, above 0
     * @return the format, its sample rate or step changed where it has one
     */
    default SignalFormat resampled(double factor) {
        return this;
    }

    /**
     * Writes a file.
     *
     * @param signal the signal
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to, or the format does not
     *     hold such a signal
     */
    default void write(Signal signal, Path path) {
        AtomicFile.write(path, out -> encode(signal, out));
    }

    /**
     * Returns the format as text that {@link #parse} reads.
     *
     * @return one line of JSON
     */
    default String toJson() {
        JsonObject object = new JsonObject();
        object.addProperty("kind", getClass().getSimpleName());
        object.add("format", new Gson().toJsonTree(this));
        return object.toString();
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @param json the text
     * @return the format
     * @throws IllegalArgumentException if it is no such text
     */
    static SignalFormat parse(String json) {
        try {
            JsonObject object = JsonParser.parseString(json).getAsJsonObject();
            String kind = object.get("kind").getAsString();
            JsonElement format = object.get("format");
            for (Class<?> known : SignalFormat.class.getPermittedSubclasses()) {
                if (known.getSimpleName().equals(kind)) {
                    return (SignalFormat) new Gson().fromJson(format, known);
                }
            }
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            throw new IllegalArgumentException("not a signal's format: " + json, e);
        }
        throw new IllegalArgumentException("not a signal's format: " + json);
    }

    /** Refuses a signal of another form than was read. */
    static void require(boolean fits, Signal signal, String what) {
        if (!fits) {
            throw new IllegalArgumentException(what + " cannot hold a " + signal);
        }
    }
}
