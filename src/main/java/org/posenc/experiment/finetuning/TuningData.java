package org.posenc.experiment.finetuning;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.Tokenizer;
import org.posenc.training.TextCorpus;
import org.posenc.training.TokenDocument;

/**
 * Documents to train on, and documents that are held out.
 *
 * @param training what the model learns
 * @param heldOut what it is judged by
 */
record TuningData(List<TokenDocument> training, List<TokenDocument> heldOut) {

    /**
     * Reads and encodes what a plan names.
     *
     * @throws IOException if a file does not exist or cannot be read
     * @throws IllegalArgumentException if a file does not hold what its name says, there is no
     *     tokenizer for a text, an id is beyond the vocabulary, or too little is left to hold out
     */
    static TuningData read(DataFiles files, ModelFolder folder) throws IOException {
        int vocabulary = folder.config().vocabulary();
        try (Encoder encoder = new Encoder(folder)) {
            List<TokenDocument> all = documents(files.text(), files.data(), files, encoder);
            check(all, vocabulary);
            if (files.validation().isEmpty()) {
                return split(all, files.heldOut());
            }
            List<Path> text = new ArrayList<>();
            List<Path> data = new ArrayList<>();
            files.validation().forEach(path -> (DataFile.names(path) ? data : text).add(path));
            List<TokenDocument> heldOut = documents(text, data, files, encoder);
            check(heldOut, vocabulary);
            return new TuningData(all, heldOut);
        }
    }

    private static List<TokenDocument> documents(
            List<Path> text, List<Path> data, DataFiles files, Encoder encoder) throws IOException {
        List<TokenDocument> documents = new ArrayList<>();
        if (!text.isEmpty()) {
            for (String document : TextCorpus.read(text).documents()) {
                documents.add(encoder.encode(document));
            }
        }
        for (Path path : data) {
            documents.addAll(DataFile.read(path, files.key(), encoder::encode));
        }
        return documents;
    }

    private static void check(List<TokenDocument> documents, int vocabulary) {
        int greatest = documents.stream().mapToInt(TokenDocument::greatest).max().orElse(0);
        if (greatest >= vocabulary) {
            throw new IllegalArgumentException(
                    "token ids must be below the model's vocabulary of "
                            + vocabulary
                            + ", got "
                            + greatest);
        }
    }

    /**
     * Holds out whole documents, spread evenly, until they are the share of all tokens; of a single
     * one, and where all are too long, the end of the last.
     */
    private static TuningData split(List<TokenDocument> all, double share) {
        List<TokenDocument> training = new ArrayList<>();
        List<TokenDocument> heldOut = new ArrayList<>();
        long seen = 0;
        long held = 0;
        for (TokenDocument document : all) {
            seen += document.length();
            if (held + document.length() <= share * seen) {
                held += document.length();
                heldOut.add(document);
            } else {
                training.add(document);
            }
        }
        if (heldOut.isEmpty()) {
            TokenDocument last = training.remove(training.size() - 1);
            int kept = last.length() - (int) Math.min(last.length() - 2, Math.ceil(share * seen));
            if (kept < 2) {
                throw new IllegalArgumentException(
                        "the data, "
                                + seen
                                + " tokens, are too few to hold out "
                                + share
                                + " of them; give more, or --validation");
            }
            training.add(last.part(0, kept));
            heldOut.add(last.part(kept, last.length()));
        }
        return new TuningData(training, heldOut);
    }

    /** Returns the held-out documents, one after the other. */
    int[] heldOutTokens() {
        return heldOut.stream().flatMapToInt(d -> Arrays.stream(d.ids())).toArray();
    }

    /** Returns how many tokens there are to train on. */
    long tokens() {
        return training.stream().mapToLong(TokenDocument::length).sum();
    }

    /** Returns what is equal only for equal documents. */
    String hash() {
        CRC32 checksum = new CRC32();
        for (List<TokenDocument> documents : List.of(training, heldOut)) {
            add(checksum, documents.size());
            for (TokenDocument document : documents) {
                add(checksum, document.length());
                add(checksum, document.ids());
                add(checksum, document.labels());
            }
        }
        return Long.toHexString(checksum.getValue());
    }

    private static void add(CRC32 checksum, int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        Arrays.stream(numbers).forEach(bytes::putInt);
        checksum.update(bytes.flip());
    }

    /** The folder's tokenizer, opened when the first text is encoded. */
    private static final class Encoder implements AutoCloseable {

        private final ModelFolder folder;
        private Tokenizer tokenizer;

        Encoder(ModelFolder folder) {
            this.folder = folder;
        }

        /** What the tokenizer puts around a text, and after it the end of text. */
        TokenDocument encode(String text) {
            if (tokenizer == null) {
                tokenizer = Tokenizer.open(folder);
            }
            LongStream ids = Arrays.stream(tokenizer.encode(text));
            List<Long> ends = folder.endTokens();
            if (!ends.isEmpty()) {
                ids = LongStream.concat(ids, LongStream.of(ends.get(0)));
            }
            return TokenDocument.of(ids.mapToInt(Math::toIntExact).toArray());
        }

        @Override
        public void close() {
            if (tokenizer != null) {
                tokenizer.close();
            }
        }
    }
}
