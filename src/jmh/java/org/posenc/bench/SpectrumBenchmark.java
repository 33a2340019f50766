package org.posenc.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
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
import org.posenc.analysis.Spectrum;
import org.posenc.analysis.StableRank;

/** The spectrum of a (4096, 1024) matrix, and its stable rank alone. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 2)
public class SpectrumBenchmark {

    private NDManager manager;
    private NDArray matrix;

    /** Makes the matrix. */
    @Setup
    public void open() {
        manager = NDManager.newBaseManager();
        matrix = manager.randomNormal(new Shape(4096, 1024));
    }

    /** Frees the native memory. */
    @TearDown(Level.Trial)
    public void close() {
        manager.close();
    }

    /**
     * Computes all singular values.
     *
     * @return the spectrum
     */
    @Benchmark
    public Spectrum posenc() {
        return Spectrum.of(matrix);
    }

    /**
     * Computes the stable rank.
     *
     * @return the stable rank
     */
    @Benchmark
    public double stableRank() {
        return StableRank.of(matrix);
    }
}
