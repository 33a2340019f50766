package org.posenc.testing;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Structure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs a program in a JVM of its own: what a process takes from the system depends on all that ran
 * in it before.
 */
public final class FreshJvm {

    private static final int M_MMAP_THRESHOLD = -3; // glibc's malloc.h

    private FreshJvm() {}

    /** What is measured. */
    @FunctionalInterface
    public interface Action {

        void run() throws Exception;
    }

    /**
     * Runs a class's {@code main}. The heap is resident from the start, so that memory which grows
     * is not Java's.
     *
     * @return what it printed
     * @throws AssertionError with what it said on its error stream, if it fails or takes an hour
     */
    public static String run(Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        return run(List.of(), program, arguments);
    }

    /**
     * Runs a class's {@code main} as {@link #run} does, and compiles none of it: Java's compiler
     * takes megabytes whenever it likes, beside which a small leak would not be seen.
     */
    public static String interpret(Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        return run(List.of("-Xint"), program, arguments);
    }

    private static String run(List<String> options, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        Path printed = Files.createTempFile("fresh-jvm", ".out");
        Path said = Files.createTempFile("fresh-jvm", ".err");
        try {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(
                    List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
            command.addAll(options);
            command.addAll(List.of("-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true"));
            command.add(program.getName());
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.redirectOutput(printed.toFile()).redirectError(said.toFile());
            builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            Process process = builder.start();
            if (!process.waitFor(1, TimeUnit.HOURS) || process.exitValue() != 0) {
                process.destroyForcibly().waitFor();
                throw new AssertionError(program.getName() + ": " + Files.readString(said));
            }
            return Files.readString(printed).strip();
        } finally {
            Files.delete(printed);
            Files.delete(said);
        }
    }

    /** Returns the memory of this process, files apart, on Linux. */
    public static long residentKilobytes() throws IOException {
        return status("RssAnon:");
    }

    /**
     * Returns the most kilobytes that this process takes at once while something runs, beyond what
     * it has before, on Linux. What is freed meanwhile goes back to the system at once, so that the
     * peak is that of what is in use.
     */
    public static long peakKilobytes(Action action) throws Exception {
        Function mallopt = NativeLibrary.getProcess().getFunction("mallopt");
        mallopt.invokeInt(new Object[] {M_MMAP_THRESHOLD, 1 << 16});
        Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // the peak from now on
        long before = status("VmHWM:");
        action.run();
        return status("VmHWM:") - before;
    }

    private static long status(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /**
     * Returns the bytes this process holds outside of Java's heap as glibc counts them. Unlike what
     * the system has given, this grows with the smallest of leaks.
     */
    public static long allocatedBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            LockSupport.parkNanos(50_000_000); // cleaners free the memory of buffers
        }
        MallocInfo info =
                (MallocInfo)
                        NativeLibrary.getProcess()
                                .getFunction("mallinfo2")
                                .invoke(MallocInfo.class, new Object[0]);
        return info.uordblks.longValue() + info.hblkhd.longValue();
    }

    /** glibc's {@code struct mallinfo2}, malloc.h. */
    @Structure.FieldOrder({
        "arena",
        "ordblks",
        "smblks",
        "hblks",
        "hblkhd",
        "usmblks",
        "fsmblks",
        "uordblks",
        "fordblks",
        "keepcost"
    })
    public static final class MallocInfo extends Structure implements Structure.ByValue {
        public NativeLong arena;
        public NativeLong ordblks;
        public NativeLong smblks;
        public NativeLong hblks;
        public NativeLong hblkhd;
        public NativeLong usmblks;
        public NativeLong fsmblks;
        public NativeLong uordblks;
        public NativeLong fordblks;
        public NativeLong keepcost;
    }
}
