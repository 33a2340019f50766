package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.posenc.experiment.DecoderTraining;
import org.posenc.model.TransformerConfig;
import org.posenc.training.SequenceBatches;
import org.posenc.training.SequenceBatches.Sequence;

/**
 * Puzzles of one kind, of sizes 1 … n in training, of size n and more afterwards.
 *
 * @param kind which puzzles
 * @param task the decoder, its training, and how it is measured
 */
record PuzzleWorkload(SymbolTask kind, PuzzleTask task) implements Workload {

    private static final long MEASURED = 0x5EED; // the puzzles of every measurement are the same
    private static final int ROWS = 64;
    private static final int PRACTISED = 2048; // tokens

    PuzzleWorkload {
        // The largest must exist before an hour is spent on the smaller ones.
        double[] factors = task.factors();
        kind.length((int) Math.round(task.size() * factors[factors.length - 1]));
    }

    @Override
    public String name() {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public TransformerConfig config(long seed) {
        return TextTask.decoder(
                task.layers(),
                task.embeddingSize(),
                task.heads(),
                task.headDimension(),
                SymbolTask.VOCABULARY,
                seed);
    }

    @Override
    public int length() {
        return lengthAt(1);
    }

    @Override
    public double[] factors() {
        return task.factors();
    }

    @Override
    public int lengthAt(double factor) {
        return kind.length(sizeAt(factor));
    }

    private int sizeAt(double factor) {
        return (int) Math.round(factor * task.size());
    }

    @Override
    public DecoderTraining training() {
        return task.training();
    }

    @Override
    public SequenceBatches batches(long seed, double factor, int steps) {
        int rows = Math.max(1, (int) Math.round(task.batch() / factor));
        int largest = sizeAt(factor);
        return new SequenceBatches(
                k -> {
                    SplittableRandom random = Draws.of(seed, k);
                    return Stream.generate(() -> kind.sequence(random, 1 + random.nextInt(largest)))
                            .limit(rows)
                            .toList();
                },
                steps);
    }

    @Override
    public SequenceBatches practice(long seed, double factor) {
        int rows = Math.max(1, PRACTISED / lengthAt(factor));
        return new SequenceBatches(
                k -> {
                    SplittableRandom random = Draws.of(seed, k);
                    return Stream.generate(() -> kind.sequence(random, sizeAt(factor)))
                            .limit(rows)
                            .toList();
                },
                1);
    }

    @Override
    public Measured measure(LongFunction<Reader> readers, NDManager manager)
            throws IOException, TranslateException {
        Measured measured = new Measured();
        for (double factor : task.factors()) {
            SplittableRandom random = new SplittableRandom(MEASURED);
            List<Sequence> all =
                    IntStream.range(0, task.puzzles(factor))
                            .mapToObj(i -> kind.sequence(random, sizeAt(factor)))
                            .toList();
            Answers answers = Answers.of(readers.apply(lengthAt(factor)), all, ROWS, manager);
            measured.values().put(Measured.at("exact", factor), answers.exact());
            measured.values().put(Measured.at("token", factor), answers.token());
        }
        return measured;
    }

    @Override
    public String identity() {
        return kind + "\n" + task;
    }
}
