package org.posenc.experiment;

import ai.djl.Device;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.posenc.kernel.NativeHeap;
import org.posenc.report.AtomicFile;
import org.posenc.report.ResultLog;
import org.posenc.report.ResultRow;

/**
 * The trials of an experiment in a folder, each run once.
 *
 * <p>Each finished trial is a line of {@code results.jsonl}; a trial whose line is there already is
 * not run again. Lines of other settings move to {@code results.previous.jsonl}, and back when
 * those settings are asked for again.
 */
public final class ResumableTrials {

    private static final String RESULTS = "results.jsonl";
    private static final String PREVIOUS = "results.previous.jsonl";

    private final Path out;
    private final ResultLog log;
    private final List<ResultRow> rows = new ArrayList<>();
    private final List<String> order = new ArrayList<>();

    /**
     * Opens the log of a folder and keeps what is of use.
     *
     * @param out the folder; made where it is missing
     * @param keys the keys of every trial of the experiment, in the order of its report
     * @param whole whether what a trial left beside its line is still there
     * @throws IllegalArgumentException if the folder cannot be written to, or its log is none
     */
    public ResumableTrials(Path out, List<String> keys, Predicate<ResultRow> whole) {
        this.out = out;
        log = new ResultLog(out.resolve(RESULTS));
        order.addAll(keys);
        AtomicFile.requireWritableFolder(out);
        List<String> missing = new ArrayList<>(keys);
        List<ResultRow> logged = log.read();
        List<ResultRow> earlier = new ResultLog(out.resolve(PREVIOUS)).read();
        List<ResultRow> others = new ArrayList<>();
        for (ResultRow row : Stream.concat(logged.stream(), earlier.stream()).toList()) {
            if (whole.test(row) && missing.remove(row.key())) {
                rows.add(row);
            } else if (!keys.contains(row.key())) {
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
    }

    /**
     * Runs those trials that are not finished yet.
     *
     * @param trials by key
     * @param device where they compute
     * @param line says in half a line what came of one
     * @param progress hears of each that is finished
     */
    public void complete(
            Map<String, Callable<ResultRow>> trials,
            Device device,
            Function<ResultRow, String> line,
            Progress progress) {
        complete(trials, TrialPool.standard(device.isGpu()), line, progress);
    }

    /**
     * Runs those trials that are not finished yet.
     *
     * @param trials by key
     * @param pool how many run at once
     * @param line says in half a line what came of one
     * @param progress hears of each that is finished
     */
    public void complete(
            Map<String, Callable<ResultRow>> trials,
            TrialPool pool,
            Function<ResultRow, String> line,
            Progress progress) {
        Map<String, Callable<ResultRow>> missing = new LinkedHashMap<>(trials);
        rows.forEach(row -> missing.remove(row.key()));
        NativeHeap.keepFreed();
        pool.run(
                List.copyOf(missing.values()),
                row -> {
                    log.append(row);
                    rows.add(row);
                    progress.finished(line.apply(row));
                });
    }

    /**
     * Returns what is finished.
     *
     * @return the results in the order of the keys
     */
    public List<ResultRow> rows() {
        return rows.stream()
                .sorted((a, b) -> order.indexOf(a.key()) - order.indexOf(b.key()))
                .toList();
    }

    /**
     * Returns whether a trial is finished.
     *
     * @param key its key
     * @return whether its result is there
     */
    public boolean finished(String key) {
        return rows.stream().anyMatch(row -> row.key().equals(key));
    }

    private static String lines(List<ResultRow> rows) {
        StringBuilder lines = new StringBuilder();
        rows.forEach(row -> lines.append(ResultLog.toJson(row)).append('\n'));
        return lines.toString();
    }

    /**
     * Returns what names a trial: equal wherever everything its numbers depend on is equal.
     *
     * @param name what it is, in readable parts
     * @param dependsOn everything else its numbers depend on, by their texts
     * @return the parts and a hash, with slashes between
     */
    public static String key(List<String> name, Object... dependsOn) {
        StringBuilder parts = new StringBuilder();
        for (Object part : dependsOn) {
            parts.append(parts.length() == 0 ? "" : "\n").append(part);
        }
        String hash = hash(parts.toString().getBytes(StandardCharsets.UTF_8));
        return String.join("/", name) + "/" + hash.substring(0, 16);
    }

    static String hash(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
