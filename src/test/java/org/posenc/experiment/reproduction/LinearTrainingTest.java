package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.SeededInitializer;
import org.posenc.experiment.Progress;
import org.posenc.testing.Goldens;

class LinearTrainingTest {

    private static final Progress SILENT = new Unheard();

    /** Adam on mean((Φw + b − y)²) with coupled decay, one number at a time. */
    private static double[] trained(
            double[][] phi, double[] y, double[] start, double rate, int steps) {
        int d = phi[0].length;
        double[] theta = start.clone(); // w, then b
        double[] mean = new double[d + 1];
        double[] square = new double[d + 1];
        for (int t = 1; t <= steps; t++) {
            double[] gradient = new double[d + 1];
            for (int i = 0; i < y.length; i++) {
                double error = theta[d] - y[i];
                for (int j = 0; j < d; j++) {
                    error += phi[i][j] * theta[j];
                }
                for (int j = 0; j <= d; j++) {
                    gradient[j] += 2 * error * (j < d ? phi[i][j] : 1) / y.length;
                }
            }
            for (int j = 0; j <= d; j++) {
                double g = gradient[j] + 1e-8 * theta[j];
                mean[j] = 0.9 * mean[j] + 0.1 * g;
                square[j] = 0.999 * square[j] + 0.001 * g * g;
                double unbiased = mean[j] / (1 - Math.pow(0.9, t));
                double scale = Math.sqrt(square[j] / (1 - Math.pow(0.999, t))) + 1e-8;
                theta[j] -= rate * unbiased / scale;
            }
        }
        return theta;
    }

    /** The oracle of the test below is itself held to the authors' optimizer. */
    @Test
    void theSlowFormulaIsPyTorchsAdam() {
        JsonObject golden = Goldens.read("shifted-basis/adam_linear_1d.json");
        JsonArray rows = golden.getAsJsonArray("Phi");
        double[][] phi = new double[rows.size()][];
        for (int i = 0; i < phi.length; i++) {
            phi[i] = Goldens.flat(rows.get(i));
        }
        double[] w = Goldens.flat(golden.get("w0"));
        double[] start = Arrays.copyOf(w, w.length + 1);
        start[w.length] = golden.get("b0").getAsDouble();
        JsonArray after = golden.getAsJsonArray("theta_after_step");
        double[] last = Goldens.flat(after.get(after.size() - 1)); // the step, w, b
        assertThat(trained(phi, Goldens.flat(golden.get("y")), start, 1e-2, (int) last[0]))
                .containsExactly(Arrays.copyOfRange(last, 1, last.length), within(1e-12));
    }

    @Test
    void manyColumnsAreTrainedAsEachAlone() {
        int n = 12;
        int d = 20;
        Random random = new Random(3);
        double[][] phi = random(random, n, d);
        double[][] held = random(random, 5, d);
        List<LinearTraining.Signal> signals = new ArrayList<>();
        for (int c = 0; c < 3; c++) {
            signals.add(
                    new LinearTraining.Signal(
                            random(random, 1, n)[0], random(random, 1, 5)[0], 11, "row" + c));
        }
        LinearTraining training = new LinearTraining(1e-2, 150, 1);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            LinearTraining.Fit fit =
                    training.run(array(phi, manager), array(held, manager), signals, SILENT);
            for (int c = 0; c < 3; c++) {
                LinearTraining.Signal signal = signals.get(c);
                double[] start = initial(signal, d, manager);
                double[] theta = trained(phi, signal.training(), start, 1e-2, 150);
                assertThat(fit.predictions()[c])
                        .containsExactly(outputs(held, theta), within(2e-5));
                // The last PSNR is that before the last update.
                double[] before = trained(phi, signal.training(), start, 1e-2, 149);
                assertThat(fit.trainPsnr()[c])
                        .isCloseTo(psnr(outputs(phi, before), signal.training()), within(1e-2));
                assertThat(fit.testPsnr()[c])
                        .isCloseTo(psnr(outputs(held, before), signal.test()), within(1e-2));
            }
            assertThat(fit.predictions()[0]).isNotEqualTo(fit.predictions()[1]);
        }
    }

    @Test
    void psnrsAreMeansOverTheLastSteps() {
        Random random = new Random(5);
        double[][] phi = random(random, 6, 4);
        LinearTraining.Signal signal =
                new LinearTraining.Signal(
                        random(random, 1, 6)[0], random(random, 1, 6)[0], 1, "row");
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            double[] start = initial(signal, 4, manager);
            double[] last = new double[3];
            for (int k = 0; k < 3; k++) {
                double[] theta = trained(phi, signal.training(), start, 1e-2, 27 + k);
                last[k] = psnr(outputs(phi, theta), signal.training());
            }
            LinearTraining.Fit fit =
                    new LinearTraining(1e-2, 30, 3)
                            .run(array(phi, manager), array(phi, manager), List.of(signal), SILENT);
            assertThat(fit.trainPsnr()[0])
                    .isCloseTo(Arrays.stream(last).average().orElseThrow(), within(1e-3));
        }
    }

    @Test
    void moreStepsThanThereAreCannotBeAveraged() {
        assertThatThrownBy(() -> new LinearTraining(1e-3, 10, 11))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the last 1 to 10 steps can be averaged, got 11");
    }

    private static double[] initial(LinearTraining.Signal signal, int d, NDManager manager) {
        double[] start = new double[d + 1];
        for (int j = 0; j <= d; j++) {
            boolean bias = j == d;
            NDArray drawn =
                    SeededInitializer.uniform(
                                    1 / Math.sqrt(d),
                                    signal.seed(),
                                    signal.name() + (bias ? "/bias" : "/weight"))
                            .initialize(manager, new Shape(bias ? 1 : d), DataType.FLOAT64);
            start[j] = drawn.getDouble(bias ? 0 : j);
        }
        return start;
    }

    private static double[] outputs(double[][] phi, double[] theta) {
        int d = theta.length - 1;
        return Arrays.stream(phi)
                .mapToDouble(
                        row -> {
                            double sum = theta[d];
                            for (int j = 0; j < d; j++) {
                                sum += row[j] * theta[j];
                            }
                            return sum;
                        })
                .toArray();
    }

    private static double psnr(double[] fitted, double[] target) {
        double sum = 0;
        for (int i = 0; i < target.length; i++) {
            sum += (fitted[i] - target[i]) * (fitted[i] - target[i]);
        }
        return -10 * Math.log10(sum / target.length);
    }

    private static double[][] random(Random random, int rows, int columns) {
        double[][] values = new double[rows][columns];
        for (double[] row : values) {
            Arrays.setAll(row, i -> random.nextGaussian());
        }
        return values;
    }

    private static NDArray array(double[][] rows, NDManager manager) {
        double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
        return manager.create(flat, new Shape(rows.length, rows[0].length));
    }
}
