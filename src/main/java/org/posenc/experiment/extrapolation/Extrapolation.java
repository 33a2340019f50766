package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.Rope;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.FolderHash;
import org.posenc.experiment.Progress;
import org.posenc.experiment.ResumableTrials;
import org.posenc.experiment.TokenText;
import org.posenc.model.Transformer;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;

/**
 * Trains small decoders at one length, lets them read longer contexts by every method that fits, at
 * once and after a short training, and reports. {@link ResumableTrials} keeps what is finished, and
 * the weights lie beside it.
 */
public final class Extrapolation {

    /** A reading takes about as long as this many steps of training. */
    private static final int READING_STEPS = 100;

    private static final TrainedEncoding ROPE = new TrainedEncoding("rope", Map.of());

    private final ExtrapolationPlan plan;
    private final Weights weights;
    private final List<Object> by; // whom the numbers come from
    private final Progress progress;
    private final Map<String, Callable<ResultRow>> trainings = new LinkedHashMap<>();
    private final Map<String, Callable<ResultRow>> readings = new LinkedHashMap<>();
    private final Map<String, Callable<ResultRow>> afterSearch = new LinkedHashMap<>();
    private final Map<String, ResultRow> searched = new ConcurrentHashMap<>();
    private final Map<String, Integer> steps = new LinkedHashMap<>();
    private Optional<Rope> rope = Optional.empty();

    private Extrapolation(
            ExtrapolationPlan plan, Path out, Provenance provenance, Progress progress) {
        this.plan = plan;
        this.progress = progress;
        weights = new Weights(out);
        // Another posenc, or another processor, may find other numbers.
        by =
                new ArrayList<>(
                        List.of(
                                new TreeMap<>(provenance.versions()), // in an order of its own
                                provenance.commit(),
                                provenance.device()));
    }

    /**
     * Runs whatever is not there yet, and writes tables, pictures and page.
     *
     * @param plan what to train and measure
     * @param out the folder for all results; made where it is missing
     * @param provenance where the results come from, for the page
     * @param progress hears how far it is
     * @return what was found
     * @throws IOException if text, tokenizer or model cannot be read
     * @throws IllegalArgumentException if they do not serve, or the folder cannot be written to
     */
    public static ExtrapolationReport run(
            ExtrapolationPlan plan, Path out, Provenance provenance, Progress progress)
            throws IOException {
        Extrapolation experiment = new Extrapolation(plan, out, provenance, progress);
        List<Workload> workloads = experiment.workloads();
        if (plan.model().isPresent()) {
            experiment.add(workloads.get(0), plan.model().get());
        }
        for (Workload workload : workloads) {
            experiment.addTrainings(workload);
        }
        experiment.requireReadings();
        ResumableTrials kept = experiment.complete(out);
        experiment.writeBase(workloads.get(0), out);
        ExtrapolationReport report =
                new ExtrapolationReport(
                        plan, workloads, experiment.rope, out, kept.rows(), provenance);
        report.write();
        return report;
    }

    /** Said before an hour of training, not after it. */
    private void requireReadings() {
        if (readings.isEmpty() && afterSearch.isEmpty()) {
            throw new IllegalArgumentException(
                    "none of the methods "
                            + plan.methods().stream().map(LengthMethod::name).toList()
                            + " can be applied to "
                            + plan.model()
                                    .map(folder -> "the encoding of " + folder)
                                    .orElse(
                                            plan.encodings().stream()
                                                    .map(TrainedEncoding::label)
                                                    .toList()
                                                    .toString()));
        }
    }

    /** The model of a folder is measured in the place of a trained one. */
    private void add(Workload workload, Path folder) throws IOException {
        ModelFolder opened = ModelFolder.open(folder);
        by.add(FolderHash.of(folder));
        addReadings(
                workload,
                ROPE,
                plan.seed(),
                opened.encoding(),
                manager -> opened.load(manager, DataType.FLOAT32));
    }

    /** The first of the decoders trained with RoPE, for all who want to go on from there. */
    private void writeBase(Workload workload, Path out) throws IOException {
        if (!plan.encodings().contains(ROPE)) {
            return;
        }
        long seed = plan.seed();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Transformer decoder = TrainingTrial.decoder(workload, ROPE, seed);
            weights.load(key("training", workload, ROPE, "", seed, ""), decoder, manager);
            BaseModel.write(
                    decoder,
                    workload.length(),
                    plan.tokenizer(),
                    ((TextWorkload) workload).passkey(),
                    out.resolve("base"));
        }
    }

    private List<Workload> workloads() throws IOException {
        List<Workload> workloads = new ArrayList<>();
        int length = plan.text().length();
        int[] factors = plan.reading().factors();
        TokenText text =
                TokenText.read(
                        plan.texts(),
                        plan.tokenizer(),
                        10 * length,
                        factors[factors.length - 1] * length + plan.reading().windows());
        workloads.add(new TextWorkload(plan.text(), plan.reading(), text, passkey(text)));
        plan.puzzles().forEach(kind -> workloads.add(new PuzzleWorkload(kind, plan.puzzle())));
        return workloads;
    }

    /** A decoder is asked as it was taught. */
    private Passkey passkey(TokenText text) throws IOException {
        if (plan.model().isEmpty()) {
            return Passkey.ofRareTokens(text.vocabulary(), text.training());
        }
        return Passkey.of(plan.model().get(), plan.tokenizer());
    }

    private void addTrainings(Workload workload) {
        for (TrainedEncoding encoding : plan.encodings(workload)) {
            for (long seed : plan.allSeeds()) {
                String trained = key("training", workload, encoding, "", seed, "");
                trainings.put(
                        trained,
                        new TrainingTrial(
                                workload,
                                encoding,
                                seed,
                                trained,
                                weights,
                                plan.device(),
                                progress));
                steps.put(trained, workload.training().steps());
                addReadings(
                        workload,
                        encoding,
                        seed,
                        TrainingTrial.decoder(workload, encoding, seed).encoding(),
                        manager -> {
                            Transformer decoder = TrainingTrial.decoder(workload, encoding, seed);
                            weights.load(trained, decoder, manager);
                            return decoder;
                        });
            }
        }
    }

    private void addReadings(
            Workload workload,
            TrainedEncoding encoding,
            long seed,
            PositionalEncoding own,
            ReadingTrial.Source source) {
        if (encoding.equals(ROPE) && own instanceof Rope trained) {
            rope = Optional.of(trained);
        }
        for (LengthMethod method : plan.methods()) {
            if (isTried(workload, method, encoding, own)) {
                add(workload, encoding, method, null, seed, source);
            }
        }
        if (plan.tuning().steps() > 0) {
            DecoderTraining tuning =
                    new DecoderTraining(plan.tuning().steps(), plan.tuning().learningRate());
            for (LengthMethod method : plan.tuning().methods()) {
                if (isTried(workload, method, encoding, own)) {
                    add(workload, encoding, method, tuning, seed, source);
                }
            }
        }
    }

    /** Methods are compared on the first RoPE; others, of another base, are read as trained. */
    private boolean isTried(
            Workload workload,
            LengthMethod method,
            TrainedEncoding encoding,
            PositionalEncoding own) {
        Optional<TrainedEncoding> first =
                plan.encodings(workload).stream()
                        .filter(e -> e.name().equals(ROPE.name()))
                        .findFirst();
        boolean another = own instanceof Rope && first.isPresent() && !first.get().equals(encoding);
        return method.fits().test(own) && !(another && !method.name().equals(LengthMethod.DIRECT));
    }

    private void add(
            Workload workload,
            TrainedEncoding encoding,
            LengthMethod method,
            DecoderTraining tuning,
            long seed,
            ReadingTrial.Source source) {
        String tuned = tuning == null ? "" : plan.tuning().toString();
        List<Double> factors = method.isSearched() ? searchedFactors(workload) : List.of();
        String key =
                key(
                        tuning == null ? "at-once" : "tuned",
                        workload,
                        encoding,
                        method.name(),
                        seed,
                        // A search starts from what was found for shorter lengths.
                        method.isSearched() ? tuned + factors : tuned);
        double factor = plan.tuning().factor();
        Function<LengthMethod, Callable<ResultRow>> trial =
                ready ->
                        new ReadingTrial(
                                workload,
                                encoding,
                                ready,
                                tuning,
                                factor,
                                seed,
                                key,
                                source,
                                plan.device(),
                                progress);
        steps.put(key, READING_STEPS + (tuning == null ? 0 : tuning.steps()));
        if (!method.isSearched()) {
            readings.put(key, counted(trial.apply(method)));
            return;
        }
        String search = key("search", workload, encoding, method.name(), seed, factors.toString());
        readings.computeIfAbsent(
                search,
                name ->
                        counted(
                                new SearchTrial(
                                        workload,
                                        encoding,
                                        factors,
                                        seed,
                                        name,
                                        source,
                                        plan.device())));
        steps.put(search, READING_STEPS);
        afterSearch.put(
                key,
                () ->
                        counted(
                                        trial.apply(
                                                SearchTrial.method(
                                                        workload, factors, searched.get(search))))
                                .call());
    }

    private Callable<ResultRow> counted(Callable<ResultRow> trial) {
        return () -> {
            ResultRow row = trial.call();
            progress.advanced(READING_STEPS);
            return row;
        };
    }

    /** How many times L a decoder will read, and be tuned at. */
    private List<Double> searchedFactors(Workload workload) {
        double tuned = plan.tuning().steps() > 0 ? plan.tuning().factor() : 1;
        return DoubleStream.concat(DoubleStream.of(workload.factors()), DoubleStream.of(tuned))
                .filter(factor -> workload.lengthAt(factor) > workload.length())
                .sorted()
                .distinct()
                .boxed()
                .toList();
    }

    private String key(
            String stage,
            Workload workload,
            TrainedEncoding encoding,
            String method,
            long seed,
            String tuned) {
        List<String> name = new ArrayList<>(List.of(stage, workload.name()));
        name.add(encoding.label().replace(' ', '-'));
        if (!method.isEmpty()) {
            name.add(method);
        }
        name.add(Long.toString(seed));
        return ResumableTrials.key(name, workload.identity(), encoding, tuned, by);
    }

    private ResumableTrials complete(Path out) {
        List<String> keys = new ArrayList<>(trainings.keySet());
        keys.addAll(readings.keySet());
        keys.addAll(afterSearch.keySet());
        ResumableTrials kept =
                new ResumableTrials(
                        out,
                        keys,
                        row -> !trainings.containsKey(row.key()) || weights.has(row.key()));
        long done = kept.rows().stream().mapToLong(row -> steps.get(row.key())).sum();
        progress.started(steps.values().stream().mapToLong(n -> n).sum(), done);
        kept.complete(trainings, plan.device(), ExtrapolationReport::line, progress);
        kept.complete(readings, plan.device(), ExtrapolationReport::line, progress);
        kept.rows().forEach(row -> searched.put(row.key(), row));
        kept.complete(afterSearch, plan.device(), ExtrapolationReport::line, progress);
        return kept;
    }
}
