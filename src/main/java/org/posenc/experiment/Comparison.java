package org.posenc.experiment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.posenc.kernel.NativeHeap;
import org.posenc.report.AtomicFile;
import org.posenc.report.Provenance;
import org.posenc.report.ResultLog;
import org.posenc.report.ResultRow;

/**
 * The main job: which encoding should one take, and why? The same small decoder is trained on real
 * text, and the same coordinate network fitted to a real image, with each encoding from several
 * seeds.
 *
 * <p>Each finished trial is a line of {@code results.jsonl}; a trial whose line is there already,
 * of the same posenc, settings, text and image, is not run again. Lines of other settings move to
 * {@code results.previous.jsonl}, and back when those settings are asked for again.
 */
public final class Comparison {

    private static final String RESULTS = "results.jsonl";
    private static final String PREVIOUS = "results.previous.jsonl";

    private final ComparisonPlan plan;
    private final Path out;
    private final ResultLog log;
    private final ResultLog previous;
    private final List<ResultRow> rows = new ArrayList<>();

    private Comparison(ComparisonPlan plan, Path out) {
        this.plan = plan;
        this.out = out;
        log = new ResultLog(out.resolve(RESULTS));
        previous = new ResultLog(out.resolve(PREVIOUS));
    }

    /**
     * Runs whatever is not there yet, and writes table, pictures and page.
     *
     * @param plan what to compare
     * @param out the folder for all results; made where it is missing
     * @param provenance where the results come from, for the page
     * @param progress hears how far it is
     * @return the results, sides and encodings in the plan's order, seeds ascending
     * @throws IOException if the text or the tokenizer cannot be read
     * @throws IllegalArgumentException if text or image do not serve, or the folder cannot be
     *     written to
     */
    public static ComparisonReport run(
            ComparisonPlan plan, Path out, Provenance provenance, Progress progress)
            throws IOException {
        Comparison comparison = new Comparison(plan, out);
        Map<String, Callable<ResultRow>> trials = comparison.trials(provenance, progress);
        AtomicFile.requireWritableFolder(out);
        comparison.complete(trials, progress);
        ComparisonReport report =
                new ComparisonReport(plan, out, comparison.ordered(trials), provenance);
        report.write();
        return report;
    }

    /** Returns every trial of the plan by its key. */
    private Map<String, Callable<ResultRow>> trials(Provenance provenance, Progress progress)
            throws IOException {
        // Another posenc, or another processor, may find other numbers.
        List<Object> by =
                List.of(
                        new TreeMap<>(provenance.versions()), // in an order of its own
                        provenance.commit(),
                        provenance.device());
        Map<String, Callable<ResultRow>> trials = new LinkedHashMap<>();
        if (!plan.sequenceEncodings().isEmpty()) {
            SequenceTask task = plan.sequence();
            TokenText text =
                    TokenText.read(
                            plan.text(),
                            plan.tokenizer(),
                            10 * task.length(),
                            task.longest() + task.windows());
            String content = text.hash();
            for (String encoding : plan.sequenceEncodings()) {
                for (long seed : plan.allSeeds()) {
                    String key = ComparisonPlan.key("sequence", encoding, seed, task, content, by);
                    trials.put(
                            key,
                            new SequenceTrial(
                                    task, text, encoding, seed, key, plan.device(), progress));
                }
            }
        }
        if (!plan.imageEncodings().isEmpty()) {
            ImageTask task = plan.image();
            Picture picture = Picture.read(plan.picture(), task.longest());
            String content = picture.hash();
            for (String encoding : plan.imageEncodings()) {
                for (long seed : plan.allSeeds()) {
                    String key = ComparisonPlan.key("image", encoding, seed, task, content, by);
                    Path fitted = fitted(out, key);
                    trials.put(
                            key,
                            new ImageTrial(
                                    task,
                                    picture,
                                    encoding,
                                    seed,
                                    key,
                                    fitted,
                                    plan.device(),
                                    progress));
                }
            }
        }
        return trials;
    }

    /** Where the image that a trial fitted is written. */
    static Path fitted(Path out, String key) {
        return out.resolve("fits")
                .resolve(key.replaceFirst("^image/", "").replace('/', '-') + ".png");
    }

    private void complete(Map<String, Callable<ResultRow>> trials, Progress progress) {
        Map<String, Callable<ResultRow>> missing = new LinkedHashMap<>(trials);
        List<ResultRow> logged = log.read();
        List<ResultRow> others = new ArrayList<>();
        for (ResultRow row : Stream.concat(logged.stream(), previous.read().stream()).toList()) {
            boolean whole =
                    !"image".equals(row.labels().get("side"))
                            || Files.exists(fitted(out, row.key()));
            if (whole && missing.remove(row.key()) != null) {
                rows.add(row);
            } else if (!trials.containsKey(row.key())) {
                others.add(row);
            }
        }
        if (!rows.equals(logged)) {
            // Results of other settings would mix with these.
            if (!others.isEmpty() || Files.exists(out.resolve(PREVIOUS))) {
                AtomicFile.write(out.resolve(PREVIOUS), lines(others));
            }
            AtomicFile.write(out.resolve(RESULTS), lines(rows));
        }
        long done =
                rows.stream()
                        .mapToLong(
                                row ->
                                        "image".equals(row.labels().get("side"))
                                                ? plan.image().steps()
                                                : plan.sequence().steps())
                        .sum();
        progress.started(plan.steps(), done);
        NativeHeap.keepFreed();
        boolean gpu = plan.device().isGpu();
        TrialPool.standard(gpu)
                .run(
                        List.copyOf(missing.values()),
                        row -> {
                            log.append(row);
                            rows.add(row);
                            progress.finished(ComparisonReport.line(row));
                        });
    }

    private static String lines(List<ResultRow> rows) {
        StringBuilder lines = new StringBuilder();
        rows.forEach(row -> lines.append(ResultLog.toJson(row)).append('\n'));
        return lines.toString();
    }

    private List<ResultRow> ordered(Map<String, Callable<ResultRow>> trials) {
        List<String> keys = List.copyOf(trials.keySet());
        return rows.stream()
                .sorted((a, b) -> keys.indexOf(a.key()) - keys.indexOf(b.key()))
                .toList();
    }

    static String hash(int[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        Arrays.stream(numbers).forEach(bytes::putInt);
        return ComparisonPlan.hash(bytes.array());
    }
}
