package org.posenc.experiment.fitting;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.posenc.model.CoordinateActivation;
import org.posenc.signal.ChannelAxis;
import org.posenc.signal.Sampling;

/**
 * All that decides what {@code posenc fit} finds.
 *
 * @param file the signal
 * @param channels whether the last axis of an array holds channels
 * @param encodings one or several, to be compared
 * @param complex whether an encoding is the Kronecker product of features of each axis
 * @param features features of each axis where complex, of a point where not; chosen where empty
 * @param depth hidden layers, 0 to 8
 * @param width their size
 * @param activation what stands between them
 * @param method how parameters are found
 * @param sampling which samples train
 * @param tile the longest side that is fitted as one; chosen where empty
 * @param upscale samples for each one, along each axis, in a second reconstruction; 1 for none
 * @param codeLoss decibels that the small file may lose
 * @param seed decides whatever is drawn
 * @param device where it runs
 */
public record FitPlan(
        Path file,
        ChannelAxis channels,
        List<EncodingChoice> encodings,
        boolean complex,
        OptionalInt features,
        int depth,
        int width,
        CoordinateActivation activation,
        FitMethod method,
        Sampling sampling,
        OptionalInt tile,
        int upscale,
        double codeLoss,
        long seed,
        Device device) {

    private static final int DEEPEST = 8;
    private static final int LARGEST_SCALE = 64;
    private static final int GREATEST_LOSS = 20;

    /** Checks the values. */
    public FitPlan {
        encodings = List.copyOf(encodings);
        if (encodings.isEmpty() || encodings.stream().distinct().count() < encodings.size()) {
            throw new IllegalArgumentException(
                    "a fit needs at least one encoding, each once, got " + encodings);
        }
        if (depth < 0 || depth > DEEPEST) {
            throw new IllegalArgumentException(
                    "depth must be 0 to " + DEEPEST + " hidden layers, got " + depth);
        }
        positive(width, "width");
        features.ifPresent(k -> positive(k, "features"));
        tile.ifPresent(side -> positive(side, "tile"));
        if (upscale < 1 || upscale > LARGEST_SCALE) {
            throw new IllegalArgumentException(
                    "upscale must be 1 to " + LARGEST_SCALE + ", got " + upscale);
        }
        if (!(codeLoss >= 0 && codeLoss <= GREATEST_LOSS)) {
            throw new IllegalArgumentException(
                    "the small file may lose 0 to " + GREATEST_LOSS + " decibels, got " + codeLoss);
        }
        if (method instanceof FitMethod.ClosedForm && (!complex || depth > 0)) {
            throw new IllegalArgumentException(
                    "the closed form is of a complex encoding without hidden layers: got "
                            + (complex ? "depth " + depth : "a simple encoding")
                            + ", which must be trained");
        }
    }

    private static void positive(int value, String what) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, got " + value);
        }
    }

    /**
     * Returns the settings in words, for a reader.
     *
     * @return names and values, those by default included
     */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("file", file.toString());
        settings.put(
                "encodings", String.join(", ", encodings.stream().map(Object::toString).toList()));
        settings.put("network", network());
        settings.put("method", method.toString());
        settings.put("sampling", sampling.toString());
        return settings;
    }

    /** Returns the network in words, such as "complex, depth 0". */
    String network() {
        return (complex ? "complex" : "simple")
                + ", depth "
                + depth
                + (depth > 0 ? ", width " + width + ", " + activation : "");
    }
}
