package org.posenc.experiment.fitting;

import java.nio.file.Files;
import java.nio.file.Path;
import org.posenc.signal.SignalCode;

/**
 * Where the results of a trial are.
 *
 * @param folder the trial's own
 * @param extension of the signal's file
 */
record FitFiles(Path folder, String extension) {

    Path reconstruction() {
        return folder.resolve("reconstruction." + extension);
    }

    Path upscaled(int factor) {
        return folder.resolve("upscaled-" + factor + "." + extension);
    }

    Path detail() {
        return folder.resolve("detail.png");
    }

    Path error(int axes) {
        return folder.resolve("error." + (axes == 2 ? "png" : extension));
    }

    Path code() {
        return folder.resolve("signal." + SignalCode.EXTENSION);
    }

    Path training() {
        return folder.resolve("training.safetensors");
    }

    /** Returns whether everything that a finished trial leaves is there. */
    boolean whole(int upscale) {
        return Files.exists(reconstruction())
                && Files.exists(code())
                && (upscale == 1 || Files.exists(upscaled(upscale)));
    }
}
