package org.posenc.experiment;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Space;

/**
 * What a comparison compares.
 *
 * @param sequenceEncodings the encodings that a decoder is trained with; may be empty
 * @param imageEncodings the encodings that an image is fitted with; may be empty
 * @param sequence the sequence side
 * @param image the coordinate side
 * @param seed the first seed
 * @param seeds how many seeds, from the first on
 * @param text files and folders to train the decoder on
 * @param tokenizer a {@code tokenizer.json}
 * @param picture the image file
 * @param device where to compute
 */
public record ComparisonPlan(
        List<String> sequenceEncodings,
        List<String> imageEncodings,
        SequenceTask sequence,
        ImageTask image,
        long seed,
        int seeds,
        List<Path> text,
        Path tokenizer,
        Path picture,
        Device device) {

    /** What the main job trains a decoder with. */
    public static final List<String> SEQUENCE_ENCODINGS =
            List.of("none", "learned", "sinusoidal", "fourier", "gaussian", "rope", "alibi", "t5");

    /** What the main job fits an image with. */
    public static final List<String> IMAGE_ENCODINGS =
            List.of(
                    "none",
                    "fourier",
                    "random-fourier",
                    "linear-frequencies",
                    "log-frequencies",
                    "gaussian",
                    "triangle",
                    "square",
                    "sine",
                    "rectangle",
                    "impulse");

    /** Checks and copies the values. */
    public ComparisonPlan {
        sequenceEncodings = sequenceEncodings.stream().distinct().toList();
        imageEncodings = imageEncodings.stream().distinct().toList();
        text = List.copyOf(text);
        sequenceEncodings.forEach(Encodings::named);
        imageEncodings.forEach(Encodings::named);
        Positive.check(seeds, "seeds");
        if (seed > Long.MAX_VALUE - seeds) {
            throw new IllegalArgumentException(
                    "the seed must leave room for " + seeds + " seeds, got " + seed);
        }
        if (sequenceEncodings.isEmpty() && imageEncodings.isEmpty()) {
            throw new IllegalArgumentException("there is no encoding to compare");
        }
    }

    /**
     * Returns which of the encodings asked for the main job can fit an image with.
     *
     * @param names what was asked for
     * @return those that encode points of the plane
     */
    public static List<String> forImages(List<String> names) {
        return names.stream().filter(ComparisonPlan::encodesThePlane).toList();
    }

    private static boolean encodesThePlane(String name) {
        NamedEncoding encoding = Encodings.named(name);
        try {
            return encoding.hasFeatures()
                    && encoding.features(new Space(2, 16, 16, true, 0), Map.of())
                                    .positionDimension()
                            == 2;
        } catch (IllegalArgumentException e) {
            return false; // it takes one coordinate and says so
        }
    }

    /** Returns every seed. */
    List<Long> allSeeds() {
        return LongStream.range(seed, seed + seeds).boxed().toList();
    }

    /** Returns the optimizer steps of all trials together. */
    long steps() {
        return (long) seeds
                * ((long) sequenceEncodings.size() * sequence.steps()
                        + (long) imageEncodings.size() * image.steps());
    }

    /**
     * Returns the settings in words, for a reader.
     *
     * @return names and values, those by default included
     */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        List<Long> all = allSeeds();
        settings.put("seeds", seeds == 1 ? "" + seed : seed + " … " + all.get(seeds - 1));
        if (!sequenceEncodings.isEmpty()) {
            settings.put("text", String.join(", ", text.stream().map(Path::toString).toList()));
            settings.put("tokenizer", tokenizer.toString());
            settings.put("decoder", sequence.toString());
        }
        if (!imageEncodings.isEmpty()) {
            settings.put("image", picture.toString());
            settings.put("network", image.toString());
        }
        return settings;
    }
}
