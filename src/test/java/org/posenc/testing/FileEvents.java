package org.posenc.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** What a program does with files, as Java's flight recorder sees it. */
public final class FileEvents {

    private FileEvents() {}

    /** What is watched. */
    @FunctionalInterface
    public interface Action {

        void run() throws IOException;
    }

    /**
     * Returns the writes ("write NAME") to files of a folder and the waits until they, or a folder
     * of names, are on the disk ("force NAME"), the first first. A temporary file of {@code
     * AtomicFile} is called NAME.tmp.
     */
    public static List<String> during(Path folder, Action action) throws IOException {
        assumeTrue(FlightRecorder.isAvailable(), "this Java has no flight recorder");
        Path seen = Files.createTempFile("seen", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.FileForce").withThreshold(Duration.ZERO).withoutStackTrace();
            recording.enable("jdk.FileWrite").withThreshold(Duration.ZERO).withoutStackTrace();
            recording.start();
            action.run();
            recording.stop();
            recording.dump(seen);
            return RecordingFile.readAllEvents(seen).stream()
                    .filter(event -> event.getString("path").startsWith(folder.toString()))
                    .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                    .map(event -> named(event, folder))
                    .toList();
        } finally {
            Files.delete(seen);
        }
    }

    private static String named(RecordedEvent event, Path folder) {
        String kind = event.getEventType().getName().equals("jdk.FileForce") ? "force" : "write";
        String name = folder.relativize(Path.of(event.getString("path"))).toString();
        return kind + " " + name.replaceAll("\\.([^/]+)\\.\\d+\\.tmp$", "$1.tmp");
    }
}
