package org.posenc.experiment.fitting;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.posenc.experiment.Progress;
import org.posenc.experiment.ResumableTrials;
import org.posenc.experiment.TrialPool;
import org.posenc.model.CoordinateMlp;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalFile;

/** Fits a signal with each encoding of a plan, one after the other, and shows what came of it. */
public final class Fitting {

    private static final int LEAST = 4;

    /** A training loses no more than this when it is interrupted. */
    private static final Duration PAUSE = Duration.ofSeconds(15);

    private final FitPlan plan;
    private final Path out;
    private final SignalFile file;
    private final Duration pause;
    private final Map<EncodingChoice, FitLayout> layouts = new LinkedHashMap<>();

    private Fitting(FitPlan plan, Path out, SignalFile file, Duration pause) {
        this.plan = plan;
        this.out = out;
        this.file = file;
        this.pause = pause;
    }

    /**
     * Fits whatever is not fitted yet, and writes reconstructions, pictures and a page.
     *
     * @param plan what to fit
     * @param out the folder for all results; made where it is missing
     * @param provenance where the results come from, for the page
     * @param progress hears how far it is
     * @return the results, encodings in the plan's order
     * @throws IOException if a result cannot be written
     * @throws IllegalArgumentException if the file is no signal, the plan does not suit it, or the
     *     folder cannot be written to
     */
    public static FitReport run(FitPlan plan, Path out, Provenance provenance, Progress progress)
            throws IOException {
        return run(plan, out, provenance, progress, PAUSE);
    }

    static FitReport run(
            FitPlan plan, Path out, Provenance provenance, Progress progress, Duration pause)
            throws IOException {
        SignalFile file = SignalFile.read(plan.file(), plan.channels());
        Fitting fitting = new Fitting(plan, out, file, pause);
        fitting.check();
        Map<String, Callable<ResultRow>> trials = fitting.trials(provenance, progress);
        ResumableTrials kept =
                new ResumableTrials(out, List.copyOf(trials.keySet()), fitting::whole);
        progress.started(fitting.steps(plan.encodings()), fitting.done(kept.rows()));
        kept.complete(trials, TrialPool.oneByOne(), FitReport::line, progress);
        Map<String, FitFiles> files = new LinkedHashMap<>();
        trials.keySet().forEach(key -> files.put(key, fitting.files(key)));
        FitReport report = new FitReport(plan, file, out, kept.rows(), files, provenance);
        report.write();
        return report;
    }

    /** Says what does not fit together before anything is written. */
    private void check() {
        Signal signal = file.signal();
        if (signal.longest() < LEAST) {
            throw new IllegalArgumentException(
                    plan.file()
                            + " must have at least "
                            + LEAST
                            + " samples along an axis to be fitted, got "
                            + signal);
        }
        long most = Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / 12);
        double larger = signal.values().length * Math.pow(plan.upscale(), signal.axes());
        if (larger > most) {
            throw new IllegalArgumentException(
                    "upscaled "
                            + plan.upscale()
                            + " times "
                            + plan.file()
                            + " has "
                            + String.format("%.0f", larger)
                            + " values; Java's memory here takes at most "
                            + most
                            + ", upscaled "
                            + (int)
                                    Math.pow(
                                            (double) most / signal.values().length,
                                            1.0 / signal.axes())
                            + " times (java -Xmx gives more)");
        }
        for (EncodingChoice choice : plan.encodings()) {
            FitLayout layout = FitLayout.of(signal, plan, choice);
            layouts.put(choice, layout);
            CoordinateMlp network = layout.network().network(plan.seed());
            if (plan.method() instanceof FitMethod.ClosedForm
                    && !network.features().getParameters().isEmpty()) {
                throw new IllegalArgumentException(
                        choice.name()
                                + " is learnt, so it has no closed form: give --steps to train it");
            }
        }
    }

    private Map<String, Callable<ResultRow>> trials(Provenance provenance, Progress progress) {
        Map<String, Callable<ResultRow>> trials = new LinkedHashMap<>();
        for (EncodingChoice choice : plan.encodings()) {
            String key = key(choice, provenance);
            trials.put(
                    key,
                    new FitTrial(
                            plan,
                            file,
                            choice,
                            layouts.get(choice),
                            key,
                            files(key),
                            pause,
                            progress));
        }
        return trials;
    }

    private String key(EncodingChoice choice, Provenance provenance) {
        return ResumableTrials.key(
                List.of(choice.name()),
                choice,
                Arrays.hashCode(file.signal().values()),
                file.signal(),
                file.format(),
                plan.network(),
                plan.features(),
                plan.method(),
                plan.sampling(),
                plan.tile(),
                plan.codeLoss(),
                plan.seed(),
                // Another posenc, or another processor, may find other numbers.
                new TreeMap<>(provenance.versions()),
                provenance.commit(),
                provenance.device());
    }

    private FitFiles files(String key) {
        return new FitFiles(out.resolve(key.replace('/', '-')), file.format().extension());
    }

    private boolean whole(ResultRow row) {
        return files(row.key()).whole(plan.upscale());
    }

    private long done(List<ResultRow> rows) {
        List<EncodingChoice> finished = new ArrayList<>();
        rows.forEach(row -> finished.add(EncodingChoice.parse(row.labels().get("encoding"))));
        return steps(finished);
    }

    private long steps(List<EncodingChoice> choices) {
        long steps = 0;
        for (EncodingChoice choice : choices) {
            long tiles = layouts.get(choice).tiles().count();
            steps += plan.method() instanceof FitMethod.Training t ? tiles * t.steps() : tiles;
        }
        return steps;
    }
}
