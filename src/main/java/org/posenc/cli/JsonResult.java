package org.posenc.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.posenc.report.AtomicFile;

/**
 * Results as one JSON object, a field a line, every number the shortest decimal that reads back as
 * the same double.
 */
final class JsonResult {

    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private JsonResult() {}

    /** Refuses a result file whose name does not say its format, before anything is computed. */
    static void checkName(Path out, boolean npy) {
        if (out != null
                && !out.toString().endsWith(".json")
                && !(npy && out.toString().endsWith(".npy"))) {
            throw new IllegalArgumentException(
                    "--out must end in .json" + (npy ? " or .npy" : "") + ", got \"" + out + "\"");
        }
    }

    /** Writes fields to a file, or prints them where there is none. */
    static void write(Map<String, Object> fields, Path out, PrintWriter standard) {
        JsonObject object = GSON.toJsonTree(fields).getAsJsonObject();
        StringBuilder text = new StringBuilder("{");
        String separator = "\n  ";
        for (Map.Entry<String, JsonElement> field : object.entrySet()) {
            text.append(separator).append(GSON.toJson(field.getKey())).append(": ");
            text.append(GSON.toJson(field.getValue()));
            separator = ",\n  ";
        }
        text.append("\n}\n");
        if (out == null) {
            standard.print(text);
            standard.flush();
        } else {
            AtomicFile.write(out, text.toString());
        }
    }

    /** Returns N numbers for M = 1, else N × M. */
    static Object positions(PositionList positions) {
        return positions.dimension() == 1 ? positions.flat() : positions.points();
    }

    /** Returns values in C order as arrays of arrays. */
    static Object nested(double[] values, int... shape) {
        if (shape.length == 1) {
            return values;
        }
        int[] inner = Arrays.copyOfRange(shape, 1, shape.length);
        int size = shape[0] == 0 ? 0 : values.length / shape[0];
        Object[] rows = new Object[shape[0]];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = nested(Arrays.copyOfRange(values, i * size, (i + 1) * size), inner);
        }
        return rows;
    }
}
