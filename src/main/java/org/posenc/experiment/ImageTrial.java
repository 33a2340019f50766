package org.posenc.experiment;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import org.posenc.analysis.EncodingAnalysis;
import org.posenc.analysis.StableRank;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Space;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Scalars;
import org.posenc.model.CoordinateMlp;
import org.posenc.report.AtomicFile;
import org.posenc.report.ResultRow;
import org.posenc.signal.Fidelity;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.WarmupCosine;

/**
 * Fits the coordinate network to every second pixel of an image with one encoding from one seed,
 * then asks it for all of them.
 *
 * <p>Fixed features are computed once and scaled to the same greatest norm of a row, so that no
 * encoding is helped or hindered by its scale alone; learnable ones are trained with the network.
 *
 * @param task what is fitted
 * @param picture the image
 * @param encoding the encoding's name
 * @param seed decides weights and whatever the encoding draws
 * @param key names the trial in the log of results
 * @param fitted where the fitted image is written
 * @param device where it runs
 * @param progress hears of each step
 */
record ImageTrial(
        ImageTask task,
        Picture picture,
        String encoding,
        long seed,
        String key,
        Path fitted,
        Device device,
        Progress progress)
        implements Callable<ResultRow> {

    private static final double GREATEST_NORM = 8;

    @Override
    public ResultRow call() throws IOException, TranslateException {
        long begin = System.nanoTime();
        Space space = new Space(2, task.features(), picture.longest() / 2, true, seed);
        PositionFeatures features = Encodings.named(encoding).features(space, Map.of());
        try (Model model = Model.newInstance(encoding, device)) {
            NDManager manager = model.getNDManager();
            features.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
            CoordinateMlp network = network(features);
            model.setBlock(network);
            Picture.Samples training = picture.training();
            double scale = scale(features, manager);
            train(model, inputs(features, scale, training, manager), colours(training, manager));

            ParameterStore parameters = new ParameterStore(manager, false);
            try (Autograd.Scope off = Autograd.off()) {
                NDArray everywhere = inputs(features, scale, picture.all(), manager);
                NDArray fit = network.at(Positions.of(everywhere), parameters, false);
                return measure(network, features, fit.toFloatArray(), manager, begin);
            }
        }
    }

    /** The network itself holds learnable features; fixed ones are its input. */
    private CoordinateMlp network(PositionFeatures features) {
        return CoordinateMlp.builder()
                .setFeatures(
                        learnable(features)
                                ? features
                                : new Coordinates(features.featureDimension()))
                .optDepth(task.depth())
                .optWidth(task.width())
                .optOutputs(3)
                .optSeed(seed)
                .build();
    }

    private static boolean learnable(PositionFeatures features) {
        return !features.getParameters().isEmpty();
    }

    private double scale(PositionFeatures features, NDManager parent) {
        if (learnable(features)) {
            return 1;
        }
        try (NDManager manager = parent.newSubManager()) {
            NDArray phi = computed(features, picture.training(), manager); // (N, D)
            return GREATEST_NORM / Math.sqrt(phi.square().sum(new int[] {1}).max().getFloat());
        }
    }

    /** What the network is given: points, or fixed features of them. */
    private NDArray inputs(
            PositionFeatures features, double scale, Picture.Samples samples, NDManager manager) {
        return learnable(features)
                ? points(samples, manager)
                : Scalars.mul(computed(features, samples, manager), scale);
    }

    private static NDArray computed(
            PositionFeatures features, Picture.Samples samples, NDManager manager) {
        try (Autograd.Scope off = Autograd.off()) {
            Positions positions = Positions.of(points(samples, manager));
            return features.features(positions, new ParameterStore(manager, false), false);
        }
    }

    private static NDArray points(Picture.Samples samples, NDManager manager) {
        return manager.create(samples.points(), new Shape(samples.count(), 2));
    }

    private static NDArray colours(Picture.Samples samples, NDManager manager) {
        return manager.create(samples.colours(), new Shape(samples.count(), 3));
    }

    private void train(Model model, NDArray inputs, NDArray colours)
            throws IOException, TranslateException {
        double peak = task.learningRate();
        try (AdamW optimizer =
                        AdamW.adamWithL2()
                                .optLearningRate(new WarmupCosine(peak, 0, task.steps(), peak / 10))
                                .build();
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new MeanSquaredError())
                                .setOptimizer(optimizer)
                                .build()) {
            trainer.initialize(inputs.getShape());
            FullBatch pixels = new FullBatch(inputs, colours, task.steps());
            for (Batch batch : trainer.iterateDataset(pixels)) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
                batch.close();
                progress.advanced(1);
            }
        }
    }

    private ResultRow measure(
            CoordinateMlp network,
            PositionFeatures features,
            float[] fit,
            NDManager manager,
            long begin) {
        Picture fittedPicture = new Picture(picture.width(), picture.height(), fit);
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("parameters", (double) Sizes.parameters(network));
        values.put("trainedPsnr", psnr(fittedPicture.training(), picture.training()));
        values.put("heldOutPsnr", psnr(fittedPicture.heldOut(), picture.heldOut()));
        NDArray phi = computed(features, picture.training(), manager); // (N, D)
        values.put("stableRank", StableRank.of(phi));
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray diagonal = manager.create(picture.diagonal(), new Shape(picture.longest(), 2));
        EncodingAnalysis analysis =
                EncodingAnalysis.of(features, Positions.of(diagonal), parameters);
        values.put("distancePreservation", analysis.distancePreservation());
        values.put("seconds", (System.nanoTime() - begin) / 1e9);
        AtomicFile.write(fitted, out -> ImageIO.write(fittedPicture.image(), "png", out));
        Map<String, String> labels =
                Map.of("side", "image", "encoding", encoding, "seed", Long.toString(seed));
        return new ResultRow(key, labels, values, Curves.of(analysis));
    }

    private static double psnr(Picture.Samples predicted, Picture.Samples target) {
        return Fidelity.psnr(predicted.colours(), target.colours());
    }
}
