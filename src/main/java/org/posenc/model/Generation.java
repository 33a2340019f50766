package org.posenc.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.posenc.attention.KeyValueCache;
import org.posenc.encoding.Positions;

/**
 * Continues token sequences with a decoder, one token at a time through a key/value cache.
 *
 * <p>Prompts of different lengths run as one batch, padded on the left; each keeps its own
 * positions, from 0, and gets what it would get alone. A row that has ended leaves the batch. An
 * encoding that is told to look at a whole batch sees the rows that are left.
 *
 * <p>Prompts longer than a chunk are read in pieces, which bounds the memory they need. Where
 * angles depend on a length that is not declared, pieces are read at the length they end at.
 */
public final class Generation {

    /** Is told each token when it is chosen. */
    @FunctionalInterface
    public interface Listener {

        /**
         * Takes a token.
         *
         * @param row which prompt it continues, from 0
         * @param token the token, a stop token included
         * @return whether this row is to go on
         */
        boolean chosen(int row, long token);
    }

    /** Why a row ended. */
    public enum End {
        /** It came to a stop token. */
        STOP_TOKEN,
        /** It had all the tokens that were asked for. */
        MOST_TOKENS,
        /** The listener ended it. */
        LISTENER
    }

    /**
     * What was generated for a prompt.
     *
     * @param tokens the new tokens, a stop token included
     * @param end why there are no more
     */
    public record Continuation(List<Long> tokens, End end) {

        /** Copies the list. */
        public Continuation {
            tokens = List.copyOf(tokens);
        }
    }

    private final Transformer model;
    private final int mostTokens;
    private final Sampling sampling;
    private final Set<Long> stopTokens;
    private final KeyValueCache.Policy policy;
    private final long seed;
    private final int chunk;

    private Generation(Builder builder) {
        model = builder.model;
        mostTokens = builder.mostTokens;
        sampling = builder.sampling;
        stopTokens = builder.stopTokens;
        policy = builder.policy();
        seed = builder.seed;
        chunk = builder.chunk;
    }

    /**
     * Returns a builder.
     *
     * @return a builder of greedy generation without stop tokens
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Continues prompts.
     *
     * @param prompts token ids in [0, V), at least one each
     * @return a continuation for each prompt
     * @throws IllegalArgumentException if there is no prompt, or one is empty or has other tokens
     */
    public List<Continuation> generate(List<long[]> prompts) {
        return generate(prompts, (row, token) -> true);
    }

    /**
     * Continues prompts and tells each token at once.
     *
     * @param prompts token ids in [0, V), at least one each
     * @param listener is told each token on this thread, and can end rows
     * @return a continuation for each prompt
     * @throws IllegalArgumentException if there is no prompt, or one is empty or has other tokens
     */
    public List<Continuation> generate(List<long[]> prompts, Listener listener) {
        check(prompts);
        List<Row> rows =
                IntStream.range(0, prompts.size())
                        .mapToObj(i -> new Row(i, prompts.get(i), seed + i))
                        .toList();
        Device device = model.getParameters().get("tokens").getArray().getDevice();
        try (NDManager manager = NDManager.newBaseManager(device, "PyTorch");
                KeyValueCache cache = model.cache(manager, policy)) {
            ParameterStore parameters = new ParameterStore(manager, false);
            run(rows, listener, cache, manager, parameters);
        }
        return rows.stream().map(Row::continuation).toList();
    }

    private void run(
            List<Row> rows,
            Listener listener,
            KeyValueCache cache,
            NDManager manager,
            ParameterStore parameters) {
        List<Row> open = rows;
        long[] chosen = new Padded(rows).read(cache, manager, parameters);
        while (true) {
            List<Row> going = new ArrayList<>();
            for (int i = 0; i < open.size(); i++) {
                Row row = open.get(i);
                row.add(chosen[i], listener);
                if (row.end == null) {
                    going.add(row);
                }
            }
            if (going.isEmpty()) {
                return;
            }
            if (going.size() < open.size()) {
                cache.select(going.stream().mapToInt(open::indexOf).toArray());
            }
            open = going;
            try (NDManager step = manager.newSubManager()) {
                long[] last = open.stream().mapToLong(Row::last).toArray();
                NDArray ids = step.create(last, new Shape(last.length, 1));
                chosen = next(ids, at(open, step), null, open, cache, parameters);
            }
        }
    }

    /** Rows of one length share their positions, which spares a table for each. */
    private static Positions at(List<Row> open, NDManager manager) {
        long[] places = open.stream().mapToLong(row -> row.length - 1L).toArray();
        return Arrays.stream(places).distinct().count() == 1
                ? Positions.range(manager, places[0], places[0] + 1)
                : Positions.of(manager.create(places, new Shape(places.length, 1)));
    }

    /** Reads new tokens and chooses one more for each row. */
    private long[] next(
            NDArray ids,
            Positions positions,
            NDArray real,
            List<Row> rows,
            KeyValueCache cache,
            ParameterStore parameters) {
        NDArray scores = model.nextLogits(ids, positions, real, cache, parameters); // (B, V)
        if (sampling.takesTheBest()) {
            return scores.argMax(1).toLongArray();
        }
        int vocabulary = model.config().vocabulary();
        float[] z = scores.toType(DataType.FLOAT32, false).toFloatArray();
        return IntStream.range(0, rows.size())
                .mapToLong(
                        i -> {
                            int from = i * vocabulary;
                            float[] own = Arrays.copyOfRange(z, from, from + vocabulary);
                            return rows.get(i).draw(own);
                        })
                .toArray();
    }

    private void check(List<long[]> prompts) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("generation needs at least one prompt");
        }
        int vocabulary = model.config().vocabulary();
        for (int i = 0; i < prompts.size(); i++) {
            if (prompts.get(i).length == 0) {
                throw new IllegalArgumentException(
                        "prompt " + i + " is empty; a decoder needs a token to begin with");
            }
            for (long token : prompts.get(i)) {
                if (token < 0 || token >= vocabulary) {
                    throw new IllegalArgumentException(
                            "tokens must be in [0, "
                                    + vocabulary
                                    + "), got "
                                    + token
                                    + " in prompt "
                                    + i);
                }
            }
        }
    }

    /** One sequence: its prompt and what has been generated. */
    private final class Row {

        private final int index;
        private final int prompt;
        private final SplittableRandom random;
        private long[] tokens;
        private int length;
        private End end; // null while it goes on

        Row(int index, long[] prompt, long seed) {
            this.index = index;
            this.prompt = prompt.length;
            random = new SplittableRandom(seed);
            tokens = prompt.clone();
            length = prompt.length;
        }

        long last() {
            return tokens[length - 1];
        }

        long draw(float[] scores) {
            return sampling.next(scores, Arrays.copyOf(tokens, length), random);
        }

        void add(long token, Listener listener) {
            if (length == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * length);
            }
            tokens[length++] = token;
            boolean wanted = listener.chosen(index, token);
            if (stopTokens.contains(token)) {
                end = End.STOP_TOKEN;
            } else if (length - prompt == mostTokens) {
                end = End.MOST_TOKENS;
            } else if (!wanted) {
                end = End.LISTENER;
            }
        }

        Continuation continuation() {
            return new Continuation(Arrays.stream(tokens, prompt, length).boxed().toList(), end);
        }
    }

    /** Prompts as a matrix whose last column holds their last tokens. */
    private final class Padded {

        private final List<Row> rows;
        private final int length;
        private final boolean even;

        Padded(List<Row> rows) {
            this.rows = rows;
            length = rows.stream().mapToInt(row -> row.length).max().orElseThrow();
            even = rows.stream().allMatch(row -> row.length == length);
        }

        /** Reads the prompts and chooses the first new token of each. */
        long[] read(KeyValueCache cache, NDManager manager, ParameterStore parameters) {
            long[] chosen = null;
            for (int from = 0; from < length; from += chunk) {
                int to = Math.min(length, from + chunk);
                try (NDManager piece = manager.newSubManager()) {
                    NDArray ids = ids(piece, from, to);
                    NDArray real = even ? null : real(piece, from, to);
                    Positions places =
                            even
                                    ? Positions.range(piece, from, to)
                                    : Positions.of(places(piece, from, to));
                    if (to == length) {
                        chosen = next(ids, places, real, rows, cache, parameters);
                    } else {
                        model.nextLogits(ids, places, real, cache, parameters);
                    }
                }
            }
            return chosen;
        }

        private NDArray ids(NDManager manager, int from, int to) {
            return matrix(manager, from, to, (row, place) -> place < 0 ? 0 : row.tokens[place]);
        }

        private NDArray real(NDManager manager, int from, int to) {
            return matrix(manager, from, to, (row, place) -> place < 0 ? 0 : 1);
        }

        private NDArray places(NDManager manager, int from, int to) {
            return matrix(manager, from, to, (row, place) -> Math.max(place, 0));
        }

        private NDArray matrix(NDManager manager, int from, int to, Cell cell) {
            long[] values = new long[rows.size() * (to - from)];
            int i = 0;
            for (Row row : rows) {
                for (int column = from; column < to; column++) {
                    values[i++] = cell.of(row, column - (length - row.length));
                }
            }
            return manager.create(values, new Shape(rows.size(), to - from));
        }
    }

    @FunctionalInterface
    private interface Cell {

        /** The value for a place in a row's prompt, negative in its padding. */
        long of(Row row, int place);
    }

    /** Builds {@link Generation}. */
    public static final class Builder {

        private static final int CHUNK = 512;

        private Transformer model;
        private int mostTokens;
        private Sampling sampling = Sampling.greedy();
        private Set<Long> stopTokens = Set.of();
        private KeyValueCache.Policy policy;
        private long seed;
        private int chunk = CHUNK;

        private Builder() {}

        /**
         * Sets the model.
         *
         * @param model a causal Transformer with weights; it runs on their device
         * @return this builder
         */
        public Builder setModel(Transformer model) {
            this.model = model;
            return this;
        }

        /**
         * Sets how many tokens each prompt gets.
         *
         * @param mostTokens the greatest number of new tokens, at least 1
         * @return this builder
         */
        public Builder setMostTokens(int mostTokens) {
            this.mostTokens = mostTokens;
            return this;
        }

        /**
         * Sets how a token is drawn.
         *
         * @param sampling greedy where it is not set
         * @return this builder
         */
        public Builder optSampling(Sampling sampling) {
            this.sampling = sampling;
            return this;
        }

        /**
         * Sets tokens that end a row.
         *
         * @param tokens any number of ids; none where it is not set
         * @return this builder
         */
        public Builder optStopTokens(long... tokens) {
            stopTokens = new TreeSet<>(Arrays.stream(tokens).boxed().toList());
            return this;
        }

        /**
         * Sets in which state the cache keeps keys.
         *
         * @param policy where it is not set, rotated if the encoding allows that, else unrotated
         * @return this builder
         */
        public Builder optPolicy(KeyValueCache.Policy policy) {
            this.policy = policy;
            return this;
        }

        /**
         * Sets the seed of the draws. Row i draws as row 0 of seed + i would.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Sets how many tokens of a prompt are read in one pass.
         *
         * @param tokens at least 1; 512 where it is not set
         * @return this builder
         */
        public Builder optChunk(int tokens) {
            this.chunk = tokens;
            return this;
        }

        /**
         * Builds the generation.
         *
         * @return it, for any number of calls on one thread at a time
         * @throws IllegalArgumentException if the model is missing or has no weights, or a number
         *     is out of its range
         */
        public Generation build() {
            if (model == null || !model.isInitialized()) {
                throw new IllegalArgumentException("generation needs a model with weights");
            }
            if (mostTokens < 1 || chunk < 1) {
                throw new IllegalArgumentException(
                        "the number of new tokens and the chunk must be at least 1, got "
                                + mostTokens
                                + " and "
                                + chunk);
            }
            return new Generation(this);
        }

        private KeyValueCache.Policy policy() {
            if (policy != null) {
                return policy;
            }
            return model.encoding().keysStayRotated()
                    ? KeyValueCache.Policy.ROTATED
                    : KeyValueCache.Policy.UNROTATED;
        }
    }
}
