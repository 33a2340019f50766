package org.posenc.experiment.finetuning;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.posenc.report.JsonLines;

/**
 * What was measured in a training, in {@code metrics.jsonl}: a line that says which training it is,
 * one for each step, one for each reading of held-out text, and one when all is done.
 */
final class TuningLog implements AutoCloseable {

    private static final Gson GSON =
            new GsonBuilder().serializeSpecialFloatingPointValues().create();
    private static final String KIND = "kind";
    private static final String TRAINING = "training";
    private static final String STEP = "step";
    private static final String READING = "reading";
    private static final String DONE = "done";

    private final Path file;
    private final JsonObject header;
    private final List<Step> steps = new ArrayList<>();
    private final List<Reading> readings = new ArrayList<>();
    private boolean done;
    private JsonLines lines;

    /**
     * A step that was taken.
     *
     * @param step its number, from 1
     * @param loss before it, nats a token
     * @param gradientNorm before it was clipped; infinite where it was left out
     * @param learningRate of the step
     * @param tokens that were read
     * @param seconds that it took
     * @param memory in use after it, bytes; 0 where the system does not tell
     */
    record Step(
            int step,
            double loss,
            double gradientNorm,
            double learningRate,
            int tokens,
            double seconds,
            long memory) {}

    /**
     * A reading of held-out text.
     *
     * @param step after how many steps
     * @param ownRope whether with the RoPE that the model came with, instead of its new one
     * @param contexts in tokens
     * @param loss of the same tokens in each context, nats a token
     * @param passkeys the share found in each context, by depth; empty lists where none were asked
     */
    record Reading(
            int step,
            boolean ownRope,
            List<Integer> contexts,
            List<Double> loss,
            List<List<Double>> passkeys) {

        /** Returns the share of all passkeys found in a context, NaN where none were asked for. */
        double found(int context) {
            return passkeys.get(context).stream()
                    .mapToDouble(Double::doubleValue)
                    .average()
                    .orElse(Double.NaN);
        }
    }

    /**
     * Reads a log, and refuses one of another training.
     *
     * @param file the file; it need not exist yet
     * @param key names the training
     * @param settings what it depends on, by name
     * @throws IllegalArgumentException if the file is of other settings, or none of these
     */
    TuningLog(Path file, String key, Map<String, String> settings) {
        this.file = file;
        header = line(TRAINING, Map.of("key", key, "settings", new LinkedHashMap<>(settings)));
        List<JsonObject> read = JsonLines.read(file);
        if (!read.isEmpty() && !read.get(0).equals(header)) {
            throw new IllegalArgumentException(
                    file
                            + " is of another training"
                            + difference(read.get(0), settings)
                            + "; choose another --out, or delete that one to train anew");
        }
        for (JsonObject line : read) {
            switch (line.get(KIND).getAsString()) {
                case STEP -> steps.add(GSON.fromJson(line, Step.class));
                case READING -> readings.add(GSON.fromJson(line, Reading.class));
                case DONE -> done = true;
                default -> {
                    // The first line.
                }
            }
        }
    }

    private static String difference(JsonObject other, Map<String, String> settings) {
        JsonElement said = other.get("settings");
        if (said == null || !said.isJsonObject()) {
            return "";
        }
        for (Map.Entry<String, String> entry : settings.entrySet()) {
            JsonElement there = said.getAsJsonObject().get(entry.getKey());
            if (there == null || !there.getAsString().equals(entry.getValue())) {
                return ", whose %s was %s and is %s now"
                        .formatted(
                                entry.getKey(),
                                there == null ? "not set" : there.getAsString(),
                                entry.getValue());
            }
        }
        return "";
    }

    private static JsonObject line(String kind, Object values) {
        JsonObject line = new JsonObject();
        line.addProperty(KIND, kind);
        GSON.toJsonTree(values).getAsJsonObject().asMap().forEach(line::add);
        return line;
    }

    /** Returns whether the training is over and its model written. */
    boolean done() {
        return done;
    }

    /** Opens the file to go on after so many steps: what came later will come again. */
    void goOn(int step) {
        steps.removeIf(taken -> taken.step() > step);
        readings.removeIf(reading -> reading.step() > step);
        List<JsonObject> kept = new ArrayList<>(List.of(header));
        List<Object> all = new ArrayList<>(steps);
        all.addAll(readings);
        all.sort(Comparator.comparingInt(TuningLog::stepOf)); // stable: a reading after its step
        all.forEach(entry -> kept.add(line(entry instanceof Step ? STEP : READING, entry)));
        lines = JsonLines.after(file, kept);
    }

    private static int stepOf(Object entry) {
        return entry instanceof Step taken ? taken.step() : ((Reading) entry).step();
    }

    void add(Step taken) {
        steps.add(taken);
        lines.append(line(STEP, taken));
    }

    void add(Reading reading) {
        readings.add(reading);
        lines.append(line(READING, reading));
    }

    void addDone() {
        done = true;
        lines.append(line(DONE, Map.of()));
        force();
    }

    /** Waits until all of it is on the disk. */
    void force() {
        lines.force();
    }

    /** Returns the steps taken, the first first. */
    List<Step> steps() {
        return steps;
    }

    /** Returns the readings, the first first. */
    List<Reading> readings() {
        return readings;
    }

    /** Returns the reading after so many steps, where there is one. */
    Optional<Reading> reading(int step, boolean ownRope) {
        return readings.stream()
                .filter(r -> r.step() == step && r.ownRope() == ownRope)
                .findFirst();
    }

    @Override
    public void close() {
        if (lines != null) {
            lines.close();
        }
    }
}
