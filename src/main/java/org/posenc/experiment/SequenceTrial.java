package org.posenc.experiment;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.posenc.analysis.EncodingAnalysis;
import org.posenc.analysis.StableRank;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.FeatureEncoding;
import org.posenc.encoding.LearnedTable;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.report.ResultRow;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.TokenWindows;

/**
 * Trains the decoder with one encoding from one seed, then reads held-out text with it: the same
 * target tokens under growing context, so that neither the text nor a window's first tokens, which
 * have little context, move the figures.
 *
 * @param task what is trained and measured
 * @param corpus the text
 * @param encoding the encoding's name
 * @param seed decides weights and the order of the data
 * @param key names the trial in the log of results
 * @param device where it runs
 * @param progress hears of each step
 */
record SequenceTrial(
        SequenceTask task,
        TokenText corpus,
        String encoding,
        long seed,
        String key,
        Device device,
        Progress progress)
        implements Callable<ResultRow> {

    private static final int EVALUATION_BATCH = 8;

    @Override
    public ResultRow call() throws IOException, TranslateException {
        long begin = System.nanoTime();
        Transformer transformer = transformer();
        try (Model model = Model.newInstance(encoding, device)) {
            model.setBlock(transformer);
            double trainingLoss = train(model);
            try (Autograd.Scope off = Autograd.off();
                    NDManager manager = model.getNDManager().newSubManager()) {
                return measure(transformer, manager, trainingLoss, begin);
            }
        }
    }

    private Transformer transformer() {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(corpus.vocabulary())
                        .setEmbeddingSize(task.embeddingSize())
                        .setLayers(task.layers())
                        .setHeads(task.heads())
                        .optHeadDimension(task.headDimension())
                        .optEmbeddingScale(Math.sqrt(task.embeddingSize()))
                        .optSeed(seed)
                        .build();
        return new Transformer(
                config,
                Encodings.named(encoding).forTransformer(config.site(task.length()), Map.of()));
    }

    private double train(Model model) throws IOException, TranslateException {
        TokenWindows windows =
                TokenWindows.random(
                        corpus.training(), task.length(), task.batch(), task.steps(), seed);
        return new DecoderTraining(task.steps(), task.learningRate()).run(model, windows, progress);
    }

    private ResultRow measure(
            Transformer transformer, NDManager manager, double trainingLoss, long begin)
            throws IOException, TranslateException {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("parameters", (double) Sizes.parameters(transformer));
        values.put("trainingLoss", trainingLoss);
        for (int factor : SequenceTask.FACTORS) {
            values.put("loss" + factor + "x", heldOutLoss(transformer, factor, manager));
        }
        EncodingAnalysis analysis = analysis(transformer, manager);
        values.put("stableRank", analysis.stableRank());
        values.put("distancePreservation", analysis.distancePreservation());
        Map<String, List<Double>> curves = Curves.of(analysis);
        curves.put("layerStableRanks", layerStableRanks(transformer, manager));
        values.put("seconds", (System.nanoTime() - begin) / 1e9);
        Map<String, String> labels =
                Map.of("side", "sequence", "encoding", encoding, "seed", Long.toString(seed));
        return new ResultRow(key, labels, values, curves);
    }

    private double heldOutLoss(Transformer trained, int factor, NDManager parent)
            throws IOException, TranslateException {
        int length = factor * task.length();
        double sum = 0;
        try (NDManager manager = parent.newSubManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            Transformer model = stretched(trained, length, manager);
            CausalLanguageModelLoss loss = new CausalLanguageModelLoss();
            for (Batch batch : windows(length).getData(manager)) {
                NDArray ids = batch.getData().head();
                Positions positions = Positions.range(ids.getManager(), 0, length);
                NDArray logits =
                        model.logits(ids, positions, AttentionMask.none(), parameters, false);
                sum +=
                        batch.getSize()
                                * loss.evaluate(batch.getLabels(), new NDList(logits)).getFloat();
                batch.close();
            }
        }
        return sum / task.windows();
    }

    /** A learned table has no rows beyond its length, so it is stretched; all else stays. */
    private static Transformer stretched(Transformer trained, int length, NDManager manager) {
        return trained.encoding() instanceof FeatureEncoding embed
                        && embed.features() instanceof LearnedTable table
                        && table.length() < length
                ? trained.withEncoding(table.resized(length, manager).added())
                : trained;
    }

    private List<Double> layerStableRanks(Transformer model, NDManager parent)
            throws IOException, TranslateException {
        try (NDManager manager = parent.newSubManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            Batch batch = windows(task.length()).getData(manager).iterator().next();
            NDArray ids = batch.getData().head();
            Positions positions = Positions.range(ids.getManager(), 0, task.length());
            List<NDArray> hidden =
                    model.hidden(ids, positions, AttentionMask.none(), parameters, false);
            return Arrays.stream(StableRank.ofLayers(hidden)).boxed().toList();
        }
    }

    private EncodingAnalysis analysis(Transformer model, NDManager manager) {
        return EncodingAnalysis.of(
                model.encoding(),
                model.config().site(task.length()),
                Positions.range(manager, 0, task.length()),
                DataType.FLOAT32,
                new ParameterStore(manager, false));
    }

    /** Held-out windows that end at the same tokens, whatever their length. */
    private TokenWindows windows(int length) {
        int first = task.longest();
        int last = corpus.heldOut().length - 1;
        int[] ends = new int[task.windows()];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = first + (int) ((long) i * (last - first) / Math.max(1, ends.length - 1));
        }
        return TokenWindows.endingAt(
                corpus.heldOut(), length, task.targets(), EVALUATION_BATCH, ends);
    }
}
