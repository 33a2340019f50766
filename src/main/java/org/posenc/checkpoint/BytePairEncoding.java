package org.posenc.checkpoint;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.posenc.report.AtomicFile;

/**
 * A byte-level byte-pair encoding (<a href="https://arxiv.org/abs/1508.07909">Sennrich et al.
 * 2015</a>) in the form of GPT-2, learned from text and written as Hugging Face's {@code
 * tokenizer.json}.
 *
 * <p>Text is cut into words, words into bytes, and the most frequent pair of neighbouring tokens is
 * merged into a new token until the vocabulary is full; among equally frequent pairs the one with
 * the smaller ids comes first, as in Hugging Face's trainer, so that both learn the same merges.
 * Every byte has a token, so any text can be encoded and comes back unchanged.
 *
 * @param vocabulary the tokens by id, each byte written as one of GPT-2's 256 printable characters
 * @param merges pairs of tokens that become one, in order
 */
public record BytePairEncoding(List<String> vocabulary, List<Merge> merges) {

    /** GPT-2's words: contractions, letters, digits, other signs, each with a space before. */
    private static final Pattern WORD =
            Pattern.compile(
                    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                    Pattern.UNICODE_CHARACTER_CLASS);

    private static final char[] SIGNS = signs();

    /**
     * Two tokens that become one.
     *
     * @param left the first token
     * @param right the second token
     */
    public record Merge(String left, String right) {}

    /** Copies the lists. */
    public BytePairEncoding {
        vocabulary = List.copyOf(vocabulary);
        merges = List.copyOf(merges);
    }

    /**
     * Learns an encoding.
     *
     * @param texts documents; words do not reach across their ends
     * @param size the number of tokens, at least the 256 of single bytes
     * @return the encoding; smaller than asked for where every word is one token already
     * @throws IllegalArgumentException if the size is below 256
     */
    public static BytePairEncoding learn(Iterable<String> texts, int size) {
        if (size < SIGNS.length) {
            throw new IllegalArgumentException(
                    "a byte-level vocabulary needs at least 256 tokens, got " + size);
        }
        return new Learner(texts).learn(size);
    }

    /**
     * Writes {@code tokenizer.json}, in one move.
     *
     * @param file where to; its folder is made where there is none
     * @throws IllegalArgumentException if it cannot be written; nothing is left behind
     */
    public void write(Path file) {
        AtomicFile.write(file, toJson());
    }

    /**
     * Returns the content of {@code tokenizer.json}.
     *
     * @return a tokenizer of Hugging Face's library, without special tokens
     */
    public String toJson() {
        JsonObject vocab = new JsonObject();
        for (int id = 0; id < vocabulary.size(); id++) {
            vocab.addProperty(vocabulary.get(id), id);
        }
        JsonArray pairs = new JsonArray();
        merges.forEach(merge -> pairs.add(merge.left() + " " + merge.right()));

        JsonObject model = new JsonObject();
        model.addProperty("type", "BPE");
        for (String unset :
                List.of(
                        "dropout",
                        "unk_token",
                        "continuing_subword_prefix",
                        "end_of_word_suffix")) {
            model.add(unset, JsonNull.INSTANCE);
        }
        model.addProperty("fuse_unk", false);
        model.addProperty("byte_fallback", false);
        model.add("vocab", vocab);
        model.add("merges", pairs);

        JsonObject bytes = new JsonObject();
        bytes.addProperty("type", "ByteLevel");
        bytes.addProperty("add_prefix_space", false);
        bytes.addProperty("trim_offsets", false);
        bytes.addProperty("use_regex", true);

        JsonObject tokenizer = new JsonObject();
        tokenizer.addProperty("version", "1.0");
        tokenizer.add("truncation", JsonNull.INSTANCE);
        tokenizer.add("padding", JsonNull.INSTANCE);
        tokenizer.add("added_tokens", new JsonArray());
        tokenizer.add("normalizer", JsonNull.INSTANCE);
        tokenizer.add("pre_tokenizer", bytes);
        tokenizer.add("post_processor", JsonNull.INSTANCE);
        tokenizer.add("decoder", bytes);
        tokenizer.add("model", model);
        return new GsonBuilder()
                        .setPrettyPrinting()
                        .serializeNulls()
                        .disableHtmlEscaping()
                        .create()
                        .toJson(tokenizer)
                + "\n";
    }

    /**
     * The characters that stand for the bytes 0 … 255: the printable ones of Latin-1 for
     * themselves, the others for U+0100 and on.
     */
    private static char[] signs() {
        char[] signs = new char[256];
        char next = 0x100;
        for (char value = 0; value < signs.length; value++) {
            boolean printable =
                    value >= '!' && value <= '~'
                            || value >= '¡' && value <= '¬'
                            || value >= '®' && value <= 'ÿ';
            signs[value] = printable ? value : next++;
        }
        return signs;
    }

    /** The words of the text as rows of token ids, and where each pair of tokens occurs. */
    private static final class Learner {

        private static final Comparator<Candidate> BEST_FIRST =
                Comparator.comparingLong((Candidate c) -> -c.count)
                        .thenComparingInt(c -> left(c.pair))
                        .thenComparingInt(c -> right(c.pair));

        private final List<String> vocabulary = new ArrayList<>();
        private final Map<String, Integer> ids = new HashMap<>();
        private final List<int[]> words = new ArrayList<>();
        private final List<Long> frequencies = new ArrayList<>();
        private final Map<Long, Long> counts = new HashMap<>();
        private final Map<Long, Set<Integer>> places = new HashMap<>();
        private final PriorityQueue<Candidate> queue = new PriorityQueue<>(BEST_FIRST);

        private record Candidate(long pair, long count) {}

        Learner(Iterable<String> texts) {
            char[] alphabet = SIGNS.clone();
            Arrays.sort(alphabet); // Hugging Face numbers the bytes by their signs
            for (char sign : alphabet) {
                token(String.valueOf(sign));
            }
            Map<String, Long> seen = new LinkedHashMap<>();
            for (String text : texts) {
                Matcher matcher = WORD.matcher(text);
                while (matcher.find()) {
                    seen.merge(matcher.group(), 1L, Long::sum);
                }
            }
            seen.forEach(
                    (word, frequency) -> {
                        words.add(bytes(word));
                        frequencies.add(frequency);
                        count(words.size() - 1, 1);
                    });
        }

        BytePairEncoding learn(int size) {
            List<Merge> merges = new ArrayList<>();
            counts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
            while (vocabulary.size() < size && !queue.isEmpty()) {
                Candidate best = queue.remove();
                // Counts change after a candidate is queued; each change queues it anew.
                if (best.count == counts.getOrDefault(best.pair, 0L)) {
                    merges.add(merge(best.pair));
                }
            }
            return new BytePairEncoding(vocabulary, merges);
        }

        private Merge merge(long pair) {
            String left = vocabulary.get(left(pair));
            String right = vocabulary.get(right(pair));
            int merged = token(left + right);
            Set<Long> changed = new HashSet<>();
            for (int index : List.copyOf(places.get(pair))) {
                changed.addAll(count(index, -1));
                words.set(index, replace(words.get(index), pair, merged));
                changed.addAll(count(index, 1));
            }
            for (long other : changed) {
                if (counts.containsKey(other)) {
                    queue.add(new Candidate(other, counts.get(other)));
                }
            }
            return new Merge(left, right);
        }

        /** Adds a word's pairs to the counts, or takes them away, and returns them. */
        private Set<Long> count(int index, int sign) {
            int[] word = words.get(index);
            Set<Long> pairs = new HashSet<>();
            for (int i = 0; i + 1 < word.length; i++) {
                long pair = pair(word[i], word[i + 1]);
                pairs.add(pair);
                long count = counts.merge(pair, sign * frequencies.get(index), Long::sum);
                if (count == 0) {
                    counts.remove(pair);
                }
                if (sign > 0) {
                    places.computeIfAbsent(pair, key -> new HashSet<>()).add(index);
                }
            }
            if (sign < 0) {
                pairs.forEach(pair -> places.get(pair).remove(index));
            }
            return pairs;
        }

        private static int[] replace(int[] word, long pair, int merged) {
            int[] shorter = new int[word.length];
            int length = 0;
            for (int i = 0; i < word.length; i++) {
                boolean here = i + 1 < word.length && pair(word[i], word[i + 1]) == pair;
                shorter[length++] = here ? merged : word[i];
                i += here ? 1 : 0;
            }
            return Arrays.copyOf(shorter, length);
        }

        private int[] bytes(String word) {
            byte[] utf8 = word.getBytes(StandardCharsets.UTF_8);
            int[] row = new int[utf8.length];
            for (int i = 0; i < row.length; i++) {
                row[i] = ids.get(String.valueOf(SIGNS[Byte.toUnsignedInt(utf8[i])]));
            }
            return row;
        }

        /** Two ways of merging can lead to the same token, which then has one id. */
        private int token(String token) {
            Integer known = ids.putIfAbsent(token, vocabulary.size());
            if (known != null) {
                return known;
            }
            vocabulary.add(token);
            return vocabulary.size() - 1;
        }

        private static long pair(int left, int right) {
            return (long) left << 32 | right;
        }

        private static int left(long pair) {
            return (int) (pair >> 32);
        }

        private static int right(long pair) {
            return (int) pair;
        }
    }
}
