import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.posenc.analysis.EncodingAnalysis;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.EncodingBlock;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.Positions;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/**
 * An encoding of your own: extend {@link EncodingBlock}, override one hook, and it works in the
 * Transformer and in the analysis without touching the library.
 *
 * <p>This one lowers the score of a key by the logarithm of its distance, so that far tokens fade
 * slowly where ALiBi's fade fast.
 */
public final class YourOwnEncoding {

    private YourOwnEncoding() {}

    /** b(i, j) = −log(1 + |i − j|), the same for every head. */
    static final class LogDistance extends EncodingBlock {

        LogDistance() {
            super((byte) 1);
        }

        @Override
        public NDArray bias(
                NDArray queries,
                NDArray keys,
                Positions queryPositions,
                Positions keyPositions,
                LayerContext context) {
            NDArray i = queryPositions.real(queries.getDataType()).expandDims(-1); // (T, 1)
            NDArray j = keyPositions.real(queries.getDataType()).expandDims(-2); // (1, S)
            return i.sub(j).abs().add(1).log().neg(); // (T, S)
        }
    }

    public static void main(String[] args) {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            TransformerConfig config =
                    TransformerConfig.builder()
                            .setVocabulary(100)
                            .setEmbeddingSize(64)
                            .setLayers(2)
                            .setHeads(4)
                            .build();
            LogDistance encoding = new LogDistance();
            Transformer model = new Transformer(config, encoding);
            model.initialize(manager, DataType.FLOAT32, new Shape(1, 16));

            ParameterStore parameters = new ParameterStore(manager, false);
            Positions positions = Positions.range(manager, 0, 16);
            NDArray ids = manager.zeros(new Shape(1, 16), DataType.INT64);
            NDArray logits = model.logits(ids, positions, AttentionMask.none(), parameters, false);
            System.out.println("logits " + logits.getShape());

            EncodingAnalysis analysis =
                    EncodingAnalysis.of(
                            encoding, config.site(16), positions, DataType.FLOAT64, parameters);
            System.out.printf(
                    "acts on %s, stable rank %.3f, two tokens 3 apart are alike by %.3f%n",
                    analysis.seam(), analysis.stableRank(), analysis.similarity()[0][3]);
        }
    }
}
