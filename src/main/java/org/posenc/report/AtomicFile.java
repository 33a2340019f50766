package org.posenc.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is there whole or not at all, after a loss of power too: written beside its place and
 * onto the disk, then moved into it.
 */
public final class AtomicFile {

    private AtomicFile() {}

    /** What fills a file. */
    @FunctionalInterface
    public interface Content {

        /**
         * Writes the content.
         *
         * @param out where to; the caller closes it
         * @throws IOException if writing fails
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Writes a file, replacing an older one of this name only when all is written.
     *
     * @param path the file; its folder is made where it is missing
     * @param content the content
     * @throws IllegalArgumentException if the place cannot be written to; nothing is left behind
     */
    public static void write(Path path, Content content) {
        Path target = path.toAbsolutePath();
        Path unfinished = null;
        try {
            makeFolder(target.getParent());
            if (Files.isDirectory(target)) {
                throw new FileSystemException(path.toString(), null, "it is a folder");
            }
            unfinished =
                    Files.createFile(
                            target.resolveSibling(
                                    "." + target.getFileName() + "." + System.nanoTime() + ".tmp"));
            try (OutputStream out = Files.newOutputStream(unfinished)) {
                content.writeTo(out);
            }
            // Else a system may keep the new name and lose the bytes.
            force(unfinished, StandardOpenOption.WRITE);
            move(unfinished, target);
            unfinished = null;
            forceFolder(target.getParent());
        } catch (IOException e) {
            throw unwritable(path, e);
        } finally {
            discard(unfinished);
        }
    }

    /**
     * Writes a file of text in UTF-8.
     *
     * @param path the file
     * @param text the content
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public static void write(Path path, String text) {
        write(path, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Makes sure, before long work begins, that a folder takes files.
     *
     * @param folder the folder; it is made where it is missing
     * @throws IllegalArgumentException if it cannot be made or written to
     */
    public static void requireWritableFolder(Path folder) {
        try {
            makeFolder(folder.toAbsolutePath());
            Files.delete(Files.createTempFile(folder, ".writable", ".tmp"));
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    /** Returns the sentence that a user gets instead of a stack trace. */
    static IllegalArgumentException unwritable(Path path, IOException e) {
        String reason = e.getMessage();
        if (e instanceof AccessDeniedException) {
            reason = "permission denied";
        } else if (e instanceof NoSuchFileException) {
            reason = "no such folder";
        } else if (e instanceof FileSystemException failure && failure.getReason() != null) {
            reason = failure.getReason();
        }
        return new IllegalArgumentException("cannot write " + path + ": " + reason, e);
    }

    private static void makeFolder(Path folder) throws IOException {
        // createDirectories refuses a link to a folder.
        if (folder != null && !Files.isDirectory(folder)) {
            Path there = folder;
            while (there != null && !Files.exists(there)) {
                there = there.getParent();
            }
            if (there != null && !Files.isDirectory(there)) {
                throw new FileSystemException(there.toString(), null, there + " is not a folder");
            }
            Files.createDirectories(folder);
            for (Path made = folder; !made.equals(there); made = made.getParent()) {
                forceFolder(made.getParent());
            }
        }
    }

    private static void force(Path path, StandardOpenOption access) throws IOException {
        try (FileChannel channel = FileChannel.open(path, access)) {
            channel.force(true);
        }
    }

    /** The names in a folder are not always on the disk with what they name. */
    private static void forceFolder(Path folder) {
        try {
            force(folder, StandardOpenOption.READ);
        } catch (IOException e) {
            // Windows opens no folder, and some file systems force none: they keep names in order.
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void discard(Path unfinished) {
        if (unfinished != null) {
            try {
                Files.deleteIfExists(unfinished);
            } catch (IOException e) {
                // The failure that led here is on its way to the caller and says more.
                unfinished.toFile().deleteOnExit();
            }
        }
    }
}
