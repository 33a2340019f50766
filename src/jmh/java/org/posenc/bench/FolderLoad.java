package org.posenc.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.posenc.checkpoint.ModelFolder;

/**
 * Reads the model of a Hugging Face folder in float32 and prints, as JSON, how many seconds the
 * whole process has taken by then, how many of them the reading, and its greatest memory in
 * megabytes. Linux only.
 *
 * <p>The argument is the folder.
 */
public final class FolderLoad {

    private FolderLoad() {}

    /**
     * Measures.
     *
     * @param args the folder
     * @throws IOException if the system does not tell
     */
    public static void main(String[] args) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            long before = System.currentTimeMillis();
            ModelFolder.open(Path.of(args[0])).load(manager, DataType.FLOAT32);
            long now = System.currentTimeMillis();
            long start = ManagementFactory.getRuntimeMXBean().getStartTime();
            System.out.printf(
                    Locale.ROOT,
                    "{\"process\": %.2f, \"reading\": %.2f, \"megabytes\": %d}%n",
                    (now - start) / 1e3,
                    (now - before) / 1e3,
                    peakKilobytes() / 1024);
        }
    }

    private static long peakKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
