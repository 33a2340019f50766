package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Scalars;

/**
 * Self-Extend (<a href="https://arxiv.org/abs/2401.01325">Jin et al. 2024</a>, §3), for contexts
 * longer than those of training without training on them: far tokens share positions in groups.
 *
 * <p>Scores are those of RoPE at the distance i − j for i − j &lt; w, and at ⌊i/G⌋ − ⌊j/G⌋ + w −
 * ⌊w/G⌋ elsewhere. A model trained to length L then reads (L − w) G + w tokens.
 *
 * <p>The authors' first code divides w by G without rounding, which differs where G does not divide
 * w; this is the paper's formula.
 */
public final class SelfExtend extends WindowedRope {

    private static final byte VERSION = 1;

    private final int group;

    private SelfExtend(Builder builder) {
        super(VERSION, builder.rope, builder.window);
        if (builder.group < 1) {
            throw new IllegalArgumentException(
                    "the group must be at least 1, got " + builder.group);
        }
        group = builder.group;
    }

    /**
     * Returns a builder.
     *
     * @return a builder; RoPE, window and group must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns how many tokens beyond the window share a position.
     *
     * @return G
     */
    public int group() {
        return group;
    }

    @Override
    NDArray farQueries(NDArray i) {
        return Scalars.div(i, group).floor().add(window() - window() / group);
    }

    @Override
    NDArray farKeys(NDArray j) {
        return Scalars.div(j, group).floor();
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "window " + window() + ", group " + group;
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        NamedEncoding rope = Rope.named();
        return new NamedEncoding(
                "self-extend",
                "RoPE in which tokens beyond a window share positions in groups (Jin et al. 2024)",
                with(
                        rope,
                        new Settings.Key(
                                "window",
                                "auto",
                                "distance w up to which nothing changes; auto: length/4"),
                        new Settings.Key("group", "8", "tokens G that share a position")),
                (site, settings) ->
                        builder()
                                .setRope((Rope) rope.encoding().apply(site, settings))
                                .setWindow(
                                        settings.integer("window", Math.max(1, site.length() / 4)))
                                .setGroup(settings.integer("group"))
                                .build(),
                null);
    }

    /** Builds {@link SelfExtend}. */
    public static final class Builder {

        private Rope rope;
        private int window;
        private int group;

        private Builder() {}

        /**
         * Sets what turns queries and keys.
         *
         * @param rope of either layout and any scaling whose length is declared
         * @return this builder
         */
        public Builder setRope(Rope rope) {
            this.rope = rope;
            return this;
        }

        /**
         * Sets the distance from which on tokens share positions.
         *
         * @param window w, at least 1
         * @return this builder
         */
        public Builder setWindow(int window) {
            this.window = window;
            return this;
        }

        /**
         * Sets how many tokens share a position.
         *
         * @param group G, at least 1
         * @return this builder
         */
        public Builder setGroup(int group) {
            this.group = group;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if RoPE, window or group are missing, or the RoPE takes
         *     its length from the positions
         */
        public SelfExtend build() {
            return new SelfExtend(this);
        }
    }
}
