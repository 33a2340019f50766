package org.posenc.encoding.rope;

import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Settings;
import org.posenc.encoding.Site;

/**
 * Multi-section RoPE (M-RoPE) for text among images and videos: the pairs of a head share RoPE's
 * frequencies and are dealt out to the coordinates time, height and width (<a
 * href="https://arxiv.org/abs/2409.12191">Wang et al. 2024</a>, §2.1).
 *
 * <p>The pair i turns by p_a(i) θ_i, θ being the frequencies of any {@link RopeScaling}. Section
 * s_a says how many pairs the coordinate a has. {@link Order#CHUNKED} (Qwen2-VL, GLM-4V): the first
 * s_0 pairs, and so the highest frequencies, turn by time, the next s_1 by height, the rest by
 * width. {@link Order#INTERLEAVED} (Qwen3-VL, <a href="https://arxiv.org/abs/2511.21631">Bai et al.
 * 2025</a>): time, height, width in turn, THWTHW…, and time again where the sections of height and
 * width have run out.
 *
 * <p>A token of text stands at (p, p, p), which is plain RoPE at p. {@link MultiSectionPositions}
 * makes the points of mixed sequences.
 */
public final class MultiSectionRope extends PointRope {

    private static final byte VERSION = 1;

    /** How pairs are dealt out to the coordinates. */
    public enum Order {
        /** One section after the other. */
        CHUNKED,
        /** In turn. */
        INTERLEAVED
    }

    private final RopeParameters parameters;
    private final int[] sections;
    private final Order order;
    private final long length;

    private MultiSectionRope(Builder builder, RopeFrequencies theta) {
        super(
                VERSION,
                new RotaryPart(
                        builder.parameters.headDimension(), 2 * theta.pairs(), builder.layout),
                matrix(theta.inverse(), axes(builder.order, builder.sections), builder.sections),
                theta.attentionScaling());
        parameters = builder.parameters;
        sections = builder.sections;
        order = builder.order;
        length = builder.parameters.scaling().dependsOnLength() ? builder.length : 0;
    }

    /**
     * Returns a builder.
     *
     * @return a builder; parameters, layout, sections and order must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns which coordinate each pair turns by.
     *
     * @param order how they are dealt out
     * @param sections s, how many pairs each coordinate has: at least 0, not all 0
     * @return a(i) for Σ s pairs
     * @throws IllegalArgumentException if a section is negative, or too large to be interleaved
     */
    public static int[] axes(Order order, int... sections) {
        for (int section : sections) {
            ScalingArguments.length(0, section, "a section");
        }
        int pairs = Arrays.stream(sections).sum();
        ScalingArguments.length(1, pairs, "the sum of the sections");
        int[] axes = new int[pairs];
        int pair = 0;
        for (int a = 0; a < sections.length; a++) {
            int from = order == Order.CHUNKED ? pair : a;
            int step = order == Order.CHUNKED ? 1 : sections.length;
            if (a > 0 && sections[a] > 0 && from + step * (sections[a] - 1) >= pairs) {
                throw new IllegalArgumentException(
                        "section %d of %s is too large to be interleaved with %d pairs, got %d"
                                .formatted(a, Arrays.toString(sections), pairs, sections[a]));
            }
            for (int i = 0; i < sections[a] && a > 0; i++) {
                axes[from + step * i] = a; // pairs of none of the others stay with axis 0
            }
            pair += sections[a];
        }
        return axes;
    }

    private static double[][] matrix(double[] theta, int[] axes, int[] sections) {
        if (axes.length != theta.length) {
            throw new IllegalArgumentException(
                    "the sections must add up to the "
                            + theta.length
                            + " pairs that turn, got "
                            + Arrays.toString(sections));
        }
        double[][] f = new double[sections.length][theta.length];
        for (int i = 0; i < theta.length; i++) {
            f[axes[i]][i] = theta[i];
        }
        return f;
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration()
                + ", base "
                + parameters.base()
                + ", scaling "
                + parameters.scaling()
                + (length == 0 ? "" : " at " + length)
                + ", sections "
                + Arrays.toString(sections)
                + ' '
                + Settings.nameOf(order);
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "mrope",
                "multi-section RoPE for text, images and videos (Qwen2-VL, Wang et al. 2024)",
                List.of(
                        new Settings.Key("base", "10000", "base b of the frequencies, above 0"),
                        new Settings.Key("layout", "half-split", "interleaved or half-split"),
                        new Settings.Key("order", "chunked", "chunked or interleaved sections"),
                        new Settings.Key(
                                "time",
                                "0.25",
                                "part of the pairs that turn by time, in (0, 1]; height and width"
                                        + " share the rest")),
                MultiSectionRope::forTransformer,
                null);
    }

    private static MultiSectionRope forTransformer(Site site, Settings settings) {
        double part = settings.number("time");
        if (!(part > 0 && part <= 1)) {
            throw new IllegalArgumentException("mrope's time must be in (0, 1], got " + part);
        }
        int pairs = site.headDimension() / 2;
        int width = (int) (pairs * (1 - part) / 2);
        int height = Math.min(pairs - width, (int) Math.ceil(pairs * (1 - part) / 2));
        int time = Math.max(pairs - height - width, 0);
        return builder()
                .setParameters(
                        RopeParameters.of(
                                site.headDimension(), settings.number("base"), new Default()))
                .setLayout(settings.choice("layout", RotaryLayout.class))
                .setOrder(settings.choice("order", Order.class))
                .setSections(time, height, width)
                .build();
    }

    /** Builds {@link MultiSectionRope}. */
    public static final class Builder {

        private RopeParameters parameters;
        private RotaryLayout layout;
        private int[] sections;
        private Order order;
        private long length;

        private Builder() {}

        /**
         * Sets the frequencies and the part of a head that turns.
         *
         * @param parameters RoPE's
         * @return this builder
         */
        public Builder setParameters(RopeParameters parameters) {
            this.parameters = parameters;
            return this;
        }

        /**
         * Sets which components make a pair.
         *
         * @param layout half-split for Qwen's models, interleaved for GLM-4V
         * @return this builder
         */
        public Builder setLayout(RotaryLayout layout) {
            this.layout = layout;
            return this;
        }

        /**
         * Sets how many pairs each coordinate has, Hugging Face's {@code mrope_section}.
         *
         * @param sections time, height, width: the sum is the number of pairs that turn
         * @return this builder
         */
        public Builder setSections(int... sections) {
            this.sections = sections.clone();
            return this;
        }

        /**
         * Sets how pairs are dealt out to the coordinates.
         *
         * @param order chunked or interleaved
         * @return this builder
         */
        public Builder setOrder(Order order) {
            this.order = order;
            return this;
        }

        /**
         * Declares the length of the context, for scalings that depend on it.
         *
         * @param tokens the length, at least 1
         * @return this builder
         */
        public Builder optLength(long tokens) {
            this.length = ScalingArguments.length(1, tokens, "the declared length");
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if something is missing, the sections do not fit, or the
         *     scaling depends on a length that was not declared
         */
        public MultiSectionRope build() {
            if (parameters == null || sections == null || order == null) {
                throw new IllegalArgumentException(
                        "M-RoPE needs parameters, sections and their order");
            }
            if (parameters.scaling().dependsOnLength() && length == 0) {
                throw new IllegalArgumentException(
                        "the scaling " + parameters.scaling() + " needs a declared length");
            }
            return new MultiSectionRope(
                    this, parameters.frequencies(Math.max(1, length), RopePrecision.EXACT));
        }
    }
}
