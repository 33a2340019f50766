package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Autograd;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;
import org.posenc.training.AdamW;
import org.posenc.training.MeanSquaredError;
import org.posenc.training.WarmupCosine;

/**
 * Networks trained by gradient descent, tile after tile. Whatever is drawn depends on the seed, the
 * tile and the step alone, so that an interrupted training goes on to the same numbers.
 *
 * @param layout the networks
 * @param method how they are trained
 * @param sampling which samples they are to fit
 * @param seed draws initial weights and batches
 */
record GradientFit(FitLayout layout, FitMethod.Training method, Sampling sampling, long seed) {

    /** Points of the curve of a tile's training. */
    private static final int POINTS = 100;

    /**
     * Fits a signal.
     *
     * @param signal the signal
     * @param manager owns the networks' parameters
     * @param state where the training is kept, and goes on from
     * @param progress hears of each step
     */
    FittedSignal fit(Signal signal, NDManager manager, TrainingState state, Progress progress) {
        boolean[] trains = sampling.trains(signal.sides());
        float[] offset = layout.ends().offset(signal, trains);
        Signal rest = FitLayout.less(signal, offset);
        TrainingGrid grid = layout.ends().grid();
        List<CoordinateMlp> networks = new ArrayList<>();
        int begin = state.tile();
        int first = state.step();
        for (int tile = 0; tile < layout.tiles().count(); tile++) {
            CoordinateMlp network = layout.initialized(seed, manager);
            networks.add(network);
            boolean started = tile == begin && first > 0;
            if (tile < begin || started) {
                state.restore(tile, network, manager);
            }
            if (tile >= begin && !(started && first == method.steps())) {
                try (NDManager scope = manager.newSubManager()) {
                    FitBatches batches =
                            FitBatches.of(
                                    grid,
                                    network,
                                    grid.samples(rest, tile),
                                    grid.trains(trains, tile),
                                    method.batch(),
                                    scope);
                    train(networks, started ? first : 0, batches, scope, state, progress);
                }
            }
        }
        return new FittedSignal(layout.network(), layout.tiles(), networks, offset);
    }

    /** Trains the last of the networks. */
    private void train(
            List<CoordinateMlp> networks,
            int begin,
            FitBatches batches,
            NDManager scope,
            TrainingState state,
            Progress progress) {
        int tile = networks.size() - 1;
        CoordinateMlp network = networks.get(tile);
        double peak = method.learningRate();
        WarmupCosine rate = new WarmupCosine(peak, 0, method.steps(), peak / 10);
        try (AdamW adam = AdamW.adamWithL2().optLearningRate(rate).build()) {
            if (begin > 0) {
                state.restore(network, adam, scope);
            }
            int every = Math.max(1, method.steps() / POINTS);
            NDArray sum = scope.zeros(new Shape());
            int since = 0;
            for (int step = begin; step < method.steps(); step++) {
                backward(network, batches, random(tile, step), sum, scope);
                adam.update(network.getParameters().values());
                since++;
                if ((step + 1) % every == 0 || step + 1 == method.steps()) {
                    double psnr = -10 * Math.log10(sum.getFloat() / since);
                    sum.close();
                    sum = scope.zeros(new Shape());
                    since = 0;
                    state.measured((double) tile * method.steps() + step + 1, psnr);
                    state.write(tile, step + 1, networks, adam);
                    progress.note(String.format(Locale.ROOT, "%.2f dB", psnr));
                }
                progress.advanced(1);
            }
        }
    }

    /** Adds a batch's gradients to the network and its loss to the sum. */
    private static void backward(
            CoordinateMlp network,
            FitBatches batches,
            SplittableRandom random,
            NDArray sum,
            NDManager scope) {
        try (NDScope own = new NDScope();
                GradientCollector collector = Autograd.collector()) {
            FitBatches.Batch batch = batches.draw(random);
            NDArray y = batch.predicted(network, new ParameterStore(scope, false));
            NDArray loss =
                    new MeanSquaredError().evaluate(new NDList(batch.labels()), new NDList(y));
            collector.backward(loss);
            try (Autograd.Scope off = Autograd.off()) {
                sum.addi(loss);
            }
        }
    }

    private SplittableRandom random(int tile, int step) {
        return new SplittableRandom(31L * Objects.hash(tile, step) + seed);
    }
}
