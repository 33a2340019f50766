package org.posenc.experiment.language;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.experiment.Progress;
import org.posenc.kernel.CrossEntropy;
import org.posenc.model.Transformer;

/**
 * How well a model foretells texts that are read through a sliding window.
 *
 * @param window the window
 * @param windows how many windows were read
 * @param tokens how many tokens were scored
 * @param loss the mean of −log p over these tokens, in nats
 */
public record Perplexity(SlidingWindow window, long windows, long tokens, double loss) {

    /**
     * Returns the perplexity.
     *
     * @return e to the power of the loss
     */
    public double value() {
        return Math.exp(loss);
    }

    /**
     * Measures a model. Each window stands at the positions from 0.
     *
     * @param model a decoder with weights; it runs on their device
     * @param texts token ids in [0, V), each text by itself
     * @param window the window
     * @param batch how many windows are read at once, at least 1
     * @param progress hears of each token scored
     * @return the measure
     * @throws IllegalArgumentException if no text has two tokens, or a token is not in the
     *     vocabulary
     */
    public static Perplexity of(
            Transformer model,
            List<long[]> texts,
            SlidingWindow window,
            int batch,
            Progress progress) {
        if (batch < 1) {
            throw new IllegalArgumentException(
                    "at least 1 window must be read at once, got " + batch);
        }
        long all =
                texts.stream()
                        .flatMap(text -> window.over(text.length).stream())
                        .mapToLong(SlidingWindow.Window::count)
                        .sum();
        if (all == 0) {
            throw new IllegalArgumentException(
                    "perplexity needs a text of at least 2 tokens, one to be foretold from the"
                            + " other");
        }
        texts.forEach(text -> check(text, model.config().vocabulary()));
        progress.started(all, 0);
        NDArray weight = model.getParameters().get("tokens").getArray();
        double sum = 0;
        long scored = 0;
        long windows = 0;
        try (NDManager manager = NDManager.newBaseManager(weight.getDevice(), "PyTorch")) {
            for (long[] text : texts) {
                for (List<SlidingWindow.Window> group : groups(window.over(text.length), batch)) {
                    sum += losses(model, text, group, manager);
                    long count = (long) group.size() * group.get(0).count();
                    windows += group.size();
                    scored += count;
                    progress.advanced(count);
                    progress.note(String.format("perplexity %.4f", Math.exp(sum / scored)));
                }
            }
        }
        return new Perplexity(window, windows, scored, sum / scored);
    }

    private static void check(long[] text, int vocabulary) {
        for (int t = 0; t < text.length; t++) {
            if (text[t] < 0 || text[t] >= vocabulary) {
                throw new IllegalArgumentException(
                        "token "
                                + text[t]
                                + " at place "
                                + t
                                + " must be in [0, "
                                + vocabulary
                                + "): is the tokenizer the model's?");
            }
        }
    }

    /** Neighbours that are alike, so that they fill a batch. */
    private static List<List<SlidingWindow.Window>> groups(
            List<SlidingWindow.Window> windows, int batch) {
        List<List<SlidingWindow.Window>> groups = new ArrayList<>();
        for (SlidingWindow.Window window : windows) {
            List<SlidingWindow.Window> last =
                    groups.isEmpty() ? List.of() : groups.get(groups.size() - 1);
            if (last.isEmpty() || last.size() == batch || !last.get(0).alike(window)) {
                groups.add(new ArrayList<>(List.of(window)));
            } else {
                last.add(window);
            }
        }
        return groups;
    }

    /** The sum of −log p over the tokens that windows score. */
    private static double losses(
            Transformer model, long[] text, List<SlidingWindow.Window> windows, NDManager manager) {
        SlidingWindow.Window first = windows.get(0);
        int length = first.end() - first.begin();
        int width = first.count() + 1;
        long[] ids = new long[windows.size() * length];
        long[] labels = new long[windows.size() * width];
        Arrays.fill(labels, CrossEntropy.IGNORED); // as the last, whose next token is elsewhere
        for (int i = 0; i < windows.size(); i++) {
            SlidingWindow.Window w = windows.get(i);
            System.arraycopy(text, w.begin(), ids, i * length, length);
            System.arraycopy(text, w.scored(), labels, i * width, w.count());
        }
        try (NDManager inner = manager.newSubManager()) {
            NDArray losses =
                    model.losses(
                            inner.create(ids, new Shape(windows.size(), length)),
                            Positions.range(inner, 0, length),
                            AttentionMask.none(),
                            inner.create(labels, new Shape(windows.size(), width)),
                            new ParameterStore(inner, false));
            double sum = 0;
            for (double loss : losses.toType(DataType.FLOAT64, false).toDoubleArray()) {
                sum += loss;
            }
            return sum;
        }
    }
}
