package org.posenc.bench;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.Tracker;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.model.CoordinateMlp;
import org.posenc.training.AdamW;
import org.posenc.training.SingleDeviceTrainer;

/**
 * A training step of a coordinate network: 256 Gaussian Fourier features, 4 hidden layers of 256,
 * three outputs, AdamW, 65,536 points of the plane at once. {@code src/jmh/python/pytorch.py} has
 * the same in PyTorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 3)
public class CoordinateStepBenchmark {

    private static final int POINTS = 65_536;

    private Model model;
    private AdamW optimizer;
    private SingleDeviceTrainer trainer;
    private NDArray points;
    private NDArray colours;

    /** Makes the network, its trainer and the points. */
    @Setup
    public void open() {
        FourierFeatures features =
                FourierFeatures.builder()
                        .optPositionDimension(2)
                        .setDimension(256)
                        .setFrequencies(new FourierFrequencies.Random(10, 1))
                        .build();
        model = Model.newInstance("coordinates", Device.cpu());
        model.setBlock(
                CoordinateMlp.builder()
                        .setFeatures(features)
                        .optDepth(4)
                        .optWidth(256)
                        .optOutputs(3)
                        .optSigmoid(true)
                        .build());
        optimizer = AdamW.builder().optLearningRate(Tracker.fixed(1e-4f)).build();
        trainer =
                SingleDeviceTrainer.builder()
                        .setModel(model)
                        .setLoss(Loss.l2Loss())
                        .setOptimizer(optimizer)
                        .build();
        trainer.initialize(new Shape(POINTS, 2));
        points = trainer.getManager().randomUniform(0, 1, new Shape(POINTS, 2));
        colours = trainer.getManager().randomUniform(0, 1, new Shape(POINTS, 3));
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        trainer.close();
        optimizer.close();
        model.close();
    }

    /** Trains on all points. */
    @Benchmark
    public void posenc() {
        NDManager owner = trainer.getManager();
        try (NDManager step = owner.newSubManager()) {
            points.attach(step);
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList predicted = trainer.forward(new NDList(points));
                NDArray loss = trainer.getLoss().evaluate(new NDList(colours), predicted);
                loss.attach(step);
                collector.backward(loss);
            }
            points.attach(owner);
        }
        trainer.step();
    }
}
