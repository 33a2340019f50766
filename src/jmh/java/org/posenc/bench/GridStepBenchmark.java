package org.posenc.bench;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.model.CoordinateMlp;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

/**
 * A training step on all pixels of a 256 × 256 RGB image, with 256 Gaussians along each axis and
 * Adam: the complex encoding with a linear layer and with one hidden layer of 256, and the simple
 * one with four. {@code src/jmh/python/pytorch.py} has the same in PyTorch, with features computed
 * beforehand as here.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
public class GridStepBenchmark {

    private static final int SIDE = 256;
    private static final int FEATURES = 256;

    /** Which network. */
    public enum Network {
        /** A linear layer over the complex encoding. */
        COMPLEX_LINEAR(true, 0),
        /** One hidden layer over the complex encoding. */
        COMPLEX_DEEP(true, 1),
        /** Four hidden layers over the simple encoding, one axis after the other. */
        SIMPLE_DEEP(false, 4);

        private final boolean complex;
        private final int depth;

        Network(boolean complex, int depth) {
            this.complex = complex;
            this.depth = depth;
        }

        private PositionFeatures features() {
            ShiftedBasis.Builder gaussians =
                    ShiftedBasis.builder()
                            .setBasis(new BasisFunction.Gaussian(0.004))
                            .optNormalized(true);
            return complex
                    ? Kronecker.of(gaussians.setDimension(FEATURES).build(), 2)
                    : gaussians.optPositionDimension(2).setDimension(2 * FEATURES).build();
        }
    }

    /** The network trained. */
    @Param public Network network;

    private Model model;
    private AdamW optimizer;
    private SingleDeviceTrainer trainer;
    private Iterator<Batch> batches;

    /**
     * Makes the network, its trainer and the image.
     *
     * @throws IOException never: nothing is read
     * @throws TranslateException never
     */
    @Setup
    public void open() throws IOException, TranslateException {
        model = Model.newInstance("image", Device.cpu());
        CoordinateMlp mlp =
                CoordinateMlp.builder()
                        .setFeatures(network.features())
                        .optDepth(network.depth)
                        .optWidth(256)
                        .optOutputs(3)
                        .build();
        model.setBlock(mlp);
        optimizer = AdamW.adamWithL2().optLearningRate(1e-3).optDecay(1e-8).build();
        trainer =
                SingleDeviceTrainer.builder()
                        .setModel(model)
                        .setLoss(new MeanSquaredError())
                        .setOptimizer(optimizer)
                        .build();
        NDManager manager = model.getNDManager();
        NDArray axis = manager.arange(0f, SIDE).div(manager.create((float) SIDE));
        trainer.initialize(axis.getShape(), axis.getShape());
        Positions samples = Positions.of(axis);
        List<NDArray> features =
                mlp.axisFeatures(
                        List.of(samples, samples), new ParameterStore(manager, false), false);
        NDArray image = manager.randomUniform(0, 1, new Shape(SIDE, SIDE, 3));
        FullBatch pixels = new FullBatch(features, image, Integer.MAX_VALUE);
        batches = trainer.iterateDataset(pixels).iterator();
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        trainer.close();
        optimizer.close();
        model.close();
    }

    /** Trains on all pixels. */
    @Benchmark
    public void gridStep() {
        try (Batch batch = batches.next()) {
            EasyTrain.trainBatch(trainer, batch);
            trainer.step();
        }
    }
}
