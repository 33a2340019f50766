package org.posenc.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.posenc.kernel.Autograd;
import org.posenc.testing.FreshJvm;

class SingleDeviceTrainerTest {

    private static final int VOCABULARY = 11;

    /** Token t is followed by (3 t + 1) mod 11, which a bigram model learns whole. */
    private static final int[] TOKENS = new int[500];

    static {
        for (int i = 1; i < TOKENS.length; i++) {
            TOKENS[i] = i % 10 == 0 ? i / 10 % VOCABULARY : (3 * TOKENS[i - 1] + 1) % VOCABULARY;
        }
    }

    @Test
    void easyTrainFits() throws Exception {
        try (Model model = bigrams(1);
                AdamW adamW = AdamW.builder().optLearningRate(Tracker.fixed(0.05f)).build();
                SingleDeviceTrainer trainer = trainer(model, adamW).optClipNorm(1).build()) {
            trainer.initialize(new Shape(4, 8));
            TokenWindows windows = TokenWindows.random(TOKENS, 8, 4, 50, 2);
            EasyTrain.fit(trainer, 1, windows, null);
            float first = trainer.takeMeanLoss();
            EasyTrain.fit(trainer, 4, windows, TokenWindows.consecutive(TOKENS, 8, 4));
            float last = trainer.takeMeanLoss();
            assertThat(first).isGreaterThan(last);
            assertThat(last).isLessThan(0.8f);
            assertThat(trainer.takeMeanLoss()).isNaN();
        }
    }

    @Test
    void theLossIsTheMeanOverLabelsThatCount() {
        try (NDManager manager = NDManager.newBaseManager()) {
            double[][] z = {{1, 2, 3}, {0, 0, 5}, {2, -1, 0}, {1, 1, 1}};
            NDArray logits = manager.create(flatten(z), new Shape(2, 2, 3));
            NDArray labels = manager.create(new long[] {0, -100, 2, 1}, new Shape(2, 2));
            double expected = (cross(z[0], 0) + cross(z[2], 2) + cross(z[3], 1)) / 3;
            NDArray loss =
                    new CausalLanguageModelLoss().evaluate(new NDList(labels), new NDList(logits));
            assertThat(loss.getDouble()).isCloseTo(expected, Offset.offset(1e-12));
            assertThatThrownBy(
                            () ->
                                    new CausalLanguageModelLoss()
                                            .evaluate(
                                                    new NDList(labels.reshape(4)),
                                                    new NDList(logits)))
                    .hasMessage(
                            "the loss needs logits (B, T, V) and labels (B, T), got (2, 2, 3) and"
                                    + " (4)");
        }
    }

    @Test
    void accumulatedBatchesAreOneBigBatch() {
        int[] ends = {20, 40, 61, 83};
        float[] whole = trainOn(1, TokenWindows.endingAt(TOKENS, 8, 8, 4, ends));
        float[] pieces = trainOn(4, TokenWindows.endingAt(TOKENS, 8, 8, 1, ends));
        assertThat(pieces).containsExactly(whole, Offset.offset(1e-6f));
    }

    private static float[] trainOn(int accumulation, TokenWindows windows) {
        try (Model model = bigrams(3);
                SingleDeviceTrainer trainer =
                        trainer(
                                        model,
                                        Optimizer.sgd()
                                                .setLearningRateTracker(Tracker.fixed(1))
                                                .build())
                                .optAccumulation(accumulation)
                                .build()) {
            trainer.initialize(new Shape(1, 8));
            for (int epoch = 0; epoch < 3; epoch++) {
                for (Batch batch : windows.getData(trainer.getManager())) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    batch.close();
                }
            }
            return weights(model.getBlock());
        }
    }

    @Test
    void gradientsMaySumToZero() {
        try (Model model = Model.newInstance("symmetric", Device.cpu());
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(
                                        withBlock(
                                                model,
                                                Linear.builder()
                                                        .setUnits(2)
                                                        .optBias(false)
                                                        .build()))
                                .setLoss(new MeanSquaredError())
                                .setOptimizer(
                                        Optimizer.sgd()
                                                .setLearningRateTracker(Tracker.fixed(1))
                                                .build())
                                .build()) {
            trainer.initialize(new Shape(1, 1));
            NDArray w = model.getBlock().getParameters().get(0).getValue().getArray();
            w.set(new float[] {3, -3});
            NDManager manager = trainer.getManager().newSubManager();
            try (Batch batch =
                    new Batch(
                            manager,
                            new NDList(manager.ones(new Shape(1, 1))),
                            new NDList(manager.zeros(new Shape(1, 2))),
                            1,
                            null,
                            null,
                            0,
                            1)) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step(); // DJL: "Gradient values are all zeros"
                assertThat(trainer.takeMeanLoss()).isEqualTo(9);
            }
            assertThat(w.toFloatArray()).containsExactly(0, 0);
        }
    }

    @Test
    void evaluatingRecordsNoGraph() throws Exception {
        try (Model model = bigrams(4);
                AdamW adamW = AdamW.builder().build();
                SingleDeviceTrainer trainer = trainer(model, adamW).build()) {
            trainer.initialize(new Shape(1, 8));
            ExecutorService worker = Executors.newSingleThreadExecutor();
            try {
                Future<Boolean> records =
                        worker.submit(
                                () -> {
                                    NDArray ids =
                                            trainer.getManager()
                                                    .create(new long[8], new Shape(1, 8));
                                    return trainer.evaluate(new NDList(ids)).head().hasGradient();
                                });
                assertThat(records.get()).isFalse();
            } finally {
                worker.shutdown();
            }
        }
    }

    @Test
    void trainingsInTwoThreadsAreIndependentAndRepeatable() throws Exception {
        float[] alone1 = train(10, 200);
        float[] alone2 = train(20, 200);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (int repeat = 0; repeat < 3; repeat++) {
                Future<float[]> one = threads.submit(() -> train(10, 200));
                Future<float[]> two = threads.submit(() -> train(20, 200));
                assertThat(one.get()).isEqualTo(alone1);
                assertThat(two.get()).isEqualTo(alone2);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    @Tag("gpu")
    void trainsOnAGpuAsOnTheCpu() throws Exception {
        assumeTrue(Engine.getEngine("PyTorch").getGpuCount() > 0, "there is no GPU");
        assertThat(train(Device.gpu(), 10, 50))
                .containsExactly(train(Device.cpu(), 10, 50), Offset.offset(1e-4f));
    }

    @Test
    void eachThreadHasItsOwnNumberOfOperationThreads() throws Exception {
        int before = Autograd.operationThreads();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            int other =
                    thread.submit(
                                    () -> {
                                        Autograd.operationThreads(before + 1);
                                        return Autograd.operationThreads();
                                    })
                            .get();
            assertThat(other).isEqualTo(before + 1);
            assertThat(Autograd.operationThreads()).isEqualTo(before);
        } finally {
            thread.shutdown();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryDoesNotGrow() throws Exception {
        assertThat(bytesGrownIn(500)).isLessThan(1 << 20);
    }

    @Test
    @Tag("slow")
    @EnabledOnOs(OS.LINUX)
    void memoryDoesNotGrowOver5000Steps() throws Exception {
        assertThat(bytesGrownIn(5000)).isLessThan(1 << 20);
    }

    private static long bytesGrownIn(int steps) throws Exception {
        return Long.parseLong(FreshJvm.interpret(Training.class, Integer.toString(steps)));
    }

    /**
     * Prints by how many bytes the process grows in some steps: 0.5 MB, however many. A step of
     * this model works on 1 MB; 5000 arrays of one number are another.
     */
    static final class Training {

        public static void main(String[] args) throws Exception {
            int steps = Integer.parseInt(args[0]);
            try (Model model = bigrams(5);
                    AdamW adamW = AdamW.builder().build();
                    SingleDeviceTrainer trainer = trainer(model, adamW).optClipNorm(1).build()) {
                trainer.initialize(new Shape(8, 256));
                EasyTrain.fit(trainer, 1, TokenWindows.random(TOKENS, 256, 8, 100, 1), null);
                trainer.takeMeanLoss();
                int arrays = model.getNDManager().getManagedArrays().size();
                int inTrainer = trainer.getManager().getManagedArrays().size();
                long before = FreshJvm.allocatedBytes();
                EasyTrain.fit(trainer, 1, TokenWindows.random(TOKENS, 256, 8, steps, 1), null);
                trainer.takeMeanLoss();
                assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
                assertThat(trainer.getManager().getManagedArrays()).hasSize(inTrainer);
                System.out.println(FreshJvm.allocatedBytes() - before);
            }
        }
    }

    private static float[] train(long seed, int steps) throws Exception {
        return train(Device.cpu(), seed, steps);
    }

    private static float[] train(Device device, long seed, int steps) throws Exception {
        Autograd.operationThreads(1);
        try (Model model = withBlock(Model.newInstance("bigrams", device), new Bigrams(seed));
                AdamW adamW = AdamW.builder().optLearningRate(Tracker.fixed(0.01f)).build();
                SingleDeviceTrainer trainer = trainer(model, adamW).optClipNorm(1).build()) {
            trainer.initialize(new Shape(4, 8));
            EasyTrain.fit(trainer, 1, TokenWindows.random(TOKENS, 8, 4, steps, seed), null);
            return weights(model.getBlock());
        }
    }

    private static SingleDeviceTrainer.Builder trainer(Model model, Optimizer optimizer) {
        return SingleDeviceTrainer.builder()
                .setModel(model)
                .setLoss(new CausalLanguageModelLoss())
                .setOptimizer(optimizer);
    }

    private static float[] weights(Block block) {
        List<Float> all = new ArrayList<>();
        for (Parameter parameter : block.getParameters().values()) {
            for (float value : parameter.getArray().toFloatArray()) {
                all.add(value);
            }
        }
        float[] flat = new float[all.size()];
        IntStream.range(0, flat.length).forEach(i -> flat[i] = all.get(i));
        return flat;
    }

    private static double cross(double[] logits, int label) {
        return Math.log(Arrays.stream(logits).map(Math::exp).sum()) - logits[label];
    }

    private static double[] flatten(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }

    private static Model bigrams(long seed) {
        return withBlock(Model.newInstance("bigrams", Device.cpu()), new Bigrams(seed));
    }

    private static Model withBlock(Model model, Block block) {
        model.setBlock(block);
        return model;
    }

    /** logits = table[id] W + b. */
    private static final class Bigrams extends AbstractBlock {

        private static final int FEATURES = 16;
        private final Parameter table;
        private final Linear output;

        Bigrams(long seed) {
            super((byte) 1);
            Random random = new Random(seed);
            table =
                    addParameter(
                            Parameter.builder()
                                    .setName("table")
                                    .setType(Parameter.Type.WEIGHT)
                                    .optShape(new Shape(VOCABULARY, FEATURES))
                                    .optInitializer((m, s, t) -> normal(m, s, random))
                                    .build());
            output = addChildBlock("output", Linear.builder().setUnits(VOCABULARY).build());
            output.setInitializer((m, s, t) -> normal(m, s, random), Parameter.Type.WEIGHT);
        }

        private static NDArray normal(NDManager manager, Shape shape, Random random) {
            float[] values = new float[(int) shape.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = 0.3f * (float) random.nextGaussian();
            }
            return manager.create(values, shape);
        }

        @Override
        public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
            output.initialize(manager, type, inputs[0].add(FEATURES));
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> parameters) {
            NDArray ids = inputs.head();
            NDArray rows = store.getValue(table, ids.getDevice(), training);
            NDList features = Embedding.embedding(ids, rows, SparseFormat.DENSE);
            return output.forward(store, features, training);
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return new Shape[] {inputs[0].add(VOCABULARY)};
        }
    }
}
