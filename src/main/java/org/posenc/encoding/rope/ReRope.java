package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Settings;
import org.posenc.kernel.Scalars;

/**
 * Rectified RoPE, for contexts longer than those of training without training on them: ReRoPE (<a
 * href="https://kexue.fm/archives/9708">Su 2023</a>) and its leaky forms (<a
 * href="https://kexue.fm/archives/9728">Su 2023</a>).
 *
 * <p>Scores are those of RoPE at the distance i − j for i − j &lt; w, and at w + (i − j − w)/k
 * elsewhere: R(i′) q · R(j′) k with i′ = (i − w)/k + w and j′ = j/k. An infinite compression k is
 * ReRoPE, no distance above w; k &gt; 1 is Leaky ReRoPE; k &lt; 1 is InvLeaky ReRoPE, with which a
 * model is trained that then reads long contexts with plain RoPE, fast. With k = 1 it is RoPE.
 *
 * <p>A window of a quarter to a half of the training length is best; of the whole, the method
 * fails.
 */
public final class ReRope extends WindowedRope {

    private static final byte VERSION = 1;

    private final double compression;

    private ReRope(Builder builder) {
        super(VERSION, builder.rope, builder.window);
        compression = builder.compression;
    }

    /**
     * Returns a builder.
     *
     * @return a builder of ReRoPE; RoPE and window must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns how many positions beyond the window count as one.
     *
     * @return k, infinite for ReRoPE
     */
    public double compression() {
        return compression;
    }

    @Override
    NDArray farQueries(NDArray i) {
        return Scalars.div(i.sub(window()), compression).add(window());
    }

    @Override
    NDArray farKeys(NDArray j) {
        return Scalars.div(j, compression);
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return "window " + window() + ", compression " + compression;
    }

    /**
     * Returns the names these encodings have on the command line.
     *
     * @return the entries for the registry
     */
    public static List<NamedEncoding> named() {
        NamedEncoding rope = Rope.named();
        Settings.Key half =
                new Settings.Key(
                        "window", "auto", "distance w that keys are brought to; auto: length/2");
        Settings.Key quarter =
                new Settings.Key(
                        "window", "auto", "distance w up to which nothing changes; auto: length/4");
        Settings.Key compression =
                new Settings.Key(
                        "compression",
                        "16",
                        "positions k beyond the window that count as one, above 0; below 1 to"
                                + " train for plain RoPE");
        return List.of(
                new NamedEncoding(
                        "rerope",
                        "rectified RoPE: no distance above a window (Su 2023)",
                        with(rope, half),
                        (site, settings) ->
                                builder()
                                        .setRope((Rope) rope.encoding().apply(site, settings))
                                        .setWindow(
                                                settings.integer(
                                                        "window", Math.max(1, site.length() / 2)))
                                        .build(),
                        null),
                new NamedEncoding(
                        "leaky-rerope",
                        "RoPE with distances beyond a window divided by a compression k (Su 2023)",
                        with(rope, quarter, compression),
                        (site, settings) ->
                                builder()
                                        .setRope((Rope) rope.encoding().apply(site, settings))
                                        .setWindow(
                                                settings.integer(
                                                        "window", Math.max(1, site.length() / 4)))
                                        .optCompression(settings.number("compression"))
                                        .build(),
                        null));
    }

    /** Builds {@link ReRope}. */
    public static final class Builder {

        private Rope rope;
        private int window;
        private double compression = Double.POSITIVE_INFINITY;

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
         * Sets the distance from which on positions count less.
         *
         * @param window w, at least 1
         * @return this builder
         */
        public Builder setWindow(int window) {
            this.window = window;
            return this;
        }

        /**
         * Sets how many positions beyond the window count as one.
         *
         * @param compression k, above 0; infinite where it is not set
         * @return this builder
         * @throws IllegalArgumentException if it is not above 0
         */
        public Builder optCompression(double compression) {
            if (!(compression > 0)) {
                throw new IllegalArgumentException(
                        "the compression must be above 0, got " + compression);
            }
            this.compression = compression;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if RoPE or window are missing, or the RoPE takes its
         *     length from the positions
         */
        public ReRope build() {
            return new ReRope(this);
        }
    }
}
