package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.attention.Lora;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Transformer;
import org.posenc.testing.Goldens;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;

/** Adapters of Hugging Face's peft, test-data/scripts/lora.py, and those written again. */
class AdapterFolderTest {

    private static final Path GOLDENS = Path.of("test-data", "goldens");
    private static final JsonObject EXPECTED = Goldens.read("adapters/expected.json");

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @TempDir private Path temporary;

    @AfterEach
    void close() {
        manager.close();
    }

    static Stream<JsonObject> cases() {
        return EXPECTED.getAsJsonArray("cases").asList().stream().map(JsonElement::getAsJsonObject);
    }

    private static ModelFolder base(String name) {
        return ModelFolder.open(GOLDENS.resolve("checkpoints").resolve(name));
    }

    private static Path adapter(String name) {
        return GOLDENS.resolve("adapters").resolve(name);
    }

    private NDArray ids(JsonObject expected) {
        double[] ids = Goldens.flat(expected.get("ids"));
        long[] tokens = Arrays.stream(ids).mapToLong(id -> (long) id).toArray();
        return manager.create(tokens, new Shape(Goldens.shape(expected.get("ids"))));
    }

    private double[] logits(Transformer model, NDArray ids) {
        NDArray logits = model.forward(parameters, new NDList(ids), false).head();
        return logits.toType(DataType.FLOAT64, false).toDoubleArray();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsArePeftsAndWhatIsWrittenIsWhatWasRead(JsonObject expected) throws IOException {
        String name = expected.get("name").getAsString();
        ModelFolder base = base(name);
        NDArray ids = ids(expected);
        double[] logits = Goldens.flat(expected.get("logits"));
        for (RotaryLayout layout : RotaryLayout.values()) {
            Transformer model = base.load(manager, DataType.FLOAT32, encoding(base, layout));
            double[] plain = logits(model, ids);
            assertThat(distance(plain, logits)).isGreaterThan(0.05);
            AdapterFolder folder = AdapterFolder.open(adapter(name), base);
            folder.attach(model);
            assertThat(model.lora()).contains(folder.lora());
            assertThat(logits(model, ids)).containsExactly(logits, Offset.offset(2e-4));
            Path written = temporary.resolve(layout.name());
            AdapterFolder.write(written, model, base);
            sameTensors(written, adapter(name));
            assertThat(AdapterFolder.open(written, base).lora()).isEqualTo(folder.lora());
            model.merge();
            assertThat(logits(model, ids)).containsExactly(logits, Offset.offset(2e-4));
        }
    }

    private static PositionalEncoding encoding(ModelFolder base, RotaryLayout layout) {
        return Rope.builder()
                .setParameters(base.rope())
                .setLayout(layout)
                .optLength(new ContextLength.EachRow())
                .optPrecision(RopePrecision.HUGGING_FACE)
                .build();
    }

    private static double distance(double[] a, double[] b) {
        double greatest = 0;
        for (int i = 0; i < a.length; i++) {
            greatest = Math.max(greatest, Math.abs(a[i] - b[i]));
        }
        return greatest;
    }

    private void sameTensors(Path written, Path read) {
        Safetensors ours = Safetensors.open(written.resolve("adapter_model.safetensors"));
        Safetensors theirs = Safetensors.open(read.resolve("adapter_model.safetensors"));
        assertThat(ours.names()).containsExactlyInAnyOrderElementsOf(theirs.names());
        for (String name : ours.names()) {
            assertThat(ours.read(name, manager)).as(name).isEqualTo(theirs.read(name, manager));
        }
    }

    /** The losses and the pairs over 50 steps in double precision. */
    @Test
    void aTrainingRunIsPeftsAndTorchs() {
        JsonObject expected = cases().findFirst().orElseThrow();
        JsonObject training = expected.getAsJsonObject("training");
        double[] losses = Goldens.flat(training.get("losses"));
        String name = expected.get("name").getAsString();
        ModelFolder base = base(name);
        NDArray ids = ids(expected);
        try (Model holder = Model.newInstance(name);
                AdamW adamW =
                        AdamW.builder()
                                .optLearningRate(training.get("rate").getAsDouble())
                                .optBetas(0.9, 0.95)
                                .optDecay(training.get("decay of A").getAsDouble())
                                .optDecays(parameter -> parameter.getName().equals("loraA"))
                                .build()) {
            Rope exact =
                    Rope.builder()
                            .setParameters(base.rope())
                            .setLayout(RotaryLayout.INTERLEAVED)
                            .optPrecision(RopePrecision.EXACT)
                            .build();
            Transformer model = base.load(holder.getNDManager(), DataType.FLOAT64, exact);
            AdapterFolder.open(adapter(name), base).attach(model);
            holder.setBlock(model);
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(holder)
                            .setLoss(new CausalLanguageModelLoss())
                            .setOptimizer(adamW)
                            .optClipNorm(training.get("clip").getAsDouble())
                            .build()) {
                NDList inputs = new NDList(ids.get(":, :-1"));
                NDList labels = new NDList(ids.get(":, 1:"));
                for (int step = 0; step < losses.length; step++) {
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        NDArray loss = trainer.getLoss().evaluate(labels, trainer.forward(inputs));
                        collector.backward(loss);
                        assertThat(loss.getDouble()).isCloseTo(losses[step], Offset.offset(1e-9));
                    }
                    trainer.step();
                }
            }
            Path written = temporary.resolve("trained");
            AdapterFolder.write(written, model, base);
            Safetensors ours = Safetensors.open(written.resolve("adapter_model.safetensors"));
            Map<String, JsonElement> after = training.getAsJsonObject("after").asMap();
            assertThat(after).hasSize(6);
            after.forEach(
                    (key, values) ->
                            assertThat(
                                            ours.read(key.replace(".default", ""), manager)
                                                    .toDoubleArray())
                                    .as(key)
                                    .containsExactly(Goldens.flat(values), Offset.offset(1e-9)));
        }
    }

    @Test
    void theModulesOfEachFamilyAreKnown() {
        assertThat(AdapterFolder.linearModules(base("llama_default")))
                .containsExactly(
                        "q_proj",
                        "k_proj",
                        "v_proj",
                        "o_proj",
                        "gate_proj",
                        "up_proj",
                        "down_proj");
        assertThat(AdapterFolder.linearModules(base("phi3_longrope")))
                .containsExactly("qkv_proj", "o_proj", "gate_up_proj", "down_proj");
        assertThat(AdapterFolder.linearModules(base("gpt_neox_partial025")))
                .containsExactly("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h");
    }

    @Test
    void whatTheBaseCannotHoldIsNotWritten() {
        ModelFolder phi = base("phi3_longrope");
        Transformer model = phi.load(manager, DataType.FLOAT32);
        assertThatThrownBy(() -> AdapterFolder.write(temporary, model, phi))
                .hasMessage("the model has no LoRA pairs to be written");
        model.adapt(Lora.of(2, 2, "q_proj"));
        assertThatThrownBy(() -> AdapterFolder.write(temporary, model, phi))
                .hasMessage(
                        "the model is adapted at q_proj, but the modules of "
                                + phi.folder()
                                + " are qkv_proj, o_proj, gate_up_proj, down_proj, lm_head");
        assertThatThrownBy(() -> new ModelFolderWriter(model).setLength(8).write(temporary))
                .hasMessageStartingWith("merge or detach the LoRA pairs before the model is");
        ModelFolder llama = base("llama_default");
        AdapterFolder adapter = AdapterFolder.open(adapter("qwen3"), base("qwen3"));
        Transformer other = llama.load(manager, DataType.FLOAT32);
        assertThatThrownBy(() -> adapter.attach(other))
                .hasMessageStartingWith("an adapter of another model does not fit: ");
    }

    @Test
    void moreThanPlainLoraIsRefusedByName() throws IOException {
        refused(
                json -> json.addProperty("use_dora", true),
                "use_dora of true is more than plain LoRA, which alone can be read");
        refused(
                json -> json.add("rank_pattern", JsonParser.parseString("{\"q_proj\": 4}")),
                "rank_pattern of {\"q_proj\":4} is more than plain LoRA, which alone can be read");
        refused(
                json -> json.add("layers_to_transform", JsonParser.parseString("[0]")),
                "layers_to_transform of [0] is more than plain LoRA, which alone can be read");
        refused(
                json -> json.addProperty("bias", "lora_only"),
                "bias must be \"none\", got \"lora_only\"");
        refused(
                json -> json.addProperty("peft_type", "IA3"),
                "peft_type must be \"LORA\", got \"IA3\"");
        refused(
                json -> json.addProperty("init_lora_weights", "pissa"),
                "init_lora_weights must be true, false, gaussian or orthogonal, got \"pissa\"");
        refused(json -> json.remove("r"), "the configuration needs r, which is missing");
        refused(
                json -> json.addProperty("r", 5),
                "the pairs are not those of the same modules in every layer of the base:"
                        + " base_model.model.model.layers.0.mlp.down_proj.lora_A.weight is (2, 64),"
                        + " not (5, 64), ");
    }

    private void refused(Consumer<JsonObject> change, String sentence) throws IOException {
        Path source = adapter("llama_gqa8_2");
        String text = Files.readString(source.resolve("adapter_config.json"));
        JsonObject json = JsonParser.parseString(text).getAsJsonObject();
        change.accept(json);
        Path folder = Files.createTempDirectory(temporary, "adapter");
        Files.writeString(folder.resolve("adapter_config.json"), json.toString());
        Files.copy(
                source.resolve("adapter_model.safetensors"),
                folder.resolve("adapter_model.safetensors"));
        assertThatThrownBy(() -> AdapterFolder.open(folder, base("llama_gqa8_2")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(folder + ": " + sentence);
    }

    @Test
    void tensorsThatAreNotTheModulesAreRefused() throws IOException {
        Path source = adapter("llama_gqa8_2");
        ModelFolder base = base("llama_gqa8_2");
        Safetensors stored = Safetensors.open(source.resolve("adapter_model.safetensors"));
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        stored.names().forEach(name -> tensors.put(name, stored.read(name, manager)));
        String lacking = "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight";
        NDArray lost = tensors.remove(lacking);
        tensors.put("base_model.model.model.layers.0.self_attn.qkv_proj.lora_B.weight", lost);
        Path folder = temporary.resolve("strange");
        Files.createDirectories(folder);
        Files.copy(source.resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
        Safetensors.write(folder.resolve("adapter_model.safetensors"), tensors, Map.of());
        assertThatThrownBy(() -> AdapterFolder.open(folder, base))
                .hasMessageContaining("unexpected base_model.model.model.layers.0.self_attn.qkv")
                .hasMessageContaining("missing " + lacking);
        assertThatThrownBy(() -> AdapterFolder.open(temporary.resolve("none"), base))
                .hasMessageContaining("adapter_config.json");
    }

    /** As peft stores it beside pairs of lm_head. */
    @Test
    void aWeightOfTheBaseMayStandBesideThePairsIfItIsTheSame() throws IOException {
        Path source = adapter("llama_gqa8_2");
        ModelFolder base = base("llama_gqa8_2");
        Safetensors stored = Safetensors.open(source.resolve("adapter_model.safetensors"));
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        stored.names().forEach(name -> tensors.put(name, stored.read(name, manager)));
        NDArray output = base.weights().read("lm_head.weight", manager);
        tensors.put("base_model.model.lm_head.base_layer.weight", output);
        Path folder = temporary.resolve("with the output");
        Files.createDirectories(folder);
        Files.copy(source.resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
        Path file = folder.resolve("adapter_model.safetensors");
        Safetensors.write(file, tensors, Map.of());
        assertThat(AdapterFolder.open(folder, base).lora().targets())
                .containsExactlyInAnyOrder("q_proj", "v_proj", "down_proj");
        output.addi(1e-3f);
        Safetensors.write(file, tensors, Map.of());
        assertThatThrownBy(() -> AdapterFolder.open(folder, base))
                .hasMessageContaining("unexpected base_model.model.lm_head.base_layer.weight");
    }

    @Test
    void theWeightsOfTheAdapterAloneRequireGradients() {
        ModelFolder base = base("phi3_longrope");
        Transformer model = base.load(manager, DataType.FLOAT32);
        AdapterFolder.open(adapter("phi3_longrope"), base).attach(model);
        Map<String, Parameter> named = model.named();
        List<String> trained =
                named.keySet().stream().filter(name -> named.get(name).requiresGradient()).toList();
        assertThat(trained).allMatch(name -> name.contains(".lora")).hasSizeGreaterThan(10);
    }
}
