package org.posenc.encoding.rope;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.posenc.encoding.Positions;

/**
 * The points (time, height, width) of a sequence of text, images and videos for {@link
 * MultiSectionRope} (<a href="https://arxiv.org/abs/2409.12191">Wang et al. 2024</a>, §2.1).
 *
 * <p>Text counts on, the three coordinates being equal. An image of h × w tokens that starts at p
 * has the points (p, p + row, p + column), a video (p + ⌊frame · interval⌋, p + row, p + column).
 * What follows starts at one more than the greatest coordinate so far, as in the paper.
 * (transformers 5.18 starts it at p + max(h, w), so that text after a video of more frames than
 * rows and columns stands at times which its frames have already.)
 */
public final class MultiSectionPositions {

    private static final int AXES = 3;

    private final List<long[]> points = new ArrayList<>();
    private long next;

    /** An empty sequence. */
    public MultiSectionPositions() {}

    /**
     * Adds text.
     *
     * @param tokens how many, at least 1
     * @return this
     */
    public MultiSectionPositions text(int tokens) {
        ScalingArguments.length(1, tokens, "the number of tokens of a text");
        for (int i = 0; i < tokens; i++) {
            points.add(new long[] {next, next, next});
            next++;
        }
        return this;
    }

    /**
     * Adds an image.
     *
     * @param height rows of tokens, after neighbouring patches have been merged, at least 1
     * @param width columns of tokens, at least 1
     * @return this
     */
    public MultiSectionPositions image(int height, int width) {
        return video(1, height, width, 1);
    }

    /**
     * Adds a video.
     *
     * @param frames how many, after neighbouring frames have been merged, at least 1
     * @param height rows of tokens of each, at least 1
     * @param width columns of tokens of each, at least 1
     * @param interval by how much time counts on from frame to frame: 1 in Qwen2-VL, tokens per
     *     second × seconds per frame in Qwen2.5-VL; at least 0, rounded down for each frame
     * @return this
     */
    public MultiSectionPositions video(int frames, int height, int width, double interval) {
        ScalingArguments.length(1, frames, "the number of frames");
        ScalingArguments.length(1, height, "the number of rows");
        ScalingArguments.length(1, width, "the number of columns");
        ScalingArguments.atLeast(0, interval, "the interval of frames");
        long start = next;
        for (int t = 0; t < frames; t++) {
            long time = start + (long) (t * interval);
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    points.add(new long[] {time, start + y, start + x});
                }
            }
            next = Math.max(next, time + 1);
        }
        next = Math.max(next, start + Math.max(height, width));
        return this;
    }

    /**
     * Returns where the next token of text stands: one more than the greatest coordinate.
     *
     * @return its position; less the {@link #length} it is Hugging Face's {@code rope_deltas}
     */
    public long next() {
        return next;
    }

    /**
     * Returns the number of tokens.
     *
     * @return T
     */
    public int length() {
        return points.size();
    }

    /**
     * Returns the points.
     *
     * @return T rows of (time, height, width)
     */
    public long[][] points() {
        return points.stream().map(long[]::clone).toArray(long[][]::new);
    }

    /**
     * Returns the points of one sequence.
     *
     * @param manager owns the array
     * @return (T, 3), int64
     */
    public Positions positions(NDManager manager) {
        long[] flat = new long[AXES * length()];
        fill(flat, 0);
        return Positions.points(manager.create(flat, new Shape(length(), AXES)));
    }

    /**
     * Returns the points of a batch whose rows end together, shorter ones being padded on the left
     * with zeros.
     *
     * @param manager owns the array
     * @param rows at least one sequence
     * @return (B, T, 3), int64, T being the longest row's length
     */
    public static Positions leftPadded(NDManager manager, List<MultiSectionPositions> rows) {
        int longest = rows.stream().mapToInt(MultiSectionPositions::length).max().orElse(0);
        long[] flat = new long[AXES * longest * rows.size()];
        for (int b = 0; b < rows.size(); b++) {
            rows.get(b).fill(flat, AXES * ((b + 1) * longest - rows.get(b).length()));
        }
        return Positions.points(manager.create(flat, new Shape(rows.size(), longest, AXES)));
    }

    private void fill(long[] flat, int from) {
        for (int t = 0; t < length(); t++) {
            System.arraycopy(points.get(t), 0, flat, from + AXES * t, AXES);
        }
    }
}
