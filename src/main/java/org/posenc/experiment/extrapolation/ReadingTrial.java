package org.posenc.experiment.extrapolation;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Autograd;
import org.posenc.model.Transformer;
import org.posenc.report.ResultRow;

/**
 * Lets a trained decoder read longer contexts by one method, at once or after a short training at a
 * longer length.
 *
 * <p>At once, each length n has its own k = n/L. A tuned decoder keeps the k it was tuned with at
 * every length.
 *
 * @param workload what it reads
 * @param encoding what it was trained with
 * @param method what is done to it
 * @param tuning how it is trained at the longer length, or {@code null}
 * @param tunedFactor at how many times L
 * @param seed of the training
 * @param key names the trial in the log of results
 * @param source gives the trained decoder
 * @param device where it runs
 * @param progress hears of each step of the tuning
 */
record ReadingTrial(
        Workload workload,
        TrainedEncoding encoding,
        LengthMethod method,
        DecoderTraining tuning,
        double tunedFactor,
        long seed,
        String key,
        Source source,
        Device device,
        Progress progress)
        implements Callable<ResultRow> {

    /** Gives a trained decoder. */
    @FunctionalInterface
    interface Source {

        Transformer load(NDManager manager) throws IOException;
    }

    @Override
    public ResultRow call() throws IOException, TranslateException {
        long begin = System.nanoTime();
        try (Model model = Model.newInstance("decoder", device);
                NDManager manager = model.getNDManager().newSubManager()) {
            Transformer trained = source.load(manager);
            Measured measured =
                    tuning == null ? atOnce(trained, manager) : tuned(trained, model, manager);
            measured.values().put("seconds", (System.nanoTime() - begin) / 1e9);
            Map<String, String> labels = new LinkedHashMap<>();
            labels.put("stage", tuning == null ? "at once" : "tuned");
            labels.put("workload", workload.name());
            labels.put("encoding", encoding.label());
            labels.put("method", method.name());
            labels.put("seed", Long.toString(seed));
            return new ResultRow(key, labels, measured.values(), measured.curves());
        }
    }

    private Measured atOnce(Transformer trained, NDManager manager)
            throws IOException, TranslateException {
        try (Autograd.Scope off = Autograd.off()) {
            return workload.measure(length -> reader(at(trained, length, manager)), manager);
        }
    }

    private Measured tuned(Transformer trained, Model model, NDManager manager)
            throws IOException, TranslateException {
        Transformer longer = at(trained, workload.lengthAt(tunedFactor), manager);
        model.setBlock(longer);
        double loss =
                tuning.run(
                        model,
                        encoding.batches(workload, seed, tunedFactor, tuning.steps()),
                        progress);
        try (Autograd.Scope off = Autograd.off()) {
            Measured measured =
                    workload.measure(length -> reader(reaching(longer, length, manager)), manager);
            measured.values().put("tuningLoss", loss);
            return measured;
        }
    }

    private Reader reader(Transformer decoder) {
        return new Reader(decoder, encoding.positions(), workload.range());
    }

    /** A learned table ends, even the longer one; whatever else was tuned reads on as it is. */
    private static Transformer reaching(Transformer tuned, long length, NDManager manager) {
        PositionalEncoding reaching = LengthMethod.reaching(tuned.encoding(), length, manager);
        return reaching == tuned.encoding() ? tuned : tuned.withEncoding(reaching);
    }

    private Transformer at(Transformer trained, long length, NDManager manager) {
        PositionalEncoding changed =
                method.at(trained.encoding(), workload.length(), length, manager);
        return changed == trained.encoding() ? trained : trained.withEncoding(changed);
    }
}
