package org.posenc.experiment.extrapolation;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Sizes;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.report.ResultRow;

/**
 * Trains a decoder with one encoding from one seed, and keeps its weights.
 *
 * @param workload what it learns
 * @param encoding its encoding
 * @param seed decides weights and data
 * @param key names the trial in the log of results, and the file of weights
 * @param weights where they are kept
 * @param device where it runs
 * @param progress hears of each step
 */
record TrainingTrial(
        Workload workload,
        TrainedEncoding encoding,
        long seed,
        String key,
        Weights weights,
        Device device,
        Progress progress)
        implements Callable<ResultRow> {

    @Override
    public ResultRow call() throws IOException, TranslateException {
        long begin = System.nanoTime();
        Transformer decoder = decoder(workload, encoding, seed);
        try (Model model = Model.newInstance("decoder", device)) {
            model.setBlock(decoder);
            double loss =
                    workload.training()
                            .run(
                                    model,
                                    encoding.batches(
                                            workload, seed, 1, workload.training().steps()),
                                    progress);
            weights.save(key, decoder);
            Map<String, Double> values = new LinkedHashMap<>();
            values.put("parameters", (double) Sizes.parameters(decoder));
            values.put("trainingLoss", loss);
            values.put("seconds", (System.nanoTime() - begin) / 1e9);
            Map<String, String> labels =
                    Map.of(
                            "stage", "training",
                            "workload", workload.name(),
                            "encoding", encoding.label(),
                            "seed", Long.toString(seed));
            return new ResultRow(key, labels, values);
        }
    }

    /** The decoder before its training. */
    static Transformer decoder(Workload workload, TrainedEncoding encoding, long seed) {
        TransformerConfig config = workload.config(seed);
        return new Transformer(
                config, encoding.make(config.site(encoding.positionsSeen(workload))));
    }
}
