package org.posenc.experiment.extrapolation;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import org.posenc.encoding.rope.Rope;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.model.Transformer;
import org.posenc.report.ResultRow;

/**
 * Finds LongRoPE's divisors for a trained decoder, for each length that it will read, on what is
 * never measured. A search starts from interpolation, NTK-aware scaling and YaRN, and from what was
 * found for the next shorter length.
 *
 * @param workload what it reads
 * @param encoding what it was trained with, RoPE
 * @param factors how many times L, ascending, above 1
 * @param seed of the training, and of the search
 * @param key names the trial in the log of results
 * @param source gives the trained decoder
 * @param device where it runs
 */
record SearchTrial(
        Workload workload,
        TrainedEncoding encoding,
        List<Double> factors,
        long seed,
        String key,
        ReadingTrial.Source source,
        Device device)
        implements Callable<ResultRow> {

    private static final String DIVISORS = "divisors";

    @Override
    public ResultRow call() throws IOException, TranslateException {
        long begin = System.nanoTime();
        try (Autograd.Scope off = Autograd.off();
                Model model = Model.newInstance("decoder", device);
                NDManager manager = model.getNDManager().newSubManager()) {
            Transformer trained = source.load(manager);
            Map<String, Double> values = new LinkedHashMap<>();
            Map<String, List<Double>> curves = new LinkedHashMap<>();
            double[] shorter = {};
            double shorterBy = 1;
            for (double factor : factors) {
                double by = (double) workload.lengthAt(factor) / workload.length();
                List<double[]> ancestors =
                        LengthMethod.divisors(
                                (Rope) trained.encoding(),
                                workload.length(),
                                workload.lengthAt(factor));
                if (shorterBy > 1) {
                    ancestors.add(grown(shorter, Math.log(by) / Math.log(shorterBy)));
                }
                LongRopeSearch.Found found = found(trained, factor, by, ancestors, manager);
                values.put(Measured.at("searchedLoss", factor), found.loss());
                values.put(Measured.at("evaluations", factor), (double) found.evaluations());
                curves.put(curve(factor), DoubleStream.of(found.divisors()).boxed().toList());
                shorter = found.divisors();
                shorterBy = by;
            }
            values.put("seconds", (System.nanoTime() - begin) / 1e9);
            Map<String, String> labels = new LinkedHashMap<>();
            labels.put("stage", "search");
            labels.put("workload", workload.name());
            labels.put("encoding", encoding.label());
            labels.put("method", LengthMethod.SEARCHED);
            labels.put("seed", Long.toString(seed));
            return new ResultRow(key, labels, values, curves);
        }
    }

    /** The name of the divisors' curve in results. */
    static String curve(double factor) {
        return Measured.at(DIVISORS, factor);
    }

    /** Returns the method with the divisors of a row. */
    static LengthMethod method(Workload workload, List<Double> factors, ResultRow row) {
        Map<Long, double[]> divisors = new TreeMap<>();
        for (double factor : factors) {
            divisors.put(
                    (long) workload.lengthAt(factor),
                    row.curves().get(curve(factor)).stream().mapToDouble(d -> d).toArray());
        }
        return LengthMethod.longRope(divisors);
    }

    /** Divisors of a shorter length, so that 1 stays 1 and its k becomes the longer one's. */
    private static double[] grown(double[] divisors, double exponent) {
        return DoubleStream.of(divisors).map(d -> Math.pow(d, exponent)).toArray();
    }

    private LongRopeSearch.Found found(
            Transformer trained,
            double factor,
            double by,
            List<double[]> ancestors,
            NDManager parent)
            throws IOException, TranslateException {
        long length = workload.lengthAt(factor);
        try (NDManager manager = parent.newSubManager()) {
            List<Batch> practice = new ArrayList<>();
            workload.practice(seed, factor).getData(manager).forEach(practice::add);
            Batch batch = practice.get(0);
            return LongRopeSearch.from(
                    ancestors,
                    by,
                    divisors -> {
                        LengthMethod method = LengthMethod.longRope(Map.of(length, divisors));
                        try (NDManager once = manager.newSubManager()) {
                            Transformer reader =
                                    trained.withEncoding(
                                            method.at(
                                                    trained.encoding(),
                                                    workload.length(),
                                                    length,
                                                    once));
                            return loss(Reader.of(reader), batch, once);
                        }
                    },
                    seed);
        }
    }

    private static double loss(Reader reader, Batch batch, NDManager manager) {
        NDArray ids = batch.getData().head().duplicate();
        ids.attach(manager); // so that what is made of it is freed with it
        NDArray logits = reader.logits(ids, manager); // (B, T, V)
        NDArray rows = logits.reshape(-1, logits.getShape().get(2));
        return CrossEntropy.mean(rows, batch.getLabels().head().flatten(), false).getFloat();
    }
}
