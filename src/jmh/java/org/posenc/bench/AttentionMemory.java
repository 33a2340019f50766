package org.posenc.bench;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Prints, as JSON, how many megabytes one forward and backward pass of {@link AttentionBenchmark}
 * takes at its peak beyond its inputs and parameters. Linux with glibc only.
 *
 * <p>The argument is {@code posenc} or {@code djl}, then lengths.
 */
public final class AttentionMemory {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path RESET = Path.of("/proc/self/clear_refs");

    private AttentionMemory() {}

    /**
     * Measures.
     *
     * @param args whose block, and lengths
     * @throws IOException if the system does not tell
     */
    public static void main(String[] args) throws IOException {
        Consumer<AttentionBenchmark> pass =
                args[0].equals("djl")
                        ? AttentionBenchmark::djlBlock
                        : AttentionBenchmark::posencBlock;
        StringBuilder json = new StringBuilder("{");
        peak(64, pass); // loads the engine
        for (int i = 1; i < args.length; i++) {
            double megabytes = peak(Integer.parseInt(args[i]), pass);
            json.append(i > 1 ? ", " : "")
                    .append('"')
                    .append(args[i])
                    .append("\": ")
                    .append(Math.round(megabytes));
        }
        System.out.println(json.append('}'));
    }

    private static double peak(int length, Consumer<AttentionBenchmark> pass) throws IOException {
        AttentionBenchmark benchmark = new AttentionBenchmark();
        benchmark.length = length;
        benchmark.open();
        pass.accept(benchmark); // makes the gradients, which stay
        // Freed memory that the heap still holds would hide a part of the peak.
        NativeLibrary.getProcess().getFunction("malloc_trim").invokeInt(new Object[] {0});
        double before = kilobytes("VmRSS:");
        Files.writeString(RESET, "5"); // the peak becomes what is used now
        pass.accept(benchmark);
        double after = kilobytes("VmHWM:");
        benchmark.close();
        return (after - before) / 1024;
    }

    private static double kilobytes(String key) throws IOException {
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith(key))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
