package org.posenc.training;

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
import ai.djl.training.initializer.Initializer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/** Training with narrow matrix products against training without. */
class MixedPrecisionTest {

    private static final int STEPS = 100;

    @Test
    void lossesFallAsInFloat32() {
        float[] wide = losses(Precision.FLOAT32, null, STEPS);
        assertThat(wide[0]).isGreaterThan(2.2f);
        assertThat(wide[STEPS - 1]).isLessThan(0.6f);
        float[] brain = losses(Precision.BFLOAT16, null, STEPS);
        assertThat(brain).isNotEqualTo(wide).containsExactly(wide, Offset.offset(0.03f));
        float[] half = losses(Precision.FLOAT16, null, STEPS);
        assertThat(half).isNotEqualTo(wide).containsExactly(wide, Offset.offset(0.01f));
    }

    @Test
    void stepsThatOverflowAreLeftOutUntilTheScaleFits() {
        LossScaling scaling = new LossScaling(Math.scalb(1.0, 40), 30, 0);
        float[] losses = losses(Precision.FLOAT16, scaling, 60);
        int leftOut = (int) scaling.leftOut();
        assertThat(leftOut).isBetween(5, 40);
        for (int i = 1; i <= 5; i++) { // other batches, the same weights
            assertThat(losses[i]).isCloseTo(losses[0], Offset.offset(0.2f));
        }
        assertThat(losses[59]).isLessThan(1.5f);
        assertThat(scaling.scale()).isLessThan(Math.scalb(1.0, 36));
    }

    private static float[] losses(Precision precision, LossScaling scaling, int steps) {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(11)
                        .setEmbeddingSize(32)
                        .setLayers(2)
                        .setHeads(4)
                        .optSeed(1)
                        .build();
        Rope rope = Rope.builder().setHeadDimension(8).setLayout(RotaryLayout.INTERLEAVED).build();
        try (Model model = Model.newInstance("mixed");
                AdamW adamW = AdamW.builder().optLearningRate(5e-3).build()) {
            model.setBlock(new Transformer(config, rope));
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(model)
                            .setLoss(new CausalLanguageModelLoss())
                            .setOptimizer(adamW)
                            .optClipNorm(1)
                            .optPrecision(precision)
                            .optLossScaling(scaling)
                            .build()) {
                trainer.initialize(new Shape(8, 16));
                Random random = new Random(2);
                float[] losses = new float[steps];
                for (int step = 0; step < steps; step++) {
                    losses[step] = step(trainer, random);
                }
                assertThat(trainer.lossScaling().isPresent())
                        .isEqualTo(precision == Precision.FLOAT16);
                return losses;
            }
        }
    }

    /** Token t is followed by (3 t + 1) mod 11 from any beginning. */
    private static float step(SingleDeviceTrainer trainer, Random random) {
        long[] tokens = new long[8 * 17];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = i % 17 == 0 ? random.nextInt(11) : (3 * tokens[i - 1] + 1) % 11;
        }
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDArray all = batch.create(tokens, new Shape(8, 17));
            NDList labels = new NDList(all.get(":, 1:"));
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList logits = trainer.forward(new NDList(all.get(":, :-1")));
                assertThat(logits.head().getDataType()).isEqualTo(DataType.FLOAT32);
                collector.backward(trainer.getLoss().evaluate(labels, logits));
            }
            trainer.step();
            return trainer.takeMeanLoss();
        }
    }

    @Test
    void theScaleFollowsTheGradients() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Parameter weight = parameter(manager);
            LossScaling scaling = new LossScaling(8, 2, 0);
            backward(weight, 16, 0);
            assertThat(scaling.apply(List.of(weight))).isTrue();
            assertThat(gradient(weight)).containsExactly(2, 2, 2);
            assertThat(scaling.scale()).isEqualTo(8);
            assertThat(scaling.taken()).isEqualTo(1);
            backward(weight, 0, Float.POSITIVE_INFINITY);
            assertThat(scaling.apply(List.of(weight))).isFalse();
            assertThat(gradient(weight)).containsExactly(0, 0, 0);
            assertThat(scaling.scale()).isEqualTo(4);
            assertThat(scaling.taken()).isZero();
            assertThat(scaling.leftOut()).isEqualTo(1);
            for (int step = 0; step < 2; step++) {
                backward(weight, 1, 0);
                assertThat(scaling.apply(List.of(weight))).isTrue();
            }
            assertThat(scaling.scale()).isEqualTo(8);
            assertThat(scaling.taken()).isZero(); // or it would not double again
            backward(weight, 1, Float.NaN);
            assertThat(scaling.apply(List.of(weight))).isFalse();
            weight.freeze(true);
            assertThat(scaling.apply(List.of(weight))).isTrue();
        }
        assertThatThrownBy(() -> new LossScaling(0, 1, 0))
                .hasMessage("a loss's scale must be positive and finite, got 0.0");
        assertThatThrownBy(() -> new LossScaling(1, 3, 3))
                .hasMessage(
                        "the scale doubles after at least 1 step, of which fewer were taken"
                                + " already, got 3 and 3");
    }

    private static Parameter parameter(NDManager manager) {
        Parameter weight =
                Parameter.builder()
                        .setName("weight")
                        .setType(Parameter.Type.WEIGHT)
                        .optShape(new Shape(3))
                        .optInitializer(Initializer.ONES)
                        .build();
        weight.initialize(manager, DataType.FLOAT32);
        return weight;
    }

    /** Leaves this gradient in every element, or another that is not finite in the first. */
    private static void backward(Parameter weight, float gradient, float first) {
        float[] factors = new float[3];
        Arrays.fill(factors, gradient);
        factors[0] = Float.isFinite(first) ? gradient : first;
        Autograd.zeroGradient(weight.getArray());
        try (GradientCollector collector = Autograd.collector()) {
            NDArray w = weight.getArray();
            collector.backward(w.mul(w.getManager().create(factors)).sum());
        }
    }

    private static float[] gradient(Parameter weight) {
        try (NDArray gradient = Autograd.gradient(weight.getArray())) {
            return gradient.toFloatArray();
        }
    }
}
