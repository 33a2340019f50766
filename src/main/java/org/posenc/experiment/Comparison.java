package org.posenc.experiment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;

/**
 * The main job: which encoding should one take, and why? The same small decoder is trained on real
 * text, and the same coordinate network fitted to a real image, with each encoding, from several
 * seeds. {@link ResumableTrials} keeps what is finished.
 */
public final class Comparison {

    private final ComparisonPlan plan;
    private final Path out;

    private Comparison(ComparisonPlan plan, Path out) {
        this.plan = plan;
        this.out = out;
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
        ResumableTrials kept =
                new ResumableTrials(out, List.copyOf(trials.keySet()), comparison::whole);
        long done = kept.rows().stream().mapToLong(comparison::steps).sum();
        progress.started(plan.steps(), done);
        kept.complete(trials, plan.device(), ComparisonReport::line, progress);
        ComparisonReport report = new ComparisonReport(plan, out, kept.rows(), provenance);
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
                    String key = key("sequence", encoding, seed, task, content, by);
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
                    String key = key("image", encoding, seed, task, content, by);
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

    private static String key(String side, String encoding, long seed, Object... dependsOn) {
        return ResumableTrials.key(List.of(side, encoding, Long.toString(seed)), dependsOn);
    }

    private boolean whole(ResultRow row) {
        return !ofImage(row) || Files.exists(fitted(out, row.key()));
    }

    private long steps(ResultRow row) {
        return ofImage(row) ? plan.image().steps() : plan.sequence().steps();
    }

    private static boolean ofImage(ResultRow row) {
        return "image".equals(row.labels().get("side"));
    }

    static String hash(int[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        Arrays.stream(numbers).forEach(bytes::putInt);
        return ResumableTrials.hash(bytes.array());
    }
}
