package org.posenc.experiment.extrapolation;

import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Site;
import org.posenc.training.SequenceBatches;

/**
 * An encoding that a decoder is trained with, and where its tokens stand in training.
 *
 * @param name its name in the registry
 * @param settings those that differ from the standard
 * @param positions where its tokens stand in training
 */
public record TrainedEncoding(
        String name, Map<String, String> settings, TrainedPositions positions) {

    /** Checks the name and copies the settings. */
    public TrainedEncoding {
        Encodings.named(name);
        settings = Map.copyOf(settings);
    }

    /**
     * An encoding whose tokens stand one after the other.
     *
     * @param name its name in the registry
     * @param settings those that differ from the standard
     */
    public TrainedEncoding(String name, Map<String, String> settings) {
        this(name, settings, TrainedPositions.CONSECUTIVE);
    }

    /**
     * Reads an encoding as the command line writes it.
     *
     * @param text a name, or a name and settings, or either with positions of training: {@code
     *     rope:base=40;partial=0.5}, {@code rope@pose}
     * @return the encoding
     * @throws IllegalArgumentException if a name is unknown, or a setting has no value
     */
    public static TrainedEncoding parse(String text) {
        String[] placed = text.split("@", 2);
        String[] parts = placed[0].split(":", 2);
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : parts.length == 1 ? new String[0] : parts[1].split(";")) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "a setting is key=value, got \"" + setting + "\" in \"" + text + "\"");
            }
            settings.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return placed.length == 1
                ? new TrainedEncoding(parts[0], settings)
                : new TrainedEncoding(parts[0], settings, TrainedPositions.named(placed[1]));
    }

    /** Makes it for a decoder, in the layout that Llama has. */
    PositionalEncoding make(Site site) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        if (name.equals("rope")) {
            all.putIfAbsent("layout", "half-split");
        }
        return Encodings.named(name).forTransformer(site, all);
    }

    /** Returns the batches of a training, its tokens where this encoding wants them. */
    SequenceBatches batches(Workload workload, long seed, double factor, int steps) {
        SequenceBatches batches = workload.batches(seed, factor, steps);
        return positions
                .sampler(Math.max(workload.range(), workload.lengthAt(factor)))
                .map(sampler -> batches.withPositions(sampler, seed))
                .orElse(batches);
    }

    /** Returns the number of positions that tokens of a training can have. */
    int positionsSeen(Workload workload) {
        return positions == TrainedPositions.CONSECUTIVE ? workload.length() : workload.range();
    }

    /**
     * Returns how reports call it.
     *
     * @return the name, with settings and positions where there are any
     */
    public String label() {
        StringBuilder label = new StringBuilder(name);
        settings.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                        e -> label.append(' ').append(e.getKey()).append(' ').append(e.getValue()));
        if (positions != TrainedPositions.CONSECUTIVE) {
            label.append(" @").append(positions);
        }
        return label.toString();
    }
}
