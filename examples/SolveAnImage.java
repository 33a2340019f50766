import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.List;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.Fidelity;
import org.posenc.signal.Regularization;
import org.posenc.signal.SeparableFit;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalFile;

/**
 * Solves for the network that shows every second pixel of an image's every second row, without any
 * training, and asks it for all pixels: {@code SolveAnImage [square image]}.
 */
public final class SolveAnImage {

    private SolveAnImage() {}

    public static void main(String[] args) {
        String file = args.length > 0 ? args[0] : "test-data/images/picos-de-europa.png";
        Signal image = SignalFile.read(Path.of(file)).signal();
        int side = image.sides()[0];
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            int samples = side / 2;
            PositionFeatures gaussians =
                    ShiftedBasis.builder()
                            .setBasis(new BasisFunction.Gaussian(0.64 / samples))
                            .setDimension(samples)
                            .build();
            CoordinateMlp network =
                    CoordinateMlp.builder()
                            .setFeatures(Kronecker.of(gaussians, 2)) // samples² features a pixel
                            .optDepth(0)
                            .optOutputs(image.channels())
                            .build();
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
            ParameterStore parameters = new ParameterStore(manager, false);

            NDArray pixels = image.array(manager); // (N, N, C)
            NDArray phi = gaussians.features(line(manager, samples), parameters, false); // (N/2, K)
            SeparableFit fit =
                    SeparableFit.of(
                            List.of(phi, phi),
                            pixels.get("::2, ::2"),
                            Regularization.suiting(gaussians));
            network.complexMap().setWeights(fit.weights());

            Positions all = line(manager, side);
            NDArray shown = network.onGrid(List.of(all, all), parameters, false); // (N, N, C)
            System.out.printf(
                    "stable rank %.0f, all pixels from one in four: %.2f dB%n",
                    fit.stableRank(), Fidelity.psnr(Signal.of(shown), image));
        }
    }

    /** Where the samples of an axis lie: 0, 1/n, 2/n, … */
    private static Positions line(NDManager manager, int n) {
        return Positions.of(manager.arange(n).toType(DataType.FLOAT64, false).div(n));
    }
}
