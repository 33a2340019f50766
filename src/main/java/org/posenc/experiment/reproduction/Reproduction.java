package org.posenc.experiment.reproduction;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.posenc.experiment.Progress;
import org.posenc.experiment.ResumableTrials;
import org.posenc.experiment.TrialPool;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;

/**
 * Runs recipes and judges the papers' claims by what they find. {@link ResumableTrials} keeps what
 * is finished.
 */
public final class Reproduction {

    private final ReproductionPlan plan;
    private final Pictures pictures;
    private final Map<String, Callable<ResultRow>> trials = new LinkedHashMap<>();
    private final Map<String, Callable<ResultRow>> timed = new LinkedHashMap<>();
    private final Map<String, Long> steps = new LinkedHashMap<>();

    private Reproduction(ReproductionPlan plan, Path out) {
        this.plan = plan;
        pictures = new Pictures(out);
    }

    /**
     * Runs whatever is not there yet, and writes tables, pictures and page.
     *
     * @param plan what to reproduce
     * @param out the folder for all results; made where it is missing
     * @param provenance where the results come from, for the page
     * @param progress hears how far it is
     * @return what was found
     * @throws IllegalArgumentException if the image does not serve, or the folder cannot be written
     *     to
     */
    public static ReproductionReport run(
            ReproductionPlan plan, Path out, Provenance provenance, Progress progress) {
        Reproduction reproduction = new Reproduction(plan, out);
        plan.recipes().forEach(recipe -> reproduction.add(recipe, provenance, progress));
        ResumableTrials kept =
                new ResumableTrials(
                        out, List.copyOf(reproduction.steps.keySet()), reproduction.pictures::has);
        long done = kept.rows().stream().mapToLong(row -> reproduction.steps.get(row.key())).sum();
        long all = reproduction.steps.values().stream().mapToLong(Long::longValue).sum();
        progress.started(all, done);
        kept.complete(
                reproduction.trials, plan.setting().device(), ReproductionReport::line, progress);
        kept.complete(reproduction.timed, TrialPool.oneByOne(), ReproductionReport::line, progress);
        ReproductionReport report =
                new ReproductionReport(plan, out, kept.rows(), reproduction.pictures, provenance);
        report.write();
        return report;
    }

    private void add(Recipe recipe, Provenance provenance, Progress progress) {
        Setting setting = plan.setting();
        for (Trial trial : trials(recipe, setting)) {
            List<String> name = new ArrayList<>(List.of(recipe.name()));
            name.addAll(trial.labels().values());
            // Another posenc, or another processor, may find other numbers.
            String key =
                    ResumableTrials.key(
                            name,
                            recipe.about().size(),
                            setting.subject().identity(),
                            setting.seed(),
                            setting.seeds(),
                            new TreeMap<>(provenance.versions()), // in an order of its own
                            provenance.commit(),
                            provenance.device());
            if (steps.put(key, trial.steps()) != null) {
                throw new IllegalStateException("two trials of one name: " + key);
            }
            (recipe.timed() ? timed : trials).put(key, () -> run(recipe, trial, key, progress));
        }
    }

    private static List<Trial> trials(Recipe recipe, Setting setting) {
        try {
            return recipe.trials(setting);
        } catch (IllegalArgumentException e) {
            // An image may be large enough for one recipe and not for another.
            throw new IllegalArgumentException(
                    "recipe " + recipe.name() + ": " + e.getMessage(), e);
        }
    }

    private ResultRow run(Recipe recipe, Trial trial, String key, Progress progress)
            throws Exception {
        Outcome outcome = trial.work().run(progress);
        outcome.pictures().forEach((name, image) -> pictures.write(key, name, image));
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(ReproductionReport.RECIPE, recipe.name());
        labels.putAll(trial.labels());
        if (!outcome.pictures().isEmpty()) {
            labels.put(Pictures.LABEL, String.join(",", outcome.pictures().keySet()));
        }
        return new ResultRow(key, labels, outcome.values(), outcome.curves());
    }
}
