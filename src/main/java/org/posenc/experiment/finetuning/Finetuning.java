package org.posenc.experiment.finetuning;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.posenc.checkpoint.AdapterFolder;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.checkpoint.ModelFolderWriter;
import org.posenc.experiment.FolderHash;
import org.posenc.experiment.Progress;
import org.posenc.experiment.ResumableTrials;
import org.posenc.experiment.extrapolation.HeldOutText;
import org.posenc.experiment.extrapolation.Passkey;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.DeviceMemory;
import org.posenc.kernel.NativeHeap;
import org.posenc.model.Transformer;
import org.posenc.report.AtomicFile;
import org.posenc.report.Provenance;
import org.posenc.training.PackedDocuments;

/**
 * Fine-tunes a folder's model and writes another folder, with what was measured on the way in its
 * {@code training} folder. The same run again goes on where it was interrupted, to the last bit.
 */
public final class Finetuning {

    private final FinetunePlan plan;
    private final Path out;
    private final Progress progress;
    private final ModelFolder folder;
    private final TuningData data;
    private final PackedDocuments packed;
    private final HeldOutText heldOut;
    private final Provenance provenance;
    private final Map<String, String> settings;
    private final String key;

    private Finetuning(FinetunePlan plan, Path out, Provenance provenance, Progress progress)
            throws IOException {
        this.plan = plan;
        this.out = out;
        this.progress = progress;
        folder = ModelFolder.open(plan.model());
        checkTargets();
        checkOut();
        data = TuningData.read(plan.files(), folder);
        packed = new PackedDocuments(data.training(), plan.length());
        int[] contexts = plan.measures().contexts(plan.length());
        heldOut =
                new HeldOutText(
                        data.heldOutTokens(),
                        contexts[contexts.length - 1],
                        plan.measures().task(plan.length()),
                        passkey());
        this.provenance = provenance;
        settings = new LinkedHashMap<>(plan.settings());
        settings.put("seed", Long.toString(plan.seed()));
        settings.put("measures", plan.measures().toString());
        settings.put("checksum of the data", data.hash());
        settings.put("checksum of the model", FolderHash.of(plan.model()));
        key = ResumableTrials.key(List.of("finetune"), settings);
    }

    /**
     * Trains whatever is not trained yet, measures, and writes the model and a page.
     *
     * @param plan what to do
     * @param out the folder of the tuned model; made where it is missing
     * @param provenance where the results come from, for page and card
     * @param progress hears how far it is
     * @return what was found
     * @throws IOException if model, tokenizer or data cannot be read
     * @throws IllegalArgumentException if they do not serve or fit together, the memory does not
     *     suffice, loss or gradient are not finite any more, or the folder cannot be written to
     */
    public static FinetuneReport run(
            FinetunePlan plan, Path out, Provenance provenance, Progress progress)
            throws IOException {
        Finetuning finetuning = new Finetuning(plan, out, provenance, progress);
        try (TuningLog log = finetuning.log()) {
            if (!log.done()) {
                finetuning.complete(log);
            }
            FinetuneReport report =
                    new FinetuneReport(
                            plan, out, finetuning.folder.length(), log, finetuning.provenance());
            report.write();
            return report;
        } catch (TranslateException e) {
            throw new IllegalStateException("batches of ids cannot fail to be made", e);
        }
    }

    /** Said before the training, not when the pairs are written after it. */
    private void checkTargets() {
        List<String> known = new ArrayList<>(AdapterFolder.linearModules(folder));
        known.add("lm_head");
        if (plan.tuning() instanceof Tuning.LowRank adapted) {
            for (String target : adapted.lora().targets()) {
                if (!known.contains(target)) {
                    throw new IllegalArgumentException(
                            "the modules of "
                                    + plan.model()
                                    + " are "
                                    + String.join(", ", known)
                                    + ", got the target \""
                                    + target
                                    + "\"");
                }
            }
        }
    }

    private void checkOut() throws IOException {
        if (Files.exists(out) && Files.isSameFile(out, plan.model())) {
            throw new IllegalArgumentException(
                    "--out is the folder of the model to start from, " + out + "; choose another");
        }
        if (Files.exists(out.resolve("config.json")) && !Files.exists(metrics())) {
            throw new IllegalArgumentException(
                    out + " holds a model that this command did not make; choose another --out");
        }
    }

    private Path metrics() {
        return FinetuneReport.folder(out).resolve("metrics.jsonl");
    }

    private TuningLog log() {
        return new TuningLog(metrics(), key, settings);
    }

    private Optional<Passkey> passkey() throws IOException {
        if (plan.measures().passkeys() == 0) {
            return Optional.empty();
        }
        return Optional.of(
                folder.tokenizer().isPresent()
                        ? Passkey.of(plan.model(), folder.tokenizer().get())
                        : Passkey.ofRareTokens(folder.config().vocabulary(), data.heldOutTokens()));
    }

    /** What the page says of data and model beside the plan. */
    private Provenance provenance() {
        Map<String, String> all = new LinkedHashMap<>(provenance.configuration());
        all.put(
                "data",
                String.format(
                        Locale.ROOT,
                        "%,d tokens in %,d documents, %,d held out; rows %.0f %% full",
                        data.tokens(),
                        data.training().size(),
                        data.heldOutTokens().length,
                        100 * packed.filled()));
        return new Provenance(
                provenance.command(),
                provenance.seed(),
                all,
                provenance.versions(),
                provenance.device(),
                provenance.commit(),
                provenance.date());
    }

    private void complete(TuningLog log) throws IOException, TranslateException {
        NativeHeap.keepFreed();
        try (NDManager manager = NDManager.newBaseManager(plan.device(), "PyTorch")) {
            Transformer model = folder.load(manager, DataType.FLOAT32, plan.encoding());
            plan.tuning().prepare(model);
            TuningMemory memory = TuningMemory.of(model, packed);
            memory.check(plan);
            AtomicFile.requireWritableFolder(FinetuneReport.folder(out));
            TuningState state =
                    new TuningState(FinetuneReport.folder(out).resolve("state.safetensors"), key);
            try (TrainingLoop loop =
                    new TrainingLoop(model, packed, plan.optimization(), plan.seed(), manager)) {
                int done = state.restore(loop, manager);
                log.goOn(done);
                progress.started(plan.optimization().steps(), done);
                train(loop, model, done, state, log, manager);
            } catch (EngineException e) {
                throw memory.explained(e, plan);
            }
            write(model);
            log.addDone();
            state.delete();
        }
    }

    private void train(
            TrainingLoop loop,
            Transformer model,
            int done,
            TuningState state,
            TuningLog log,
            NDManager manager)
            throws IOException, TranslateException {
        int steps = plan.optimization().steps();
        int every = plan.measures().every();
        Pace pace = new Pace(steps - done);
        long saved = System.nanoTime();
        if (done == 0 && !plan.rope().equals(folder.rope())) {
            read(model.withEncoding(folder.encoding()), 0, true, log, manager);
        }
        for (int step = done; step < steps; step++) {
            if (step == 0 || every > 0 && step % every == 0) {
                read(model, step, false, log, manager);
            }
            TuningLog.Step taken = taken(loop, step);
            log.add(taken);
            pace.add(taken);
            progress.advanced(1);
            progress.note(pace.toString());
            boolean tenth = (step + 1) * 10 / steps > step * 10 / steps;
            if (tenth) {
                progress.finished("step %d of %d: %s".formatted(step + 1, steps, pace));
            }
            boolean due =
                    plan.saving().everySteps() > 0 && (step + 1) % plan.saving().everySteps() == 0
                            || System.nanoTime() - saved >= plan.saving().pause().toNanos();
            if (due || step + 1 == steps) {
                log.force(); // whose steps before the state's are not taken again
                state.write(step + 1, loop);
                saved = System.nanoTime();
            }
        }
        read(model, steps, false, log, manager);
    }

    private TuningLog.Step taken(TrainingLoop loop, int step) {
        long begin = System.nanoTime();
        TrainingLoop.Step taken = loop.take(step);
        return new TuningLog.Step(
                step + 1,
                taken.loss(),
                taken.gradientNorm(),
                taken.learningRate(),
                taken.tokens(),
                (System.nanoTime() - begin) / 1e9,
                DeviceMemory.used(plan.device()).orElse(0));
    }

    /** Reads held-out text at every context, unless that was done before an interruption. */
    private void read(
            Transformer model, int step, boolean ownRope, TuningLog log, NDManager manager)
            throws IOException, TranslateException {
        if (log.reading(step, ownRope).isPresent()) {
            return;
        }
        List<Integer> contexts = new ArrayList<>();
        List<Double> losses = new ArrayList<>();
        List<List<Double>> passkeys = new ArrayList<>();
        try (Autograd.Scope narrow = plan.optimization().precision().use()) {
            for (int context : plan.measures().contexts(plan.length())) {
                HeldOutText.Reading reading = heldOut.read(model, context, manager);
                contexts.add(context);
                losses.add(reading.loss());
                passkeys.add(reading.passkeys());
            }
        }
        TuningLog.Reading reading =
                new TuningLog.Reading(step, ownRope, contexts, losses, passkeys);
        log.add(reading);
        progress.finished(FinetuneReport.line(reading));
    }

    private void write(Transformer model) throws IOException {
        if (model.lora().isPresent()) {
            AdapterFolder.write(out.resolve("adapter"), model, folder);
            if (plan.saving().adapterAlone()) {
                return;
            }
            model.merge();
        }
        new ModelFolderWriter(model)
                .setLength(plan.length())
                .optLike(folder)
                .optStoredTypes()
                .write(out);
        Path taught = plan.model().resolve(Passkey.FILE);
        if (Files.isRegularFile(taught)) {
            AtomicFile.write(out.resolve(Passkey.FILE), copy -> Files.copy(taught, copy));
        }
    }
}
