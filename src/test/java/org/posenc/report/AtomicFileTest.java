package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.testing.FileEvents;

class AtomicFileTest {

    @TempDir private Path folder;

    @Test
    void anInterruptedFileLeavesTheOlderOne() throws IOException {
        Path file = folder.resolve("a/b/page.html");
        AtomicFile.write(file, "first");
        assertThatThrownBy(
                        () ->
                                AtomicFile.write(
                                        file,
                                        out -> {
                                            out.write("sec".getBytes());
                                            throw new IOException("disk full");
                                        }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot write " + file);
        assertThat(file).hasContent("first");
        assertThatThrownBy(
                        () ->
                                AtomicFile.write(
                                        file,
                                        out -> {
                                            throw new IllegalStateException("a bug");
                                        }))
                .hasMessage("a bug");
        assertThat(Files.list(file.getParent())).containsExactly(file);
        AtomicFile.write(file, "second");
        assertThat(file).hasContent("second");
    }

    @Test
    void bytesAreOnTheDiskBeforeTheirNameIs() throws IOException {
        List<String> events =
                FileEvents.during(
                        folder,
                        () -> AtomicFile.write(folder.resolve("new/sub/state"), "what is kept"));
        assertThat(events)
                .containsExactly(
                        "force new", // the names of the folders that were made
                        "force ",
                        "write new/sub/state.tmp",
                        "force new/sub/state.tmp",
                        "force new/sub");
    }

    @Test
    void aPlaceThatCannotBeWrittenGetsASentence() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertThatThrownBy(() -> AtomicFile.write(file.resolve("sub/page.html"), "y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "cannot write "
                                + file.resolve("sub/page.html")
                                + ": "
                                + file
                                + " is not a folder");
        assertThatThrownBy(() -> AtomicFile.requireWritableFolder(file.resolve("sub")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(file + " is not a folder");
        assertThatThrownBy(() -> AtomicFile.write(folder, "y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cannot write " + folder + ": it is a folder");
        // Root may write anywhere but here.
        Path kernel = Path.of("/proc/posenc");
        if (Files.isDirectory(kernel.getParent())) {
            assertThatThrownBy(() -> AtomicFile.requireWritableFolder(kernel))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("cannot write /proc/posenc: ");
        }
        AtomicFile.requireWritableFolder(folder.resolve("new"));
        assertThat(Files.list(folder.resolve("new"))).isEmpty();
        assertThat(Files.list(folder)).containsExactlyInAnyOrder(file, folder.resolve("new"));
    }
}
