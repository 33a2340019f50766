package org.posenc.training;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Text to train on, from files and folders, in an order that does not depend on the machine.
 *
 * <p>A file is text if it is UTF-8 without NUL characters. A file that is named must be text; of a
 * folder the text files are taken, in the order of their paths, without hidden ones, build output
 * ({@code target}, {@code build}, {@code node_modules}) and data ({@code .json}, {@code .jsonl},
 * {@code .csv}, {@code .svg}).
 *
 * @param documents the texts, none of them blank
 */
public record TextCorpus(List<String> documents) {

    /** A piece of a document that is held out, or not, as a whole. */
    private static final int BLOCK = 8192;

    private static final Set<String> BUILD_OUTPUT = Set.of("target", "build", "node_modules");
    private static final List<String> DATA = List.of(".json", ".jsonl", ".csv", ".svg");

    /** Copies the list. */
    public TextCorpus {
        documents = List.copyOf(documents);
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("a corpus needs at least one text");
        }
    }

    /**
     * Reads files and folders.
     *
     * @param paths each a text file or a folder
     * @return their texts
     * @throws IOException if one does not exist or cannot be read
     * @throws IllegalArgumentException if a file is not text or blank, or a folder holds no text
     */
    public static TextCorpus read(List<Path> paths) throws IOException {
        List<String> documents = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                documents.addAll(folder(path));
            } else if (Files.isRegularFile(path)) {
                documents.add(named(path));
            } else if (Files.exists(path)) {
                throw new IllegalArgumentException(path + " is neither a file nor a folder");
            } else {
                throw new NoSuchFileException(path.toString());
            }
        }
        return new TextCorpus(documents);
    }

    private static String named(Path file) throws IOException {
        String text =
                text(file)
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                file + " is not a text file in UTF-8"));
        if (text.isBlank()) {
            throw new IllegalArgumentException(file + " holds no text");
        }
        return text;
    }

    private static List<String> folder(Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes a) {
                        boolean enters = path.equals(folder) || !skipped(path);
                        return enters ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
                        if (attributes.isRegularFile() && !skipped(path)) {
                            files.add(path);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
        files.sort(
                Comparator.comparing(
                        file -> folder.relativize(file).toString().replace('\\', '/')));
        List<String> documents = new ArrayList<>();
        for (Path file : files) {
            text(file).filter(text -> !text.isBlank()).ifPresent(documents::add);
        }
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("the folder " + folder + " holds no text file");
        }
        return documents;
    }

    private static boolean skipped(Path path) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.startsWith(".")
                || BUILD_OUTPUT.contains(name)
                || DATA.stream().anyMatch(name::endsWith);
    }

    private static Optional<String> text(Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
            return text.indexOf('\0') < 0 ? Optional.of(text) : Optional.empty();
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /**
     * A corpus in two parts.
     *
     * @param training what a model may see
     * @param heldOut what it is judged by
     */
    public record Split(TextCorpus training, TextCorpus heldOut) {}

    /**
     * Holds out a share of the text: every so many blocks of about 8,000 characters, cut at line
     * ends, spread evenly over the documents. The same text is split the same way each time.
     *
     * @param share in (0, 1), of the characters
     * @return both parts
     * @throws IllegalArgumentException if the share is outside its range, or the text is too short
     *     to be split
     */
    public Split split(double share) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException(
                    "the held-out share must be between 0 and 1, got " + share);
        }
        long total = characters();
        // A short text still has blocks enough for one to be held out.
        int block = (int) Math.max(1, Math.min(BLOCK, total * share / 2));
        List<String> training = new ArrayList<>();
        List<String> heldOut = new ArrayList<>();
        long seen = 0;
        long held = 0;
        for (String document : documents) {
            for (String piece : blocks(document, block)) {
                seen += piece.length();
                if (held + piece.length() <= share * seen) {
                    held += piece.length();
                    heldOut.add(piece);
                } else {
                    training.add(piece);
                }
            }
        }
        if (heldOut.isEmpty() || training.isEmpty()) {
            throw new IllegalArgumentException(
                    "a text of " + total + " characters is too short to hold out " + share);
        }
        return new Split(new TextCorpus(training), new TextCorpus(heldOut));
    }

    private static List<String> blocks(String document, int size) {
        List<String> blocks = new ArrayList<>();
        int from = 0;
        while (from < document.length()) {
            int end = document.length();
            if (end - from > size) {
                int line = document.lastIndexOf('\n', from + size - 1);
                end = line < from ? document.indexOf('\n', from + size) + 1 : line + 1;
                end = end == 0 ? document.length() : end;
            }
            blocks.add(document.substring(from, end));
            from = end;
        }
        return blocks;
    }

    /**
     * Returns the length of the text.
     *
     * @return the number of characters of all documents
     */
    public long characters() {
        return documents.stream().mapToLong(String::length).sum();
    }

    /**
     * Encodes the documents into one stream.
     *
     * @param tokenizer made without truncation and padding, as {@link #tokenizer} makes it: DJL's
     *     default silently ends a text at 512 tokens
     * @return the ids of all documents, one after the other
     * @throws IllegalArgumentException if the tokenizer truncates
     */
    public int[] encode(HuggingFaceTokenizer tokenizer) {
        if (!"DO_NOT_TRUNCATE".equals(tokenizer.getTruncation())) {
            throw new IllegalArgumentException(
                    "the tokenizer would truncate the text; make it with optTruncation(false)");
        }
        return documents.stream()
                .flatMapToInt(
                        text ->
                                Arrays.stream(tokenizer.encode(text, false, false).getIds())
                                        .mapToInt(Math::toIntExact))
                .toArray();
    }

    /**
     * Opens a tokenizer that neither truncates nor pads nor adds tokens.
     *
     * @param file a {@code tokenizer.json}
     * @return the tokenizer, to be closed
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if it is no tokenizer
     */
    public static HuggingFaceTokenizer tokenizer(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString());
        }
        try {
            return HuggingFaceTokenizer.builder()
                    .optTokenizerPath(file)
                    .optTruncation(false)
                    .optPadding(false)
                    .optAddSpecialTokens(false)
                    .build();
        } catch (RuntimeException e) {
            // The native reader throws no other kind, whatever is wrong with the file.
            throw new IllegalArgumentException(
                    file + " is not a tokenizer.json that can be read: " + e.getMessage(), e);
        }
    }
}
