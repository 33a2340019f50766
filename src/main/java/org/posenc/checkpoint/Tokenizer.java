package org.posenc.checkpoint;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.posenc.training.TextCorpus;

/**
 * A folder's {@code tokenizer.json}, read by Hugging Face's own library: texts become the ids that
 * transformers makes of them, whole texts always, whatever the file says of truncation and padding.
 *
 * <p>Chat templates are not applied: a text is what it says. One instance serves any threads.
 */
public final class Tokenizer implements AutoCloseable {

    private final HuggingFaceTokenizer tokenizer;
    private final TokenizerFile.Limits limits;

    private Tokenizer(HuggingFaceTokenizer tokenizer, TokenizerFile.Limits limits) {
        this.tokenizer = tokenizer;
        this.limits = limits;
    }

    /**
     * Opens a folder's tokenizer.
     *
     * @param folder a folder
     * @return its tokenizer, to be closed
     * @throws IllegalArgumentException if it has none, or one that cannot be read
     */
    public static Tokenizer open(ModelFolder folder) {
        return open(
                folder.tokenizer()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                folder.folder() + " has no tokenizer.json")));
    }

    /**
     * Opens a tokenizer.
     *
     * @param file a {@code tokenizer.json}
     * @return the tokenizer, to be closed
     * @throws IllegalArgumentException if it cannot be read
     */
    public static Tokenizer open(Path file) {
        TokenizerFile.Limits limits = TokenizerFile.check(file);
        try {
            return new Tokenizer(TextCorpus.tokenizer(file), limits);
        } catch (IOException e) {
            throw Safetensors.unreadable(file, e);
        }
    }

    /**
     * Turns a text into ids, with the special tokens that the file puts around a text, such as one
     * for its beginning.
     *
     * @param text any text; special tokens that are spelled out in it become one id each
     * @return the ids of the whole text
     * @throws IllegalArgumentException if the tokenizer has no token for a part of it, not even for
     *     what is unknown; or if millions of its characters are white space, or none is, on end,
     *     where the file's regular expressions would end the process
     */
    public long[] encode(String text) {
        checkLength(text);
        try {
            return tokenizer.encode(text, true, false).getIds();
        } catch (RuntimeException e) {
            // The native library throws no other kind.
            throw new IllegalArgumentException(
                    "this tokenizer cannot encode the text: " + e.getMessage(), e);
        }
    }

    private void checkLength(String text) {
        if (text.length() > limits.text()) {
            throw new IllegalArgumentException(
                    "this tokenizer's regular expressions can be matched to texts of %d characters"
                                    .formatted(limits.text())
                            + " at most, got "
                            + text.length());
        }
        if (text.length() <= limits.run()) {
            return;
        }
        int begin = 0;
        for (int i = 0; i < text.length(); i++) {
            if (isSpace(text.charAt(i)) != isSpace(text.charAt(begin))) {
                begin = i;
            }
            if (i - begin >= limits.run()) {
                throw new IllegalArgumentException(
                        "this tokenizer's regular expressions can be matched to %d characters in a"
                                        .formatted(limits.run())
                                + " row that are all white space, or none of them, at most; the text"
                                + " has more from character "
                                + begin
                                + " on");
            }
        }
    }

    /** Unicode's White_Space, as Oniguruma has it. */
    private static boolean isSpace(char c) {
        return c >= '\t' && c <= '\r' || c == 0x85 || Character.isSpaceChar(c);
    }

    /**
     * Turns ids into text.
     *
     * @param ids ids that the file knows; others are skipped
     * @return the text without special tokens; bytes that are no UTF-8 become U+FFFD
     */
    public String decode(long... ids) {
        return ids.length == 0 ? "" : tokenizer.decode(ids, true);
    }

    /**
     * Begins a text that grows by one token at a time.
     *
     * @param before the ids that stand before it, which decide whether its first token begins with
     *     a space
     * @return the text
     */
    public Growing growing(long... before) {
        return new Growing(before);
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        tokenizer.close();
    }

    /**
     * A text that grows. A token may be a part of a character, and may be written otherwise after
     * another than at the beginning, so that the last few tokens are always decoded together.
     */
    public final class Growing {

        /** Enough for the tokens before to be decoded as they stand in the middle of a text. */
        private static final int CONTEXT = 6;

        private static final String UNFINISHED = "\uFFFD";

        private long[] ids; // the last tokens that were told, then those that are not
        private int told;

        private Growing(long[] before) {
            ids = Arrays.copyOfRange(before, Math.max(0, before.length - CONTEXT), before.length);
            told = ids.length;
        }

        /**
         * Adds a token.
         *
         * @param id the token
         * @return the text that is certain now, often one word; empty inside of a character
         */
        public String add(long id) {
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = id;
            String text = rest();
            if (text.isEmpty() || text.endsWith(UNFINISHED)) {
                return "";
            }
            // The tokens told last are what the next ones follow.
            ids = Arrays.copyOfRange(ids, Math.max(0, ids.length - CONTEXT), ids.length);
            told = ids.length;
            return text;
        }

        /**
         * Returns what was held back for a character that did not come.
         *
         * @return the end of the text
         */
        public String end() {
            String text = rest();
            told = ids.length;
            return text;
        }

        private String rest() {
            String before = decode(Arrays.copyOf(ids, told));
            String all = decode(ids);
            // Where a token changes what is before it, that is told already.
            return all.length() > before.length() ? all.substring(before.length()) : "";
        }
    }
}
