package org.posenc.model;

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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.posenc.attention.Lora;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.kernel.Autograd;
import org.posenc.model.TransformerConfig.Activation;
import org.posenc.model.TransformerConfig.Norm;
import org.posenc.testing.Gradients;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;

/** LoRA pairs in a Transformer, and parameters that are kept from being trained. */
class AdaptedTransformerTest {

    private static final Lora ALL =
            Lora.of(
                    2,
                    6,
                    "q_proj",
                    "k_proj",
                    "v_proj",
                    "o_proj",
                    "gate_proj",
                    "up_proj",
                    "down_proj",
                    "lm_head");

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);
    private final NDArray ids =
            manager.create(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8}, new Shape(2, 6));

    @AfterEach
    void close() {
        manager.close();
    }

    private Transformer model() {
        Transformer model = fresh();
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        return model;
    }

    private static Transformer fresh() {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(11)
                        .setEmbeddingSize(16)
                        .setLayers(2)
                        .setHeads(4)
                        .optKeyValueHeads(2)
                        .optNorm(Norm.RMS_NORM, 1e-5)
                        .optActivation(Activation.SWIGLU)
                        .optTiedOutput(false)
                        .optSeed(3)
                        .build();
        return new Transformer(
                config,
                Rope.builder().setHeadDimension(4).setLayout(RotaryLayout.HALF_SPLIT).build());
    }

    private float[] logits(Transformer model) {
        return model.forward(parameters, new NDList(ids), false).head().toFloatArray();
    }

    /** Gives B numbers other than 0. */
    private void train(Transformer model) {
        int seed = 0;
        for (Map.Entry<String, Parameter> entry : model.named().entrySet()) {
            if (entry.getKey().endsWith("loraB")) {
                NDArray array = entry.getValue().getArray();
                NDArray noise = Gradients.normal(manager, seed++, array.getShape().getShape());
                array.stopGradient().addi(noise.toType(DataType.FLOAT32, false).mul(0.3));
            }
        }
    }

    @Test
    void pairsStartAsNothingAreMergedAndTakenAway() {
        Transformer model = model();
        float[] before = logits(model);
        List<String> names = List.copyOf(model.named().keySet());
        model.adapt(ALL);
        assertThat(model.lora()).contains(ALL);
        assertThat(logits(model)).containsExactly(before, Offset.offset(1e-6f));
        train(model);
        float[] adapted = logits(model);
        assertThat(distance(adapted, before)).isGreaterThan(0.01f);
        model.detach();
        assertThat(logits(model)).isEqualTo(before);
        model.adapt(ALL);
        train(model);
        assertThat(logits(model)).isEqualTo(adapted); // the same A from the same seed
        model.merge();
        assertThat(logits(model)).containsExactly(adapted, Offset.offset(2e-5f));
        assertThat(model.lora()).isEmpty();
        assertThat(model.named().keySet()).containsExactlyElementsOf(names);
        assertThat(model.getParameters().values()).allMatch(Parameter::requiresGradient);
    }

    private static float distance(float[] a, float[] b) {
        float greatest = 0;
        for (int i = 0; i < a.length; i++) {
            greatest = Math.max(greatest, Math.abs(a[i] - b[i]));
        }
        return greatest;
    }

    @Test
    void aModuleOfSeveralProjectionsHasOneA() {
        Transformer model = model();
        model.adapt(Lora.of(2, 2, "qkv_proj", "gate_up_proj"));
        Map<String, Parameter> named = model.named();
        assertThat(named.get("layer0.attention.query.loraA"))
                .isSameAs(named.get("layer0.attention.key.loraA"))
                .isSameAs(named.get("layer0.attention.value.loraA"))
                .isNotSameAs(named.get("layer1.attention.query.loraA"));
        assertThat(named.get("layer1.feedForward.up.loraA"))
                .isSameAs(named.get("layer1.feedForward.gate.loraA"));
        assertThat(named.get("layer0.attention.query.loraB").getShape())
                .isEqualTo(new Shape(16, 2));
        assertThat(named.get("layer0.attention.key.loraB").getShape()).isEqualTo(new Shape(8, 2));
        train(model);
        float[] adapted = logits(model);
        model.merge();
        assertThat(logits(model)).containsExactly(adapted, Offset.offset(2e-5f));
    }

    @Test
    void onlyThePairsAreTrainedAndOnlyTheyHaveGradients() {
        try (Model holder = Model.newInstance("adapted");
                AdamW adamW = AdamW.builder().optLearningRate(0.01).build()) {
            Transformer model = fresh();
            model.initialize(holder.getNDManager(), DataType.FLOAT32, new Shape(2, 6));
            model.adapt(Lora.of(2, 4, "q_proj", "v_proj"));
            holder.setBlock(model);
            Map<String, float[]> before = values(model);
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(holder)
                            .setLoss(new CausalLanguageModelLoss())
                            .setOptimizer(adamW)
                            .optClipNorm(1)
                            .build()) {
                trainer.initialize(new Shape(2, 6)); // as EasyTrain's users do
                float first = 0;
                for (int step = 0; step < 30; step++) {
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        NDList logits = trainer.forward(new NDList(ids));
                        collector.backward(trainer.getLoss().evaluate(new NDList(ids), logits));
                    }
                    model.named().forEach(this::checkGradient);
                    trainer.step();
                    float loss = trainer.takeMeanLoss();
                    first = step == 0 ? loss : first;
                    if (step == 29) {
                        assertThat(loss).isLessThan(first);
                    }
                }
            }
            values(model)
                    .forEach(
                            (name, values) -> {
                                boolean same = Arrays.equals(values, before.get(name));
                                assertThat(same).as(name).isEqualTo(!name.contains("lora"));
                            });
        }
    }

    private void checkGradient(String name, Parameter parameter) {
        try (NDArray gradient = Autograd.gradient(parameter.getArray())) {
            assertThat(gradient != null).as(name).isEqualTo(name.contains("lora"));
        }
    }

    private static Map<String, float[]> values(Transformer model) {
        Map<String, float[]> values = new LinkedHashMap<>();
        model.named().forEach((name, p) -> values.put(name, p.getArray().toFloatArray()));
        return values;
    }

    @Test
    void whatIsFrozenByNameHasNoGradient() {
        Transformer model = model();
        List<String> frozen = model.freeze(Pattern.compile("layer0\\.|^tokens$"));
        assertThat(frozen)
                .contains("tokens", "layer0.attentionNorm.gain", "layer0.feedForward.up.weight");
        try (GradientCollector collector = Autograd.collector()) {
            collector.backward(model.forward(parameters, new NDList(ids), true).head().sum());
        }
        model.named()
                .forEach(
                        (name, parameter) -> {
                            try (NDArray g = Autograd.gradient(parameter.getArray())) {
                                assertThat(g == null).as(name).isEqualTo(frozen.contains(name));
                            }
                        });
        model.thaw();
        assertThat(model.getParameters().values()).allMatch(Parameter::requiresGradient);
        assertThatThrownBy(() -> model.freeze(Pattern.compile("layer7")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "no parameter's name has \"layer7\" in it; they are named tokens,"
                                + " layer0.attentionNorm.gain, layer0.attention.query.weight,"
                                + " layer0.attention.key.weight, layer0.attention.value.weight,"
                                + " layer0.attention.output.weight and so on");
    }

    @Test
    void whatCannotBeAdaptedIsRefusedAndLeftAsItIs() {
        assertThatThrownBy(() -> fresh().adapt(ALL))
                .hasMessage("initialise or load a model before it is adapted");
        Transformer model = model();
        assertThatThrownBy(() -> model.adapt(Lora.of(2, 2, "q_proj", "qkv_proj")))
                .hasMessage(
                        "LoRA's target module \"qkv_proj\" is not in this model, or adapted already:"
                                + " there is no free layer0.attention.query");
        assertThat(model.getParameters().values()).allMatch(Parameter::requiresGradient);
        model.adapt(ALL);
        assertThatThrownBy(() -> model.adapt(ALL)).hasMessageContaining("adapted already");
        Transformer gelu =
                new Transformer(
                        TransformerConfig.builder()
                                .setVocabulary(11)
                                .setEmbeddingSize(8)
                                .setLayers(1)
                                .setHeads(2)
                                .build(),
                        new NoEncoding());
        gelu.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        assertThatThrownBy(() -> gelu.adapt(Lora.of(2, 2, "gate_proj")))
                .hasMessageContaining("there is no free layer0.feedForward.gate");
    }
}
