package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.posenc.checkpoint.Safetensors;
import org.posenc.kernel.Slice;
import org.posenc.model.CoordinateMlp;
import org.posenc.training.AdamW;

/**
 * A training as far as it is, in one file that appears whole or not at all: the networks so far,
 * the moments of the optimizer, the step and the curve.
 */
final class TrainingState {

    private static final String MEAN = "mean:";
    private static final String SQUARE = "square:";

    private final Path file;
    private final String key;
    private final Duration pause;
    private final List<Double> steps = new ArrayList<>();
    private final List<Double> psnr = new ArrayList<>();
    private int tile;
    private int step;
    private long written = System.nanoTime();

    /**
     * The state of a training.
     *
     * @param file where it is kept
     * @param key names the training: only one of the same key goes on
     * @param pause the least time from one writing to the next
     */
    TrainingState(Path file, String key, Duration pause) {
        this.file = file;
        this.key = key;
        this.pause = pause;
        if (Files.exists(file)) {
            Safetensors tensors = Safetensors.open(file);
            Map<String, String> about = tensors.metadata();
            if (key.equals(about.get("key"))) {
                tile = Integer.parseInt(about.get("tile"));
                step = Integer.parseInt(about.get("step"));
                steps.addAll(numbers(about.get("steps")));
                psnr.addAll(numbers(about.get("psnr")));
            }
        }
    }

    private static List<Double> numbers(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(" ")).map(Double::valueOf).toList();
    }

    private static String text(List<Double> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }

    /** Returns the tile that is being trained; those before it are done. */
    int tile() {
        return tile;
    }

    /** Returns the steps that are done of its training. */
    int step() {
        return step;
    }

    /** Returns where the curve was measured. */
    List<Double> steps() {
        return List.copyOf(steps);
    }

    /** Returns the curve, in decibels. */
    List<Double> psnr() {
        return List.copyOf(psnr);
    }

    /** Adds a point to the curve. */
    void measured(double atStep, double decibels) {
        steps.add(atStep);
        psnr.add(decibels);
    }

    /** Gives a network the parameters that it had. */
    void restore(int ofTile, CoordinateMlp network, NDManager manager) {
        Safetensors tensors = Safetensors.open(file);
        for (Pair<String, Parameter> p : network.getParameters()) {
            try (NDArray value = tensors.read(name(ofTile, p.getKey()), manager)) {
                Slice.write(p.getValue().getArray(), 0, 0, value);
            }
        }
    }

    /** Gives the optimizer the moments that it had. */
    void restore(CoordinateMlp network, AdamW adam, NDManager manager) {
        Safetensors tensors = Safetensors.open(file);
        for (Pair<String, Parameter> p : network.getParameters()) {
            try (NDArray mean = tensors.read(MEAN + p.getKey(), manager);
                    NDArray square = tensors.read(SQUARE + p.getKey(), manager)) {
                adam.restore(p.getValue(), new AdamW.Moments(mean, square, step));
            }
        }
    }

    /**
     * Writes the file, unless it was written a moment ago.
     *
     * @param nowTile the tile that is being trained
     * @param nowStep the steps that are done of its training
     * @param networks those of the tiles so far, the last being trained
     * @param adam its optimizer
     */
    void write(int nowTile, int nowStep, List<CoordinateMlp> networks, AdamW adam) {
        if (System.nanoTime() - written < pause.toNanos()) {
            return;
        }
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        for (int t = 0; t < networks.size(); t++) {
            for (Pair<String, Parameter> p : networks.get(t).getParameters()) {
                tensors.put(name(t, p.getKey()), p.getValue().getArray());
            }
        }
        for (Pair<String, Parameter> p : networks.get(nowTile).getParameters()) {
            AdamW.Moments moments = adam.moments(p.getValue());
            tensors.put(MEAN + p.getKey(), moments.mean());
            tensors.put(SQUARE + p.getKey(), moments.square());
        }
        Safetensors.write(
                file,
                tensors,
                Map.of(
                        "key", key,
                        "tile", Integer.toString(nowTile),
                        "step", Integer.toString(nowStep),
                        "steps", text(steps),
                        "psnr", text(psnr)));
        written = System.nanoTime();
    }

    private static String name(int tile, String parameter) {
        return "tile" + tile + ":" + parameter;
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
