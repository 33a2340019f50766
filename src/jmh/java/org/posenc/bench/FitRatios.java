package org.posenc.bench;

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
import java.util.List;
import java.util.Locale;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.DeadLeaves;
import org.posenc.signal.Regularization;
import org.posenc.signal.SeparableFit;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.SingleDeviceTrainer;

/**
 * Prints, as JSON, how long an image takes to be fitted equally well: by four hidden layers over
 * the simple encoding until they are as good as they become in a number of steps; by a linear layer
 * over the complex one until it predicts the pixels left out as well; and in closed form. A fit has
 * taken the steps after which its PSNR was first seen, every tenth step, while the clock stood.
 * Shifted Gaussians, every second pixel along each axis, the authors' learning rates and widths in
 * pixels.
 *
 * <p>The arguments are the image's side and the number of steps, 512 and 500 without them.
 */
public final class FitRatios {

    private static final int CHECKED = 10; // steps between two looks at the pixels left out
    private static final int LONGEST = 5000;

    private final NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    private final int side;
    private final NDArray image; // (N, N, 3)
    private final NDArray trained; // (N/2, N/2, 3)

    private FitRatios(int side) {
        this.side = side;
        NDArray exact = manager.create(DeadLeaves.image(side, 1), new Shape(side, side, 3));
        image = exact.toType(DataType.FLOAT32, true);
        trained = image.get("::2, ::2");
    }

    /** What a fit took to predict as well as it does. */
    private record Fit(double seconds, int steps, double psnr) {

        private String json() {
            return String.format(
                    Locale.ROOT,
                    "{\"seconds\": %.4f, \"steps\": %d, \"psnr\": %.2f}",
                    seconds,
                    steps,
                    psnr);
        }
    }

    /**
     * Measures.
     *
     * @param args the side and the number of steps
     * @throws IOException never: nothing is read
     * @throws TranslateException never
     */
    public static void main(String[] args) throws IOException, TranslateException {
        int side = args.length > 0 ? Integer.parseInt(args[0]) : 512;
        int steps = args.length > 1 ? Integer.parseInt(args[1]) : 500;
        FitRatios ratios = new FitRatios(side);
        ShiftedBasis.Builder wide = ratios.gaussians(3).optPositionDimension(2).setDimension(side);
        CoordinateMlp deep =
                CoordinateMlp.builder().setFeatures(wide.build()).optOutputs(3).build();
        Fit simple = ratios.trained(deep, 5e-3, steps, Double.POSITIVE_INFINITY);
        CoordinateMlp linear =
                CoordinateMlp.builder()
                        .setFeatures(Kronecker.of(ratios.gaussians(2).build(), 2))
                        .optDepth(0)
                        .optOutputs(3)
                        .build();
        Fit complex = ratios.trained(linear, 0.1, LONGEST, simple.psnr());
        ratios.solved(); // loads what it needs
        Fit closed = ratios.solved();
        System.out.printf(
                Locale.ROOT,
                "{\"deep\": %s, \"linear\": %s, \"closed\": %s}%n",
                simple.json(),
                complex.json(),
                closed.json());
        ratios.manager.close();
    }

    /** Gaussians of a width in pixels of the image, one at each pixel trained on. */
    private ShiftedBasis.Builder gaussians(double pixels) {
        return ShiftedBasis.builder()
                .setBasis(new BasisFunction.Gaussian(pixels / side))
                .setDimension(side / 2)
                .optNormalized(true);
    }

    private Positions axis(int step) {
        double[] x = new double[side / step];
        for (int i = 0; i < x.length; i++) {
            x[i] = (double) i * step / side;
        }
        return Positions.of(manager.create(x).toType(DataType.FLOAT32, true));
    }

    /** The best that is seen within some steps, or the first that is as good as is wanted. */
    private Fit trained(CoordinateMlp network, double rate, int steps, double wanted)
            throws IOException, TranslateException {
        try (Model model = Model.newInstance("image", Device.cpu());
                AdamW adam = AdamW.adamWithL2().optLearningRate(rate).optDecay(1e-8).build()) {
            model.setBlock(network);
            Positions samples = axis(2);
            Shape shape = samples.array().getShape();
            try (SingleDeviceTrainer trainer =
                    SingleDeviceTrainer.builder()
                            .setModel(model)
                            .setLoss(new MeanSquaredError())
                            .setOptimizer(adam)
                            .build()) {
                trainer.initialize(shape, shape);
                ParameterStore parameters = new ParameterStore(manager, false);
                List<NDArray> features =
                        network.axisFeatures(List.of(samples, samples), parameters, false);
                double seconds = 0;
                int step = 0;
                Fit best = new Fit(0, 0, Double.NEGATIVE_INFINITY);
                long begin = System.nanoTime();
                for (Batch batch :
                        trainer.iterateDataset(new FullBatch(features, trained, steps))) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    batch.close();
                    step++;
                    if (step == steps || step % CHECKED == 0) {
                        seconds += (System.nanoTime() - begin) / 1e9;
                        double psnr = psnr(network, parameters);
                        if (psnr > best.psnr()) {
                            best = new Fit(seconds, step, psnr);
                        }
                        if (psnr >= wanted) {
                            break;
                        }
                        begin = System.nanoTime();
                    }
                }
                return best;
            }
        }
    }

    private double psnr(CoordinateMlp network, ParameterStore parameters) {
        try (Autograd.Scope off = Autograd.off()) {
            Positions all = axis(1);
            return leftOut(network.onGrid(List.of(all, all), parameters, false));
        }
    }

    private Fit solved() {
        ShiftedBasis basis = gaussians(1.28).build();
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray a = basis.features(axis(2), parameters, false);
        NDArray all = basis.features(axis(1), parameters, false);
        long begin = System.nanoTime();
        SeparableFit fit = SeparableFit.of(List.of(a, a), trained, Regularization.suiting(basis));
        double seconds = (System.nanoTime() - begin) / 1e9;
        return new Fit(seconds, 1, leftOut(fit.onGrid(List.of(all, all))));
    }

    /** PSNR over the pixels that are not trained on. */
    private double leftOut(NDArray fit) {
        double everywhere = fit.sub(image).square().sum().getFloat();
        double there = fit.get("::2, ::2").sub(trained).square().sum().getFloat();
        return -10 * Math.log10((everywhere - there) / (image.size() - trained.size()));
    }
}
