package org.posenc.experiment.finetuning;

import java.nio.file.Path;
import java.util.List;

/**
 * Where the documents of a fine-tuning lie.
 *
 * @param text text files, each a document, and folders of them
 * @param data JSON lines ({@code .jsonl}) and arrays of token ids ({@code .npy})
 * @param key the field of a JSON line that holds the text or the ids
 * @param validation held-out files of both kinds; empty to hold out a share of the others
 * @param heldOut that share, in (0, 0.5]
 */
public record DataFiles(
        List<Path> text, List<Path> data, String key, List<Path> validation, double heldOut) {

    /** Checks the values. */
    public DataFiles {
        text = List.copyOf(text);
        data = List.copyOf(data);
        validation = List.copyOf(validation);
        if (text.isEmpty() && data.isEmpty()) {
            throw new IllegalArgumentException("fine-tuning needs --text or --data");
        }
        for (Path path : data) {
            if (!DataFile.names(path)) {
                throw new IllegalArgumentException(
                        "--data takes .jsonl and .npy, and --text takes text, got " + path);
            }
        }
        if (!(heldOut > 0 && heldOut <= 0.5)) {
            throw new IllegalArgumentException(
                    "the held-out share must be above 0 and at most 0.5, got " + heldOut);
        }
    }
}
