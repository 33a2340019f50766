package org.posenc.kernel;

import ai.djl.Device;
import ai.djl.util.cuda.CudaUtils;
import java.io.IOException;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** How much memory a device has in use, and how much is left. */
public final class DeviceMemory {

    private static final Path PROCESS = Path.of("/proc/self/status");
    private static final Path SYSTEM = Path.of("/proc/meminfo");

    private DeviceMemory() {}

    /**
     * Returns what is in use now.
     *
     * @param device a GPU, all of whose programs count, or the CPU, of which this process counts
     * @return bytes; empty where the system does not tell
     */
    public static OptionalLong used(Device device) {
        if (device.isGpu()) {
            return OptionalLong.of(CudaUtils.getGpuMemory(device).getCommitted());
        }
        return line(PROCESS, "VmRSS:");
    }

    /**
     * Returns what is left.
     *
     * @param device a GPU, or the CPU with the system's memory
     * @return bytes; empty where the system does not tell
     */
    public static OptionalLong free(Device device) {
        if (device.isGpu()) {
            MemoryUsage memory = CudaUtils.getGpuMemory(device);
            return OptionalLong.of(memory.getMax() - memory.getCommitted());
        }
        return line(SYSTEM, "MemAvailable:");
    }

    private static OptionalLong line(Path file, String name) {
        if (!Files.isReadable(file)) {
            return OptionalLong.empty();
        }
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty(); // a system that is said to have it and has not
        }
    }
}
