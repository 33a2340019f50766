package org.posenc.experiment.finetuning;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.posenc.checkpoint.Safetensors;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Slice;
import org.posenc.training.AdamW;
import org.posenc.training.LossScaling;

/**
 * A training as far as it is, in one file that appears whole or not at all: the parameters that are
 * trained, the optimizer's moments, the loss's scale and the step. The rest, which documents come
 * next and what is drawn at random, follows from the step.
 */
final class TuningState {

    private static final String MEAN = "mean:";
    private static final String SQUARE = "square:";

    private final Path file;
    private final String key;

    /**
     * The state of a training.
     *
     * @param file where it is kept
     * @param key names the training: only one of the same key goes on
     */
    TuningState(Path file, String key) {
        this.file = file;
        this.key = key;
    }

    /** Writes the file. */
    void write(int step, TrainingLoop loop) {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        boolean updated = loop.updates() > 0; // else there are no moments yet
        loop.trained()
                .forEach(
                        (name, parameter) -> {
                            tensors.put(name, parameter.getArray());
                            if (updated) {
                                AdamW.Moments moments = loop.optimizer().moments(parameter);
                                tensors.put(MEAN + name, moments.mean());
                                tensors.put(SQUARE + name, moments.square());
                            }
                        });
        Map<String, String> about = new LinkedHashMap<>();
        about.put("key", key);
        about.put("step", Integer.toString(step));
        about.put("updates", Integer.toString(loop.updates()));
        loop.scaling()
                .ifPresent(
                        scaling -> {
                            about.put("scale", Double.toString(scaling.scale()));
                            about.put("interval", Integer.toString(scaling.interval()));
                            about.put("taken", Integer.toString(scaling.taken()));
                        });
        Safetensors.write(file, tensors, about);
    }

    /**
     * Goes on where the file was written.
     *
     * @param loop before its first step
     * @param manager of its device
     * @return the steps that are done; 0 where there is no file
     * @throws IllegalArgumentException if the file is of another training
     */
    int restore(TrainingLoop loop, NDManager manager) {
        if (!Files.exists(file)) {
            return 0;
        }
        Safetensors tensors = Safetensors.open(file);
        if (!key.equals(tensors.metadata().get("key"))) {
            throw new IllegalArgumentException(
                    file + " is of another training; delete it or choose another --out");
        }
        Map<String, String> about = tensors.metadata();
        int updates = Integer.parseInt(about.get("updates"));
        try (Autograd.Scope off = Autograd.off()) {
            for (Map.Entry<String, Parameter> entry : loop.trained().entrySet()) {
                String name = entry.getKey();
                try (NDArray value = tensors.read(name, manager)) {
                    Slice.write(entry.getValue().getArray(), 0, 0, value);
                }
                if (updates == 0) {
                    continue;
                }
                try (NDArray mean = tensors.read(MEAN + name, manager);
                        NDArray square = tensors.read(SQUARE + name, manager)) {
                    AdamW.Moments moments = new AdamW.Moments(mean, square, updates);
                    loop.optimizer().restore(entry.getValue(), moments);
                }
            }
        }
        loop.goOn(updates, scaling(about));
        return Integer.parseInt(about.get("step"));
    }

    private static Optional<LossScaling> scaling(Map<String, String> about) {
        if (!about.containsKey("scale")) {
            return Optional.empty();
        }
        return Optional.of(
                new LossScaling(
                        Double.parseDouble(about.get("scale")),
                        Integer.parseInt(about.get("interval")),
                        Integer.parseInt(about.get("taken"))));
    }

    /** Deletes the file of a training that is done. */
    void delete() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
