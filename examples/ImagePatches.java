import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.MultiHeadAttention;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.AxialRope;
import org.posenc.encoding.rope.GridPoints;
import org.posenc.encoding.rope.VisionRope;

/**
 * RoPE over the patches of an image: half of each head turns by the patch's row, half by its
 * column.
 *
 * <p>It prints how alike a patch's query and its neighbours' keys of the same content are, which
 * falls with the distance in every direction and is the same at every place of the image; and runs
 * an attention block over two sizes of images.
 */
public final class ImagePatches {

    private static final int HEAD = 64;

    private ImagePatches() {}

    public static void main(String[] args) {
        // As in RoPE-ViT; PIXTRAL, QWEN2_VL, DINOV3 and LLAMA4 differ in order and frequencies.
        VisionRope vision = VisionRope.ROPE_VIT;
        AxialRope rope = vision.rope(HEAD);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            int side = 14;
            GridPoints patches = vision.grid(side, side); // (row, column), row by row
            NDArray same = manager.ones(new Shape(1, 1, side * side, HEAD), DataType.FLOAT32);
            NDArray turned = rope.rotate(same, patches.positions(manager), false);
            for (int[] centre : new int[][] {{3, 3}, {9, 8}}) {
                int at = centre[0] * side + centre[1];
                NDArray scores =
                        turned.matMul(turned.get(":, :, {}:{}", at, at + 1).transpose(0, 1, 3, 2));
                System.out.printf("around row %d, column %d:%n", centre[0], centre[1]);
                for (int y = -2; y <= 2; y++) {
                    StringBuilder row = new StringBuilder();
                    for (int x = -2; x <= 2; x++) {
                        float score = scores.getFloat(0, 0, at + y * side + x, 0) / HEAD;
                        row.append(String.format("%6.3f", score));
                    }
                    System.out.println(row);
                }
            }

            MultiHeadAttention attention =
                    MultiHeadAttention.builder()
                            .setEmbeddingSize(2 * HEAD)
                            .setHeads(2)
                            .optCausal(false)
                            .build();
            attention.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 2 * HEAD));
            for (int size : new int[] {14, 28}) {
                // A class token stands first; it is not turned.
                Positions points =
                        vision.grid(size, size).withUnturned(1, 0).positions(manager); // (T, 2)
                NDArray x = manager.randomNormal(new Shape(1, 1 + size * size, 2 * HEAD));
                LayerContext layer =
                        new LayerContext(0, x, new ParameterStore(manager, false), false);
                NDArray y = attention.attend(layer, points, rope, AttentionMask.none());
                System.out.printf("%d × %d patches: %s%n", size, size, y.getShape());
            }
        }
    }
}
