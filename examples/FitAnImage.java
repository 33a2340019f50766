import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.nio.file.Path;
import java.util.Map;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;
import org.posenc.experiment.Picture;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.Fidelity;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

/**
 * Fits a network to an image and says how well, once with the pixels' plain coordinates and once
 * with Gaussian features of them: {@code FitAnImage [image [steps]]}.
 */
public final class FitAnImage {

    private FitAnImage() {}

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args.length > 0 ? args[0] : "test-data/images/picos-de-europa.png");
        int steps = args.length > 1 ? Integer.parseInt(args[1]) : 200;
        Picture picture = Picture.read(file, 64);
        for (String encoding : new String[] {"none", "gaussian"}) {
            System.out.printf("%-8s %.2f dB%n", encoding, fit(picture, encoding, steps));
        }
    }

    private static double fit(Picture picture, String encoding, int steps) throws Exception {
        Space plane = new Space(2, 128, picture.width(), true, 1);
        PositionFeatures features = Encodings.named(encoding).features(plane, Map.of());
        CoordinateMlp network =
                CoordinateMlp.builder().setFeatures(features).optWidth(128).optOutputs(3).build();
        try (Model model = Model.newInstance(encoding, Device.cpu());
                AdamW adam = AdamW.adamWithL2().optLearningRate(Tracker.fixed(2e-3f)).build()) {
            model.setBlock(network);
            NDManager manager = model.getNDManager();
            int pixels = picture.width() * picture.height();
            NDArray points = manager.create(picture.points(), new Shape(pixels, 2));
            NDArray colours = manager.create(picture.values(), new Shape(pixels, 3));
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(model)
                            .setLoss(new MeanSquaredError())
                            .setOptimizer(adam)
                            .build()) {
                trainer.initialize(points.getShape());
                for (Batch batch : trainer.iterateDataset(new FullBatch(points, colours, steps))) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    batch.close();
                }
            }
            try (Autograd.Scope off = Autograd.off()) {
                NDArray fit =
                        network.at(Positions.of(points), new ParameterStore(manager, false), false);
                return Fidelity.psnr(fit.toFloatArray(), picture.values());
            }
        }
    }
}
