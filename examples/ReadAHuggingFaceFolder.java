import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.posenc.attention.AttentionMask;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.ModelFolderWriter;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.Yarn;
import org.posenc.model.Transformer;

/**
 * Reads a Hugging Face folder, stretches its RoPE to four times the context, and writes it back as
 * a folder that transformers and its kin load: {@code ReadAHuggingFaceFolder [from [to]]}.
 *
 * <p>The standard folder is a tiny Llama with random weights. Between reading and writing is the
 * place for tuning on long texts. YaRN takes the length of the pre-training: the folder's own where
 * it has no scaling yet.
 */
public final class ReadAHuggingFaceFolder {

    private ReadAHuggingFaceFolder() {}

    public static void main(String[] args) throws IOException {
        Path from =
                Path.of(args.length > 0 ? args[0] : "test-data/goldens/checkpoints/llama_default");
        Path to = args.length > 1 ? Path.of(args[1]) : Files.createTempDirectory("posenc");

        ModelFolder folder = ModelFolder.open(from);
        RopeParameters rope = folder.rope();
        System.out.printf(
                "%d layers, %d query heads over %d key head(s), context %d%n%s%n",
                folder.config().layers(),
                folder.config().heads(),
                folder.config().keyValueHeads(),
                folder.length(),
                rope);

        int factor = 4;
        PositionalEncoding longer =
                folder.encoding(
                        new RopeParameters(
                                rope.headDimension(),
                                rope.rotaryDimension(),
                                rope.base(),
                                Yarn.of(factor, folder.length())),
                        new ContextLength.EachRow());
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Transformer model = folder.load(manager, DataType.FLOAT32, longer);
            new ModelFolderWriter(model)
                    .setLength(factor * folder.length())
                    .optLike(folder)
                    .write(to);

            ModelFolder written = ModelFolder.open(to);
            System.out.printf("written: context %d%n%s%n", written.length(), written.rope());
            System.out.printf(
                    "largest difference of the logits over %d tokens: %.1e%n",
                    written.length(),
                    difference(
                            logits(model, written.length(), manager),
                            logits(
                                    written.load(manager, DataType.FLOAT32),
                                    written.length(),
                                    manager)));
        }
    }

    private static NDArray logits(Transformer model, long tokens, NDManager manager) {
        NDArray ids =
                manager.arange(0, (int) tokens, 1, DataType.INT64)
                        .mod(model.config().vocabulary())
                        .expandDims(0); // (1, T)
        return model.logits(
                ids,
                Positions.range(manager, 0, tokens),
                AttentionMask.none(),
                new ParameterStore(manager, false),
                false);
    }

    private static float difference(NDArray a, NDArray b) {
        return a.sub(b).abs().max().getFloat();
    }
}
