package org.posenc.encoding.rope;

import java.util.Locale;

/**
 * The axial RoPE of released vision encoders. They differ in the order of the axes, the
 * frequencies, the pairs and the coordinates, and none of it shows in a shape.
 *
 * <p>Points are (row y, column x) for all of them; w_i = b^(−4i/D), i = 0 … D/4 − 1.
 */
public enum VisionRope {
    /**
     * RoPE-ViT (<a href="https://arxiv.org/abs/2403.13298">Heo et al. 2024</a>): [x w ; y w],
     * interleaved, b = 100, x and y from 0.
     */
    ROPE_VIT(RotaryLayout.INTERLEAVED, 100),
    /**
     * Pixtral: the D/2 frequencies b^(−2j/D) dealt out, [y w ; x w b^(−2/D)], half-split, b =
     * 10,000, x and y from 0.
     */
    PIXTRAL(RotaryLayout.HALF_SPLIT, 10_000),
    /**
     * The vision encoders of Qwen2-VL to Qwen3-VL: [y w ; x w], half-split, b = 10,000, x and y
     * from 0. Their patches come in blocks: {@link GridPoints#inBlocks}.
     */
    QWEN2_VL(RotaryLayout.HALF_SPLIT, 10_000),
    /**
     * DINOv3: 2π [y w ; x w], half-split, b = 100, x and y the patches' centres in [−1, 1]. Class
     * token and registers stand first and are not turned.
     */
    DINOV3(RotaryLayout.HALF_SPLIT, 100),
    /**
     * Llama-4's vision encoder, and torchtune's: [x w ; y w], interleaved, b = 10,000, x and y from
     * 1. The class token is not turned; Llama-4 has it last.
     */
    LLAMA4(RotaryLayout.INTERLEAVED, 10_000);

    private final RotaryLayout layout;
    private final double base;

    VisionRope(RotaryLayout layout, double base) {
        this.layout = layout;
        this.base = base;
    }

    /**
     * Makes the rotation with the model's own base.
     *
     * @param headDimension D, a multiple of 4
     * @return a new block
     */
    public AxialRope rope(int headDimension) {
        return rope(headDimension, base);
    }

    /**
     * Makes the rotation.
     *
     * @param headDimension D, a multiple of 4
     * @param base b, positive
     * @return a new block
     * @throws IllegalArgumentException if D is no multiple of 4
     */
    public AxialRope rope(int headDimension, double base) {
        if (headDimension < 4 || headDimension % 4 != 0) {
            throw new IllegalArgumentException(
                    name().toLowerCase(Locale.ROOT)
                            + " needs a head dimension that is a multiple of 4, got "
                            + headDimension);
        }
        double[] all = AxisBlock.language(0, headDimension, base).frequencies(); // b^(−2j/D)
        double[] rows = new double[headDimension / 4];
        double[] columns = new double[headDimension / 4];
        double unit = this == DINOV3 ? 2 * Math.PI : 1;
        for (int i = 0; i < rows.length; i++) {
            rows[i] = unit * all[2 * i];
            columns[i] = unit * all[this == PIXTRAL ? 2 * i + 1 : 2 * i];
        }
        AxisBlock y = new AxisBlock(0, rows);
        AxisBlock x = new AxisBlock(1, columns);
        AxialRope.Builder builder =
                AxialRope.builder().setHeadDimension(headDimension).setLayout(layout);
        boolean columnsFirst = this == ROPE_VIT || this == LLAMA4;
        return (columnsFirst ? builder.setBlocks(x, y) : builder.setBlocks(y, x)).build();
    }

    /**
     * Returns the points of an image's patches, row by row, without other tokens.
     *
     * @param height rows of patches
     * @param width columns of patches
     * @return the points, in the model's own coordinates
     */
    public GridPoints grid(int height, int width) {
        return switch (this) {
            case ROPE_VIT, PIXTRAL, QWEN2_VL -> GridPoints.counted(height, width);
            case DINOV3 -> GridPoints.centres(height, width);
            case LLAMA4 -> GridPoints.counted(height, width).shifted(1, 1);
        };
    }
}
