package org.posenc.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
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
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.signal.DeadLeaves;
import org.posenc.signal.Regularization;
import org.posenc.signal.SeparableFit;

/**
 * The closed form from coordinates to pixels, in float64: an image of 512 × 512 in colours from
 * every second pixel of every second row with 256 Gaussians along each axis, and a volume of 128³
 * in three channels from 64³ samples with 64. {@code src/jmh/python/pytorch.py} has the same in
 * PyTorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 3)
public class SeparableFitBenchmark {

    private static final Regularization CUT_OFF = new Regularization.CutOff(1e-3);

    private NDManager manager;
    private NDArray image;
    private NDArray volume;

    /** Makes the samples. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager();
        NDArray whole = manager.create(DeadLeaves.image(512, 1), new Shape(512, 512, 3));
        image = whole.get("::2, ::2").duplicate();
        volume = image.get(":64, :64").expandDims(2).repeat(2, 64);
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        manager.close();
    }

    /**
     * Fits the image and computes all its pixels.
     *
     * @return a pixel
     */
    @Benchmark
    public double image() {
        return fit(image, 256, 2);
    }

    /**
     * Fits the volume and computes all its samples.
     *
     * @return a sample
     */
    @Benchmark
    public double volume() {
        return fit(volume, 64, 3);
    }

    private double fit(NDArray samples, int features, int axes) {
        try (NDManager step = manager.newSubManager()) {
            ShiftedBasis basis =
                    ShiftedBasis.builder()
                            .setBasis(new BasisFunction.Gaussian(0.64 / features))
                            .setDimension(features)
                            .build();
            List<NDArray> known = axes(step, basis, features, axes);
            List<NDArray> all = axes(step, basis, 2 * features, axes);
            samples.attach(step);
            try {
                NDArray fitted = SeparableFit.of(known, samples, CUT_OFF).onGrid(all);
                return fitted.flatten().getDouble(fitted.size() - 1);
            } finally {
                samples.attach(manager);
            }
        }
    }

    private static List<NDArray> axes(NDManager step, ShiftedBasis basis, int samples, int axes) {
        double[] positions = new double[samples];
        Arrays.setAll(positions, i -> i / (double) samples);
        NDArray a =
                basis.features(
                        Positions.of(step.create(positions)),
                        new ParameterStore(step, false),
                        false);
        return Collections.nCopies(axes, a);
    }
}
