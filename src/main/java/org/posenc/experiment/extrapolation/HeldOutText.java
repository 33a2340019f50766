package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.posenc.attention.AttentionMask;
import org.posenc.kernel.Autograd;
import org.posenc.model.Transformer;
import org.posenc.training.SequenceBatches.Sequence;
import org.posenc.training.TokenWindows;

/**
 * Text that a decoder has not seen, and how its reading of it is measured.
 *
 * <p>The loss is that of the same tokens under growing context (a sliding window whose stride is
 * the number of these tokens, looked at in as many places as there are windows), so that neither
 * the text nor a window's first tokens, which have little context, move the figures.
 *
 * @param tokens the text, longer than the longest context
 * @param longest the longest context
 * @param task how much is read
 * @param passkey makes passkeys; empty to ask for none
 */
public record HeldOutText(int[] tokens, int longest, ReadingTask task, Optional<Passkey> passkey) {

    private static final long MEASURED = 0x5EED; // the passkeys of every measurement are the same

    /**
     * What came of reading at one length.
     *
     * @param loss nats a token
     * @param passkeys the share of passkeys found, by depth; none where none were asked for, or the
     *     context has no room for one
     */
    public record Reading(double loss, List<Double> passkeys) {}

    /** Checks that there is text enough. */
    public HeldOutText {
        if (tokens.length <= longest) {
            throw new IllegalArgumentException(
                    "to read "
                            + longest
                            + " tokens the held-out text must have more, got "
                            + tokens.length);
        }
    }

    /**
     * Reads with a decoder whose tokens stand one after the other.
     *
     * @param decoder the decoder
     * @param length the context, up to the longest
     * @param manager the decoder's
     * @return loss and passkeys
     * @throws IOException if the batches cannot be read
     * @throws TranslateException if the batches cannot be made
     */
    public Reading read(Transformer decoder, int length, NDManager manager)
            throws IOException, TranslateException {
        Reader reader = Reader.of(decoder);
        boolean asks = passkey.map(keys -> length >= keys.shortest()).orElse(false);
        try (Autograd.Scope off = Autograd.off()) {
            return new Reading(
                    loss(reader, length, manager),
                    asks
                            ? passkeys(reader, length, manager).stream()
                                    .map(Answers::exact)
                                    .toList()
                            : List.of());
        }
    }

    double loss(Reader reader, int length, NDManager parent)
            throws IOException, TranslateException {
        double sum = 0;
        try (NDManager manager = parent.newSubManager()) {
            for (Batch batch : windows(length, task.targets()).getData(manager)) {
                try (NDArray each = each(reader, batch, task.targets(), manager)) {
                    sum += each.sum().getFloat() / task.targets();
                }
                batch.close();
            }
        }
        return sum / task.windows();
    }

    /** The loss at each position, a mean over windows. */
    double[] lossOfEach(Reader reader, int length, NDManager parent)
            throws IOException, TranslateException {
        double[] sums = new double[length];
        try (NDManager manager = parent.newSubManager()) {
            for (Batch batch : windows(length, length).getData(manager)) {
                try (NDArray each = each(reader, batch, length, manager)) {
                    float[] losses = each.sum(new int[] {0}).toFloatArray();
                    Arrays.setAll(sums, i -> sums[i] + losses[i] / task.windows());
                }
                batch.close();
            }
        }
        return sums;
    }

    /** (B, S): the losses of the last S labels of each row. */
    private static NDArray each(Reader reader, Batch batch, int scored, NDManager manager) {
        NDArray ids = batch.getData().head();
        int length = (int) ids.getShape().get(1);
        NDIndex last = new NDIndex().addAllDim().addSliceDim(length - scored, length);
        return reader.decoder()
                .losses(
                        ids,
                        reader.positions(ids.getManager(), length),
                        AttentionMask.none(),
                        batch.getLabels().head().get(last),
                        new ParameterStore(manager, false));
    }

    /** Windows that end at the same tokens, whatever their length. */
    private TokenWindows windows(int length, int scored) {
        int last = tokens.length - 1;
        int[] ends = new int[task.windows()];
        Arrays.setAll(
                ends,
                i -> longest + (int) ((long) i * (last - longest) / Math.max(1, ends.length - 1)));
        return TokenWindows.endingAt(tokens, length, scored, task.rows(length), ends);
    }

    /** Passkeys told at each depth, from the beginning to the question. */
    List<Answers> passkeys(Reader reader, int length, NDManager manager)
            throws IOException, TranslateException {
        List<Answers> found = new ArrayList<>();
        Passkey keys = passkey.orElseThrow();
        SplittableRandom random = new SplittableRandom(MEASURED);
        for (int depth = 0; depth < task.depths(); depth++) {
            double at = task.depths() == 1 ? 0.5 : (double) depth / (task.depths() - 1);
            List<Sequence> asked =
                    IntStream.range(0, task.passkeys())
                            .mapToObj(i -> keys.question(random, tokens, length, at))
                            .toList();
            found.add(Answers.of(reader, asked, task.rows(length), manager));
        }
        return found;
    }
}
