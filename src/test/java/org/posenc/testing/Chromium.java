package org.posenc.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real browser without a window, for pages on disk. */
public final class Chromium {

    private Chromium() {}

    /**
     * What a page became.
     *
     * @param dom the document after its scripts ran, as HTML
     * @param console what its scripts wrote to the console, errors above all
     */
    public record Page(String dom, List<String> console) {}

    /** Skips the test, with a message, where no browser is on the path. */
    public static void assumeInstalled() {
        assumeTrue(
                program().isPresent(),
                "no chromium, chromium-browser or google-chrome on the path: page not checked");
    }

    private static Optional<Path> program() {
        String[] folders = System.getenv().getOrDefault("PATH", "").split(File.pathSeparator);
        return Stream.of("chromium", "chromium-browser", "google-chrome")
                .flatMap(name -> Stream.of(folders).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Opens a page, lets its scripts run and returns the document. */
    public static Page open(Path page, Path scratch) throws IOException, InterruptedException {
        Path dom = Files.createTempFile(scratch, "dom", ".html");
        Path log = Files.createTempFile(scratch, "chromium", ".log");
        run(page, scratch, dom, log, List.of("--dump-dom", "--enable-logging=stderr", "--v=0"));
        List<String> console =
                Files.readAllLines(log).stream().filter(line -> line.contains("CONSOLE")).toList();
        return new Page(Files.readString(dom), console);
    }

    /** Photographs a page into a PNG file. */
    public static void photograph(
            Path page, Path scratch, Path png, int width, int height, boolean dark)
            throws IOException, InterruptedException {
        List<String> flags =
                new ArrayList<>(
                        List.of(
                                "--screenshot=" + png.toAbsolutePath(),
                                "--hide-scrollbars",
                                "--window-size=" + width + "," + height));
        if (dark) {
            flags.add("--blink-settings=preferredColorScheme=0");
        }
        Path log = Files.createTempFile(scratch, "chromium", ".log");
        run(page, scratch, log, log, flags);
    }

    private static void run(Path page, Path scratch, Path out, Path err, List<String> flags)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                program().orElseThrow().toString(),
                                "--headless=new",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-quic",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-sync",
                                "--virtual-time-budget=5000",
                                "--user-data-dir="
                                        + Files.createTempDirectory(scratch, "profile")));
        command.addAll(flags);
        command.add(page.toAbsolutePath().toUri().toString());
        Process browser =
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        if (!browser.waitFor(60, TimeUnit.SECONDS)) {
            browser.destroyForcibly();
            throw new IOException("the browser did not finish " + page + " in a minute");
        }
        if (browser.exitValue() != 0) {
            throw new IOException(
                    "the browser ended with "
                            + browser.exitValue()
                            + ":\n"
                            + Files.readString(err));
        }
    }
}
