package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Autograd;
import org.posenc.training.AdamW;
import org.posenc.training.FullBatch;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.RandomBatches;
import org.posenc.training.SingleDeviceTrainer;

/** Fits a small picture in all ways in which a network can be given its samples. */
class CoordinateTrainingTest {

    private static final int SIDE = 16;

    private final Model model = Model.newInstance("coordinates", Device.cpu());
    private final NDManager manager = model.getNDManager();

    private final int threads = Autograd.operationThreads();

    @BeforeEach
    void calculateInThisThread() {
        Autograd.operationThreads(1); // thousands of tiny operations
    }

    @AfterEach
    void close() {
        Autograd.operationThreads(threads);
        model.close();
    }

    private final NDArray axis = manager.create(coordinates());
    private final NDArray values = manager.create(picture(), new Shape(SIDE, SIDE, 1));

    private static float[] coordinates() {
        float[] x = new float[SIDE];
        for (int i = 0; i < SIDE; i++) {
            x[i] = i / (float) SIDE;
        }
        return x;
    }

    /** A disc, which no sum f(x) + g(y) is. */
    private static float[] picture() {
        float[] picture = new float[SIDE * SIDE];
        for (int i = 0; i < picture.length; i++) {
            double x = i / SIDE - 7.5;
            double y = i % SIDE - 7.5;
            picture[i] = (float) (1 / (1 + Math.exp(Math.hypot(x, y) - 5)));
        }
        return picture;
    }

    private static ShiftedBasis gaussians(int dimension, int axes) {
        return ShiftedBasis.builder()
                .setBasis(new BasisFunction.Gaussian(1.0 / SIDE))
                .setDimension(dimension)
                .optPositionDimension(axes)
                .optNormalized(true)
                .build();
    }

    private CoordinateMlp network(PositionFeatures features, int depth) {
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(features)
                        .optDepth(depth)
                        .optWidth(16)
                        .optSeed(2)
                        .build();
        model.setBlock(network);
        return network;
    }

    /** Returns the PSNR over the whole picture, in dB. */
    private double fitted(CoordinateMlp network, Dataset samples, double rate, Shape... inputShapes)
            throws IOException, TranslateException {
        try (AdamW adam = AdamW.adamWithL2().optLearningRate(rate).optDecay(1e-8).build();
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new MeanSquaredError())
                                .setOptimizer(adam)
                                .build()) {
            trainer.initialize(inputShapes);
            int arrays = 0;
            for (Batch batch : trainer.iterateDataset(samples)) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
                batch.close();
                int now = trainer.getManager().getManagedArrays().size();
                assertThat(arrays == 0 || now <= arrays).as("no array is left by a step").isTrue();
                arrays = now;
            }
            NDList grid = new NDList(axis, axis);
            NDArray fit = network.forward(new ParameterStore(manager, false), grid, false).head();
            return -10 * Math.log10(fit.sub(values).square().mean().getFloat());
        }
    }

    @Test
    void aComplexEncodingOnAGridFitsWhatASumCannot() throws Exception {
        Shape side = axis.getShape();
        FullBatch grid = new FullBatch(List.of(axis, axis), values, 300);
        CoordinateMlp complex = network(Kronecker.of(gaussians(SIDE, 1), 2), 0);
        assertThat(fitted(complex, grid, 0.1, side, side)).isGreaterThan(38);
    }

    @Test
    void aSumOfAxesIsBoundedByTheAdditiveFit() throws Exception {
        Shape side = axis.getShape();
        FullBatch grid = new FullBatch(List.of(axis, axis), values, 400);
        double psnr = fitted(network(gaussians(2 * SIDE, 2), 0), grid, 0.05, side, side);
        NDArray s = values.reshape(SIDE, SIDE);
        NDArray rows = s.mean(new int[] {1}, true);
        NDArray columns = s.mean(new int[] {0}, true);
        NDArray additive = rows.add(columns).sub(s.mean());
        double bound = -10 * Math.log10(s.sub(additive).square().mean().getFloat());
        assertThat(psnr).isCloseTo(bound, Offset.offset(0.1)).isLessThan(bound + 1e-3);
    }

    @Test
    void axisFeaturesMayBeComputedOnce() throws Exception {
        CoordinateMlp network = network(Kronecker.of(gaussians(SIDE, 1), 2), 1);
        Shape side = axis.getShape();
        double each =
                fitted(network, new FullBatch(List.of(axis, axis), values, 20), 0.02, side, side);

        CoordinateMlp again = network(Kronecker.of(gaussians(SIDE, 1), 2), 1);
        NDArray a =
                again.features()
                        .getChildren()
                        .valueAt(0)
                        .forward(new ParameterStore(manager, false), new NDList(axis), false)
                        .head();
        Shape features = a.getShape();
        double once =
                fitted(again, new FullBatch(List.of(a, a), values, 20), 0.02, features, features);
        assertThat(once).isCloseTo(each, Offset.offset(1e-4));
    }

    @Test
    void randomPixelsOfAGridAreGatheredFromIt() throws Exception {
        long[] pixels = new long[SIDE * SIDE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = i;
        }
        NDArray samples = manager.create(pixels, new Shape(pixels.length, 1));
        NDArray weights = manager.ones(samples.getShape());
        RandomBatches batches =
                new RandomBatches(
                        List.of(axis, axis),
                        List.of(samples, weights),
                        values.reshape(-1, 1),
                        64,
                        120,
                        1);
        CoordinateMlp network = network(Kronecker.of(gaussians(SIDE, 1), 2), 1);
        List<Shape> shapes = new ArrayList<>(List.of(axis.getShape(), axis.getShape()));
        shapes.add(new Shape(64, 1));
        shapes.add(new Shape(64, 1));
        assertThat(fitted(network, batches, 0.02, shapes.toArray(Shape[]::new))).isGreaterThan(25);
    }

    @Test
    void randomPointsAreEvaluatedOneByOne() throws Exception {
        float[] points = new float[2 * SIDE * SIDE];
        for (int i = 0; i < points.length; i++) {
            int pixel = i / 2;
            points[i] = (i % 2 == 0 ? pixel / SIDE : pixel % SIDE) / (float) SIDE;
        }
        NDArray p = manager.create(points, new Shape(SIDE * SIDE, 2));
        RandomBatches batches =
                new RandomBatches(List.of(), List.of(p), values.reshape(-1, 1), 64, 120, 1);
        CoordinateMlp network = network(Kronecker.of(gaussians(SIDE, 1), 2), 0);
        assertThat(fitted(network, batches, 0.1, new Shape(64, 2))).isGreaterThan(25);
    }
}
