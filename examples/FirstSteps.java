import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/** A decoder with RoPE; one line decides the encoding. */
public final class FirstSteps {

    private FirstSteps() {}

    public static void main(String[] args) {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(1000)
                        .setEmbeddingSize(256)
                        .setLayers(4)
                        .setHeads(4)
                        .build();

        // The line to change: Sinusoidal.of(256).added(), Alibi.builder().setHeads(4).build(), …
        PositionalEncoding encoding =
                Rope.builder().setHeadDimension(64).setLayout(RotaryLayout.INTERLEAVED).build();

        Transformer model = new Transformer(config, encoding);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            model.initialize(manager, DataType.FLOAT32, new Shape(1, 16));
            NDArray ids = manager.zeros(new Shape(2, 16), DataType.INT64); // (B, T)
            NDArray logits =
                    model.forward(new ParameterStore(manager, false), new NDList(ids), false)
                            .head(); // (B, T, V)
            System.out.println(logits.getShape());
        }
    }
}
