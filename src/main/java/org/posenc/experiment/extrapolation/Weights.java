package org.posenc.experiment.extrapolation;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.posenc.model.Transformer;
import org.posenc.report.AtomicFile;

/** Trained decoders in the folder of an experiment, one file each. */
record Weights(Path folder) {

    Path file(String key) {
        return folder.resolve("weights")
                .resolve(key.replace('/', '-').replace(' ', '-') + ".params");
    }

    boolean has(String key) {
        return Files.isRegularFile(file(key));
    }

    void save(String key, Transformer trained) {
        AtomicFile.write(file(key), out -> trained.saveParameters(new DataOutputStream(out)));
    }

    /** Fills a new decoder of the same configuration. */
    void load(String key, Transformer fresh, NDManager manager) throws IOException {
        fresh.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(Files.newInputStream(file(key))))) {
            fresh.loadParameters(manager, in);
        } catch (MalformedModelException e) {
            throw new IllegalArgumentException(
                    file(key) + " holds no weights of this decoder: " + e.getMessage(), e);
        }
    }
}
