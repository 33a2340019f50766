package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.posenc.experiment.DecoderTraining;
import org.posenc.experiment.TokenText;
import org.posenc.kernel.CrossEntropy;
import org.posenc.model.TransformerConfig;
import org.posenc.training.SequenceBatches;
import org.posenc.training.SequenceBatches.Sequence;

/**
 * Real text, and passkeys in it: in training, one row of four holds one. {@link HeldOutText} says
 * how it is measured.
 *
 * @param task the decoder and its training
 * @param reading how it is measured
 * @param text what it learns and reads
 * @param passkey makes passkeys
 */
record TextWorkload(TextTask task, ReadingTask reading, TokenText text, Passkey passkey)
        implements Workload {

    private static final int PASSKEY_ROW = 4;
    private static final int PRACTISED = 4096; // tokens

    TextWorkload {
        if (task.length() < passkey.shortest()) {
            throw new IllegalArgumentException(
                    "a passkey needs "
                            + passkey.shortest()
                            + " tokens, more than the training length "
                            + task.length());
        }
    }

    @Override
    public String name() {
        return "text";
    }

    @Override
    public TransformerConfig config(long seed) {
        return task.config(text.vocabulary(), seed);
    }

    @Override
    public int length() {
        return task.length();
    }

    @Override
    public double[] factors() {
        return Arrays.stream(reading.factors()).asDoubleStream().toArray();
    }

    @Override
    public int lengthAt(double factor) {
        return (int) Math.round(factor * task.length());
    }

    @Override
    public DecoderTraining training() {
        return task.training();
    }

    @Override
    public SequenceBatches batches(long seed, double factor, int steps) {
        int length = lengthAt(factor);
        int rows = Math.max(PASSKEY_ROW, (int) Math.round(task.batch() / factor));
        return new SequenceBatches(
                k -> {
                    SplittableRandom random = Draws.of(seed, k);
                    return IntStream.range(0, rows)
                            .mapToObj(row -> row(random, length, row % PASSKEY_ROW == 0))
                            .toList();
                },
                steps);
    }

    /** Rows as in training, with passkeys; what stands in their second halves counts. */
    @Override
    public SequenceBatches practice(long seed, double factor) {
        int length = lengthAt(factor);
        int places = text.training().length - length;
        if (places < 1) {
            throw new IllegalArgumentException(
                    "the text to train on has "
                            + text.training().length
                            + " tokens, and a window of "
                            + (length + 1)
                            + " is needed");
        }
        int rows = Math.max(1, PRACTISED / length);
        return new SequenceBatches(
                k -> {
                    SplittableRandom random = Draws.of(seed, k);
                    return IntStream.range(0, rows)
                            .mapToObj(row -> row(random, length, row % PASSKEY_ROW == 0))
                            .map(TextWorkload::secondHalf)
                            .toList();
                },
                1);
    }

    private static Sequence secondHalf(Sequence all) {
        long[] labels = all.labels().clone();
        Arrays.fill(labels, 0, labels.length / 2, CrossEntropy.IGNORED);
        return new Sequence(all.ids(), labels);
    }

    private Sequence row(SplittableRandom random, int length, boolean asks) {
        if (asks) {
            return passkey.lesson(random, text.training(), length);
        }
        int from = random.nextInt(text.training().length - length);
        return Sequence.of(Arrays.copyOfRange(text.training(), from, from + length + 1), 1);
    }

    @Override
    public Measured measure(LongFunction<Reader> readers, NDManager manager)
            throws IOException, TranslateException {
        Measured measured = new Measured();
        List<Double> found = new ArrayList<>();
        int longest = range();
        HeldOutText heldOut =
                new HeldOutText(text.heldOut(), longest, reading, Optional.of(passkey));
        for (int factor : reading.factors()) {
            Reader reader = readers.apply(lengthAt(factor));
            double loss;
            if (lengthAt(factor) < longest) {
                loss = heldOut.loss(reader, lengthAt(factor), manager);
            } else {
                double[] each = heldOut.lossOfEach(reader, longest, manager);
                loss = mean(each, longest - reading.targets(), longest);
                measured.curves().put("lossByPosition", byPosition(each));
            }
            measured.values().put(Measured.at("loss", factor), loss);
            measured.values().put(Measured.at("perplexity", factor), Math.exp(loss));
            List<Answers> byDepth = heldOut.passkeys(reader, lengthAt(factor), manager);
            measured.values()
                    .put(
                            Measured.at("passkey", factor),
                            byDepth.stream().mapToDouble(Answers::exact).average().orElseThrow());
            measured.values()
                    .put(
                            Measured.at("digits", factor),
                            byDepth.stream().mapToDouble(Answers::token).average().orElseThrow());
            byDepth.forEach(answers -> found.add(answers.exact()));
        }
        measured.curves().put("passkeys", found); // factor by factor, each by depth
        measured.curves().put("attentionAtOwnLength", attention(readers, 1, manager));
        measured.curves().put("attention", attention(readers, reading.watched(), manager));
        return measured;
    }

    private List<Double> attention(LongFunction<Reader> readers, int factor, NDManager manager) {
        int length = lengthAt(factor);
        int[] window = Arrays.copyOf(text.heldOut(), length);
        return AttentionByDistance.of(readers.apply(length), window, manager);
    }

    /** The mean loss of the positions up to L/8, L/4, L/2, …, each from the one before. */
    private List<Double> byPosition(double[] each) {
        List<Double> means = new ArrayList<>();
        int from = 0;
        for (int to : reading.positionsUpTo(task.length())) {
            means.add(mean(each, from, to));
            from = to;
        }
        return means;
    }

    private static double mean(double[] each, int from, int to) {
        return Arrays.stream(each, from, to).average().orElseThrow();
    }

    @Override
    public String identity() {
        return task + "\n" + reading + "\n" + text.hash();
    }
}
