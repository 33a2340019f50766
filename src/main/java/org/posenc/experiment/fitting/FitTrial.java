package org.posenc.experiment.fitting;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Sizes;
import org.posenc.kernel.Autograd;
import org.posenc.report.Png;
import org.posenc.report.ResultRow;
import org.posenc.signal.Fidelity;
import org.posenc.signal.FitMemory;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.Grid;
import org.posenc.signal.NetworkPlan;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalCode;
import org.posenc.signal.SignalFile;

/**
 * Fits a signal with one encoding, measures how well, and writes what came of it.
 *
 * @param plan what is fitted
 * @param file the signal
 * @param choice the encoding
 * @param layout its networks
 * @param key names the trial in the log of results
 * @param files where its results go
 * @param pause the least time from one writing of a training to the next
 * @param progress hears of each step
 */
record FitTrial(
        FitPlan plan,
        SignalFile file,
        EncodingChoice choice,
        FitLayout layout,
        String key,
        FitFiles files,
        Duration pause,
        Progress progress)
        implements Callable<ResultRow> {

    /** How much denser a detail is sampled than the signal. */
    private static final int MAGNIFIED = 4;

    @Override
    public ResultRow call() throws IOException {
        requireRoom();
        try (NDManager manager = NDManager.newBaseManager(plan.device());
                Autograd.Scope off = Autograd.off()) {
            TrainingState state = new TrainingState(files.training(), key, pause);
            long begin = System.nanoTime();
            FittedSignal fitted = fitted(manager, state);
            double seconds = (System.nanoTime() - begin) / 1e9;
            Signal shown = fitted.sample(Grid.of(file.signal().sides()), manager);
            Map<String, Double> values = fidelity(shown);
            values.put("seconds", seconds);
            long parameters = Sizes.parameters(fitted.networks().get(0));
            values.put("parameters", (double) parameters * fitted.networks().size());
            EncodingMeasures measures =
                    EncodingMeasures.of(
                            layout,
                            fitted.networks().get(0).features(),
                            FitLayout.lengths(layout.tiles().tile(), plan.sampling()),
                            manager);
            values.put("stableRank", measures.stableRank());
            values.put("distancePreservation", measures.distancePreservation());
            values.put("resolved", measures.resolved());
            write(fitted, shown, manager, values);
            state.delete();
            Map<String, List<Double>> curves =
                    Map.of(
                            "steps", state.steps(),
                            "psnr", state.psnr(),
                            "spectrum", measures.spectrum());
            return new ResultRow(key, labels(), values, curves);
        }
    }

    /** Refuses what is larger than this machine's memory; a GPU says so itself. */
    private void requireRoom() {
        if (plan.device().isGpu()) {
            return;
        }
        int[] sides = layout.ends().grid().sides();
        if (plan.method() instanceof FitMethod.Training training) {
            int others = Arrays.stream(sides).skip(1).reduce(1, Math::multiplyExact);
            sides[0] = Math.max(1, Math.min(sides[0], training.batch() / others));
        }
        NetworkPlan network = layout.network();
        int[] features =
                network.encodings().stream().mapToInt(e -> e.space().featureDimension()).toArray();
        new FitMemory(
                        sides,
                        features,
                        network.complex(),
                        network.outputs(),
                        network.depth(),
                        network.width())
                .requireRoom(plan.method() instanceof FitMethod.ClosedForm, FitMemory.available());
    }

    private FittedSignal fitted(NDManager manager, TrainingState state) {
        if (plan.method() instanceof FitMethod.Training training) {
            return new GradientFit(layout, training, plan.sampling(), plan.seed())
                    .fit(file.signal(), manager, state, progress);
        }
        return new ClosedFormFit(layout, (FitMethod.ClosedForm) plan.method(), plan.sampling())
                .fit(file.signal(), manager, progress::advanced);
    }

    private Map<String, Double> fidelity(Signal shown) {
        Signal truth = file.signal();
        boolean[] trains = plan.sampling().trains(truth.sides());
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("testPsnr", Fidelity.psnr(shown, truth, trains, false));
        values.put("trainPsnr", Fidelity.psnr(shown, truth, trains, true));
        if (truth.axes() > 1 && Fidelity.measurable(truth, Fidelity.Window.UNIFORM)) {
            values.put("ssim", Fidelity.ssim(shown, truth));
        }
        return values;
    }

    private void write(
            FittedSignal fitted, Signal shown, NDManager manager, Map<String, Double> values)
            throws IOException {
        Signal truth = file.signal();
        file.format().write(shown, files.reconstruction());
        if (plan.upscale() > 1) {
            int[] sides = Arrays.stream(truth.sides()).map(n -> n * plan.upscale()).toArray();
            Signal larger = fitted.sample(Grid.of(sides), manager);
            file.format().resampled(plan.upscale()).write(larger, files.upscaled(plan.upscale()));
        }
        if (truth.axes() == 2) {
            Detail detail = Detail.of(truth);
            int[] dense = Arrays.stream(detail.extent()).map(n -> n * MAGNIFIED).toArray();
            Grid grid = Grid.part(truth.sides(), detail.from(), detail.extent(), dense);
            Png.write(SignalPictures.image(fitted.sample(grid, manager)), files.detail());
        }
        SignalCode code = SignalCode.of(fitted, file, plan.codeLoss(), manager);
        code.write(files.code());
        double coded = Files.size(files.code());
        values.put("codeBytes", coded);
        values.put("compression", Files.size(plan.file()) / coded);
        values.put("bitsPerValue", 8 * coded / truth.values().length);
    }

    private Map<String, String> labels() {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("encoding", choice.toString());
        labels.put("network", plan.network());
        labels.put("method", plan.method().toString());
        labels.put("sampling", plan.sampling().toString());
        labels.put("tiles", Integer.toString(layout.tiles().count()));
        labels.put("features", layout.features());
        labels.put("width", layout.width());
        labels.put("reason", layout.reason());
        return labels;
    }
}
