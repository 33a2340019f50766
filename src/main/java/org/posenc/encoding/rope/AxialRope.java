package org.posenc.encoding.rope;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Settings;
import org.posenc.encoding.Site;

/**
 * Axial RoPE for images, videos and volumes: each coordinate of a token's point turns a block of
 * pairs of its own (<a href="https://arxiv.org/abs/2403.13298">Heo et al. 2024</a>, §3.1).
 *
 * <p>With blocks of frequencies w for the coordinates p, the angles of a head's pairs are [p_a w_a
 * ; p_b w_b ; …] in the order of the blocks. {@link GridPoints} makes the points; a class token or
 * a register is a point of zeros, which is not turned. {@link VisionRope} has what released models
 * use.
 */
public final class AxialRope extends PointRope {

    private static final byte VERSION = 1;

    private final List<AxisBlock> blocks;

    private AxialRope(Builder builder, RotaryPart part) {
        super(VERSION, part, frequencies(builder.blocks, part.pairs()), 1);
        blocks = builder.blocks;
    }

    /**
     * Returns a builder.
     *
     * @return a builder; head dimension, layout and blocks must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    private static double[][] frequencies(List<AxisBlock> blocks, int pairs) {
        int axes = 1 + blocks.stream().mapToInt(AxisBlock::axis).max().orElseThrow();
        double[][] f = new double[axes][pairs];
        boolean[] used = new boolean[axes];
        int pair = 0;
        for (AxisBlock block : blocks) {
            used[block.axis()] = true;
            for (double frequency : block.frequencies()) {
                f[block.axis()][pair++] = frequency;
            }
        }
        for (int a = 0; a < axes; a++) {
            if (!used[a]) {
                throw new IllegalArgumentException(
                        "every axis needs a block, got none for axis " + a + " of " + axes);
            }
        }
        return f;
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration() + ", blocks " + blocks;
    }

    /**
     * Returns the name this encoding has on the command line.
     *
     * @return the entry for the registry
     */
    public static NamedEncoding named() {
        return new NamedEncoding(
                "axial-rope",
                "RoPE with a block of pairs for each coordinate (Heo et al. 2024)",
                List.of(
                        new Settings.Key("axes", "2", "coordinates of a position, at least 1"),
                        new Settings.Key("base", "100", "base b of the frequencies, above 0"),
                        new Settings.Key("layout", "interleaved", "interleaved or half-split")),
                AxialRope::forTransformer,
                null);
    }

    /** The pairs of a head shared out evenly, the first axes having one more where they must. */
    private static AxialRope forTransformer(Site site, Settings settings) {
        int axes = settings.integer("axes");
        int pairs = site.headDimension() / 2;
        if (axes < 1 || pairs < axes) {
            throw new IllegalArgumentException(
                    "axial-rope's axes must be from 1 to the "
                            + pairs
                            + " pairs of a head, got "
                            + axes);
        }
        AxisBlock[] blocks = new AxisBlock[axes];
        for (int a = 0; a < axes; a++) {
            int own = pairs / axes + (a < pairs % axes ? 1 : 0);
            blocks[a] = AxisBlock.language(a, 2 * own, settings.number("base"));
        }
        return builder()
                .setHeadDimension(site.headDimension())
                .setLayout(settings.choice("layout", RotaryLayout.class))
                .setBlocks(blocks)
                .build();
    }

    /** Builds {@link AxialRope}. */
    public static final class Builder {

        private int headDimension;
        private RotaryLayout layout;
        private List<AxisBlock> blocks = List.of();

        private Builder() {}

        /**
         * Sets the size of a head.
         *
         * @param headDimension D
         * @return this builder
         */
        public Builder setHeadDimension(int headDimension) {
            this.headDimension = headDimension;
            return this;
        }

        /**
         * Sets which components make a pair, over all components that turn.
         *
         * @param layout interleaved or half-split
         * @return this builder
         */
        public Builder setLayout(RotaryLayout layout) {
            this.layout = layout;
            return this;
        }

        /**
         * Sets the blocks, in the order of the pairs. Components beyond their pairs are left alone.
         *
         * @param blocks one for each axis at least; they have D/2 pairs at most
         * @return this builder
         */
        public Builder setBlocks(AxisBlock... blocks) {
            this.blocks = new ArrayList<>(Arrays.asList(blocks));
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the layout or the blocks are missing, an axis has no
         *     block, or the blocks do not fit into a head
         */
        public AxialRope build() {
            if (blocks.isEmpty()) {
                throw new IllegalArgumentException("axial RoPE needs a block for each axis");
            }
            int pairs = blocks.stream().mapToInt(block -> block.frequencies().length).sum();
            return new AxialRope(this, new RotaryPart(headDimension, 2 * pairs, layout));
        }
    }
}
