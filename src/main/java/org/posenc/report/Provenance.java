package org.posenc.report;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Where a result comes from: all that is needed to get it again.
 *
 * @param command the exact command line
 * @param seed the seed of all that is random
 * @param configuration the settings in effect, defaults included
 * @param versions the versions of what took part, by name
 * @param device the processor that computed, such as {@code cpu}
 * @param commit the commit of posenc, empty if unknown
 * @param date when the run began
 */
public record Provenance(
        String command,
        long seed,
        Map<String, String> configuration,
        Map<String, String> versions,
        String device,
        Optional<String> commit,
        Instant date) {

    /** Copies the values. */
    public Provenance {
        configuration = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
        versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    }

    /**
     * Describes a run that begins now on this machine.
     *
     * @param command the exact command line
     * @param seed the seed
     * @param configuration the settings in effect
     * @param libraries the versions of libraries, by name; those of Java and of the operating
     *     system are added
     * @param device the processor that computes
     * @return the provenance
     */
    public static Provenance now(
            String command,
            long seed,
            Map<String, String> configuration,
            Map<String, String> libraries,
            String device) {
        Map<String, String> versions = new LinkedHashMap<>(libraries);
        versions.put("Java", System.getProperty("java.version"));
        versions.put(
                "system",
                "%s %s, %d processors"
                        .formatted(
                                System.getProperty("os.name"),
                                System.getProperty("os.arch"),
                                Runtime.getRuntime().availableProcessors()));
        return new Provenance(
                command,
                seed,
                configuration,
                versions,
                device,
                ownCommit(),
                Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    /** The commit of the working copy that this class was built in, if it still lies there. */
    private static Optional<String> ownCommit() {
        CodeSource source = Provenance.class.getProtectionDomain().getCodeSource();
        if (source == null) {
            return Optional.empty();
        }
        try {
            Path built = Path.of(source.getLocation().toURI());
            return Optional.ofNullable(built.getParent()).flatMap(Provenance::commit);
        } catch (URISyntaxException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /**
     * Asks git for the commit of a folder.
     *
     * @param folder a folder within a working copy
     * @return the short hash, with {@code -dirty} if files differ from it; empty if there is none
     */
    public static Optional<String> commit(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Optional.empty();
        }
        try {
            Process git =
                    new ProcessBuilder("git", "describe", "--always", "--dirty", "--abbrev=12")
                            .directory(folder.toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            if (!git.waitFor(5, TimeUnit.SECONDS)) {
                git.destroyForcibly();
                return Optional.empty();
            }
            byte[] answer = git.getInputStream().readAllBytes();
            String commit = new String(answer, StandardCharsets.UTF_8).strip();
            return git.exitValue() == 0 && !commit.isEmpty()
                    ? Optional.of(commit)
                    : Optional.empty();
        } catch (IOException e) {
            // No git on this machine: the commit is unknown, which is no error.
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /**
     * Returns all fields as name and text, for a page or a file.
     *
     * @return command, date, seed, device, commit, then settings and versions
     */
    public Map<String, String> fields() {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("command", command);
        fields.put("date", date.toString());
        fields.put("seed", Long.toString(seed));
        fields.put("device", device);
        commit.ifPresent(hash -> fields.put("commit", hash));
        fields.putAll(configuration);
        fields.putAll(versions);
        return fields;
    }
}
