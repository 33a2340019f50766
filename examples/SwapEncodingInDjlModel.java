import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.training.ParameterStore;
import org.posenc.attention.SwappedAttention;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;

/**
 * Gives a stock DJL attention block rotary positions, keeping its trained parameters.
 *
 * <p>The stock block cannot tell the order of its tokens: reversing the other tokens leaves a
 * token's output as it was. With RoPE it can.
 */
public final class SwapEncodingInDjlModel {

    private static final int EMBEDDING = 64;
    private static final int HEADS = 4;

    private SwapEncodingInDjlModel() {}

    public static void main(String[] args) {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            manager.getEngine().setRandomSeed(1);
            // Whatever model you have: here one attention block with fresh parameters.
            ScaledDotProductAttentionBlock stock =
                    ScaledDotProductAttentionBlock.builder()
                            .setEmbeddingSize(EMBEDDING)
                            .setHeadCount(HEADS)
                            .build();
            stock.initialize(manager, DataType.FLOAT32, new Shape(1, 8, EMBEDDING));

            // The one line. The parameters are shared: training one block trains the other.
            SwappedAttention swapped = SwappedAttention.of(stock, HEADS, rope());

            NDArray x = manager.randomNormal(new Shape(1, 8, EMBEDDING));
            NDArray reversed = x.get(":, :7").flip(1).concat(x.get(":, 7:"), 1);
            ParameterStore parameters = new ParameterStore(manager, false);
            System.out.printf(
                    "change of the last token's output when the others are reversed:%n"
                            + "stock block %.6f%nwith RoPE   %.6f%n",
                    change(
                            stock.forward(parameters, new NDList(x), false).head(),
                            stock.forward(parameters, new NDList(reversed), false).head()),
                    change(
                            swapped.forward(parameters, new NDList(x), false).head(),
                            swapped.forward(parameters, new NDList(reversed), false).head()));
        }
    }

    private static Rope rope() {
        return Rope.builder()
                .setHeadDimension(EMBEDDING / HEADS)
                .setLayout(RotaryLayout.INTERLEAVED)
                .build();
    }

    private static float change(NDArray a, NDArray b) {
        return a.get(":, 7").sub(b.get(":, 7")).abs().max().getFloat();
    }
}
