package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.checkpoint.RopeConfig.KeyStyle;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.Yarn;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.model.TransformerConfig.Norm;

/**
 * Folders that go between this library and Hugging Face's own code, test-data/scripts/folders.py,
 * where the environment variable POSENC_PYTHON names a Python that has it.
 */
@EnabledIfEnvironmentVariable(named = "POSENC_PYTHON", matches = ".+")
class HuggingFaceTest {

    @TempDir private Path directory;

    @Test
    void itsCodeAndOursComputeTheSameLogitsOfTheSameFolders() throws Exception {
        python("write", directory.resolve("theirs"));
        try (NDManager manager = NDManager.newBaseManager()) {
            List<Path> theirs;
            try (Stream<Path> folders = Files.list(directory.resolve("theirs"))) {
                theirs = folders.toList();
            }
            assertThat(theirs).hasSizeGreaterThan(25);
            for (Path folder : theirs) {
                ModelFolder opened = ModelFolder.open(folder);
                Transformer model = opened.load(manager, DataType.FLOAT32);
                tell(model, folder, manager);
                same(model, opened, manager);
                // And back again, in both styles of keys.
                for (KeyStyle keys : KeyStyle.values()) {
                    Path again =
                            directory.resolve("again").resolve(folder.getFileName() + " " + keys);
                    new ModelFolderWriter(model)
                            .setLength(opened.length())
                            .optLike(opened)
                            .optKeys(keys)
                            .optShardSize(keys == KeyStyle.NEW ? 20_000 : Long.MAX_VALUE)
                            .write(again);
                    tell(model, again, manager);
                }
            }
            ours(manager);
        }
        System.out.println(python("check", directory));
    }

    /** Written like the folder it came from, a model's tensors are the folder's, bit for bit. */
    private void same(Transformer model, ModelFolder folder, NDManager manager) {
        Path again = directory.resolve("same");
        new ModelFolderWriter(model)
                .setLength(folder.length())
                .optLike(folder)
                .optStoredTypes()
                .optShardSize(20_000)
                .write(again);
        Safetensors weights = ModelFolder.open(again).weights();
        assertThat(weights.names()).containsExactlyInAnyOrderElementsOf(folder.weights().names());
        for (String name : weights.names()) {
            assertThat(weights.type(name)).isEqualTo(folder.weights().type(name));
            assertThat(weights.read(name, manager).toByteBuffer())
                    .as(folder.folder() + " " + name)
                    .isEqualTo(folder.weights().read(name, manager).toByteBuffer());
        }
    }

    /** Models of this library, among them every scaling of RoPE that has a name there. */
    private void ours(NDManager manager) {
        TransformerConfig llama = llama().build();
        Map<String, RopeScaling> scalings =
                Map.of(
                        "default", new Default(),
                        "linear", new Linear(4),
                        "yarn", Yarn.of(4, 16),
                        "llama3", new Llama3(4, 1, 4, 16));
        scalings.forEach(
                (name, scaling) -> {
                    Rope rope = rope(RopeParameters.of(8, 5000, scaling), RotaryLayout.HALF_SPLIT);
                    for (KeyStyle keys : KeyStyle.values()) {
                        Transformer model = fresh(llama, rope, manager);
                        Path folder = directory.resolve("ours/" + name + " " + keys);
                        new ModelFolderWriter(model).setLength(64).optKeys(keys).write(folder);
                        tell(model, folder, manager);
                    }
                });
        Rope rope = rope(RopeParameters.of(8, 5000, new Default()), RotaryLayout.HALF_SPLIT);
        Rope pairs = rope(RopeParameters.of(8, 5000, new Default()), RotaryLayout.INTERLEAVED);
        TransformerConfig normed = llama().optQueryKeyNorm(true).optTiedOutput(false).build();
        TransformerConfig biased = llama().optBiases(true, false, false).build();
        TransformerConfig.Builder some = llama().setLayers(3).optWindows(List.of(0, 6, 6));
        write("window", fresh(llama().optWindows(List.of(5, 5)).build(), pairs, manager), manager);
        write("window types", fresh(some.build(), pairs, manager), manager);
        some.optBiases(true, false, false);
        write("window from 1", fresh(some.build(), pairs, manager), manager);
        write("interleaved", fresh(normed, pairs, manager), manager);
        write("interleaved biases", fresh(biased, pairs, manager), manager);
        write(
                "nope",
                fresh(llama, new LayerSchedule(List.of(rope, new NoEncoding())), manager),
                manager);
        Rope part =
                rope(RopeParameters.partial(8, 0.5, 5000, new Default()), RotaryLayout.INTERLEAVED);
        TransformerConfig neox =
                llama().optNorm(Norm.LAYER_NORM, 1e-5)
                        .optActivation(Activation.GELU)
                        .optBiases(true, true, true)
                        .optParallelResidual(true)
                        .build();
        write("neox", fresh(neox, part, manager), manager);
        TransformerConfig words = llama().setVocabulary(1024).build();
        Transformer speaking = fresh(words, rope, manager);
        Path folder = directory.resolve("ours/tokenizer");
        new ModelFolderWriter(speaking)
                .setLength(64)
                .optTokenizer(Path.of("models/tokenizer-1024/tokenizer.json"))
                .write(folder);
        tell(speaking, folder, manager);
        Path half = directory.resolve("ours/bfloat16");
        new ModelFolderWriter(speaking).setLength(64).optType(StoredType.BF16).write(half);
        tell(ModelFolder.open(half).load(manager, DataType.FLOAT32), half, manager);
    }

    private void write(String name, Transformer model, NDManager manager) {
        Path folder = directory.resolve("ours").resolve(name);
        new ModelFolderWriter(model).setLength(64).write(folder);
        tell(model, folder, manager);
    }

    private static TransformerConfig.Builder llama() {
        return TransformerConfig.builder()
                .setVocabulary(50)
                .setEmbeddingSize(32)
                .setLayers(2)
                .setHeads(4)
                .optFeedForwardSize(40)
                .optNorm(Norm.RMS_NORM, 1e-6)
                .optActivation(Activation.SWIGLU);
    }

    private static Rope rope(RopeParameters parameters, RotaryLayout layout) {
        return Rope.builder().setParameters(parameters).setLayout(layout).build();
    }

    private static Transformer fresh(
            TransformerConfig config, PositionalEncoding encoding, NDManager manager) {
        Transformer model = new Transformer(config, encoding);
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        int seed = 0;
        for (Parameter parameter : ModelFolder.parameters(model).values()) {
            NDArray noise = manager.arange(parameter.getArray().size()).add(100 * seed++).sin();
            parameter.getArray().stopGradient().addi(noise.mul(0.3).reshape(parameter.getShape()));
        }
        return model;
    }

    /** Puts our logits beside a model; of one with windows, those of other passes too. */
    private static void tell(Transformer model, Path folder, NDManager manager) {
        long[] ids = new long[2 * 40];
        Arrays.setAll(ids, i -> (7L * i + i / 11) % 50);
        NDArray tokens = manager.create(ids, new Shape(2, 40));
        Map<String, NDArray> told = new LinkedHashMap<>();
        ParameterStore parameters = new ParameterStore(manager, false);
        Positions positions = Positions.range(manager, 0, 40);
        told.put("ids", tokens);
        told.put(
                "logits", model.logits(tokens, positions, AttentionMask.none(), parameters, false));
        if (!model.config().windows().isEmpty()) {
            told.put("decoded", decoded(model, tokens, manager));
            long[] real = new long[2 * 40];
            long[] places = new long[2 * 40];
            Arrays.setAll(real, i -> i < 40 || i >= 53 ? 1 : 0);
            Arrays.setAll(places, i -> i < 40 ? i : Math.max(0, i - 53));
            NDArray mask = manager.create(real, new Shape(2, 40));
            NDArray each = manager.create(places, new Shape(2, 40));
            told.put("real", mask);
            told.put("places", each);
            told.put(
                    "padded",
                    model.logits(
                            tokens,
                            Positions.of(each),
                            AttentionMask.padding(mask),
                            parameters,
                            false));
        }
        Safetensors.write(folder.resolve("ours.safetensors"), told, Map.of());
    }

    /** Reads 15 tokens, then one at a time. */
    private static NDArray decoded(Transformer model, NDArray ids, NDManager manager) {
        NDList logits = new NDList();
        try (KeyValueCache cache = model.cache(manager, KeyValueCache.Policy.HUGGING_FACE)) {
            for (int at = 0; at < 40; at = (int) cache.length()) {
                int to = at == 0 ? 15 : at + 1;
                NDArray piece = ids.get(":, " + at + ":" + to);
                Positions places = Positions.range(manager, at, to);
                logits.add(
                        model.logits(
                                piece, places, null, cache, new ParameterStore(manager, false)));
            }
        }
        return NDArrays.concat(logits, 1);
    }

    private static String python(String command, Path argument)
            throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(
                                System.getenv("POSENC_PYTHON"),
                                "test-data/scripts/folders.py",
                                command,
                                argument.toString())
                        .redirectErrorStream(true)
                        .start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
