package org.posenc.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program in a JVM of its own: what a process takes from the system depends on all that ran
 * in it before.
 */
public final class FreshJvm {

    private FreshJvm() {}

    /**
     * Runs a class's {@code main}. The heap is resident from the start, so that memory which grows
     * is not Java's.
     *
     * @return what it printed
     * @throws AssertionError with what it said on its error stream, if it fails
     */
    public static String run(Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        Path said = Files.createTempFile("fresh-jvm", ".txt");
        try {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(
                    List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
            command.addAll(List.of("-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true"));
            command.add(program.getName());
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(said.toFile());
            builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            Process process = builder.start();
            String printed =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(5, TimeUnit.MINUTES) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new AssertionError(program.getName() + ": " + Files.readString(said));
            }
            return printed.strip();
        } finally {
            Files.delete(said);
        }
    }

    /** Returns the memory of this process, files apart, on Linux. */
    public static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
