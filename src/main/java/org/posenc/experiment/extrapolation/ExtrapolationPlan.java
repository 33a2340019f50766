package org.posenc.experiment.extrapolation;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.posenc.experiment.Positive;

/**
 * What an extrapolation experiment trains and measures.
 *
 * @param encodings what decoders of text are trained with; empty where a model is given
 * @param puzzleEncodings what decoders of puzzles are trained with
 * @param methods what is done to them afterwards, where it fits
 * @param text the decoder of text and its training
 * @param reading how its reading is measured
 * @param puzzles the kinds of puzzles; may be empty
 * @param puzzle the decoder of puzzles, its training, and how it is measured
 * @param tuning the short training at the longer length
 * @param seed the first seed
 * @param seeds how many seeds, from the first on
 * @param texts files and folders to train on and to read
 * @param tokenizer a {@code tokenizer.json}
 * @param model a Hugging Face folder whose model is measured instead of trained ones
 * @param device where to compute
 */
public record ExtrapolationPlan(
        List<TrainedEncoding> encodings,
        List<TrainedEncoding> puzzleEncodings,
        List<LengthMethod> methods,
        TextTask text,
        ReadingTask reading,
        List<SymbolTask> puzzles,
        PuzzleTask puzzle,
        Tuning tuning,
        long seed,
        int seeds,
        List<Path> texts,
        Path tokenizer,
        Optional<Path> model,
        Device device) {

    /**
     * The short training of a decoder at a longer length.
     *
     * @param methods which decoders are tuned
     * @param steps optimizer steps; 0 where none is to be tuned
     * @param factor at how many times L, above 1
     * @param learningRate the highest
     */
    public record Tuning(
            List<LengthMethod> methods, int steps, double factor, double learningRate) {

        /** Checks and copies the values. */
        public Tuning {
            methods = List.copyOf(methods);
            if (steps < 0) {
                throw new IllegalArgumentException(
                        "fine-tuning steps must be at least 0, got " + steps);
            }
            if (!(factor > 1) || Double.isInfinite(factor)) {
                throw new IllegalArgumentException(
                        "fine-tuning needs a length above that of training, got "
                                + factor
                                + " times it");
            }
        }

        @Override
        public String toString() {
            return "%d steps at %s times the length, learning rate %s"
                    .formatted(steps, Measured.times(factor), learningRate);
        }
    }

    /** Checks and copies the values. */
    public ExtrapolationPlan {
        encodings = encodings.stream().distinct().toList();
        puzzleEncodings = puzzleEncodings.stream().distinct().toList();
        methods = List.copyOf(methods);
        puzzles = puzzles.stream().distinct().toList();
        texts = List.copyOf(texts);
        Positive.check(seeds, "seeds");
        if (seed > Long.MAX_VALUE - seeds) {
            throw new IllegalArgumentException(
                    "the seed must leave room for " + seeds + " seeds, got " + seed);
        }
        if (encodings.isEmpty() == model.isEmpty()) {
            throw new IllegalArgumentException(
                    "either encodings are trained or a model is measured");
        }
    }

    /** Returns what decoders of a workload are trained with. */
    List<TrainedEncoding> encodings(Workload workload) {
        return workload instanceof TextWorkload ? encodings : puzzleEncodings;
    }

    /** Returns every seed; a given model has one. */
    List<Long> allSeeds() {
        return model.isPresent()
                ? List.of(seed)
                : LongStream.range(seed, seed + seeds).boxed().toList();
    }

    /**
     * Returns the settings in words, for a reader.
     *
     * @return names and values, those by default included
     */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        model.ifPresent(folder -> settings.put("model", folder.toString()));
        if (model.isEmpty()) {
            List<Long> all = allSeeds();
            settings.put("seeds", seeds == 1 ? "" + seed : seed + " … " + all.get(seeds - 1));
            settings.put(
                    "encodings",
                    encodings.stream()
                            .map(TrainedEncoding::label)
                            .collect(Collectors.joining(", ")));
            settings.put("decoder", text.toString());
            if (!puzzles.isEmpty() && !puzzleEncodings.equals(encodings)) {
                settings.put(
                        "encodings of puzzles",
                        puzzleEncodings.stream()
                                .map(TrainedEncoding::label)
                                .collect(Collectors.joining(", ")));
            }
        }
        settings.put(
                "methods",
                methods.stream().map(LengthMethod::name).collect(Collectors.joining(", ")));
        settings.put("text", String.join(", ", texts.stream().map(Path::toString).toList()));
        settings.put("reading", reading.toString());
        if (!puzzles.isEmpty()) {
            settings.put("puzzles", puzzles + ": " + puzzle);
        }
        if (tuning.steps() > 0) {
            settings.put("tuning", tuning.toString());
        }
        return settings;
    }
}
