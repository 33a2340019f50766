package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.SeededInitializer;
import org.posenc.experiment.Positive;
import org.posenc.experiment.Progress;
import org.posenc.kernel.AdamStep;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Scalars;

/**
 * The notebooks' training of one linear layer, y = φ(x)·w + b, on many signals at once: each column
 * of W is a training of its own, because Adam treats every weight alone.
 *
 * <p>Full batches, Adam with betas 0.9 and 0.999, ε 10⁻⁸ and 10⁻⁸ w added to the gradient, weights
 * and bias from ±1/√d uniformly, the loss the mean squared error of a signal. Its gradient is
 * closed, (2/N) φᵀ (φ W + b − y), so that no graph is recorded.
 *
 * @param rate the learning rate
 * @param iterations steps
 * @param averaged PSNRs are means over the last so many steps, each before its update
 */
record LinearTraining(double rate, int iterations, int averaged) {

    private static final AdamStep ADAM = new AdamStep(0.9, 0.999, 1e-8, false);
    private static final double DECAY = 1e-8;

    LinearTraining {
        Positive.check(iterations, "iterations");
        if (averaged < 1 || averaged > iterations) {
            throw new IllegalArgumentException(
                    "the last 1 to " + iterations + " steps can be averaged, got " + averaged);
        }
    }

    /**
     * A signal to fit.
     *
     * @param training its values at the training coordinates
     * @param test its values at the test coordinates
     * @param seed draws the initial weights
     * @param name tells signals of one seed apart
     */
    record Signal(double[] training, double[] test, long seed, String name) {}

    /**
     * What came of each signal.
     *
     * @param trainPsnr in dB, peak 1
     * @param testPsnr in dB, peak 1
     * @param predictions at the test coordinates, after the last step
     */
    record Fit(double[] trainPsnr, double[] testPsnr, double[][] predictions) {}

    /**
     * Trains.
     *
     * @param phi φ of the training coordinates (N, d)
     * @param held φ of the test coordinates (P, d)
     * @param signals C of them
     * @param progress hears of each step
     * @return what came of each
     */
    Fit run(NDArray phi, NDArray held, List<Signal> signals, Progress progress) {
        int n = (int) phi.getShape().get(0);
        long d = phi.getShape().get(1);
        int columns = signals.size();
        try (NDManager memory = NDManager.subManagerOf(phi);
                Autograd.Scope off = Autograd.off()) {
            NDArray x = single(phi, memory); // (N, d)
            NDArray xHeld = single(held, memory); // (P, d)
            NDArray y = columns(signals.stream().map(Signal::training).toList(), memory); // (N, C)
            NDArray yHeld = columns(signals.stream().map(Signal::test).toList(), memory); // (P, C)
            NDArray w = initial("weight", d, d, signals, memory); // (d, C)
            NDArray b = initial("bias", 1, d, signals, memory); // (1, C)
            List<NDArray> weights = List.of(w, b);
            List<NDArray> means = List.of(w.zerosLike(), b.zerosLike());
            List<NDArray> squares = List.of(w.zerosLike(), b.zerosLike());
            NDArray trained = memory.zeros(new Shape(columns), DataType.FLOAT64);
            NDArray tested = memory.zeros(new Shape(columns), DataType.FLOAT64);
            for (int t = 1; t <= iterations; t++) {
                try (NDManager step = memory.newSubManager()) {
                    NDArray error = output(x, w, b, step).sub(y); // (N, C)
                    if (t > iterations - averaged) {
                        trained.addi(psnr(error));
                        tested.addi(psnr(output(xHeld, w, b, step).sub(yHeld)));
                    }
                    NDArray slope = Scalars.mul(error, 2.0 / n); // (N, C)
                    NDArray ofWeights = in(x, step).transpose().matMul(slope); // (d, C)
                    NDArray ofBias = slope.sum(new int[] {0}, true); // (1, C)
                    ADAM.apply(weights, List.of(ofWeights, ofBias), means, squares, t, rate, DECAY);
                }
                progress.advanced(1);
            }
            double[] fitted =
                    output(xHeld, w, b, memory)
                            .transpose()
                            .toType(DataType.FLOAT64, false)
                            .toDoubleArray();
            int points = fitted.length / columns;
            double[][] predictions = new double[columns][];
            for (int c = 0; c < columns; c++) {
                predictions[c] = Arrays.copyOfRange(fitted, c * points, (c + 1) * points);
            }
            return new Fit(mean(trained), mean(tested), predictions);
        }
    }

    private static NDArray output(NDArray x, NDArray w, NDArray b, NDManager owner) {
        return in(x, owner).matMul(w).add(b);
    }

    /** Results belong to their first operand's manager, so a step needs handles of its own. */
    private static NDArray in(NDArray array, NDManager owner) {
        NDArray view = array.reshape(array.getShape());
        view.attach(owner);
        return view;
    }

    /** −10 log₁₀ of the mean squared error of each column. */
    private static NDArray psnr(NDArray error) {
        NDArray mean = error.square().mean(new int[] {0}).toType(DataType.FLOAT64, false);
        return Scalars.mul(mean.log10(), -10); // (C)
    }

    private double[] mean(NDArray sum) {
        return Arrays.stream(sum.toDoubleArray()).map(value -> value / averaged).toArray();
    }

    private static NDArray single(NDArray array, NDManager owner) {
        NDArray narrow = array.toType(DataType.FLOAT32, true);
        narrow.attach(owner);
        return narrow;
    }

    /** Signals side by side, (points, C). */
    private static NDArray columns(List<double[]> signals, NDManager owner) {
        int points = signals.get(0).length;
        float[] values = new float[points * signals.size()];
        for (int c = 0; c < signals.size(); c++) {
            for (int i = 0; i < points; i++) {
                values[i * signals.size() + c] = (float) signals.get(c)[i];
            }
        }
        return owner.create(values, new Shape(points, signals.size()));
    }

    /** Uniform in ±1/√(fan in), from each signal's seed, (count, C). */
    private static NDArray initial(
            String parameter, long count, long fanIn, List<Signal> signals, NDManager owner) {
        NDList drawn = new NDList();
        for (Signal signal : signals) {
            drawn.add(
                    SeededInitializer.uniform(
                                    1 / Math.sqrt(fanIn),
                                    signal.seed(),
                                    signal.name() + "/" + parameter)
                            .initialize(owner, new Shape(count), DataType.FLOAT32));
        }
        return NDArrays.stack(drawn, 1);
    }
}
