package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.posenc.checkpoint.ModelFolderWriter;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Scalars;
import org.posenc.kernel.Slice;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.report.AtomicFile;

/** The trained decoder as a Hugging Face folder of the Llama family. */
final class BaseModel {

    private BaseModel() {}

    /**
     * Writes a decoder that was trained with RoPE.
     *
     * <p>Llama does not scale its token embeddings: here they are stored scaled, apart from the
     * output's weights, which with tied ones are the same without the scale.
     */
    static void write(
            Transformer trained, int length, Path tokenizer, Passkey passkey, Path folder) {
        try (Autograd.Scope off = Autograd.off();
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            TransformerConfig c = trained.config();
            Transformer llama =
                    new Transformer(
                            TransformerConfig.builder()
                                    .setVocabulary(c.vocabulary())
                                    .setEmbeddingSize(c.embeddingSize())
                                    .setLayers(c.layers())
                                    .setHeads(c.heads())
                                    .optHeadDimension(c.headDimension())
                                    .optFeedForwardSize(c.feedForwardSize())
                                    .optNorm(c.norm(), c.normEpsilon())
                                    .optActivation(c.activation())
                                    .optTiedOutput(false)
                                    .build(),
                            trained.encoding());
            llama.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
            Map<String, Parameter> from = byName(trained);
            Map<String, Parameter> to = byName(llama);
            NDArray tokens = from.get("tokens").getArray();
            from.forEach((name, p) -> Slice.write(to.get(name).getArray(), 0, 0, p.getArray()));
            try (NDArray scaled = Scalars.mul(tokens, c.embeddingScale())) {
                Slice.write(to.get("tokens").getArray(), 0, 0, scaled);
            }
            List<String> added = to.keySet().stream().filter(n -> !from.containsKey(n)).toList();
            Slice.write(to.get(added.get(0)).getArray(), 0, 0, tokens);
            new ModelFolderWriter(llama).setLength(length).optTokenizer(tokenizer).write(folder);
            AtomicFile.write(folder.resolve(Passkey.FILE), passkey.toJson());
        }
    }

    private static Map<String, Parameter> byName(Transformer model) {
        Map<String, Parameter> byName = new TreeMap<>();
        model.getParameters()
                .forEach(
                        entry ->
                                // Children are numbered by what stands before them.
                                byName.put(
                                        entry.getKey().replaceAll("\\d+(?=[a-zA-Z])", ""),
                                        entry.getValue()));
        return byName;
    }
}
