package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;
import org.posenc.model.CoordinateActivation;
import org.posenc.model.CoordinateMlp;

class SignalCodeTest {

    private static final SignalFormat PNG =
            new ImageFormat(ImageFormat.Container.PNG, 16, true, false);

    private final NDManager manager = NDManager.newBaseManager();

    @TempDir Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    private static ChosenEncoding axis(
            String name, int k, int length, Map<String, String> settings) {
        return new ChosenEncoding(name, new Space(1, k, length, true, 3), settings);
    }

    private static NetworkPlan complex(int depth, ChosenEncoding... axes) {
        return new NetworkPlan(
                List.of(axes), true, depth, 12, new CoordinateActivation.Relu(), 3, false);
    }

    /** The closed form of a dead-leaves image, as posenc fit computes it. */
    private FittedSignal closedForm(Signal image, NetworkPlan plan) {
        CoordinateMlp network = plan.network(0);
        network.initialize(manager, DataType.FLOAT64, new Shape(1, 2));
        int[] sides = image.sides();
        List<Positions> axes = new ArrayList<>();
        for (int n : sides) {
            double[] x = new double[n];
            Arrays.setAll(x, i -> (double) i / n);
            axes.add(Positions.of(manager.create(x)));
        }
        List<NDArray> a = network.axisFeatures(axes, new ParameterStore(manager, false), false);
        SeparableFit fit =
                SeparableFit.of(
                        a,
                        image.array(manager).toType(DataType.FLOAT64, false),
                        new Regularization.CutOff(1e-2));
        network.complexMap().setWeights(fit.weights());
        return new FittedSignal(plan, Tiles.whole(sides), List.of(network));
    }

    private static Signal leaves(int side) {
        double[] values = DeadLeaves.image(side, 7); // (side, side, 3)
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return new Signal(new int[] {side, side}, 3, narrow);
    }

    private static double psnr(Signal decoded, Signal truth) {
        double sum = 0;
        for (int i = 0; i < truth.values().length; i++) {
            sum += Math.pow(decoded.values()[i] - (double) truth.values()[i], 2);
        }
        return -10 * Math.log10(sum / truth.values().length);
    }

    @Test
    void aClosedFormIsReadBackWithinTheLoss() throws IOException {
        Signal image = leaves(64).part(new int[] {0, 8}, new int[] {64, 50});
        for (String name :
                List.of("gaussian", "triangle", "linear-frequencies", "random-fourier")) {
            NetworkPlan plan =
                    complex(0, axis(name, 32, 64, Map.of()), axis(name, 28, 50, Map.of()));
            FittedSignal fitted = closedForm(image, plan);
            Signal best = fitted.sample(Grid.of(image.sides()), manager);
            Path file = folder.resolve(name + ".posenc");
            SignalFile source = new SignalFile(image, PNG);
            SignalCode.of(fitted, source, 0.1, manager).write(file);
            SignalCode code = SignalCode.read(file);
            FittedSignal again = code.fitted(manager);
            double loss =
                    psnr(best, image) - psnr(again.sample(Grid.of(image.sides()), manager), image);
            assertThat(loss).as(name).isBetween(0.02, 0.1);
            assertThat(code.plan()).isEqualTo(plan);
            assertThat(code.format()).isEqualTo(PNG);
            assertThat(code.sides()).containsExactly(64, 50);
            assertThat(code.bytes()).containsExactly(Files.readAllBytes(file));

            // Between the samples it is no further from the networks than at them.
            Grid fine = Grid.of(4 * 64, 4 * 50);
            Grid coarse = Grid.of(64, 50);
            double between = psnr(again.sample(fine, manager), fitted.sample(fine, manager));
            assertThat(between).isGreaterThan(psnr(again.sample(coarse, manager), best) - 0.5);

            // Without a loss, the parameters are the networks' own.
            SignalCode exact = SignalCode.of(fitted, source, 0, manager);
            assertThat(
                            SignalCode.parse(exact.bytes())
                                    .fitted(manager)
                                    .sample(fine, manager)
                                    .values())
                    .containsExactly(fitted.sample(fine, manager).values(), within(1e-4f));
        }
    }
}
