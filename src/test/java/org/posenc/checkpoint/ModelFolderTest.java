package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Alibi;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.LogScaledQueries;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.LayoutPermutation;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.SelfExtend;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.model.TransformerConfig.Norm;

class ModelFolderTest {

    private static final Path GOLDENS = Path.of("test-data", "goldens", "checkpoints");

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @TempDir private Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    /** A model with the parts that a family has and all weights different from 0 and 1. */
    static Stream<Arguments> families() {
        return Stream.of(
                Arguments.of("llama", llama()),
                Arguments.of("llama", llama().optTiedOutput(false).optKeyValueHeads(2)),
                Arguments.of("llama", llama().optHeadDimension(6).optBiases(true, true, true)),
                Arguments.of("qwen2", llama().optBiases(true, false, false)),
                Arguments.of("qwen3", llama().optQueryKeyNorm(true).optTiedOutput(false)),
                Arguments.of("gpt_neox", neox().optParallelResidual(true)),
                Arguments.of("gpt_neox", neox().optTiedOutput(false)),
                Arguments.of("gpt_neox", neox().optBiases(false, false, true)),
                Arguments.of("mistral", llama().setHeads(3).optHeadDimension(4)));
    }

    private static TransformerConfig.Builder llama() {
        return TransformerConfig.builder()
                .setVocabulary(11)
                .setEmbeddingSize(16)
                .setLayers(2)
                .setHeads(4)
                .optFeedForwardSize(24)
                .optNorm(Norm.RMS_NORM, 1e-6)
                .optActivation(Activation.SWIGLU);
    }

    private static TransformerConfig.Builder neox() {
        return llama().optNorm(Norm.LAYER_NORM, 1e-5)
                .optActivation(Activation.GELU)
                .optBiases(true, true, true);
    }

    private Transformer fresh(TransformerConfig.Builder builder) {
        TransformerConfig config = builder.build();
        return fresh(config, rope(config, RotaryLayout.HALF_SPLIT));
    }

    private static Rope rope(TransformerConfig config, RotaryLayout layout) {
        return Rope.builder()
                .setHeadDimension(config.headDimension())
                .setLayout(layout)
                .optBase(500)
                .build();
    }

    private Transformer fresh(TransformerConfig config, PositionalEncoding encoding) {
        Transformer model = new Transformer(config, encoding);
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        int seed = 0;
        for (Parameter parameter : ModelFolder.parameters(model).values()) {
            NDArray noise = manager.arange(parameter.getArray().size()).add(100 * seed++).sin();
            parameter.getArray().stopGradient().addi(noise.mul(0.1).reshape(parameter.getShape()));
        }
        return model;
    }

    private NDArray logits(Transformer model) {
        NDArray ids = manager.create(new long[][] {{1, 2, 3, 4, 5, 6}, {10, 9, 0, 3, 3, 1}});
        return model.logits(
                ids, Positions.range(manager, 0, 6), AttentionMask.none(), parameters, false);
    }

    @ParameterizedTest
    @MethodSource("families")
    void aModelWrittenIsReadBackToTheLastBit(String family, TransformerConfig.Builder builder) {
        Transformer model = fresh(builder);
        new ModelFolderWriter(model).setLength(128).write(folder);
        ModelFolder written = ModelFolder.open(folder);
        assertThat(written.family().modelType()).isEqualTo(family);
        assertThat(written.config()).isEqualTo(model.config());
        assertThat(written.rope()).isEqualTo(((Rope) model.encoding()).parameters());
        assertThat(written.length()).isEqualTo(128);
        Transformer back = written.load(manager, DataType.FLOAT32, model.encoding());
        Map<String, Parameter> theirs = ModelFolder.parameters(back);
        ModelFolder.parameters(model)
                .forEach(
                        (name, parameter) ->
                                assertThat(theirs.get(name).getArray().toByteBuffer())
                                        .as(name)
                                        .isEqualTo(parameter.getArray().toByteBuffer()));
        // Their float32 frequencies are the nearest to ours but for the last bits.
        Transformer own = written.load(manager, DataType.FLOAT32);
        assertThat(logits(own).sub(logits(model)).abs().max().getFloat()).isLessThan(1e-5f);
    }

    @ParameterizedTest
    @MethodSource("families")
    void pairsAreHalvesInAFolderAndSideBySideInMemory(
            String family, TransformerConfig.Builder builder) {
        TransformerConfig config = builder.build();
        Transformer model = fresh(config, rope(config, RotaryLayout.INTERLEAVED));
        new ModelFolderWriter(model).setLength(128).write(folder);
        ModelFolder written = ModelFolder.open(folder);
        Transformer back = written.load(manager, DataType.FLOAT32);
        assertThat(((Rope) back.encoding()).layout()).isEqualTo(RotaryLayout.INTERLEAVED);
        assertThat(logits(back).sub(logits(model)).abs().max().getFloat()).isLessThan(1e-5f);
        Map<String, Parameter> theirs = ModelFolder.parameters(back);
        ModelFolder.parameters(model)
                .forEach(
                        (name, parameter) ->
                                assertThat(theirs.get(name).getArray().toByteBuffer())
                                        .as(name)
                                        .isEqualTo(parameter.getArray().toByteBuffer()));
        // The layout of the encoding that is given decides the rows.
        Rope halves = rope(config, RotaryLayout.HALF_SPLIT);
        Transformer split = written.load(manager, DataType.FLOAT32, halves);
        assertThat(logits(split).sub(logits(model)).abs().max().getFloat()).isLessThan(1e-5f);
        assertThatThrownBy(() -> back.withEncoding(halves))
                .hasMessageContaining("layer 0 were made for pairs that are interleaved");
        // Where the encoding has none, rows are as they are stored.
        Transformer none = written.load(manager, DataType.FLOAT32, new NoEncoding());
        assertThat(logits(none.withEncoding(halves)).sub(logits(model)).abs().max().getFloat())
                .isLessThan(1e-5f);
        Rope pairs = rope(config, RotaryLayout.INTERLEAVED);
        assertThatThrownBy(() -> none.withEncoding(pairs))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pairs that are half-split, and those of the other");
    }

    /** Rows go by what turns them, whatever else an encoding does. */
    @Test
    void rowsGoByThePairsWithinOtherEncodings() {
        TransformerConfig config = llama().build();
        new ModelFolderWriter(fresh(config, rope(config, RotaryLayout.HALF_SPLIT)))
                .setLength(64)
                .write(folder);
        ModelFolder written = ModelFolder.open(folder);
        for (Function<Rope, PositionalEncoding> around :
                List.<Function<Rope, PositionalEncoding>>of(
                        rope -> LogScaledQueries.postHoc(rope, 2),
                        rope -> SelfExtend.builder().setRope(rope).setWindow(2).setGroup(2).build(),
                        rope -> new LayerSchedule(List.of(new NoEncoding(), rope)))) {
            List<Transformer> models = new ArrayList<>();
            for (RotaryLayout layout : RotaryLayout.values()) {
                PositionalEncoding encoding = around.apply(rope(config, layout));
                models.add(written.load(manager, DataType.FLOAT32, encoding));
            }
            NDArray difference = logits(models.get(0)).sub(logits(models.get(1)));
            assertThat(difference.abs().max().getFloat()).isLessThan(1e-5f);
        }
    }

    /** Rows of LoRA's B are those of the projection: W + B A must be the same on both sides. */
    @Test
    void rowsOfAParameterAreCarriedToTheFoldersOrderAndBack() {
        TransformerConfig config = llama().optKeyValueHeads(2).optQueryKeyNorm(true).build();
        new ModelFolderWriter(fresh(config, rope(config, RotaryLayout.HALF_SPLIT)))
                .setLength(64)
                .write(folder);
        ModelFolder written = ModelFolder.open(folder);
        Transformer model = written.load(manager, DataType.FLOAT32);
        Map<String, LayoutPermutation> rows = StoredRows.of(model);
        assertThat(rows)
                .containsOnlyKeys(
                        Stream.of(0, 1)
                                .flatMap(
                                        layer ->
                                                Stream.of("query", "key", "queryNorm", "keyNorm")
                                                        .map(
                                                                b ->
                                                                        "layer"
                                                                                + layer
                                                                                + ".attention."
                                                                                + b))
                                .toList());
        NDArray own = ModelFolder.parameters(model).get("layer1.attention.key.weight").getArray();
        NDArray stored =
                Safetensors.open(folder.resolve("model.safetensors"))
                        .read("model.layers.1.self_attn.k_proj.weight", manager);
        LayoutPermutation order = rows.get("layer1.attention.key");
        assertThat(order.apply(own.stopGradient())).isEqualTo(stored);
        assertThat(order.inverse().apply(stored)).isEqualTo(own.stopGradient());
        assertThat(own.stopGradient()).isNotEqualTo(stored);
        Rope halves = rope(config, RotaryLayout.HALF_SPLIT);
        assertThat(StoredRows.of(written.load(manager, DataType.FLOAT32, halves))).isEmpty();
    }

    @Test
    void layersWithoutRopeAreThoseOfSmolLm3() {
        TransformerConfig config = llama().build();
        Rope rope = rope(config, RotaryLayout.HALF_SPLIT);
        Transformer model = fresh(config, new LayerSchedule(List.of(rope, new NoEncoding())));
        new ModelFolderWriter(model).setLength(128).write(folder);
        ModelFolder written = ModelFolder.open(folder);
        assertThat(written.family()).isEqualTo(DecoderFamily.SMOLLM3);
        assertThat(written.rope()).isEqualTo(rope.parameters());
        Transformer back = written.load(manager, DataType.FLOAT32);
        assertThat(logits(back).sub(logits(model)).abs().max().getFloat()).isLessThan(1e-5f);
        Rope pairs = rope(config, RotaryLayout.INTERLEAVED);
        assertThat(logits(back.withEncoding(pairs)).sub(logits(model)).abs().max().getFloat())
                .isGreaterThan(1e-3f);
        Rope other = Rope.builder().setHeadDimension(4).setLayout(RotaryLayout.HALF_SPLIT).build();
        Transformer two = fresh(config, new LayerSchedule(List.of(rope, other)));
        assertThatThrownBy(() -> new ModelFolderWriter(two).setLength(64).write(folder))
                .hasMessageStartingWith("layers with different RoPE cannot be written, got");
    }

    @ParameterizedTest
    @MethodSource("families")
    void theTableOfParametersIsTheTransformersOwn(
            String family, TransformerConfig.Builder builder) {
        Transformer model = fresh(builder);
        Map<String, Shape> own = new LinkedHashMap<>();
        ModelFolder.parameters(model).forEach((name, p) -> own.put(name, p.getShape()));
        assertThat(TensorTable.parameters(model.config())).isEqualTo(own);
    }

    /** Each golden folder, read and written again: equal names, tensors, types, configuration. */
    @ParameterizedTest
    @MethodSource("org.posenc.checkpoint.CheckpointGoldensTest#cases")
    void aFolderReadAndWrittenAgainIsEqual(String name) {
        ModelFolder one = ModelFolder.open(GOLDENS.resolve(name));
        new ModelFolderWriter(one.load(manager, DataType.FLOAT32))
                .setLength(one.length())
                .optLike(one)
                .optStoredTypes()
                .write(folder);
        ModelFolder other = ModelFolder.open(folder);
        assertEqual(other.weights(), one.weights());
        assertThat(other.family()).isEqualTo(one.family());
        assertThat(other.config()).isEqualTo(one.config());
        assertThat(other.rope()).isEqualTo(one.rope());
        for (String key : List.of("bos_token_id", "dtype", "torch_dtype")) {
            assertThat(other.json().get(key)).as(key).isEqualTo(one.json().get(key));
        }
    }

    /** Each family, with every number a float16 or bfloat16 can be, in types that are mixed. */
    @ParameterizedTest
    @MethodSource("families")
    void halfPrecisionIsWrittenAgainToTheLastBit(String family, TransformerConfig.Builder builder) {
        Transformer model = fresh(builder);
        Path first = folder.resolve("first");
        new ModelFolderWriter(model).setLength(64).write(first);
        Path weights = first.resolve("model.safetensors");
        Safetensors wide = Safetensors.open(weights);
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        Map<String, StoredType> types = new LinkedHashMap<>();
        List<StoredType> each = List.of(StoredType.BF16, StoredType.F16, StoredType.F32);
        for (String tensor : wide.names()) {
            tensors.put(tensor, wide.read(tensor, manager));
            types.put(tensor, each.get(types.size() % each.size()));
        }
        Safetensors.write(weights, Safetensors.sources(tensors), Map.of(), types);
        ModelFolder one = ModelFolder.open(first);
        new ModelFolderWriter(one.load(manager, DataType.FLOAT32))
                .setLength(64)
                .optLike(one)
                .optStoredTypes()
                .write(folder.resolve("second"));
        assertEqual(ModelFolder.open(folder.resolve("second")).weights(), one.weights());
    }

    private void assertEqual(Safetensors actual, Safetensors expected) {
        assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
        for (String tensor : expected.names()) {
            assertThat(actual.type(tensor)).as(tensor).isEqualTo(expected.type(tensor));
            assertThat(actual.read(tensor, manager).toByteBuffer())
                    .as(tensor)
                    .isEqualTo(expected.read(tensor, manager).toByteBuffer());
        }
    }

    @Test
    void whatCannotBeWrittenLeavesTheFolderThatWasThere() {
        Transformer model = fresh(llama());
        new ModelFolderWriter(model).setLength(64).write(folder);
        NDArray gain = ModelFolder.parameters(model).get("norm.gain").getArray();
        gain.stopGradient().addi(1e6f);
        assertThatThrownBy(
                        () ->
                                new ModelFolderWriter(model)
                                        .setLength(128)
                                        .optType(StoredType.F16)
                                        .write(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("too large for F16");
        ModelFolder there = ModelFolder.open(folder);
        assertThat(there.length()).isEqualTo(64);
        assertThat(
                        ModelFolder.parameters(there.load(manager, DataType.FLOAT32))
                                .get("norm.gain")
                                .getArray()
                                .max()
                                .getFloat())
                .isLessThan(2);
    }

    @Test
    void largeModelsAreWrittenInShards() throws IOException {
        ModelFolder one = ModelFolder.open(GOLDENS.resolve("llama_gqa8_2"));
        ModelFolderWriter writer =
                new ModelFolderWriter(one.load(manager, DataType.FLOAT32))
                        .setLength(one.length())
                        .optLike(one);
        writer.write(folder);
        assertThat(folder.resolve("model.safetensors")).exists();
        long whole = Files.size(folder.resolve("model.safetensors"));
        writer.optShardSize(whole / 3).write(folder);
        List<String> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(file -> file.getFileName().toString()).sorted().toList();
        }
        assertThat(names)
                .contains("model.safetensors.index.json")
                .doesNotContain("model.safetensors");
        List<String> shards = names.stream().filter(n -> n.endsWith(".safetensors")).toList();
        assertThat(shards.size()).isBetween(3, 5);
        for (int i = 0; i < shards.size(); i++) {
            assertThat(shards.get(i))
                    .isEqualTo(
                            "model-0000%d-of-0000%d.safetensors".formatted(i + 1, shards.size()));
            assertThat(Files.size(folder.resolve(shards.get(i)))).isLessThan(whole / 3 + 4096);
        }
        assertEqual(ModelFolder.open(folder).weights(), one.weights());
        JsonObject index =
                JsonParser.parseString(
                                Files.readString(folder.resolve("model.safetensors.index.json")))
                        .getAsJsonObject();
        long bytes =
                one.weights().names().stream()
                        .mapToLong(tensor -> 4 * one.weights().shape(tensor).size())
                        .sum();
        assertThat(index.getAsJsonObject("metadata").get("total_size").getAsLong())
                .isEqualTo(bytes);
        // And back in one file: nothing of the shards stays.
        writer.optShardSize(2 * whole).write(folder);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("config.json", "model.safetensors");
        }
        assertThatThrownBy(() -> writer.optShardSize(0)).hasMessageEndingWith("1 byte, got 0");
    }

    /** Without the key at the top level transformers 5 takes Phi-3's original length for 4096. */
    @Test
    void phi3SaysItsOriginalLengthTwiceInNewKeys() {
        ModelFolder phi = ModelFolder.open(GOLDENS.resolve("phi3_longrope"));
        new ModelFolderWriter(phi.load(manager, DataType.FLOAT32))
                .setLength(64)
                .optLike(phi)
                .optKeys(RopeConfig.KeyStyle.NEW)
                .write(folder);
        ModelFolder written = ModelFolder.open(folder);
        assertThat(written.rope()).isEqualTo(phi.rope());
        JsonObject json = written.json();
        assertThat(json.get("original_max_position_embeddings").getAsInt()).isEqualTo(16);
        assertThat(json.getAsJsonObject("rope_parameters").get("original_max_position_embeddings"))
                .isEqualTo(json.get("original_max_position_embeddings"));
    }

    @Test
    void weightsOfHalfPrecisionAreReadIntoAnyType() {
        Transformer model = fresh(llama());
        new ModelFolderWriter(model).setLength(64).optType(StoredType.F16).write(folder);
        ModelFolder half = ModelFolder.open(folder);
        assertThat(logits(half.load(manager, DataType.FLOAT32)).sub(logits(model)).abs().max())
                .satisfies(d -> assertThat(d.getFloat()).isBetween(1e-6f, 5e-3f));
        NDArray token =
                ModelFolder.parameters(half.load(manager, DataType.FLOAT16))
                        .get("tokens")
                        .getArray();
        assertThat(token.getDataType()).isEqualTo(DataType.FLOAT16);
        NDArray expected = ModelFolder.parameters(model).get("tokens").getArray();
        assertThat(token.toByteBuffer())
                .isEqualTo(expected.toType(DataType.FLOAT16, true).toByteBuffer());
    }

    @Test
    void aModelReadCanBeTrained() {
        new ModelFolderWriter(fresh(llama())).setLength(64).write(folder);
        Transformer model = ModelFolder.open(folder).load(manager, DataType.FLOAT32);
        assertThat(ModelFolder.parameters(model).values())
                .allSatisfy(p -> assertThat(p.getArray().hasGradient()).isTrue());
    }

    @Test
    void theTokenizerGoesWithTheModel() throws IOException {
        Path tokenizer = Path.of("models/tokenizer-1024/tokenizer.json");
        Transformer model = fresh(llama().setVocabulary(1024));
        new ModelFolderWriter(model).setLength(64).optTokenizer(tokenizer).write(folder);
        ModelFolder one = ModelFolder.open(folder);
        assertThat(one.tokenizer().orElseThrow()).hasSameBinaryContentAs(tokenizer);
        Path second = folder.resolve("second");
        new ModelFolderWriter(one.load(manager, DataType.FLOAT32))
                .setLength(64)
                .optLike(one)
                .write(second);
        assertThat(second.resolve("tokenizer.json")).hasSameBinaryContentAs(tokenizer);
        assertThat(second.resolve("tokenizer_config.json")).exists();
        assertThat(ModelFolder.open(GOLDENS.resolve("qwen3")).tokenizer()).isEmpty();
    }

    static Stream<Arguments> unknownToHuggingFace() {
        return Stream.of(
                Arguments.of(
                        llama().optActivation(Activation.GELU), "llama, has no activation GELU"),
                Arguments.of(llama().optCausal(false), "llama, has no causal false"),
                Arguments.of(neox().optKeyValueHeads(2), "gpt_neox, has no key value heads 2"),
                Arguments.of(
                        llama().optEmbeddingScale(4).optAttentionScale(1),
                        "llama, has no attention scale 1.0, no embedding scale 4.0"));
    }

    @ParameterizedTest
    @MethodSource("unknownToHuggingFace")
    void whatNoFamilyHasIsRefused(TransformerConfig.Builder builder, String why)
            throws IOException {
        Transformer model = fresh(builder);
        assertThatThrownBy(() -> new ModelFolderWriter(model).setLength(64).write(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("has this model; the nearest, " + why);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void theUsualAttentionScaleMayBeSaid() {
        new ModelFolderWriter(fresh(llama().optAttentionScale(0.5))).setLength(64).write(folder);
        assertThat(ModelFolder.open(folder).config().attentionScale()).isNaN();
    }

    @Test
    void whatIsNotRopeIsRefused() {
        TransformerConfig config = llama().build();
        Transformer alibi = fresh(config, Alibi.builder().setHeads(4).build());
        assertThatThrownBy(() -> new ModelFolderWriter(alibi).setLength(64).write(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Hugging Face's decoders have rotary positions, got Alibi");
        Transformer none = fresh(config, new NoEncoding());
        assertThatThrownBy(() -> new ModelFolderWriter(none).setLength(64).write(folder))
                .hasMessageContaining("needs at least one layer type with RoPE");
        assertThatThrownBy(() -> new ModelFolderWriter(fresh(llama())).write(folder))
                .hasMessageEndingWith("at least 1 token, got 0");
    }

    @Test
    void aModelWrittenLikeAFolderMustBeOfItsFamily() {
        ModelFolder qwen = ModelFolder.open(GOLDENS.resolve("qwen3"));
        ModelFolderWriter writer =
                new ModelFolderWriter(fresh(llama())).setLength(64).optLike(qwen);
        assertThatThrownBy(() -> writer.write(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a model of type qwen3 has no query key norm false");
    }

    static Stream<Arguments> badConfigurations() {
        return Stream.of(
                bad("model_type", "\"gpt2\"", "model_type \"gpt2\" cannot be read; those that can"),
                bad("model_type", "null", "needs model_type, which is missing"),
                bad("hidden_act", "\"gelu\"", "hidden_act must be \"silu\", got \"gelu\""),
                bad("hidden_size", "\"64\"", "hidden_size must be a whole number"),
                bad("hidden_size", "64.5", "hidden_size must be a whole number"),
                bad("hidden_size", "[64]", "hidden_size must be a whole number"),
                bad("hidden_size", "1e18", "hidden_size must be"),
                bad("num_attention_heads", "0", "num_attention_heads must be a whole number"),
                bad("num_key_value_heads", "3", "heads must be a multiple of key/value heads"),
                bad("rms_norm_eps", "null", "needs rms_norm_eps, which is missing"),
                bad("rms_norm_eps", "-1", "rms_norm_eps must be a positive number, got -1"),
                bad("tie_word_embeddings", "1", "tie_word_embeddings must be true or false, got 1"),
                bad("quantization_config", "{}", "quantised weights cannot be read"),
                bad("attention_bias", "true", "missing model.layers.0.self_attn.q_proj.bias"),
                bad(
                        "vocab_size",
                        "65",
                        "misshapen model.embed_tokens.weight (64, 64) not (65, 64)"),
                bad("num_hidden_layers", "3", "self_attn.o_proj.weight and 4 more"),
                bad("num_hidden_layers", "10000", "describes 10000 layers, and the weights have"),
                bad("num_hidden_layers", "2147483647", "must be at most 10000, got 2147483647"),
                bad("head_dim", "2147483646", "head_dim must be at most 65536"));
    }

    private static Arguments bad(String key, String value, String message) {
        return Arguments.of(key, value, message);
    }

    @ParameterizedTest
    @MethodSource("badConfigurations")
    void aFolderThatCannotBeReadCostsOneSentence(String key, String value, String message)
            throws IOException {
        change("llama_gqa8_2", json -> json.add(key, JsonParser.parseString(value)));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(folder.toString())
                .hasMessageContaining(message);
    }

    /** A tied folder with an output of its own kind beside its embeddings, or in their place. */
    private ModelFolder tied(UnaryOperator<NDArray> output, boolean embeddings) throws IOException {
        change("llama_tied", json -> {});
        Path file = folder.resolve("model.safetensors");
        Safetensors stored = Safetensors.open(file);
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        stored.names().forEach(name -> tensors.put(name, stored.read(name, manager)));
        String tokens = "model.embed_tokens.weight";
        tensors.put("lm_head.weight", output.apply(tensors.get(tokens)));
        if (!embeddings) {
            tensors.remove(tokens);
        }
        Safetensors.write(file, tensors, Map.of());
        return ModelFolder.open(folder);
    }

    private NDArray changed(NDArray table) {
        NDArray other = table.duplicate();
        other.set(new NDIndex("63, 5"), 1f);
        return other;
    }

    private ModelFolder writtenBack(ModelFolder opened) {
        Path again = folder.resolve("again");
        new ModelFolderWriter(opened.load(manager, DataType.FLOAT32))
                .setLength(opened.length())
                .optLike(opened)
                .optStoredTypes()
                .write(again);
        return ModelFolder.open(again);
    }

    /** As transformers 5.18, which HuggingFaceTest asks. */
    @Test
    void aTiedOutputThatIsStoredIsOneWithTheEmbeddingsWhereItIsEqual() throws IOException {
        NDArray expected =
                logits(
                        ModelFolder.open(GOLDENS.resolve("llama_tied"))
                                .load(manager, DataType.FLOAT32));
        ModelFolder twice = tied(NDArray::duplicate, true);
        assertThat(twice.config().tiedOutput()).isTrue();
        assertThat(twice.remarks())
                .containsExactly(
                        "lm_head.weight is stored beside model.embed_tokens.weight, to which"
                                + " config.json ties it, and holds the same numbers");
        assertThat(logits(twice.load(manager, DataType.FLOAT32))).isEqualTo(expected);
        ModelFolder back = writtenBack(twice);
        assertThat(back.weights().names())
                .containsExactlyInAnyOrderElementsOf(twice.weights().names());
        assertThat(back.weights().read("lm_head.weight", manager))
                .isEqualTo(twice.weights().read("model.embed_tokens.weight", manager));

        ModelFolder alone = tied(NDArray::duplicate, false);
        assertThat(alone.config().tiedOutput()).isTrue();
        assertThat(alone.remarks()).first().asString().contains("embeddings are lm_head.weight");
        assertThat(logits(alone.load(manager, DataType.FLOAT32))).isEqualTo(expected);
        assertThat(writtenBack(alone).weights().names())
                .containsExactlyInAnyOrderElementsOf(alone.weights().names());
    }

    @Test
    void aTiedOutputThatDiffersIsOnItsOwn() throws IOException {
        ModelFolder different = tied(this::changed, true);
        assertThat(different.config().tiedOutput()).isFalse();
        assertThat(different.remarks())
                .containsExactly(
                        "config.json ties lm_head.weight to model.embed_tokens.weight, but both are"
                                + " stored and differ: the output is on its own, as in"
                                + " transformers 5");
        Transformer model = different.load(manager, DataType.FLOAT32);
        NDArray own = different.weights().read("lm_head.weight", manager);
        assertThat(model.named().get("output.weight").getArray().stopGradient()).isEqualTo(own);
        ModelFolder back = writtenBack(different);
        assertThat(back.json().get("tie_word_embeddings").getAsBoolean()).isFalse();
        assertThat(back.remarks()).isEmpty();
        // A NaN equals nothing, zeros of both signs are one, types do not matter.
        assertThat(tied(table -> table.mul(Float.NaN), true).config().tiedOutput()).isFalse();
        assertThat(tied(table -> table.toType(DataType.FLOAT64, true), true).config().tiedOutput())
                .isTrue();
        assertThatThrownBy(() -> tied(table -> table.get("1:"), true))
                .hasMessageContaining("misshapen lm_head.weight");
    }

    /** Every number of each type, against the engine's own. */
    @Test
    void numbersAreComparedInEveryType() {
        float[] all = new float[1 << 16];
        ByteBuffer halves = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < all.length; i++) {
            halves.putShort((short) i);
            all[i] =
                    (float)
                            StoredType.F16.number(
                                    halves.duplicate()
                                            .order(ByteOrder.LITTLE_ENDIAN)
                                            .position(2 * i));
        }
        ByteBuffer direct = ByteBuffer.allocateDirect(2 << 16).order(ByteOrder.nativeOrder());
        direct.put(halves.flip()).flip();
        float[] theirs =
                manager.create(direct, new Shape(1 << 16), DataType.FLOAT16)
                        .toType(DataType.FLOAT32, true)
                        .toFloatArray();
        assertThat(all).isEqualTo(theirs);
    }

    private List<Integer> windows(String name, Consumer<JsonObject> change) throws IOException {
        change(name, change);
        return ModelFolder.open(folder).config().windows();
    }

    private static JsonArray types(int... sliding) {
        JsonArray types = new JsonArray();
        for (int one : sliding) {
            types.add(one == 1 ? "sliding_attention" : "full_attention");
        }
        return types;
    }

    private static void use(JsonObject json, int window) {
        json.addProperty("use_sliding_window", true);
        json.addProperty("sliding_window", window);
    }

    /** As the classes of transformers 5.18 read them, and AutoConfig, for a Mistral with types. */
    @Test
    void windowsAreThoseThatTransformersReads() throws IOException {
        assertThat(windows("mistral", json -> json.addProperty("sliding_window", 3)))
                .containsExactly(3, 3);
        assertThat(windows("mistral", json -> json.remove("sliding_window")))
                .containsExactly(4096, 4096);
        assertThat(windows("mistral", json -> json.add("sliding_window", JsonNull.INSTANCE)))
                .isEmpty();
        assertThat(
                        windows(
                                "mistral",
                                json -> {
                                    json.addProperty("sliding_window", 3);
                                    json.add("layer_types", types(0, 1));
                                }))
                .containsExactly(0, 3);
        assertThat(windows("phi3_longrope", json -> json.addProperty("sliding_window", 3)))
                .containsOnly(3);
        assertThat(windows("phi3_longrope", json -> json.remove("sliding_window"))).isEmpty();
        assertThat(windows("qwen2", json -> json.addProperty("sliding_window", 8))).isEmpty();
        assertThat(windows("qwen2", json -> use(json, 8))).isEmpty(); // from layer 28 on
        assertThat(
                        windows(
                                "qwen2",
                                json -> {
                                    use(json, 8);
                                    json.addProperty("max_window_layers", 1);
                                }))
                .containsExactly(0, 8);
        assertThat(
                        windows(
                                "qwen3",
                                json -> {
                                    json.addProperty("use_sliding_window", true);
                                    json.remove("sliding_window");
                                    json.addProperty("max_window_layers", 0);
                                }))
                .containsOnly(4096);
        assertThat(
                        windows(
                                "qwen3",
                                json -> {
                                    use(json, 8);
                                    json.add("layer_types", types(1, 0));
                                }))
                .containsExactly(8, 0);
        assertThat(windows("llama_gqa8_2", json -> use(json, 3))).isEmpty(); // Llama has none
        assertThatThrownBy(() -> windows("mistral", json -> json.addProperty("sliding_window", 0)))
                .hasMessageContaining("sliding_window must be a whole number of at least 1, got 0");
        assertThatThrownBy(() -> windows("qwen2", json -> json.add("layer_types", types(1, 0))))
                .hasMessageContaining("layer_types[0] is \"sliding_attention\", and there is no");
        assertThatThrownBy(
                        () ->
                                windows(
                                        "qwen2",
                                        json -> {
                                            use(json, 8);
                                            JsonArray other = types(1);
                                            other.add("chunked_attention");
                                            json.add("layer_types", other);
                                        }))
                .hasMessageContaining("layer_types[1] must be \"full_attention\" or");
        assertThatThrownBy(
                        () ->
                                windows(
                                        "mistral",
                                        json -> {
                                            json.addProperty("sliding_window", 3);
                                            json.add("layer_types", types(1));
                                        }))
                .hasMessageContaining("an entry for each of the 2 layers, got 1");
    }

    private Transformer withWindows(TransformerConfig.Builder builder, Integer... windows) {
        TransformerConfig config =
                builder.setVocabulary(20)
                        .setEmbeddingSize(16)
                        .setLayers(windows.length)
                        .setHeads(2)
                        .optNorm(Norm.RMS_NORM, 1e-6)
                        .optActivation(Activation.SWIGLU)
                        .optWindows(List.of(windows))
                        .build();
        Rope rope =
                Rope.builder()
                        .setParameters(RopeParameters.of(8, 10000, new Default()))
                        .setLayout(RotaryLayout.HALF_SPLIT)
                        .build();
        Transformer model = new Transformer(config, rope);
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        return model;
    }

    private ModelFolder written(Transformer model) {
        new ModelFolderWriter(model).setLength(64).write(folder);
        return ModelFolder.open(folder);
    }

    /** A fresh model becomes a family that has its windows. */
    @Test
    void windowsAreWrittenByTheFamilyThatHasThem() {
        TransformerConfig.Builder plain = TransformerConfig.builder().optTiedOutput(false);
        ModelFolder all = written(withWindows(plain, 5, 5, 5));
        assertThat(all.modelType()).isEqualTo("mistral");
        assertThat(all.config().windows()).containsExactly(5, 5, 5);
        ModelFolder some = written(withWindows(plain, 5, 0, 5));
        assertThat(some.modelType()).isEqualTo("smollm3");
        assertThat(some.config().windows()).containsExactly(5, 0, 5);
        TransformerConfig.Builder biased = plain.optBiases(true, false, false);
        ModelFolder last = written(withWindows(biased, 0, 5, 5));
        assertThat(last.modelType()).isEqualTo("qwen2");
        assertThat(last.config().windows()).containsExactly(0, 5, 5);
        assertThat(last.json().get("max_window_layers").getAsInt()).isEqualTo(1);
        ModelFolder first = written(withWindows(biased, 5, 0, 0));
        assertThat(first.config().windows()).containsExactly(5, 0, 0);
        assertThat(first.json().has("max_window_layers")).isFalse();
        assertThatThrownBy(() -> written(withWindows(biased, 5, 4, 0)))
                .hasMessageContaining("has no windows [5, 4, 0]");
    }

    /** What a folder says of windows stays as it is, in its own words. */
    @ParameterizedTest
    @ValueSource(strings = {"mistral", "mistral_window", "qwen2", "qwen2_window", "phi3_longrope"})
    void aFoldersWindowsAreWrittenBackInItsWords(String name) throws IOException {
        for (String words : List.of("config.json", "config_alt.json")) {
            JsonObject before = ConfigValues.read(GOLDENS.resolve(name).resolve(words));
            change(name, json -> before.asMap().forEach(json::add));
            ModelFolder opened = ModelFolder.open(folder);
            Path again = folder.resolve("again");
            new ModelFolderWriter(opened.load(manager, DataType.FLOAT32))
                    .setLength(4 * opened.length())
                    .optLike(opened)
                    .write(again);
            ModelFolder read = ModelFolder.open(again);
            assertThat(read.config()).isEqualTo(opened.config());
            for (String key :
                    List.of(
                            "sliding_window",
                            "use_sliding_window",
                            "max_window_layers",
                            "layer_types")) {
                assertThat(read.json().get(key)).as(key).isEqualTo(before.get(key));
            }
        }
    }

    /** A model whose windows were taken away says so in its folder. */
    @Test
    void windowsThatHaveChangedAreWrittenAnew() throws IOException {
        change("qwen2_window", json -> {});
        ModelFolder like = ModelFolder.open(folder);
        Transformer windowed = like.load(manager, DataType.FLOAT32);
        TransformerConfig c = like.config();
        TransformerConfig wide =
                TransformerConfig.builder()
                        .setVocabulary(c.vocabulary())
                        .setEmbeddingSize(c.embeddingSize())
                        .setLayers(c.layers())
                        .setHeads(c.heads())
                        .optKeyValueHeads(c.keyValueHeads())
                        .optFeedForwardSize(c.feedForwardSize())
                        .optNorm(c.norm(), c.normEpsilon())
                        .optActivation(c.activation())
                        .optBiases(true, false, false)
                        .optTiedOutput(false)
                        .build();
        Transformer model = new Transformer(wide, windowed.encoding());
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        Path again = folder.resolve("again");
        new ModelFolderWriter(model).setLength(64).optLike(like).write(again);
        ModelFolder read = ModelFolder.open(again);
        assertThat(read.config().windows()).isEmpty();
        assertThat(read.json().has("layer_types")).isFalse();
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        assertThatThrownBy(() -> ModelFolder.open(folder.resolve("none")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("config.json: no such file");
        Files.writeString(folder.resolve("config.json"), "{");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .hasMessageEndingWith("config.json is not JSON");
        Files.writeString(folder.resolve("config.json"), "[]");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .hasMessageEndingWith("config.json must hold a JSON object");
        change("llama_sharded", json -> {});
        Files.delete(folder.resolve("model-00002-of-00003.safetensors"));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .hasMessageEndingWith("model-00002-of-00003.safetensors: no such file");
    }

    static Stream<Arguments> badIndices() {
        return Stream.of(
                Arguments.of("[]", "it is no valid JSON at $"),
                Arguments.of("{\"weight_map\":{}}", "it has no weight_map, or an empty one"),
                Arguments.of("{\"weight_map\":{\"a\":1}}", "the file of tensor a must be a string"),
                Arguments.of(
                        "{\"weight_map\":{\"a\":\"../a.safetensors\"}}",
                        "tensor a must be in a .safetensors file of the same folder, got"
                                + " ../a.safetensors"),
                Arguments.of(
                        "{\"weight_map\":{\"a\":\"m.safetensors\",\"a\":\"n.safetensors\"}}",
                        "it names tensor a twice"),
                Arguments.of("{\"weight_map\":{},\"weight_map\":{}}", "it has weight_map twice"));
    }

    @ParameterizedTest
    @MethodSource("badIndices")
    void aMalformedIndexCostsOneSentence(String text, String why) throws IOException {
        Path index = Files.writeString(folder.resolve("model.safetensors.index.json"), text);
        assertThatThrownBy(() -> Safetensors.open(index))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(index + " is no index of safetensors files: " + why);
    }

    @Test
    void anIndexThatDisagreesWithItsFilesIsRefused() throws IOException {
        change("llama_sharded", json -> {});
        Path index = folder.resolve("model.safetensors.index.json");
        String text = Files.readString(index);
        Files.writeString(index, text.replace("model.norm.weight", "model.norm.scale"));
        assertThatThrownBy(() -> Safetensors.open(index))
                .hasMessageEndingWith("as the file of tensor model.norm.weight, which is there");
        Files.writeString(
                index,
                text.replaceFirst(
                        "\\{\\s*\"lm_head",
                        "{\"x\": \"model-00001-of-00003.safetensors\", \"lm_head"));
        assertThatThrownBy(() -> Safetensors.open(index))
                .hasMessageEndingWith("has no tensor x, which model.safetensors.index.json names");
    }

    /** Copies a golden folder with another configuration. */
    private void change(String name, Consumer<JsonObject> edit) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(GOLDENS.resolve(name))) {
            files = all.filter(file -> file.toString().contains("safetensors")).toList();
        }
        for (Path file : files) {
            Files.write(folder.resolve(file.getFileName()), Files.readAllBytes(file));
        }
        JsonElement json =
                JsonParser.parseString(
                        Files.readString(GOLDENS.resolve(name).resolve("config.json")));
        edit.accept(json.getAsJsonObject());
        Files.writeString(folder.resolve("config.json"), json.toString());
    }
}
