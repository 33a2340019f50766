package org.posenc.experiment.extrapolation;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.Gson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.posenc.training.SequenceBatches.Sequence;
import org.posenc.training.TextCorpus;

/**
 * Passkey retrieval (<a href="https://arxiv.org/abs/2305.16300">Mohtashami and Jaggi 2023</a>): a
 * text in which a key is told once, and asked for at its end.
 *
 * <p>The filler is text of a corpus, so that the context is as hard as any. Depth 0 tells the key
 * at the very beginning, depth 1 right before the question. A model that has read much is asked for
 * five digits in words; a small decoder, which learns no more than to look for what stands out, for
 * one of 64 tokens that its text hardly has.
 *
 * @param told what comes before the key, both when it is told and when it is asked for
 * @param stop what comes after it is told
 * @param symbols the tokens of each symbol of a key
 * @param count symbols of a key
 */
public record Passkey(int[] told, int[] stop, int[][] symbols, int count) {

    /** Beside a model: which passkeys it was taught. */
    public static final String FILE = "passkey.json";

    private static final int RARE = 64;
    private static final int ASKED = 4; // times in a lesson

    /**
     * Makes keys of five digits in the words of a tokenizer.
     *
     * @param tokenizer a {@code tokenizer.json}
     * @return what makes sequences
     * @throws IOException if the file cannot be read
     */
    public static Passkey ofDigits(Path tokenizer) throws IOException {
        try (HuggingFaceTokenizer opened = TextCorpus.tokenizer(tokenizer)) {
            return new Passkey(
                    ids(opened, "\nThe pass key is "),
                    ids(opened, ". Remember it.\n"),
                    IntStream.range(0, 10).mapToObj(d -> ids(opened, "" + d)).toArray(int[][]::new),
                    5);
        }
    }

    /**
     * Makes keys of one rare token.
     *
     * @param vocabulary V
     * @param text what the rarest 65 tokens are counted in: a sign, and 64 keys
     * @return what makes sequences
     * @throws IllegalArgumentException if there are not as many tokens
     */
    public static Passkey ofRareTokens(int vocabulary, int[] text) {
        if (vocabulary <= RARE) {
            throw new IllegalArgumentException(
                    "passkeys need more than " + RARE + " tokens, got " + vocabulary);
        }
        int[] times = new int[vocabulary];
        Arrays.stream(text).forEach(id -> times[id]++);
        int[] rarest =
                IntStream.range(0, vocabulary)
                        .boxed()
                        .sorted((a, b) -> Integer.compare(times[a], times[b]))
                        .limit(RARE + 1)
                        .mapToInt(Integer::intValue)
                        .toArray();
        return new Passkey(
                new int[] {rarest[0]},
                new int[0],
                Arrays.stream(rarest).skip(1).mapToObj(id -> new int[] {id}).toArray(int[][]::new),
                1);
    }

    /**
     * Returns the least length that leaves room for some filler.
     *
     * @return in tokens
     */
    public int shortest() {
        return ASKED * statement();
    }

    /** The most tokens with which a key is told. */
    private int statement() {
        int longest = Arrays.stream(symbols).mapToInt(s -> s.length).max().orElseThrow();
        return told.length + count * longest + stop.length;
    }

    /**
     * Makes a sequence whose labels are the tokens of the answer alone, to measure by.
     *
     * @param random draws the key and the filler's place
     * @param text where the filler is taken from
     * @param length how many ids it has, at least {@link #shortest()}
     * @param depth where the key is told, from 0, the beginning, to 1, right before the question
     * @return ids and labels
     * @throws IllegalArgumentException if it is shorter, or the text is
     */
    public Sequence question(SplittableRandom random, int[] text, int length, double depth) {
        check(length, text);
        int[] key = key(random);
        // The last label has no id of its own, so there is one token more than ids.
        int filler = length + 1 - 2 * told.length - stop.length - 2 * key.length;
        int before = (int) Math.round(depth * filler);
        int from = random.nextInt(text.length - filler + 1);
        int[] tokens =
                joined(
                        Arrays.copyOfRange(text, from, from + before),
                        told,
                        key,
                        stop,
                        Arrays.copyOfRange(text, from + before, from + filler),
                        told,
                        key);
        return Sequence.of(tokens, tokens.length - key.length);
    }

    /**
     * Makes a sequence to learn from: the key is told at a random place and asked for at three more
     * after it, and every token is a label.
     *
     * @param random draws the key and all places
     * @param text where the filler is taken from
     * @param length how many ids it has, at least {@link #shortest()}
     * @return ids and labels
     * @throws IllegalArgumentException if it is shorter, or the text is
     */
    public Sequence lesson(SplittableRandom random, int[] text, int length) {
        check(length, text);
        int[] key = key(random);
        int filler = length + 1 - ASKED * (told.length + key.length + stop.length);
        int from = random.nextInt(text.length - filler + 1);
        int[] cuts = random.ints(ASKED, 0, filler + 1).sorted().toArray();
        int[] tokens = {};
        int at = 0;
        for (int cut : cuts) {
            int[] piece = Arrays.copyOfRange(text, from + at, from + cut);
            tokens = joined(tokens, piece, told, key, stop);
            at = cut;
        }
        tokens = joined(tokens, Arrays.copyOfRange(text, from + at, from + filler));
        return Sequence.of(tokens, 1);
    }

    private void check(int length, int[] text) {
        if (length < shortest() || text.length < length) {
            throw new IllegalArgumentException(
                    "a passkey needs at least "
                            + shortest()
                            + " tokens and as much text for filler, got a length of "
                            + length
                            + " and "
                            + text.length
                            + " tokens of text");
        }
    }

    private int[] key(SplittableRandom random) {
        return random.ints(count, 0, symbols.length)
                .flatMap(symbol -> Arrays.stream(symbols[symbol]))
                .toArray();
    }

    /**
     * Makes keys as a model was taught them, or of five digits where it was not.
     *
     * @param folder the model's, with {@link #FILE} where it was taught
     * @param tokenizer a {@code tokenizer.json}
     * @return what makes sequences
     * @throws IOException if a file cannot be read
     */
    public static Passkey of(Path folder, Path tokenizer) throws IOException {
        Path taught = folder.resolve(FILE);
        return Files.isRegularFile(taught)
                ? fromJson(Files.readString(taught))
                : ofDigits(tokenizer);
    }

    /** Returns all fields as JSON, to be kept with a model that was trained with these keys. */
    String toJson() {
        return new Gson().toJson(this);
    }

    static Passkey fromJson(String json) {
        return new Gson().fromJson(json, Passkey.class);
    }

    private static int[] joined(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    private static int[] ids(HuggingFaceTokenizer tokenizer, String text) {
        return Arrays.stream(tokenizer.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }
}
