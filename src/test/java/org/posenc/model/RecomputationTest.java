package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.attention.Lora;
import org.posenc.encoding.Encodings;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.kernel.Precision;
import org.posenc.kernel.Recomputation;
import org.posenc.testing.FreshJvm;
import org.posenc.testing.Gradients;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;

/** Activations computed again in backward against activations that are kept. */
class RecomputationTest {

    private NDManager manager;
    private ParameterStore parameters;
    private NDArray ids;

    private int threads;

    @BeforeEach
    void oneThread() {
        use(Device.cpu()); // which loads the engine
        threads = Autograd.operationThreads();
        Autograd.operationThreads(1);
    }

    private void use(Device device) {
        manager = NDManager.newBaseManager(device, "PyTorch");
        parameters = new ParameterStore(manager, false);
        ids = manager.create(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8}, new Shape(2, 6));
    }

    @AfterEach
    void close() {
        Autograd.operationThreads(threads);
        manager.close();
    }

    static Stream<String> encodings() {
        return Encodings.names().stream();
    }

    private static TransformerConfig.Builder tiny() {
        return TransformerConfig.builder()
                .setVocabulary(11)
                .setEmbeddingSize(8)
                .setLayers(3)
                .setHeads(2)
                .optSeed(3);
    }

    private Transformer model(TransformerConfig config, String encoding, DataType type) {
        Map<String, String> settings =
                switch (encoding) {
                    case "fourier" -> Map.of("fourier", "8", "hidden", "4");
                    case "axial-rope" -> Map.of("axes", "1");
                    default -> Map.of();
                };
        Transformer model =
                new Transformer(
                        config, Encodings.named(encoding).forTransformer(config.site(6), settings));
        model.initialize(manager, type, new Shape(1, 6));
        int seed = 0;
        for (Parameter p : model.getParameters().values()) {
            NDArray noise = Gradients.normal(manager, seed++, p.getShape().getShape()).mul(0.3);
            p.getArray().stopGradient().addi(noise.toType(type, false));
        }
        return model;
    }

    /** The loss, and the gradients of all parameters that have one. */
    private Map<String, double[]> backward(Transformer model, int layers) {
        Map<String, double[]> found = new LinkedHashMap<>();
        Engine.getEngine("PyTorch").setRandomSeed(5);
        try (GradientCollector collector = Autograd.collector()) {
            NDArray loss;
            try (Autograd.Scope again = Recomputation.ofLayers(layers)) {
                NDArray logits = model.forward(parameters, new NDList(ids), true).head();
                loss = CrossEntropy.mean(logits.reshape(12, 11), ids.reshape(-1), true);
            }
            collector.backward(loss);
            found.put("loss", doubles(loss));
        }
        model.named()
                .forEach(
                        (name, parameter) -> {
                            NDArray gradient = Autograd.gradient(parameter.getArray());
                            if (gradient != null) {
                                found.put(name, doubles(gradient));
                                Autograd.zeroGradient(parameter.getArray());
                            }
                        });
        return found;
    }

    private static double[] doubles(NDArray x) {
        return x.stopGradient().toType(DataType.FLOAT64, true).toDoubleArray();
    }

    private static void same(
            Map<String, double[]> found, Map<String, double[]> expected, double offset) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        expected.forEach(
                (name, values) ->
                        assertThat(found.get(name))
                                .as(name)
                                .containsExactly(values, Offset.offset(offset)));
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void gradientsAreThoseOfKeptActivations(String name) {
        Transformer model = model(tiny().build(), name, DataType.FLOAT64);
        Map<String, double[]> kept = backward(model, 0);
        assertThat(kept.keySet()).contains("tokens", "layer0.attention.query.weight");
        same(backward(model, 1), kept, 1e-14);
        same(backward(model, 2), kept, 1e-14);
    }

    @Test
    void theyAreTheSameToTheLastBit() {
        TransformerConfig config = tiny().optTiedOutput(true).build();
        Transformer model = model(config, "rope", DataType.FLOAT32);
        for (Precision precision : Precision.values()) {
            try (Autograd.Scope narrow = precision.use()) {
                Map<String, double[]> kept = backward(model, 0);
                same(backward(model, 1), kept, 0);
                same(backward(model, 3), kept, 0);
            }
        }
    }

    @Test
    void whatIsFrozenStaysSo() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        model.freeze(Pattern.compile("layer[01]|tokens"));
        Map<String, double[]> kept = backward(model, 0);
        assertThat(kept.keySet()).noneMatch(name -> name.contains("layer1"));
        same(backward(model, 1), kept, 0);
        model.thaw();
        model.adapt(Lora.of(2, 4, "q_proj", "v_proj"));
        Map<String, double[]> adapted = backward(model, 0);
        assertThat(adapted.keySet()).filteredOn(name -> name.contains("lora")).hasSize(12);
        same(backward(model, 1), adapted, 0);
        same(backward(model, 2), adapted, 0);
    }

    @Test
    @Tag("gpu")
    void aGpuGivesTheSame() {
        assumeTrue(Engine.getEngine("PyTorch").getGpuCount() > 0, "there is no GPU");
        for (Precision precision : new Precision[] {Precision.FLOAT32, Precision.BFLOAT16}) {
            Map<String, double[]> expected = adapted(Device.cpu(), precision, 0);
            Map<String, double[]> kept = adapted(Device.gpu(), precision, 0);
            same(kept, expected, precision == Precision.FLOAT32 ? 1e-4 : 0.05);
            same(adapted(Device.gpu(), precision, 1), kept, 1e-6);
        }
    }

    private Map<String, double[]> adapted(Device device, Precision precision, int layers) {
        close();
        use(device);
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        model.adapt(Lora.of(2, 4, "q_proj", "v_proj"));
        try (Autograd.Scope narrow = precision.use()) {
            return backward(model, layers);
        }
    }

    /** Against finite differences, for which the same elements must be dropped each time. */
    @Test
    void dropoutIsDrawnTwiceAlike() {
        TransformerConfig config = tiny().optDropout(0, 0.3, 0.2).build();
        Transformer model = model(config, "rope", DataType.FLOAT64);
        Map<String, double[]> found = backward(model, 1);
        assertThat(backward(model, 1).get("loss")).isEqualTo(found.get("loss"));
        for (String name : new String[] {"tokens", "layer1.feedForward.up.weight"}) {
            NDArray weight = model.named().get(name).getArray().stopGradient();
            double[] gradient = found.get(name);
            NDArray step = Gradients.normal(manager, 8, weight.getShape().getShape());
            double[] direction = step.toDoubleArray();
            double slope = 0;
            for (int i = 0; i < gradient.length; i++) {
                slope += gradient[i] * direction[i];
            }
            weight.addi(step.mul(1e-5));
            double above = backward(model, 1).get("loss")[0];
            weight.subi(step.mul(2e-5));
            double below = backward(model, 1).get("loss")[0];
            weight.addi(step.mul(1e-5));
            assertThat((above - below) / 2e-5).isCloseTo(slope, Offset.offset(1e-6));
        }
    }

    @Test
    void severalPassesMayWaitForBackwardAndTemporariesMayBeFreedBefore() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        Map<String, double[]> once = backward(model, 1);
        try (GradientCollector collector = Autograd.collector();
                Autograd.Scope again = Recomputation.ofLayers(1)) {
            NDArray[] losses = new NDArray[2];
            for (int i = 0; i < 2; i++) {
                try (NDScope scope = new NDScope()) {
                    NDArray logits = model.forward(parameters, new NDList(ids), true).head();
                    losses[i] = CrossEntropy.mean(logits.reshape(12, 11), ids.reshape(-1), true);
                    NDScope.unregister(losses[i]);
                }
            }
            collector.backward(losses[0]);
            collector.backward(losses[1]);
        }
        double[] twice = doubles(Autograd.gradient(model.named().get("tokens").getArray()));
        for (int i = 0; i < twice.length; i++) {
            assertThat(twice[i]).isCloseTo(2 * once.get("tokens")[i], Offset.offset(1e-7));
        }
    }

    @Test
    void whatCannotBeIsRefused() {
        Transformer model = model(tiny().build(), "rope", DataType.FLOAT32);
        assertThatThrownBy(() -> Recomputation.ofLayers(-1))
                .hasMessage("a segment that is computed again has at least 1 layer, got -1");
        // libtorch records gradients on every thread but the one that loaded it.
        assertThatThrownBy(() -> CompletableFuture.runAsync(() -> forward(model, true)).join())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("need a collector");
        CompletableFuture.runAsync(() -> forward(model, false)).join();
        try (Autograd.Scope off = Autograd.off()) {
            forward(model, true);
        }
        assertThat(Recomputation.layers()).isZero();
    }

    private void forward(Transformer model, boolean training) {
        try (Autograd.Scope again = Recomputation.ofLayers(1)) {
            model.forward(parameters, new NDList(ids), training);
        }
    }

    /** Peaks of a process that trains one step: eight layers' activations or one's. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryIsThatOfOneSegment() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/clear_refs")), "the system tells no peak");
        long none = Long.parseLong(FreshJvm.run(Step.class, "0", "32"));
        long kept = Long.parseLong(FreshJvm.run(Step.class, "0", "2048"));
        long again = Long.parseLong(FreshJvm.run(Step.class, "1", "2048"));
        assertThat(kept - none).isGreaterThan(200_000);
        assertThat(again - none).isLessThan((kept - none) / 3);
    }

    /** Trains one step of so many tokens. */
    static final class Step {

        public static void main(String[] args) throws Exception {
            TransformerConfig config =
                    TransformerConfig.builder()
                            .setVocabulary(32)
                            .setEmbeddingSize(128)
                            .setLayers(8)
                            .setHeads(4)
                            .build();
            int length = Integer.parseInt(args[1]);
            try (Model model = Model.newInstance("step", Device.cpu());
                    AdamW adam = AdamW.builder().build()) {
                model.setBlock(
                        new Transformer(
                                config,
                                Encodings.named("rope")
                                        .forTransformer(config.site(length), Map.of())));
                try (SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new CausalLanguageModelLoss())
                                .setOptimizer(adam)
                                .optRecomputation(Integer.parseInt(args[0]))
                                .build()) {
                    trainer.initialize(new Shape(2, length));
                    System.out.println(FreshJvm.peakKilobytes(() -> step(trainer, length)));
                }
            }
        }

        private static void step(SingleDeviceTrainer trainer, int length) {
            try (NDManager batch = trainer.getManager().newSubManager()) {
                NDList ids = new NDList(batch.zeros(new Shape(2, length), DataType.INT64));
                try (GradientCollector collector = trainer.newGradientCollector()) {
                    NDList logits = trainer.forward(ids);
                    collector.backward(trainer.getLoss().evaluate(ids, logits));
                }
                trainer.step();
            }
        }
    }
}
