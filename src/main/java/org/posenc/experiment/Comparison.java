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
import java.util.concurrent.Callable;
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
 * of the same settings, text and image, is not run again.
 */
public final class Comparison {

    private final ComparisonPlan plan;
    private final Path out;
    private final ResultLog log;
    private final List<ResultRow> rows = new ArrayList<>();

    private Comparison(ComparisonPlan plan, Path out) {
        this.plan = plan;
        this.out = out;
        log = new ResultLog(out.resolve("results.jsonl"));
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
        AtomicFile.requireWritableFolder(out);
        Comparison comparison = new Comparison(plan, out);
        Map<String, Callable<ResultRow>> trials = comparison.trials(progress);
        comparison.complete(trials, progress);
        ComparisonReport report =
                new ComparisonReport(plan, out, comparison.ordered(trials), provenance);
        report.write();
        return report;
    }

    /** Returns every trial of the plan by its key. */
    private Map<String, Callable<ResultRow>> trials(Progress progress) throws IOException {
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
                    String key = ComparisonPlan.key("sequence", encoding, seed, task, content);
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
            for (String encoding : plan.imageEncodings()) {
                for (long seed : plan.allSeeds()) {
                    String key = ComparisonPlan.key("image", encoding, seed, task, picture.hash());
                    Path fitted = fitted(out, encoding, seed);
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
    static Path fitted(Path out, String encoding, long seed) {
        return out.resolve("fits").resolve(encoding + "-seed" + seed + ".png");
    }

    private void complete(Map<String, Callable<ResultRow>> trials, Progress progress) {
        Map<String, Callable<ResultRow>> missing = new LinkedHashMap<>(trials);
        List<ResultRow> earlier = log.read();
        for (ResultRow row : earlier) {
            boolean whole =
                    !"image".equals(row.labels().get("side"))
                            || Files.exists(
                                    fitted(
                                            out,
                                            row.labels().get("encoding"),
                                            Long.parseLong(row.labels().get("seed"))));
            if (whole && missing.remove(row.key()) != null) {
                rows.add(row);
            }
        }
        if (rows.size() < earlier.size()) {
            keepOnly(rows, earlier);
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

    /** Results of other settings would mix with these; they move to a file of their own. */
    private void keepOnly(List<ResultRow> kept, List<ResultRow> earlier) {
        AtomicFile.write(out.resolve("results.previous.jsonl"), lines(earlier));
        AtomicFile.write(out.resolve("results.jsonl"), lines(kept));
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
